"""The least that a page of a list can cost: Starlette, one query by an index, fifty lines joined as text.

python -m benchmarks.bare_page URL PORT
The query goes straight to the driver. No session, no sealed text, no template: the yardstick for `benchmarks.desk`.
"""

import sqlite3
import sys
import threading
from typing import Any

import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

QUERY = "SELECT id, due_at FROM question WHERE state = 'new' ORDER BY id LIMIT 50"


class Bare:
    """Each thread of the server has a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._here = threading.local()

    def _connection(self) -> Any:
        if not hasattr(self._here, "connection"):
            path = self._url.removeprefix("sqlite:///")
            is_sqlite = path != self._url
            self._here.connection = sqlite3.connect(path) if is_sqlite else psycopg.connect(self._url, autocommit=True)
        return self._here.connection

    def page(self, _request: Request) -> HTMLResponse:
        rows = self._connection().execute(QUERY).fetchall()
        lines = "".join(f"<tr><td>{number}</td><td>{due}</td></tr>" for number, due in rows)
        return HTMLResponse(f"<!doctype html><title>Questions</title><table>{lines}</table>")


def main() -> None:
    url, port = sys.argv[1:]
    app = Starlette(routes=[Route("/healthz", Bare(url).page)])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_config=None, access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
