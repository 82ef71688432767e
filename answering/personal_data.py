"""What in a text looks like somebody's data. Pure; errs on the side of asking, for a person decides.

Names that are given, e-mail addresses, telephone numbers, IBAN, tax codes, CUP and CIG.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from facts.codes import InvalidCode, read_cig
from facts.folding import fold

_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_TAX_CODE = re.compile(r"\b[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]\b", re.IGNORECASE)
_CUP = re.compile(r"\b[B-J][0-9]{2}[A-J][0-9]{11}\b|\bPROV[0-9]{10}\b", re.IGNORECASE)
_CIG = re.compile(r"\b(?=[A-Z0-9]*\d)[0-9A-Z]{10}\b", re.IGNORECASE)
_DATE = r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b"
_PHONE = re.compile(
    rf"(?<![\w.,/-])(?!{_DATE})(?:\+\d{{1,3}}[ ./-]?)?(?:\(?0\d{{1,3}}\)?|[38]\d{{2}})(?:[ ./-]?\d){{5,9}}(?!\w)"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SHORTEST_NAME = 3


class What(StrEnum):
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    TAX_CODE = "tax-code"
    CUP = "cup"
    CIG = "cig"


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found, as it is written."""

    what: What
    text: str


def traces(texts: Sequence[str], names: Sequence[str]) -> list[Trace]:
    """Each once, in the order in which they stand."""
    known = {part for name in names for part in fold(name).split() if len(part) >= _SHORTEST_NAME}
    return list(dict.fromkeys(trace for text in texts for trace in _in(text, known)))


def _in(text: str, names: set[str]) -> Iterator[Trace]:
    """One stretch of text is one thing: what is a tax code is no telephone number."""
    for what, pattern in _PATTERNS:
        found = [one[0] for one in pattern.finditer(text) if _is(what, one[0])]
        for one in found:
            yield Trace(what, one)
            text = text.replace(one, " ")
    for word in _WORD.finditer(text):
        if word[0][0].isupper() and names.intersection(fold(word[0]).split()):
            yield Trace(What.NAME, word[0])


def _is(what: What, text: str) -> bool:
    if what is not What.CIG:
        return True
    try:
        return read_cig(text).checked
    except InvalidCode:
        return False


_PATTERNS = (
    (What.EMAIL, _EMAIL),
    (What.IBAN, _IBAN),
    (What.TAX_CODE, _TAX_CODE),
    (What.CUP, _CUP),
    (What.CIG, _CIG),
    (What.PHONE, _PHONE),
)
