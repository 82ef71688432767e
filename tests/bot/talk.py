"""A referent's phone for tests: says, presses, reads. What is read is what the outbox would send."""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import orjson
from sqlmodel import Session, col, select

from bot.dialogue import telegram_handler
from bot.house import House
from delivery.links import Links
from delivery.words import LONGEST, Words, utf16
from sandbox.entities import parse_html
from storage.tables import Inbox, Outbox

LINKS = Links("https://raccordo.example.org", bot="raccordo_bot")

_numbers = count(1000)


@dataclass
class Phone:
    """One private chat. `now` may be moved; `transcript` keeps the conversation as a person would see it."""

    session: Session
    chat: int
    now: datetime
    house: House = field(default_factory=lambda: House(LINKS))
    language: str = "it"
    transcript: list[str] = field(default_factory=list)
    _seen: int = 0

    # -- doing -------------------------------------------------------------------------------------

    def says(self, text: str, *, reply_to: str | None = None) -> "Phone":
        """Writes a message; `reply_to` a Telegram message id."""
        message: dict[str, Any] = self.message() | {"text": text}
        if reply_to:
            message["reply_to_message"] = {"message_id": int(reply_to), "from": {"id": 1, "is_bot": True}}
        self.transcript.append(f"\n  {text}   ◁ io")
        return self.sends({"message": message})

    def presses(self, label: str) -> "Phone":
        """Presses the button of the last message whose text contains `label`."""
        found = [(text, data) for text, data in self.buttons if label in text]
        assert found, f"no button {label!r} among {[text for text, _data in self.buttons]}"
        assert len(found) == 1 or found[0][0] == label, f"several buttons {label!r}: {found}"
        assert found[0][1], f"{label!r} opens a page"
        self.transcript.append(f"\n  [{found[0][0]}]   ◁ io")
        return self.presses_data(found[0][1])

    def presses_data(self, data: str, sender: int | None = None) -> "Phone":
        who = {"id": sender or self.chat, "first_name": "X", "is_bot": False, "language_code": self.language}
        query = {"id": str(next(_numbers)), "from": who, "message": self.message(), "data": data}
        return self.sends({"callback_query": query})

    def message(self) -> dict[str, Any]:
        who = {"id": self.chat, "first_name": "X", "is_bot": False, "language_code": self.language}
        chat = {"id": self.chat, "type": "private", "first_name": "X"}
        return {"message_id": next(_numbers), "date": 0, "chat": chat, "from": who}

    def sends(self, update: dict[str, Any]) -> "Phone":
        """Any update, through inbox and handler."""
        number = next(_numbers)
        payload = orjson.dumps({"update_id": number} | update, option=orjson.OPT_SORT_KEYS)
        row = Inbox(
            kind="telegram",
            account="1",
            provider_id=str(number),
            payload_hash=str(number),
            payload=payload,
            lane=f"telegram:{self.chat}",
            received_at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        self._seen = self._newest()
        with self.session.begin_nested():
            telegram_handler(self.house)(self.session, row, self.now)
        for said in self.heard:
            self.transcript.append(show(said))
        return self

    # -- reading -----------------------------------------------------------------------------------

    def _newest(self) -> int:
        return self.session.exec(select(Outbox.id).order_by(col(Outbox.id).desc())).first() or 0

    @property
    def heard(self) -> list[Words]:
        """What came back to the last thing done, to this chat."""
        rows = self.session.exec(
            select(Outbox).where(Outbox.address == str(self.chat), col(Outbox.id) > self._seen).order_by(col(Outbox.id))
        ).all()
        words = [Words.from_json(row.body) for row in rows]
        for one in words:
            assert utf16(one.html) <= LONGEST
            parse_html(one.html)  # as strict as Telegram
        return words

    @property
    def text(self) -> str:
        """All of it, without markup."""
        return "\n\n".join(plain(one.html) for one in self.heard)

    @property
    def buttons(self) -> list[tuple[str, str | None]]:
        rows = [row for one in self.heard for row in one.buttons]
        return [(button.text, button.data) for row in rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [text for text, _data in self.buttons]

    def delivered(self, provider_id: str) -> str:
        """Telegram gives the last message its id."""
        row = self.session.exec(
            select(Outbox).where(Outbox.address == str(self.chat)).order_by(col(Outbox.id).desc())
        ).first()
        assert row is not None
        row.provider_id = provider_id
        self.session.flush()
        return provider_id


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).replace("\xa0", " ")


def show(words: Words) -> str:
    rows = ["   ".join(f"[{button.text}]" for button in row) for row in words.buttons]
    return "\n".join(["", *plain(words.html).split("\n"), *rows])


def walk_to_summary(phone: Phone) -> Phone:
    """Everything answered by typing or pressing, from the question on the phase on."""
    return (
        phone.presses("Esecuzione dei lavori")
        .says("45,5")
        .says("310000,50")
        .says("30/9/2027")
        .presses("No")
        .presses("Salta")
    )
