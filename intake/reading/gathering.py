"""What a person would find in a mail: its text, its files, what a calendar says. Pure; never fails; unpacks no archive.

Of the same text in two forms the plain one is taken. Everything else is a file, whatever it is, with a safe name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from facts.languages import N_
from intake.file_names import safe_name
from intake.incoming import Enclosed
from intake.reading import signed, winmail
from intake.reading.calendars import events_of
from intake.reading.charsets import decoded
from intake.reading.flowed import unflowed
from intake.reading.headers import parameters, said, words
from intake.reading.parts import Limits, Part, take_apart
from intake.reading.webtext import LARGEST, text_of_page, without_pictures

MOST_LETTERS = 1_000_000

LONG_TEXT = N_("Its text is too long: only the beginning was read.")

_ENDINGS = {
    "application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/tiff": ".tif",
    "text/plain": ".txt", "text/calendar": ".ics", "application/ics": ".ics", "text/csv": ".csv",
    "application/zip": ".zip", "application/xml": ".xml", "text/xml": ".xml", "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m", "application/pkcs7-signature": ".p7s", "text/html": ".html",
}  # fmt: skip
_SIGNED_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_FOR_MACHINES = frozenset(
    ["message/delivery-status", "message/global-delivery-status", "message/disposition-notification"]
)
MAILS = ("message/rfc822", "message/global")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")


@dataclass(slots=True)
class Gathered:
    """`pages`: texts that were only there as web pages come among the others, in their order."""

    texts: list[str] = field(default_factory=list)
    files: list[Enclosed] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    letters: int = 0

    @property
    def text(self) -> str:
        return "\n\n".join(one for one in self.texts if one.strip())


def leaves(top: Part) -> Iterator[tuple[Part, bool]]:
    """Every part without parts, in order, and whether it is a page of which there is a plain text as well."""
    waiting = [(top, False)]
    while waiting:
        part, has_plain = waiting.pop()
        if not part.children:
            yield part, has_plain
            continue
        if part.type == "multipart/alternative":
            has_plain = has_plain or any(_is_plain_text(one) for one in _below(part))
        waiting += [(child, has_plain) for child in reversed(part.children)]


def _below(top: Part) -> Iterator[Part]:
    waiting = [top]
    while waiting:
        part = waiting.pop()
        waiting += part.children
        if not part.children:
            yield part


def _is_plain_text(part: Part) -> bool:
    return part.type == "text/plain" and _disposition(part)[0] != "attachment" and bool(part.body.strip())


def gather(top: Part, limits: Limits, *, bounce: bool = False) -> Gathered:
    """`bounce`: the mail that came back is no file of its sender's."""
    found = Gathered()
    waiting = list(reversed(list(leaves(top))))
    while waiting:
        part, has_plain = waiting.pop()
        inner = _signed_mail(part, limits)
        if inner is not None:
            waiting += reversed(list(leaves(inner)))
        elif not (part.type in _FOR_MACHINES or (bounce and (part.type in MAILS or "rfc822-headers" in part.type))):
            _take(found, part, has_plain, limits)
    return found


def _signed_mail(part: Part, limits: Limits) -> Part | None:
    """The mail inside a signature that holds it (RFC 8551 §3.5.2)."""
    if part.type not in _SIGNED_TYPES or part.parameters.get("smime-type", "").lower() != "signed-data":
        return None
    content = signed.inside(part.content())
    if not content or limits.depth <= 1 or limits.parts <= 0 or limits.looked_at < len(content):
        return None
    limits.looked_at -= len(content)
    limits.depth -= 1
    limits.parts -= 1
    return take_apart(content, limits)


def _take(found: Gathered, part: Part, has_plain: bool, limits: Limits) -> None:
    disposition, name = _disposition(part)
    if disposition != "attachment" and not name and _is_text(part):
        if part.type == "text/html":
            if not has_plain:
                _add_page(found, decoded(part.content(), part.parameters.get("charset", "")), limits)
        else:
            _add_text(found, _plain(part, limits), limits)
        return
    content = part.content()
    if part.type in ("text/calendar", "application/ics") or name.lower().endswith(".ics"):
        found.events += [one for one in events_of(content) if one not in found.events]
    if (part.type in _TNEF or name.lower() == "winmail.dat") and _unpack(found, content, limits):
        return
    inline = disposition == "inline" or (disposition != "attachment" and bool(part.first("content-id")))
    found.files.append(_file(part, name, content, inline=inline))


def _is_text(part: Part) -> bool:
    # A multipart without parts has lost its boundary: what it holds is read as the text that it is.
    return part.type in ("text/plain", "text/html", "text/enriched", "text/richtext") or part.type.startswith(
        "multipart/"
    )


def _plain(part: Part, limits: Limits) -> str:
    text = decoded(part.content(), part.parameters.get("charset", ""))
    if len(text) > 2 * MOST_LETTERS:  # before it is taken apart: millions of lines are more memory than there is
        limits.leave_out(LONG_TEXT)
        text = text[: 2 * MOST_LETTERS]
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part.parameters.get("format", "").lower() == "flowed":
        return unflowed(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return text


def _add_page(found: Gathered, page: str, limits: Limits) -> None:
    page = without_pictures(page)
    if len(page) > LARGEST:
        limits.leave_out(LONG_TEXT)
    _add_text(found, text_of_page(page), limits)


def _add_text(found: Gathered, text: str, limits: Limits) -> None:
    left = MOST_LETTERS - found.letters
    if len(text) > left:
        limits.leave_out(LONG_TEXT)
        text = text[:left]
    if text.strip() and text not in found.texts[-1:]:
        found.texts.append(text.strip("\n"))
        found.letters += len(text)


def _unpack(found: Gathered, content: bytes, limits: Limits) -> bool:
    packed = winmail.unpacked(content)
    if packed is None:
        return False
    if not found.letters:
        _add_text(found, packed.text, limits)
    if not found.letters:
        _add_page(found, packed.page, limits)
    for name, inner in packed.files:
        found.files.append(_named(safe_name(name), "application/octet-stream", inner, inline=False))
    return True


def _file(part: Part, name: str, content: bytes, *, inline: bool) -> Enclosed:
    if part.type in MAILS:
        return _mail(part, content)
    return _named(safe_name(name) if name else _nameless(part), part.type, content, inline=inline)


def _named(name: str, type_: str, content: bytes, *, inline: bool) -> Enclosed:
    is_signed, inside = False, ""
    if type_ in _SIGNED_TYPES or name.lower().endswith(".p7m"):
        is_signed = signed.is_signed(content)
        inside = name[:-4] if is_signed and name.lower().endswith(".p7m") and len(name) > 4 else ""
    return Enclosed(name, type_[:100], content, inline=inline, signed=is_signed, inside=inside, size=len(content))


def _nameless(part: Part) -> str:
    return f"file{_ENDINGS.get(part.type, '')}"


def _mail(part: Part, content: bytes) -> Enclosed:
    """A mail inside a mail: a file, called by its subject. Its own parts are looked at when somebody opens it."""
    head = Part(content, 0, 0, 0, [], "", {})
    inner = take_apart(content[: 512 * 1024], Limits(parts=0, depth=1))
    head.headers = inner.headers
    subject, sender = words(head.first("subject")), words(head.first("from"))
    inside = " · ".join(one[:200] for one in (subject, sender) if one)
    _, name = _disposition(part)
    shown = safe_name(name or f"{subject.replace('/', '-') or 'mail'}.eml")
    return Enclosed(
        shown if shown.lower().endswith(".eml") else f"{shown[:116]}.eml",
        part.type,
        content,
        inside=inside,
        size=len(content),
    )


def _disposition(part: Part) -> tuple[str, str]:
    """How it is to be shown, and its name as it was written, "" when it has none."""
    disposition, given = parameters(part.first("content-disposition"))
    name = said(given.get("filename", "") or part.parameters.get("name", ""))
    return disposition, name
