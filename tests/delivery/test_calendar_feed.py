"""A calendar that is read again and again: what RFC 5545 asks, and what Outlook, Google and Apple insist on."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from delivery.calendar_feed import Entry, Feed, Standing, written
from delivery.calendar_file import Event, calendar_files

SENDER = "Ufficio <raccordo@example.org>"
ENTRY = Entry("obligation-7", "Monitoraggio; mensile, già: Ex mercato", date(2026, 12, 10), 2, "CUP C47\nDue righe")
FEED = Feed("Scadenze di Raccordo", "Che cosa aspettiamo da te.", (ENTRY,))
# RFC 5545 §3.1: a name, its parameters, a colon; no control character but the tab.
LINE = re.compile(r"[A-Z0-9-]+(;[A-Z0-9-]+=(\"[^\"\x00-\x1f]*\"|[^\";:,\x00-\x1f]*))*:[^\x00-\x08\x0a-\x1f\x7f]*")


def lines_of(content: bytes) -> list[str]:
    """The lines, put together again; refuses what a strict reader would: an end that is no CRLF, 76 octets, a fold
    within a letter, a line without a name."""
    assert content.endswith(b"\r\n")
    physical = content.removesuffix(b"\r\n").split(b"\r\n")
    for line in physical:
        assert b"\n" not in line
        assert b"\r" not in line
        assert 1 <= len(line) <= 75
        line.decode("utf-8")
    whole = content.removesuffix(b"\r\n").replace(b"\r\n ", b"").decode("utf-8").split("\r\n")
    for one in whole:
        assert LINE.fullmatch(one), one
    return whole


def component(content: bytes, kind: str = "VEVENT") -> Any:
    calendar = Calendar.from_ical(content)
    assert not [error for one in calendar.walk() for error in one.errors]
    (found,) = calendar.walk(kind)
    return found


def test_a_calendar_says_its_name_and_how_often_to_come_back(now: datetime) -> None:
    lines = lines_of(written(FEED, SENDER, now))

    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    for wanted in (
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:Scadenze di Raccordo",
        "X-WR-CALNAME:Scadenze di Raccordo",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
    ):
        assert lines.count(wanted) == 1, wanted
    assert not [line for line in lines if "TZID" in line or "VTIMEZONE" in line]


def test_a_day_is_whole_and_rings_at_nine_of_the_day_before(now: datetime) -> None:
    event = component(written(FEED, SENDER, now))

    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (date(2026, 12, 10), date(2026, 12, 11))
    assert event["DTSTART"].params["VALUE"] == "DATE"
    assert (str(event["STATUS"]), str(event["TRANSP"]), event["SEQUENCE"]) == ("CONFIRMED", "TRANSPARENT", 2)
    assert event.decoded("DTSTAMP") == now.replace(microsecond=0)
    (alarm,) = event.walk("VALARM")
    rings = datetime(2026, 12, 10, tzinfo=UTC) + alarm.decoded("TRIGGER")
    assert (rings.date(), rings.hour) == (date(2026, 12, 9), 9)
    assert str(alarm["ACTION"]) == "DISPLAY"
    assert alarm["DESCRIPTION"]


def test_a_day_is_the_same_that_a_reminder_brings(now: datetime) -> None:
    (file,) = calendar_files([Event(7, ENTRY.title, ENTRY.on, 2)], "raccordo@example.org", now)

    reminded, read = component(file.content), component(written(FEED, SENDER, now))

    assert reminded["UID"] == read["UID"]
    assert reminded["SEQUENCE"] == read["SEQUENCE"]


@pytest.mark.parametrize(
    ("standing", "event", "task"),
    [
        (Standing.OPEN, "CONFIRMED", "NEEDS-ACTION"),
        (Standing.DONE, "CONFIRMED", "COMPLETED"),
        (Standing.OVER, "CANCELLED", "CANCELLED"),
    ],
)
def test_what_is_done_or_over_says_so_and_rings_no_more(
    now: datetime, standing: Standing, event: str, task: str
) -> None:
    feed = replace(FEED, entries=(replace(ENTRY, standing=standing, done_at=now - timedelta(days=1)),))

    as_event = component(written(feed, SENDER, now))
    as_task = component(written(replace(feed, tasks=True), SENDER, now), "VTODO")

    assert (str(as_event["STATUS"]), str(as_task["STATUS"])) == (event, task)
    for one in (as_event, as_task):
        assert len(one.walk("VALARM")) == (standing is Standing.OPEN)
    assert ("COMPLETED" in as_task) == (standing is Standing.DONE)


def test_a_task_is_another_thing_than_its_day_and_counts_from_its_end(now: datetime) -> None:
    event = component(written(FEED, SENDER, now))

    task = component(written(replace(FEED, tasks=True), SENDER, now), "VTODO")

    assert task["UID"] != event["UID"]
    assert task.decoded("DUE") == date(2026, 12, 10)
    assert "DTSTART" not in task
    (alarm,) = task.walk("VALARM")
    assert alarm["TRIGGER"].params["RELATED"] == "END"


@pytest.mark.parametrize(
    "title",
    ["Così è più lungo: " * 40, "è" * 200, "🏛️" * 60, 'a, b; c \\ d: "e"', "Uno\r\nATTENDEE:mailto:altri@example.org"],
)
def test_any_title_is_folded_escaped_and_read_again(now: datetime, title: str) -> None:
    content = written(replace(FEED, entries=(replace(ENTRY, title=title),)), SENDER, now)

    lines_of(content)
    event = component(content)
    assert str(event["SUMMARY"]).replace("\r\n", "\n") == title.replace("\r\n", "\n")
    assert "ATTENDEE" not in event


def test_the_mark_changes_with_every_day_and_with_nothing_else() -> None:
    other = replace(FEED, entries=(replace(ENTRY, on=date(2026, 12, 11)),))

    assert FEED.mark() == replace(FEED).mark()
    assert FEED.mark() != other.mark()
