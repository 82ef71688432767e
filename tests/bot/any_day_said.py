"""One message of a chat, as Telegram tells it: first written, then edited. Holds no session and no clock."""

import re
from dataclasses import dataclass
from typing import Any

MARK = "{mark}"  # stands for a word that nobody has written before


@dataclass(frozen=True)
class Said:
    """One message of a chat as it stands since one update. `file`: Telegram's unique id, empty when none came."""

    update: int
    chat: int
    message: int
    words: str
    file: str = ""
    album: str = ""
    reply_to: int | None = None
    to_bot: bool = True

    def content(self) -> dict[str, Any]:
        """As Telegram describes it."""
        body: dict[str, Any] = {"message_id": self.message, "date": 0, "chat": private(self.chat)}
        body |= {"from": who(self.chat)} | self._file()
        if self.words or not self.file:
            body["caption" if self.file else "text"] = self.words
        if self.album:
            body["media_group_id"] = self.album
        if self.reply_to:
            body["reply_to_message"] = {"message_id": self.reply_to, "from": {"id": 1, "is_bot": self.to_bot}}
        return body

    def _file(self) -> dict[str, Any]:
        known = {"file_id": f"f{self.file}", "file_unique_id": self.file, "file_size": 9}
        if self.file.startswith("photo"):
            return {"photo": [known | {"width": 9, "height": 9}]}
        if self.file.startswith("document"):
            return {"document": known | {"file_name": f"{self.file}.pdf"}}
        return {"document": known | {"file_name": f"{self.file}.pdf", "file_size": 30_000_000}} if self.file else {}


def who(chat: int) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": "X", "language_code": "it"}


def private(chat: int) -> dict[str, Any]:
    return {"id": chat, "type": "private"}


def marked(text: str, number: int) -> str:
    return text.replace(MARK, f"w{number:05}")


def mark_in(words: str) -> str:
    """The word in it that nobody else wrote; empty when there is none."""
    found = re.search(r"w\d{5}", words)
    return found[0] if found else ""
