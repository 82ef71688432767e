"""Reads and shows amounts and percentages as Italians write them. Pure; asks back instead of guessing.

Babel's own parser takes '1234.56' for 123456 in Italian, so the reading is done here.
"""

import re
import unicodedata
from decimal import Decimal

from babel.numbers import format_currency, format_decimal

from facts.languages import Language
from facts.reading import Ambiguous, Unreadable

LOCALES = {Language.IT: "it_IT", Language.EN: "en_GB"}
LARGEST = 10**15  # cents: ten thousand billion euro, far below what a database integer holds

SCALES = {
    **dict.fromkeys(("k", "mila", "mille", "thousand"), 1_000),
    **dict.fromkeys(("mln", "mio", "milione", "milioni", "million", "millions"), 1_000_000),
    **dict.fromkeys(("mld", "miliardo", "miliardi", "billion", "billions"), 1_000_000_000),
}
WORDS = {"mille": "1000", "un milione": "1000000", "un miliardo": "1000000000", "zero": "0"}
CURRENCY = re.compile(r"€|\beuros?\b|\beur\b|(?<=\d)(?:euros?|eur)\b")
PERCENT = re.compile(r"%|\bper ?cento?\b|(?<=\d)per ?cento?\b|\bpercent\b")

GROUPED = re.compile(r"(\d{1,3}(?:([., '])\d{3})(?:\2\d{3})*)(?:([.,])(\d+))?")
PLAIN = re.compile(r"(\d+)(?:([.,])(\d+))?")


def read_cents(text: str) -> int:
    """Euro cents in `1.234,56 €`, `1234,5`, `1'234,56`, `1,2 mln`, `350mila`, `150k`.

    Raises Unreadable, or Ambiguous with cents: `12.34` may be 12,34 € or 1234 €. A dot alone is never believed:
    `1.234` is asked back with 1234 € only, as 1,234 € is no amount of cents and must not be rounded into one.
    """
    amount, scale = _scaled(CURRENCY.sub(" ", _tidy(text)))
    meanings = [value * scale * 100 for value in dict.fromkeys(amount)]
    if max(meanings) >= LARGEST:
        raise Unreadable("too-large")
    exact = [int(cents) for cents in meanings if cents == int(cents)]
    if not exact:
        raise Unreadable("decimals")
    if len(meanings) > 1:
        raise Ambiguous(*exact)
    return exact[0]


def read_percentage(text: str) -> Decimal:
    """A percentage from 0 to 100 with at most one decimal: `33,3`, `33.3 %`, `33 per cento`. Raises Unreadable."""
    text = PERCENT.sub(" ", _tidy(text)).strip()
    try:
        meanings = _meanings(text)
    except Unreadable as problem:
        # "write it like 1234,56" would be no advice here
        raise Unreadable("not-a-percentage") if problem.reason == "not-a-number" else problem from None
    plain = PLAIN.fullmatch(text)
    if plain is None or min(meanings) > 100:
        raise Unreadable("out-of-range")
    decimals = plain[3] or ""
    if len(decimals) > 2 or len(decimals.rstrip("0")) > 1:
        raise Unreadable("one-decimal")  # three may be thousands: "1.000" is neither 1 nor a percentage
    return Decimal(f"{plain[1]}.{decimals[:1] or '0'}")


def read_number(text: str) -> Decimal:
    """Any number: `1.234,5`, `-3`, `350mila`. Raises Unreadable, or Ambiguous with numbers, as for amounts."""
    plain = _tidy(text)
    signed = re.fullmatch(r"[-−–]\s*(\d.*)", plain)
    meanings, scale = _scaled(signed[1] if signed else plain)
    found = tuple(dict.fromkeys((-value if signed else value) * scale for value in meanings))
    if abs(max(found, key=abs)) >= LARGEST:
        raise Unreadable("too-large")
    if len(found) > 1:
        raise Ambiguous(*found)
    return found[0]


def _tidy(text: str) -> str:
    """Lower case, every kind of space and apostrophe made one kind."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"[’‘`´]", "'", plain)
    return " ".join(plain.split())


def _scaled(text: str) -> tuple[tuple[Decimal, ...], int]:
    """What the digits may mean, and the thousand or million that follows them."""
    text = " ".join(text.split())
    if text in WORDS:
        return (Decimal(WORDS[text]),), 1
    found = re.fullmatch(r"(.*?\d)\s*([a-z]+)\.?(?: (?:di|of))?", text)
    if found is None:
        return _meanings(text), 1
    if found[2] not in SCALES:
        raise Unreadable("not-a-number")
    return _meanings(found[1], scaled=True), SCALES[found[2]]


def _meanings(text: str, *, scaled: bool = False) -> tuple[Decimal, ...]:
    """Every number that the digits may mean, the Italian reading first."""
    if not text:
        raise Unreadable("empty")
    if re.match(r"[-−–]\s*\d", text):
        raise Unreadable("negative")
    if plain := PLAIN.fullmatch(text):
        return _plain(plain[1], plain[2], plain[3] or "", scaled=scaled)
    grouped = GROUPED.fullmatch(text)
    if grouped is None or grouped[2] == grouped[3]:
        raise Unreadable("not-a-number")
    return (Decimal(re.sub(r"\D", "", grouped[1]) + "." + (grouped[4] or "0")),)


def _plain(whole: str, separator: str | None, decimals: str, *, scaled: bool) -> tuple[Decimal, ...]:
    """One separator at most: a comma is Italian for decimals, a dot may be either."""
    if separator is None:
        return (Decimal(whole),)
    read_as_decimals, read_as_thousands = Decimal(f"{whole}.{decimals}"), Decimal(whole + decimals)
    groupable = len(decimals) == 3 and len(whole) <= 3 and not whole.startswith("0")
    if separator == ",":
        return (read_as_thousands, read_as_decimals) if groupable and not scaled else (read_as_decimals,)
    if groupable:
        return (read_as_thousands, read_as_decimals)
    return (read_as_decimals, read_as_thousands) if len(decimals) == 2 and whole != "0" else (read_as_decimals,)


def show_cents(cents: int, language: Language) -> str:
    """`1.234,50 €`, with a space that does not break."""
    return format_currency(Decimal(cents) / 100, "EUR", locale=LOCALES[language])


def show_percentage(value: Decimal, language: Language) -> str:
    """`33,3%`; a whole number without decimals."""
    return format_decimal(value, format="#,##0.#", locale=LOCALES[language]) + "%"


def show_number(n: int | Decimal, language: Language) -> str:
    """`1.234` or `1.234,5`."""
    return format_decimal(n, locale=LOCALES[language])
