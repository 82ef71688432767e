"""Calendar files of deadlines: one to put days in, one to take them out (RFC 5545, RFC 5546 §3.2.1 and §3.2.5). Pure.

A deadline is a whole day, by its date: what is due "by the tenth" is so in every time zone. Keys have no place here:
people share their calendars.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from typing import Any

PRODUCER = "-//Raccordo//Deadlines//EN"


@dataclass(frozen=True, slots=True)
class Event:
    """One day in somebody's calendar. `sequence` rises with each change; `over`: it is to be taken out."""

    obligation_id: int
    title: str
    on: date
    sequence: int = 0
    about: str = ""
    over: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "obligation_id": self.obligation_id,
            "title": self.title,
            "on": self.on.isoformat(),
            "sequence": self.sequence,
            "about": self.about,
            "over": self.over,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Event":
        return cls(**document | {"on": date.fromisoformat(document["on"])})


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """`method`: what the programme that opens it should do, PUBLISH or CANCEL."""

    method: str
    content: bytes


def calendar_files(events: Iterable[Event], sender: str, now: datetime) -> list[CalendarFile]:
    """At most two: a file says one thing. `sender`: the address that all of them come from, and by which they stay one.

    `now` is told as the moment of writing.
    """
    chosen = list(events)
    parted = (("PUBLISH", [one for one in chosen if not one.over]), ("CANCEL", [one for one in chosen if one.over]))
    return [CalendarFile(method, _written(method, some, sender, now)) for method, some in parted if some]


def name_of(obligation_id: int) -> str:
    """What a day is called before the @ of its UID, in whatever file it stands."""
    return f"obligation-{obligation_id}"


def domain_of(sender: str) -> str:
    """What stands behind the @ of every UID of ours. `sender`: `Name <address>`, or the address alone."""
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _written(method: str, events: list[Event], sender: str, now: datetime) -> bytes:
    from icalendar import Calendar  # 60 ms, for what few mails carry

    calendar = Calendar()
    calendar.add("prodid", PRODUCER)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    for one in events:
        calendar.add_component(_event(one, sender, now))
    content: bytes = calendar.to_ical()
    return content


def _event(one: Event, sender: str, now: datetime) -> Any:
    from icalendar import Event as Component
    from icalendar import vCalAddress

    event = Component()
    event.add("uid", f"{name_of(one.obligation_id)}@{domain_of(sender)}")
    event.add("dtstamp", now)
    event.add("sequence", one.sequence)
    event.add("organizer", vCalAddress(f"mailto:{sender}"))
    event.add("summary", one.title)
    event.add("dtstart", one.on)
    event.add("dtend", one.on + timedelta(days=1))
    event.add("status", "CANCELLED" if one.over else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # nobody is busy all day because something is due
    if one.about:
        event.add("description", one.about)
    return event
