"""What a calendar file announces, as text. Pure; never fails; keeps no appointment."""

import re
from datetime import date, datetime
from typing import Any

MOST = 20
LARGEST = 256 * 1024  # bytes; a library reads it, so not more
_BEGIN = re.compile(rb"^BEGIN:VEVENT\s*$", re.MULTILINE | re.IGNORECASE)
_END = re.compile(rb"^END:VEVENT\s*$", re.MULTILINE | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
MOST_LETTERS = 300


def events_of(content: bytes) -> tuple[str, ...]:
    """Each event in one line: when, what, where. What cannot be read is left out: its file is kept."""
    found: list[str] = []
    at = 0
    content = content[:LARGEST]
    for _ in range(MOST):
        begin = _BEGIN.search(content, at)
        end = None if begin is None else _END.search(content, begin.end())
        if begin is None or end is None:
            break
        at = end.end()
        line = _event(content[begin.start() : at])
        if line and line not in found:
            found.append(line)
    return tuple(found)


def _event(block: bytes) -> str:
    # One by one: an event that the library refuses, or one of somebody else's making, costs only itself.
    from icalendar import Event

    try:
        event = Event.from_ical(block)
        when = _when(event)
        words = [str(event.get(name, "")) for name in ("SUMMARY", "LOCATION")]
    except Exception:  # it raises whatever its fields' parsers do
        return ""
    return " · ".join(_CONTROL.sub(" ", one).strip()[:MOST_LETTERS] for one in (when, *words) if one.strip())


def _when(event: Any) -> str:
    start, end = (_moment(event.get(name)) for name in ("DTSTART", "DTEND"))
    if end and end[:10] == start[:10]:
        end = end[11:]
    return f"{start}–{end}" if end else start


def _moment(value: Any) -> str:
    at = getattr(value, "dt", None)
    if isinstance(at, datetime):
        zone = f" {at.tzname()}" if at.tzinfo is not None and at.utcoffset() is not None else ""
        return f"{at:%d/%m/%Y %H:%M}{zone}"
    return f"{at:%d/%m/%Y}" if isinstance(at, date) else ""
