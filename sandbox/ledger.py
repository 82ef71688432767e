"""Writes down everything that went through the sandbox, in order; refuses to forget or to change an entry.

It is the oracle of the kill tests: what the programme under test believes is compared with this at the end.
With a path, each entry is also a line of JSON on disk before the answer leaves.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import orjson


class EntryKind(StrEnum):
    CALL = "call"  # a method was called: accepted when status is 200, refused otherwise
    QUEUED = "queued"  # an update began to wait for the bot
    HANDED_OUT = "handed_out"  # updates left in one answer to getUpdates
    POSTED = "posted"  # an update was posted to the webhook, which answered `status` (0: nothing)
    CONFIRMED = "confirmed"  # updates the bot will not be given again


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `at` is the sandbox clock in epoch seconds; `result_id` the id of the message made."""

    number: int
    at: float
    kind: EntryKind
    method: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    description: str = ""
    chat_id: int | None = None
    result_id: int | None = None
    answered: bool = True
    update_ids: tuple[int, ...] = ()


class Ledger:
    """An append-only list of entries; `close()` only matters when it is also a file."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file: BinaryIO | None = path.open("ab", buffering=0) if path else None

    def write(self, kind: EntryKind, at: float, **details: Any) -> Entry:
        entry = Entry(len(self.entries) + 1, at, kind, **details)
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(orjson.dumps(asdict(entry)) + b"\n")
        return entry

    def after(self, number: int = 0, limit: int | None = None) -> list[Entry]:
        end = None if limit is None else number + limit
        return self.entries[number:end]

    def calls(self, method: str | None = None, *, chat_id: int | None = None, status: int | None = None) -> list[Entry]:
        """Calls made, in order, narrowed by method, chat and status (200 = accepted)."""
        return [
            entry
            for entry in self.entries
            if entry.kind is EntryKind.CALL
            and (method is None or entry.method == method)
            and (chat_id is None or entry.chat_id == chat_id)
            and (status is None or entry.status == status)
        ]

    def accepted(self, method: str | None = None, *, chat_id: int | None = None) -> list[Entry]:
        return self.calls(method, chat_id=chat_id, status=200)

    def refused(self, method: str | None = None, *, chat_id: int | None = None) -> list[Entry]:
        return [entry for entry in self.calls(method, chat_id=chat_id) if entry.status != 200]

    def update_ids(self, kind: EntryKind) -> list[int]:
        """Ids of the updates queued, handed out (with repetitions) or confirmed, in order."""
        return [update_id for entry in self.entries if entry.kind is kind for update_id in entry.update_ids]

    def counts(self) -> dict[str, int]:
        """How many of each: `call sendMessage 200`, `queued`, `handed_out`, `posted`, `confirmed` (updates)."""
        counts: Counter[str] = Counter()
        for entry in self.entries:
            if entry.kind is EntryKind.CALL:
                counts[f"{entry.kind} {entry.method} {entry.status}"] += 1
            else:
                counts[str(entry.kind)] += len(entry.update_ids)
        return dict(counts)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
