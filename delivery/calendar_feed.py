"""A calendar that programs read from us again and again (RFC 5545, RFC 7986). Pure; no key of ours has a place in it.

Days are days, without an hour: what is due "by the tenth" is so in every time zone, and no zone has to be explained.
A day has the UID that it has in the file of a reminder; a task has another, for it is another thing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from delivery.calendar_file import PRODUCER, domain_of

READ_EVERY = timedelta(hours=6)
ALARM_BEFORE = timedelta(hours=15)  # before the day begins: nine in the morning of the day before


class Standing(StrEnum):
    """What has become of it: it is to be done, it is done, or nobody wants it any more."""

    OPEN = "open"
    DONE = "done"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Entry:
    """One day of a calendar. `name` is its own for ever (`obligation-7`); `sequence` rises with each change.

    `link`: a page that asks who one is. `done_at`: when it came in.
    """

    name: str
    title: str
    on: date
    sequence: int = 0
    about: str = ""
    link: str = ""
    standing: Standing = Standing.OPEN
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A whole calendar under its name. `tasks`: as things to do, for programs with a list of them."""

    name: str
    about: str
    entries: tuple[Entry, ...]
    tasks: bool = False

    def mark(self) -> str:
        """The same as long as nothing in it changes."""
        return sha256(repr((self.name, self.about, self.entries)).encode()).hexdigest()


def written(feed: Feed, sender: str, changed_at: datetime) -> bytes:
    """The file. `sender`: the address whose domain all names share. `changed_at`: told as the moment of its writing."""
    from icalendar import Calendar  # 60 ms, for what few requests ask

    calendar = Calendar()
    calendar.add("prodid", PRODUCER)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for name, value in (("name", feed.name), ("x-wr-calname", feed.name)):
        calendar.add(name, value)
    for name, value in (("description", feed.about), ("x-wr-caldesc", feed.about)):
        calendar.add(name, value)
    calendar.add("refresh-interval", READ_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for component in _components(feed, domain_of(sender), changed_at):
        calendar.add_component(component)
    content: bytes = calendar.to_ical()
    return content


def _components(feed: Feed, domain: str, changed_at: datetime) -> Iterable[Any]:
    for one in feed.entries:
        component = _task(one) if feed.tasks else _event(one)
        component.add("uid", f"{'task-' if feed.tasks else ''}{one.name}@{domain}")
        component.add("dtstamp", changed_at)
        component.add("sequence", one.sequence)
        component.add("summary", one.title)
        if one.about:
            component.add("description", one.about)
        if one.link:
            component.add("url", one.link)
        if one.standing is Standing.OPEN:
            component.add_component(_alarm(one, feed))
        yield component


def _event(one: Entry) -> Any:
    from icalendar import Event

    event = Event()
    event.add("dtstart", one.on)
    event.add("dtend", one.on + timedelta(days=1))
    event.add("status", "CANCELLED" if one.standing is Standing.OVER else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # nobody is busy all day because something is due
    return event


def _task(one: Entry) -> Any:
    from icalendar import Todo

    status = {Standing.OPEN: "NEEDS-ACTION", Standing.DONE: "COMPLETED", Standing.OVER: "CANCELLED"}
    task = Todo()
    task.add("due", one.on)
    task.add("status", status[one.standing])
    if one.standing is Standing.DONE:
        task.add("percent-complete", 100)
        if one.done_at is not None:
            task.add("completed", one.done_at)
    return task


def _alarm(one: Entry, feed: Feed) -> Any:
    """A task has no beginning: its alarm counts from the day it is due."""
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", one.title)
    alarm.add("trigger", -ALARM_BEFORE, parameters={"RELATED": "END" if feed.tasks else "START"})
    return alarm
