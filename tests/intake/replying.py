"""Somebody who replies to a reminder by mail, as their mail program would write it. All invented."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session, col, select

from delivery.links import Links
from delivery.words import Words, plain_text
from facts.recurrence import ONCE
from intake.builtin import ensure_builtin_forms
from intake.catalogue import Catalogue
from intake.incoming import Enclosed, Incoming, Writer
from intake.post.filled import take_reply
from intake.post.house import PostHouse
from reminders.sweep import remind_one
from reminders.wording import word_reminder
from storage.message_ids import message_id_of
from storage.tables import (
    Channel,
    Draft,
    Inbox,
    Letter,
    LetterKind,
    LetterState,
    Obligation,
    Outbox,
    OutboxKind,
    OutboxState,
    Referent,
    Standing,
    Update,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links("http://raccordo.example")
HOUSE = PostHouse(LINKS)
ADA = "ada@comune.example.org"
DUE = date(2026, 11, 25)
LAST = {
    "phase": "03005",
    "progress": "45",
    "spent": "120000",
    "expected_end": "2027-06-30",
    "problems": "no",
}
_numbers = count(1)


@dataclass
class Correspondence:
    """Ada, what she owes, and the reminder that she got."""

    session: Session
    now: datetime
    ada: Referent
    reminder: Outbox
    channel: Channel = Channel.EMAIL
    letters: list[Letter] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The reminder, as its plain part says it."""
        return plain_text(str(self.reminder.body["html"]))

    def quoted(self, *changes: tuple[str, str]) -> str:
        """The whole of it as programs quote it, with some words written over."""
        return quoted(changed(self.text, *changes))

    def replies(self, text: str, quoted: str = "", *, to: Outbox | None = None, **other: Any) -> bool:
        """Whether it was taken as an update. `to`: one of our later mails."""
        number = next(_numbers)
        said = to or self.reminder
        values: dict[str, Any] = {
            "kind": LetterKind.MESSAGE,
            "fingerprint": f"{number:064x}",
            "sender": Writer(ADA, "Ada"),
            "subject": "Re: Promemoria",
            "message_id": f"<{number}@comune.example.org>",
            "references": (message_id_of(said.id, said.dedupe_key, "example.org"),),
            "text": text,
            "quoted": quoted,
        }
        incoming = Incoming(**values | other)
        letter = self._letter(incoming)
        taken = take_reply(self.session, HOUSE, incoming, letter, self.ada, said, self.now, catalogue=Catalogue())
        self.session.flush()
        self.session.expire_all()
        return taken

    def _letter(self, incoming: Incoming) -> Letter:
        row = Inbox(
            kind="mail",
            account="ufficio@example.org",
            provider_id=incoming.message_id,
            payload_hash=incoming.fingerprint,
            payload=b"raw",
            lane=f"mail:{ADA}",
            received_at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        letter = Letter(
            inbox_id=row.id,
            channel=self.channel,
            fingerprint=incoming.fingerprint,
            provider_id=incoming.message_id,
            kind=incoming.kind,
            state=LetterState.FILED,
            standing=Standing.REPLY,
            sender=ADA,
            subject=incoming.subject,
            text=incoming.text,
            quoted=incoming.quoted,
            about={},
            referent_id=self.ada.id,
            outbox_id=self.reminder.id,
            received_at=self.now,
        )
        self.session.add(letter)
        self.session.flush()
        self.letters.append(letter)
        return letter

    # --- what became of it

    @property
    def drafts(self) -> list[Draft]:
        return list(self.session.exec(select(Draft).order_by(col(Draft.id))))

    @property
    def updates(self) -> list[Update]:
        return list(self.session.exec(select(Update).where(col(Update.inbox_id).is_not(None)).order_by(col(Update.id))))

    @property
    def summaries(self) -> list[Outbox]:
        rows = select(Outbox).where(Outbox.kind == OutboxKind.AUTO_REPLY).order_by(col(Outbox.id))
        return list(self.session.exec(rows))

    @property
    def said(self) -> str:
        """The last of our answers, as its plain part says it."""
        return plain_text(self.words.html)

    @property
    def words(self) -> Words:
        return Words.from_json(self.summaries[-1].body)


def a_correspondence(
    cast: Cast,
    titles: Sequence[str] = ("Ex mercato",),
    *,
    last: dict[str, Any] | None = LAST,
    channel: Channel = Channel.EMAIL,
    language: str = "it",
    form_id: int | None = None,
) -> Correspondence:
    """Ada follows these projects and was reminded of all of them; `last`: what was answered a month ago."""
    version = ensure_builtin_forms(cast.session, cast.now)
    organization = cast.an_organization()
    projects = tuple(cast.a_project(organization, title=title) for title in titles)
    ada = cast.a_referent("Ada Esempio", organization, projects, email=ADA)
    ada.language = language
    for project in projects:
        if last is not None:
            a_month_ago = cast.now - timedelta(days=31)
            cast.add(
                Update(
                    project_id=project.id,
                    form_version_id=version.id,
                    channel=Channel.WEB,
                    answers=last,
                    received_at=a_month_ago,
                )
            )
    a_new_deadline(
        cast,
        title="Rendicontazione",
        rule=ONCE,
        first_on=DUE,
        form_id=form_id or version.form_id,
    )
    remind_one(cast.session, cast.now)
    reminder = cast.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)).one()
    reminder.channel = channel
    words = word_reminder(LINKS, None, {channel})(cast.session, reminder, cast.now)
    assert words is not None
    reminder.body, reminder.state = words.to_json(), OutboxState.SENT
    cast.add(reminder)
    return Correspondence(cast.session, cast.now, ada, reminder, channel)


def changed(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def quoted(text: str, prefix: str = "> ") -> str:
    return "\n".join(f"{prefix}{line}".rstrip() for line in text.split("\n"))


def open_ones(session: Session) -> list[Obligation]:
    return [one for one in session.exec(select(Obligation)).all() if one.state == "open"]


def block_of(text: str) -> str:
    """The first block in a mail."""
    found = re.search(r"^--- .* ---\n(?:.*\n)*?---$", text, re.MULTILINE)
    assert found is not None, text
    return found[0]


def a_file(name: str = "relazione.pdf", **other: Any) -> Enclosed:
    number = next(_numbers)
    values: dict[str, Any] = {"type": "application/pdf", "kept": f"{number:064x}", "size": 9, "seen": "application/pdf"}
    return Enclosed(name, **values | other)
