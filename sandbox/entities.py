"""Reads Telegram's HTML into plain text and entities; refuses, with Telegram's words, what Telegram can't parse. Pure.

The rules and the error texts are those of the Bot API server ("HTML style" in core.telegram.org/bots/api):
offsets and lengths count UTF-16 code units, positions in error texts count UTF-8 bytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

Entity = dict[str, Any]

ENTITY_OF_TAG = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
REFERENCE = re.compile(r"&(?:#x([0-9a-f]+)|#([0-9]+)|(lt|gt|amp|quot)(?![a-z]));?", re.IGNORECASE)
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
ATTRIBUTE_NAME = re.compile(r"[^\s=>/\"']*")
NAME_TOKEN = re.compile(r"[A-Za-z0-9.\-]*")
SPACES = re.compile(r"\s*")
TAG_NAME = re.compile(r"[^\s>]*")
DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?)\]»'’])"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?:(?<=\s)|^)(?P<bot_command>/[A-Za-z0-9_]{1,32}(?:@\w+)?)(?![\w/])",
    re.MULTILINE,
)


class CannotParseEntities(Exception):
    """Telegram would answer `Bad Request: can't parse entities: <this text>`."""


@dataclass(slots=True)
class OpenTag:
    name: str
    argument: str
    offset: int


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(html: str) -> tuple[str, list[Entity]]:
    """Plain text and its entities; raises CannotParseEntities."""
    if "<" not in html and "&" not in html:
        return trim(html, [])
    reader = _Reader(html)
    reader.read()
    return trim("".join(reader.text), reader.entities)


def trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cuts blanks around the text, as Telegram does, and moves or drops entities with it."""
    plain = text.strip()
    cut = utf16_length(text[: len(text) - len(text.lstrip())])
    end = utf16_length(plain)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - cut)
        stop = min(end, entity["offset"] - cut + entity["length"])
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return plain, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))


def detect(text: str) -> Iterator[Entity]:
    """Links, addresses and commands that Telegram finds by itself."""
    if "/" not in text and "@" not in text:
        return
    for found in DETECTED.finditer(text):
        assert found.lastgroup is not None
        value = found.group(found.lastgroup)
        offset = utf16_length(text[: found.start(found.lastgroup)])
        yield {"type": found.lastgroup, "offset": offset, "length": utf16_length(value)}


def with_detected(text: str, entities: list[Entity]) -> list[Entity]:
    """The entities given, and those detected where they cover nothing that was given."""
    taken = [(entity["offset"], entity["offset"] + entity["length"]) for entity in entities]
    found = [
        entity
        for entity in detect(text)
        if all(entity["offset"] >= end or entity["offset"] + entity["length"] <= start for start, end in taken)
    ]
    return sorted(entities + found, key=lambda entity: entity["offset"]) if found else entities


def link_defect(url: str) -> str:
    """Why Telegram refuses this link in a button ("" when it takes it): names without a dot, `localhost` among them."""
    candidate = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(candidate)
        port = parts.port
    except ValueError:
        return "Wrong port number specified in the URL"
    if parts.scheme == "tg":
        return ""
    if parts.scheme not in {"http", "https"}:
        return "Unsupported URL protocol"
    host = parts.hostname or ""
    if "." not in host.strip(".") or re.search(r"\s", url) or port == 0:
        return "Wrong HTTP URL"
    return ""


@dataclass(slots=True)
class _Reader:
    html: str
    at: int = 0
    offset: int = 0  # UTF-16 units of text so far
    text: list[str] = field(default_factory=list)
    open: list[OpenTag] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def read(self) -> None:
        while self.at < len(self.html):
            character = self.html[self.at]
            if character == "<":
                self.read_tag()
            elif character == "&":
                self.add(self.reference())
            else:
                self.add(self.until_special())
        if self.open:
            self.refuse(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')

    def until_special(self) -> str:
        start = self.at
        while self.at < len(self.html) and self.html[self.at] not in "<&":
            self.at += 1
        return self.html[start : self.at]

    def add(self, text: str) -> None:
        self.text.append(text)
        self.offset += utf16_length(text)

    def refuse(self, message: str, position: int | None = None, more: str = "") -> NoReturn:
        place = "" if position is None else f" at byte offset {len(self.html[:position].encode())}"
        raise CannotParseEntities(message + place + more)

    def peek(self) -> str:
        return self.html[self.at] if self.at < len(self.html) else ""

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.html, self.at)
        assert found is not None
        self.at = found.end()
        return found.group()

    def reference(self) -> str:
        """One character reference, or the ampersand itself when it is none."""
        found = REFERENCE.match(self.html, self.at)
        if found is None:
            self.at += 1
            return "&"
        self.at = found.end()
        hexadecimal, decimal, name = found.groups()
        if name:
            return NAMED[name.lower()]
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        return chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code < 0xE000 else found.group()

    def read_tag(self) -> None:
        begin = self.at
        self.at += 1
        if self.peek() == "/":
            self.at += 1
            self.close_tag(begin)
        else:
            self.open_tag(begin)

    def open_tag(self, begin: int) -> None:
        name = self.skip(TAG_NAME).lower()
        if not self.peek():
            self.refuse("Unclosed start tag", begin)
        if name not in ENTITY_OF_TAG:
            self.refuse(f'Unsupported start tag "{name}"', begin)
        argument = ""
        while True:
            self.skip(SPACES)
            if self.peek() == ">":
                break
            argument = self.attribute(name, begin) or argument
        self.at += 1
        if name == "span" and argument != "spoiler":
            self.refuse('Tag "span" must have class "tg-spoiler"', begin)
        self.open.append(OpenTag(name, argument, self.offset))

    def attribute(self, tag: str, begin: int) -> str:
        """The part of one attribute that matters for the tag, "" when none does."""
        if not self.peek():
            self.refuse("Unclosed start tag", begin)
        name = self.skip(ATTRIBUTE_NAME).lower()
        if not name:
            self.refuse(f'Empty attribute name in the tag "{tag}"', begin)
        self.skip(SPACES)
        if not self.peek():
            self.refuse(f'Unclosed start tag "{tag}"', begin)
        if self.peek() != "=":
            return "1" if (tag, name) == ("blockquote", "expandable") else ""
        self.at += 1
        self.skip(SPACES)
        if not self.peek():
            self.refuse(f'Unclosed start tag "{tag}"', begin)
        value = self.quoted(begin) if self.peek() in "'\"" else self.name_token()
        return _argument(tag, name, value)

    def quoted(self, begin: int) -> str:
        quote = self.peek()
        self.at += 1
        value = []
        while self.peek() not in {quote, ""}:
            if self.peek() == "&":
                value.append(self.reference())
            else:
                value.append(self.peek())
                self.at += 1
        self.at += 1
        if not self.peek():
            self.refuse("Unclosed start tag", begin)
        return "".join(value)

    def name_token(self) -> str:
        begin = self.at
        value = self.skip(NAME_TOKEN).lower()
        if not self.peek() or self.peek() not in " \t\r\n>":
            self.refuse("Unexpected end of name token", begin)
        return value

    def close_tag(self, begin: int) -> None:
        if not self.open:
            self.refuse("Unexpected end tag", begin)
        name = self.skip(TAG_NAME).lower()
        self.skip(SPACES)
        if self.peek() != ">":
            self.refuse("Unclosed end tag", begin)
        self.at += 1
        tag = self.open.pop()
        if name and name != tag.name:
            self.refuse("Unmatched end tag", begin, f', expected "</{tag.name}>", found "</{name}>"')
        if self.offset > tag.offset:
            self.close_entity(tag)

    def close_entity(self, tag: OpenTag) -> None:
        length = self.offset - tag.offset
        entity: Entity = {"type": ENTITY_OF_TAG[tag.name], "offset": tag.offset, "length": length}
        if tag.name == "a":
            url = tag.argument or "".join(self.text).encode("utf-16-le")[tag.offset * 2 :].decode("utf-16-le")
            if link_defect(url):
                return
            entity["url"] = url
        elif tag.name == "tg-emoji":
            if not tag.argument.isdecimal() or int(tag.argument) == 0:
                self.refuse("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = tag.argument
        elif tag.name == "blockquote" and tag.argument:
            entity["type"] = "expandable_blockquote"
        elif tag.name == "code" and tag.argument:
            entity["language"] = tag.argument
        self.entities.append(_merged_pre(entity, self.entities))


def _merged_pre(entity: Entity, inner: list[Entity]) -> Entity:
    """`<pre><code class="language-x">` is one block of code with a language, `language` only lives on `pre`."""
    last = inner[-1] if inner else None
    same = last is not None and (last["offset"], last["length"]) == (entity["offset"], entity["length"])
    if entity["type"] == "pre" and last is not None and same and last["type"] == "code":
        inner.pop()
        if "language" in last:
            entity["language"] = last["language"]
    return entity


def _argument(tag: str, name: str, value: str) -> str:
    if (tag, name) in {("a", "href"), ("tg-emoji", "emoji-id")}:
        return value
    if (tag, name) == ("code", "class") and value.startswith("language-"):
        return value[9:]
    if (tag, name) == ("span", "class") and value.startswith("tg-"):
        return value[3:]
    return "1" if (tag, name) == ("blockquote", "expandable") else ""
