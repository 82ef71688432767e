"""What kind of mail it is: written by a person, by a machine, by a mail server."""

import pytest

from intake.incoming import Report
from intake.mail import read
from storage.words import LetterKind
from tests.intake.reading.letters import a_mail, a_multipart, a_part

STATUS = """Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; Ada@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: user
 unknown

Original-Recipient: rfc822;<bruno@example.org>
Action: delayed
Status: 4.4.1
"""
RETURNED = "Message-ID: <7.abc@example.net>\nSubject: Scadenza\nTo: ada@example.org\n\nGentile Ada"


def kind(**headers: str) -> LetterKind:
    return read(a_mail(**headers)).kind


def test_a_person_writes_a_message() -> None:
    assert kind() is LetterKind.MESSAGE


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (by us)"},
        {"Auto_Submitted": 'Auto-Replied; owner-email="ada@example.org"'},
        {"X_Autoreply": "yes"},
        {"X_Autorespond": "Fuori"},
        {"Precedence": "auto_reply"},
        {"X_Auto_Response_Suppress": "All", "Subject": "Risposta automatica: Scadenza"},
        {"Precedence": "bulk", "Subject": "Fuori ufficio"},
        {"Return_Path": "<>"},
        {"Return_Path": "<>", "Subject": "Out of Office: Scadenza"},
        {"Subject": "Fuori ufficio: Scadenza", "In_Reply_To": "<7.abc@example.net>"},
        {"Subject": "=?utf-8?q?Risposta_automatica=3A_Citt=C3=A0?=", "References": "<7.abc@example.net>"},
    ],
)
def test_machines_that_answer(headers: dict[str, str]) -> None:
    assert kind(**headers) is LetterKind.AUTO_REPLY


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "no"},
        {"X_Autoreply": "no"},
        {"Subject": "Fuori ufficio venerdì: chi mi sostituisce?"},
        {"Subject": "Fuori ufficio: chi mi sostituisce?"},
        {"Subject": "R: Risposta automatica", "In_Reply_To": "<7.abc@example.net>"},
        {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"},
        {"List_Unsubscribe": "<https://example.org/>"},
        {"Precedence": "first-class"},
    ],
)
def test_people_who_look_like_machines(headers: dict[str, str]) -> None:
    assert kind(**headers) is LetterKind.MESSAGE


@pytest.mark.parametrize(
    "headers", [{"List_Id": "Comuni <comuni.example.org>"}, {"Precedence": "Bulk"}, {"Precedence": "list"}]
)
def test_lists(headers: dict[str, str]) -> None:
    assert kind(**headers) is LetterKind.LIST


INVITATION = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
UID:1
SUMMARY:Riunione sul PNRR
LOCATION:Sala Pirelli
DTSTART;TZID=Europe/Rome:20261201T100000
DTEND;TZID=Europe/Rome:20261201T113000
END:VEVENT
BEGIN:VEVENT
DTSTART:boh
SUMMARY:rotto
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Festa
DTSTART;VALUE=DATE:20261207
END:VEVENT
END:VCALENDAR
"""


def test_an_invitation_says_when_what_and_where() -> None:
    mail = read(
        a_multipart(
            a_part("Vieni?"),
            a_part(INVITATION, "text/calendar; charset=utf-8; method=REQUEST"),
            kind="alternative",
        )
    )

    assert (mail.kind, mail.text) == (LetterKind.CALENDAR, "Vieni?")
    assert mail.events[0] == "01/12/2026 10:00 CET–11:30 CET · Riunione sul PNRR · Sala Pirelli"
    assert mail.events[-1] == "07/12/2026 · Festa"
    assert [file.name for file in mail.files] == ["file.ics"]


def test_a_calendar_that_came_along_is_a_message_with_events() -> None:
    mail = read(a_multipart(a_part("Ecco"), a_part(INVITATION, 'application/octet-stream; name="riunione.ICS"')))

    assert mail.kind is LetterKind.MESSAGE
    assert "Riunione sul PNRR" in mail.events[0]


def test_a_report_says_of_whom_what_and_why() -> None:
    mail = read(
        a_multipart(
            a_part("Non consegnato."),
            a_part(STATUS, "message/delivery-status"),
            a_part(RETURNED, "message/rfc822"),
            kind="report; report-type=delivery-status",
            Return_Path="<>",
            From="MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        )
    )

    assert mail.kind is LetterKind.BOUNCE
    assert mail.reports == (
        Report("ada@example.org", "failed", "5.1.1", "<7.abc@example.net>"),
        Report("bruno@example.org", "delayed", "4.4.1", "<7.abc@example.net>"),
    )
    assert mail.files == ()


@pytest.mark.parametrize("type_", ["text/rfc822-headers", "message/rfc822-headers"])
def test_a_report_with_headers_only(type_: str) -> None:
    mail = read(
        a_multipart(
            a_part("No"),
            a_part(STATUS.replace("\n", "\r\n"), "message/delivery-status"),
            a_part(RETURNED, type_),
            kind="report",
        )
    )

    assert [report.message_id for report in mail.reports] == ["<7.abc@example.net>"] * 2


def test_that_it_was_read_is_no_bounce() -> None:
    mail = read(
        a_multipart(a_part("Letto"), a_part("Disposition: x", "message/disposition-notification"), kind="report")
    )

    assert (mail.kind, mail.reports, mail.files) == (LetterKind.AUTO_REPLY, (), ())


def test_the_form_of_exim() -> None:
    mail = read(
        a_mail(
            f"Created automatically.\n\n  ada@example.org\n    550 5.1.1 unknown\n\n------\n\n{RETURNED}",
            X_Failed_Recipients="ada@example.org, bruno@example.org",
            Return_Path="<>",
        )
    )

    assert mail.kind is LetterKind.BOUNCE
    assert mail.reports == (
        Report("ada@example.org", "failed", "5.1.1", "<7.abc@example.net>"),
        Report("bruno@example.org", "failed", "5.1.1", "<7.abc@example.net>"),
    )


def test_the_form_of_qmail() -> None:
    mail = read(
        a_mail(
            "Hi. This is the qmail-send program.\n\n<ada@example.org>:\n192.0.2.1 said: 550 5.1.1 no mailbox\n\n"
            f"--- Below this line is a copy of the message.\n\n{RETURNED}",
            From="MAILER-DAEMON@example.net",
            Subject="failure notice",
            Return_Path="<>",
        )
    )

    assert mail.reports == (Report("ada@example.org", "failed", "5.1.1", "<7.abc@example.net>"),)


def test_a_person_may_speak_of_what_was_not_delivered() -> None:
    assert kind(Subject="Mancata consegna dei lavori") is LetterKind.MESSAGE


def test_a_bounce_without_a_word_for_machines() -> None:
    mail = read(a_mail("boh", From="postmaster@example.org", Subject="Undeliverable: Scadenza"))

    assert (mail.kind, mail.reports) == (LetterKind.BOUNCE, ())
