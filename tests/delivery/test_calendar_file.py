"""Calendar files: whole days, one UID for ever, changes that programmes believe, nothing secret."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from icalendar import Calendar

from delivery.calendar_file import Event, calendar_files
from delivery.letter import compose
from delivery.parcel import Parcel
from delivery.words import Words
from storage.tables import Channel, OutboxKind

SENDER = "raccordo@example.org"
EVENT = Event(7, "Monitoraggio; mensile, già: Ex mercato", date(2026, 12, 10), 2, "CUP C47H21000010001")


def test_a_deadline_is_a_whole_day_with_all_that_a_publication_must_have(now: datetime) -> None:
    (file,) = calendar_files([EVENT], SENDER, now)

    calendar = Calendar.from_ical(file.content)
    (event,) = calendar.walk("VEVENT")
    assert (str(calendar["VERSION"]), str(calendar["METHOD"]), file.method) == ("2.0", "PUBLISH", "PUBLISH")
    assert calendar["PRODID"]
    assert str(event["UID"]) == "obligation-7@example.org"
    assert event["SEQUENCE"] == 2
    assert event.decoded("DTSTART") == date(2026, 12, 10)
    assert type(event.decoded("DTSTART")) is date
    assert event.decoded("DTEND") == date(2026, 12, 11)
    assert event.decoded("DTSTAMP") == now
    assert str(event["SUMMARY"]) == EVENT.title
    assert str(event["DESCRIPTION"]) == EVENT.about
    assert str(event["ORGANIZER"]) == f"mailto:{SENDER}"
    assert "ATTENDEE" not in event
    assert not [error for component in calendar.walk() for error in component.errors]


def test_what_is_over_is_taken_out_by_a_file_of_its_own(now: datetime) -> None:
    over = replace(EVENT, obligation_id=8, sequence=3, over=True)

    put_in, taken_out = calendar_files([EVENT, over], SENDER, now)

    assert (put_in.method, taken_out.method) == ("PUBLISH", "CANCEL")
    (event,) = Calendar.from_ical(taken_out.content).walk("VEVENT")
    assert (str(event["UID"]), event["SEQUENCE"], str(event["STATUS"])) == ("obligation-8@example.org", 3, "CANCELLED")
    assert event.decoded("DTSTART") == EVENT.on


def test_long_lines_are_folded_by_octets_and_read_again_whole(now: datetime) -> None:
    title = "Così è più lungo: " * 40

    (file,) = calendar_files([replace(EVENT, title=title)], SENDER, now)

    assert max(len(line) for line in file.content.split(b"\r\n")) <= 75
    assert b"\n" not in file.content.replace(b"\r\n", b"")
    (event,) = Calendar.from_ical(file.content).walk("VEVENT")
    assert str(event["SUMMARY"]) == title


def test_what_staff_wrote_makes_no_property_of_its_own(now: datetime) -> None:
    (file,) = calendar_files([replace(EVENT, title="Uno\r\nATTENDEE:mailto:altri@example.org")], SENDER, now)

    (event,) = Calendar.from_ical(file.content).walk("VEVENT")
    assert "ATTENDEE" not in event


def test_without_days_there_is_no_file(now: datetime) -> None:
    assert calendar_files([], SENDER, now) == []


@pytest.mark.parametrize("over", [False, True])
def test_a_mail_carries_the_file_and_the_key_to_the_page_is_not_in_it(now: datetime, over: bool) -> None:
    words = Words("Ciao", "Promemoria", events=(replace(EVENT, over=over),))
    parcel = Parcel(
        id=7,
        attempt=1,
        kind=OutboxKind.REMINDER,
        channel=Channel.EMAIL,
        address="ada@example.org",
        dedupe_key="r",
        words=Words.from_json(words.to_json()),
        personal_url="https://raccordo.example.org/r/SECRETKEY",
    )

    mail = compose(parcel, f"Ufficio <{SENDER}>", "", now)

    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "text/calendar"
    method = file["Content-Type"].params["method"]
    assert (file.get_filename(), method) == (
        ("scadenze-annullate.ics", "CANCEL") if over else ("scadenze.ics", "PUBLISH")
    )
    content = file.get_content()
    assert f"METHOD:{method}" in content
    assert "SECRETKEY" not in content
