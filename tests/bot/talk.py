"""A referent's phone for tests: says, presses, reads. What is read is what the outbox would send."""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson
from sqlmodel import Session, col, select

from bot import albums
from bot.dialogue import telegram_handler
from bot.house import House
from delivery.links import Links
from delivery.words import LONGEST, Words, utf16
from sandbox.entities import parse_html
from storage.tables import Inbox, InboxState, Outbox

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
    written: str = ""  # the id of the last message written or sent
    _seen: int = 0

    # -- doing -------------------------------------------------------------------------------------

    def says(self, text: str, *, reply_to: str | None = None) -> "Phone":
        """Writes a message; `reply_to` a Telegram message id."""
        message: dict[str, Any] = self.message() | {"text": text}
        if reply_to:
            message["reply_to_message"] = {"message_id": int(reply_to), "from": {"id": 1, "is_bot": True}}
        self.transcript.append(f"\n  {text}   ◁ io")
        return self.sends({"message": message})

    def leaves(self, caption: str = "", *, album: str = "", reply_to: str = "", **content: Any) -> "Phone":
        """Sends a file, a photo, a place: `content` as Telegram describes it. Without any, a photo."""
        content = content or {"photo": photo(next(_numbers))}
        message: dict[str, Any] = self.message() | content
        extra = {"caption": caption, "media_group_id": album}
        message |= {name: value for name, value in extra.items() if value}
        if reply_to:
            message["reply_to_message"] = {"message_id": int(reply_to), "from": {"id": 1, "is_bot": True}}
        self.transcript.append(f"\n  {' '.join(content)} {caption}   ◁ io")
        return self.sends({"message": message})

    def edits(self, text: str, message: str = "", **content: Any) -> "Phone":
        """Changes the last message, or an earlier one; `content` when it is the words below something."""
        words = {"caption": text, **content} if content else {"text": text}
        edited = self.message() | {"message_id": int(message or self.written), "edit_date": 1} | words
        self.transcript.append(f"\n  (modificato) {text}   ◁ io")
        return self.sends({"edited_message": edited})

    def waits(self, seconds: float = 3.0) -> "Phone":
        """Time passes: the timers that are due ring."""
        self.now += timedelta(seconds=seconds)
        self._seen = self._newest()
        due = select(Inbox).where(Inbox.kind == albums.KIND, Inbox.state == "new", col(Inbox.next_at) <= self.now)
        for row in self.session.exec(due.execution_options(populate_existing=True)).all():
            albums.album_timer(self.house)(self.session, row, self.now)
            row.state = InboxState.DONE
            self.session.flush()
        for said in self.heard:
            self.transcript.append(show(said))
        return self

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
        if "message" in update:
            self.written = str(update["message"]["message_id"])
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


def photo(number: int) -> list[dict[str, Any]]:
    """As Telegram describes one: several sizes."""
    return [
        {"file_id": f"p{number}-{w}", "file_unique_id": f"u{number}-{w}", "width": w, "height": w, "file_size": w * 100}
        for w in (90, 1280, 320)
    ]


def a_document(name: str = "relazione.pdf", size: int = 12_345, type_: str = "application/pdf") -> dict[str, Any]:
    file_id = f"d{next(_numbers)}"
    return {
        "file_id": file_id,
        "file_unique_id": f"u{file_id}",
        "file_name": name,
        "file_size": size,
        "mime_type": type_,
    }


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
