"""What kind of mail it is. Pure. In doubt it is a message: a person who is not heard is the worse mistake.

A subject alone says nothing: somebody may write about being out of the office. It counts with a header beside it.
"""

import re

from intake.reading import bounces
from intake.reading.headers import words, written
from intake.reading.parts import Part
from storage.words import LetterKind

_AWAY = re.compile(
    r"\s*(?:risposta automatica|risposta automatizzata|fuori (?:ufficio|sede)|assenza dall.ufficio|assente"
    r"|out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response|risposta)|autoreply|away from"
    r"|abwesenheitsnotiz|réponse automatique)\b",
    re.IGNORECASE,
)
_SURELY_AWAY = re.compile(
    r"\s*(?:risposta automatica|fuori (?:ufficio|sede)|out of (?:the )?office|automatic reply|autoreply)\s*:",
    re.IGNORECASE,
)
_MACHINE_HEADERS = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponder", "x-mail-autoreply")


def kind_of(top: Part, parts: list[Part], null_sender: bool) -> LetterKind:
    """By its headers, then by its parts."""
    report = top.type == "multipart/report"
    if bounces.is_report(top, parts) or bounces.is_old_form(top, null_sender):
        return LetterKind.BOUNCE
    if report or _is_automatic(top, null_sender):
        return LetterKind.AUTO_REPLY
    if any(part.type == "text/calendar" and part.parameters.get("method") for part in parts):
        return LetterKind.CALENDAR
    return LetterKind.LIST if _is_list(top) else LetterKind.MESSAGE


def _is_automatic(top: Part, null_sender: bool) -> bool:
    submitted = written(top.first("auto-submitted")).partition(";")[0].strip().lower()
    if submitted not in ("", "no"):  # RFC 3834 §5
        return True
    if any(_says_yes(top.first(name)) for name in _MACHINE_HEADERS) or _precedence(top) == "auto_reply":
        return True
    subject = words(top.first("subject"))
    hints = null_sender or bool(top.first("x-auto-response-suppress")) or _precedence(top) in ("bulk", "junk")
    if hints and (null_sender or _AWAY.match(subject)):
        return True
    return _SURELY_AWAY.match(subject) is not None and bool(top.first("in-reply-to") or top.first("references"))


def _says_yes(value: bytes) -> bool:
    return bool(value) and value.strip().lower() not in (b"no", b"false", b"0")


def _is_list(top: Part) -> bool:
    return bool(top.first("list-id") or top.first("list-post")) or _precedence(top) in ("bulk", "list", "junk")


def _precedence(top: Part) -> str:
    return written(top.first("precedence")).strip().lower()
