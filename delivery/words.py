"""What a message says, whatever carries it. Pure: no network, no database; refuses buttons Telegram would refuse.

The text is Telegram's HTML subset (b i u s a code pre blockquote); a mail makes its two parts from it.
"""

import html as markup
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from delivery.calendar_file import Event

LONGEST = 4096  # UTF-16 units, Telegram's limit for one message; we count the tags too, so parsing only shortens
SPARE = 96  # left free in each part, for the mark of a possible duplicate
DATA_BYTES = 64
# As a button's url: the reader's own page, perhaps with a path behind it (`…/upload/7`). Its key is made when the
# message leaves and is written down nowhere.
PERSONAL_PAGE = "raccordo:personal-page"
# Where in a text its `secret` stands: a code, a link with a key. It takes its place when the message leaves, too.
UNWRITTEN = "raccordo:unwritten"

_ATOM = re.compile(r"</?[a-zA-Z][^<>]*>|&#?\w{1,10};|\n{1,40}|[^\S\n]{1,40}|[^<&\s]{1,40}|.", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)[^<>]*>")
_LINK = re.compile(r'<a\s[^<>]*href="([^"<>]*)"[^<>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
_QUOTE = re.compile(r"<blockquote[^<>]*>(.*?)</blockquote>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Button:
    """One button: `data` comes back to us when pressed (Telegram only), `url` opens a page."""

    text: str
    data: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ValueError("a button has either data or url")
        if self.data is not None and not 1 <= len(self.data.encode()) <= DATA_BYTES:
            raise ValueError(f"button data must be 1 to {DATA_BYTES} bytes: {self.data!r}")


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """`html` as above, `subject` for mail, `reply_to` the Telegram id of the message this one answers.

    `replaces`: the Telegram id of an earlier message of ours in whose place it stands, where that can still be changed.
    `files`: ids of attachments that go with it; on Telegram `html` is then the line below them.
    `events`: days that a mail brings for the reader's calendar.
    `secret` is plain text for the places of UNWRITTEN in `html`. It is said and never written down.
    """

    html: str
    subject: str = ""
    buttons: Keyboard = ()
    reply_to: str | None = None
    files: tuple[int, ...] = ()
    replaces: str | None = None
    events: tuple[Event, ...] = ()
    secret: str = field(default="", repr=False)

    def to_json(self) -> dict[str, Any]:
        """For the outbox; empty parts are left out, and the secret always."""
        document: dict[str, Any] = {"html": str(self.html)}
        if self.subject:
            document["subject"] = str(self.subject)
        if self.buttons:
            document["buttons"] = [
                [
                    {"text": str(one.text), "data": one.data}
                    if one.data is not None
                    else {"text": str(one.text), "url": one.url}
                    for one in row
                ]
                for row in self.buttons
            ]
        if self.reply_to:
            document["reply_to"] = self.reply_to
        if self.files:
            document["files"] = list(self.files)
        if self.replaces:
            document["replaces"] = self.replaces
        if self.events:
            document["events"] = [one.to_json() for one in self.events]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Words":
        """The inverse of `to_json`; other keys of the document are not ours and are passed over."""
        buttons = tuple(tuple(Button(**one) for one in row) for row in document.get("buttons", ()))
        files = tuple(document.get("files", ()))
        subject, reply_to = document.get("subject", ""), document.get("reply_to")
        events = tuple(Event.from_json(one) for one in document.get("events", ()))
        return cls(document["html"], subject, buttons, reply_to, files, document.get("replaces"), events)


def opens_personal_page(words: Words) -> bool:
    return any(_is_personal(one) for one in urls(words))


def with_personal_page(words: Words, url: str) -> Words:
    """With `url` behind the buttons to the reader's own page; without a url they are left out."""
    rows = (
        tuple(
            replace(one, url=url + str(one.url).removeprefix(PERSONAL_PAGE)) if _is_personal(one) else one
            for one in row
            if url or not _is_personal(one)
        )
        for row in words.buttons
    )
    return replace(words, buttons=tuple(row for row in rows if row))


def _is_personal(button: Button) -> bool:
    return button.url is not None and button.url.startswith(PERSONAL_PAGE)


def with_secret(words: Words) -> Words:
    """With the secret, if there is one, in its places."""
    if not words.secret:
        return words
    return replace(words, html=str(words.html).replace(UNWRITTEN, markup.escape(words.secret)), secret="")


def utf16(text: str) -> int:
    """Length as Telegram counts it: characters beyond the basic plane are two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_words(words: Words, limit: int = LONGEST - SPARE) -> list[Words]:
    """The same words in as many messages as Telegram needs; the buttons on the last one."""
    if utf16(words.html) <= limit:
        return [words]
    parts = split_html(words.html, limit)
    words = replace(words, replaces=None)  # several do not fit in the place of one
    first, *others = [replace(words, html=part, buttons=()) for part in parts]
    whole = [first, *(replace(part, reply_to=None) for part in others)]
    whole[-1] = replace(whole[-1], buttons=words.buttons)
    return whole


def split_html(html: str, limit: int = LONGEST) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut at a line, else a space, tags closed and opened again.

    A tag longer than the limit (there is none of ours) cannot be cut.
    """
    if utf16(html) <= limit:
        return [html]
    atoms: list[str] = _ATOM.findall(html)
    parts: list[str] = []
    opened: tuple[str, ...] = ()
    at = 0
    while at < len(atoms):
        end = _where_to_cut(atoms, at, opened, limit)
        left = _opened_after(atoms[at:end], opened)
        part = "".join((*opened, *atoms[at:end])).strip() + _closing(left)
        if _TAG.sub("", part).strip():
            parts.append(part)
        at, opened = end, left
    return parts or [""]


def _where_to_cut(atoms: list[str], start: int, opened: tuple[str, ...], limit: int) -> int:
    """The index after the last atom of the part that begins at `start`."""
    size, stack = sum(map(utf16, opened)), opened
    line = space = 0
    for index in range(start, len(atoms)):
        atom = atoms[index]
        size += utf16(atom)
        stack = _opened_after((atom,), stack)
        if size + utf16(_closing(stack)) > limit and index > start:
            far_enough = (start + index) // 2
            return next((cut for cut in (line, space) if cut > far_enough), max(line, space) or index)
        if atom.isspace():
            line, space = (index + 1, space) if "\n" in atom else (line, index + 1)
    return len(atoms)


def _opened_after(atoms: tuple[str, ...] | list[str], opened: tuple[str, ...]) -> tuple[str, ...]:
    for atom in atoms:
        tag = _TAG.fullmatch(atom) if atom[0] == "<" else None
        if tag is not None:
            opened = opened[:-1] if tag[1] else (*opened, atom)
    return opened


def _closing(opened: tuple[str, ...]) -> str:
    return "".join(f"</{_tag_name(tag)}>" for tag in reversed(opened))


def _tag_name(tag: str) -> str:
    found = _TAG.fullmatch(tag)
    assert found is not None
    return found[2]


def plain_text(html: str) -> str:
    """The text without markup: a link is followed by its address, a quotation begins its lines with `> `."""
    text = _LINK.sub(_written_out, html)
    text = _QUOTE.sub(lambda quote: "\n".join(f"&gt; {line}" for line in quote[1].strip().split("\n")), text)
    return markup.unescape(_TAG.sub("", text)).strip()


def _written_out(link: re.Match[str]) -> str:
    shown = _TAG.sub("", link[2]).strip()
    return link[1] if shown in {"", link[1]} else f"{link[2]} ({link[1]})"


def urls(words: Words) -> Iterator[Button]:
    """The buttons that a mail can show: those that open a page."""
    return (one for row in words.buttons for one in row if one.url is not None)
