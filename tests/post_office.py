"""A post office that takes mail in as the service does, read already (`tests/post.py` makes it). Reads no MIME."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sqlmodel import Session, col, select

from delivery.links import Links
from delivery.reply import reply_address, reply_token
from intake.incoming import Incoming
from intake.post.house import PostHouse
from intake.post.letters import Updates, mail_handler, no_updates
from intake.worker import work
from storage import reply_addresses
from storage.reply_addresses import About
from storage.tables import Channel, Inbox, Letter, Message, Outbox, OutboxKind, OutboxState, Question, Reading
from tests.post import KEY, OFFICE, PEC

_numbers = count(1)


@dataclass
class PostOffice:
    """Takes mail in as the service does: read already, one row of the inbox each."""

    session: Session
    now: datetime
    updates: Updates = no_updates
    house: PostHouse = field(
        default_factory=lambda: PostHouse(
            Links("http://raccordo.example"), key=KEY, own=frozenset({OFFICE, PEC}), sends_certified=True
        )
    )

    def arrives(self, incoming: Incoming, channel: Channel = Channel.EMAIL) -> Letter:
        """What became of it; of a mail that had come before, what became of that."""
        kind = "pec" if channel is Channel.PEC else "mail"
        row = Inbox(
            kind=kind,
            account=PEC if channel is Channel.PEC else OFFICE,
            provider_id=f"INBOX:1:{next(_numbers)}",
            payload_hash=f"{next(_numbers):064}",
            payload=b"raw",
            lane=f"{kind}:{incoming.sender.address if incoming.sender else ''}",
            received_at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        self.session.add(Reading(inbox_id=row.id, document=incoming.to_json(), created_at=self.now))
        self.session.flush()
        work(self.session, {kind: mail_handler(self.house, self.updates)}, {}, self.now)
        self.session.expire_all()
        assert row.error is None, row.error
        assert self.session.exec(select(Reading)).first() is None, "a reading is forgotten once it is understood"
        found = self.session.exec(select(Letter).where(Letter.fingerprint == incoming.fingerprint.encode()))  # type: ignore[comparison-overlap]
        return found.one()

    def address_for(self, referent_id: int, about: About = About()) -> str:
        """The address to which this person may reply about this."""
        token = reply_token(self.house.key, referent_id, about)
        reply_addresses.remember(self.session, token, referent_id, about, self.now)
        return reply_address(OFFICE, token)

    def a_mail_of_ours(self, referent_id: int | None, address: str, **other: Any) -> Outbox:
        values: dict[str, Any] = {"kind": OutboxKind.ANSWER, "channel": Channel.EMAIL, "state": OutboxState.SENT}
        values |= {"dedupe_key": f"answer:{next(_numbers)}", "body": {"html": "x"}, "created_at": self.now} | other
        row = Outbox(referent_id=referent_id, address=address, next_at=self.now, **values)
        self.session.add(row)
        self.session.flush()
        return row

    def messages(self, question_id: int) -> list[Message]:
        return list(
            self.session.exec(select(Message).where(Message.question_id == question_id).order_by(col(Message.id)))
        )

    def questions(self) -> list[Question]:
        return list(self.session.exec(select(Question).order_by(col(Question.id))))

    def automatic(self) -> list[Outbox]:
        rows = select(Outbox).where(Outbox.kind == OutboxKind.AUTO_REPLY).order_by(col(Outbox.id))
        return list(self.session.exec(rows))
