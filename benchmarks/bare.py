"""One SQLite commit (WAL, synchronous FULL) after the other, and nothing else: what durability alone costs here.

python -m benchmarks.bare FOLDER SECONDS
"""

import sqlite3
import sys
import time
from pathlib import Path

import orjson

PAYLOAD = b"x" * 600  # about what an update weighs


def run(folder: Path, seconds: float) -> dict[str, object]:
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE step (id INTEGER PRIMARY KEY, payload BLOB)")
    latencies = []
    end = time.perf_counter() + seconds
    cpu = time.process_time()
    while (began := time.perf_counter()) < end:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO step (payload) VALUES (?)", (PAYLOAD,))
        connection.execute("COMMIT")
        latencies.append(time.perf_counter() - began)
    return {"latencies": latencies, "seconds": seconds, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    print(orjson.dumps(run(Path(sys.argv[1]), float(sys.argv[2]))).decode())
