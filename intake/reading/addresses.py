"""Who wrote, and to whom. Pure; never fails. Believes a From line only when there is nothing odd in it.

`sindaco@comune.example.org <x@evil.example.org>` is read as the mayor by Python's own `parseaddr`: whatever is not
exactly one address, with or without a name, names nobody or comes with a doubt.
"""

import re
from collections.abc import Iterable

from facts.languages import N_
from facts.mail_addresses import read_address
from intake.incoming import Writer
from intake.reading.headers import said, written

MOST = 1000  # addresses of one mail

NOBODY = N_("It does not say who wrote it.")
SEVERAL = N_("It names more than one sender.")
UNREADABLE = N_("Its sender cannot be read.")
LOOKS_LIKE_ANOTHER = N_("The name of its sender looks like another address.")

_TOKEN = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*+(?:"|\\?\Z))|(?P<angle><[^<>]*>)|(?P<open>\()|(?P<end>[,;])|(?P<other>[^"<>(),;]+|.)',
    re.DOTALL,
)
_ENDED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_COMMENT = re.compile(r"[()]|\\.", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ADDRESS_IN_NAME = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_ODD_AT = str.maketrans({"＠": "@", "﹫": "@"})

Found = tuple[str, str, bool]  # name, address as it is written, whether something is odd


def sender(values: list[bytes]) -> tuple[Writer | None, str]:
    """Of all From headers: the writer, and what is doubtful. Without a doubt it is exactly one well-formed address."""
    if len(values) > 1:
        return None, SEVERAL
    found = _mailboxes(written(values[0]), 3) if values else []
    if len(found) > 1:
        return None, SEVERAL
    if not found:
        return None, NOBODY
    name, address, odd = found[0]
    read = read_address(address)
    if read is None:
        return None, UNREADABLE
    writer = Writer(read, name)
    seen = [one.lower().rstrip(".") for one in _ADDRESS_IN_NAME.findall(name.translate(_ODD_AT))]
    if any(one != read for one in seen) or ("@" in name.translate(_ODD_AT) and not seen):
        return writer, LOOKS_LIKE_ANOTHER
    return writer, UNREADABLE if odd else ""


def writers(values: Iterable[bytes]) -> tuple[Writer, ...]:
    """Every address in these headers that can be one, each once."""
    found: dict[str, Writer] = {}
    for value in values:
        for name, address, _odd in _mailboxes(written(value), MOST):
            read = read_address(address)
            if read is not None and len(found) < MOST:
                found.setdefault(read, Writer(read, name))
    return tuple(found.values())


def _mailboxes(text: str, most: int) -> list[Found]:
    """The mailboxes of a list (RFC 5322 §3.4), before encoded words are decoded: they may hold commas."""
    found: list[Found] = []
    one = _Mailbox()
    at = 0
    while at < len(text) and len(found) < most:
        token = _TOKEN.match(text, at)
        assert token is not None, "something matches any letter"
        at = token.end()
        if token["end"]:
            found += one.result()
            one = _Mailbox()
        elif token["open"]:
            at = one.skip_comment(text, at)
        else:
            one.take(token)
    return (found + one.result())[:most]


class _Mailbox:
    """One mailbox while its pieces come."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._angle: str | None = None
        self._comment = ""
        self._odd = False

    def take(self, token: re.Match[str]) -> None:
        text = token[0]
        if token["angle"]:
            self._odd |= self._angle is not None
            self._angle = text[1:-1]
            return
        unended = token["quoted"] is not None and not _ENDED.fullmatch(text)
        self._odd |= bool(unended or text in "<>" or (self._angle is not None and text.strip()))
        self._words.append(_ESCAPED.sub(r"\1", text[1:-1]) if token["quoted"] and not unended else text)

    def skip_comment(self, text: str, at: int) -> int:
        """Comments may hold comments (RFC 5322 §3.2.2); one that does not end is odd."""
        depth, start = 1, at
        for found in _COMMENT.finditer(text, at):
            depth += {"(": 1, ")": -1}.get(found[0], 0)
            if depth == 0:
                self._comment = text[start : found.start()]
                return found.end()
        self._odd = True
        return len(text)

    def result(self) -> list[Found]:
        written_name = "".join(self._words).strip()
        if self._angle is None:
            group, colon, rest = written_name.partition(":")  # "undisclosed-recipients:;"
            address = rest if colon and "@" not in group else written_name
            return [(said(self._comment), address.strip(), self._odd)] if address.strip() else []
        return [(said(written_name), self._angle.strip(), self._odd)]
