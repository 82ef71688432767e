"""Turns a stored value into a cell that a spreadsheet cannot take for a formula. Pure.

A cell is a string, a number, a day or an instant (local, without zone: spreadsheets know none).
"""

import base64
import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from facts.languages import N_, Speaker
from intake.forms.nodes import Definition, Question, QuestionType
from intake.forms.values import fits, show
from registry.export_columns import Kind

Cell = str | int | Decimal | date | datetime | None

YES, NO = N_("Yes"), N_("No")
DANGEROUS = "=+-@\t\r\n＝＋－＠"
LONGEST_EXCEL = 32_767  # characters in one cell: Excel says the file is broken beyond it
# XML 1.0 has no way to write these; openpyxl refuses the whole file for one.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def as_cell(value: Any, kind: Kind, _: Speaker, zone: ZoneInfo) -> Cell:
    """The cell of a stored value; None for an empty one."""
    if value is None:
        return None
    match kind:
        case Kind.NUMBER:
            return int(value)
        case Kind.MONEY:
            return Decimal(value) / 100
        case Kind.TENTHS:
            return Decimal(value) / 10
        case Kind.DAY:
            return date.fromisoformat(value) if isinstance(value, str) else value
        case Kind.MOMENT:
            assert isinstance(value, datetime)
            return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
    return _as_text(value, kind, _)


def _as_text(value: Any, kind: Kind, _: Speaker) -> str:
    if isinstance(value, bool):
        return _(YES) if value else _(NO)
    match kind:
        case Kind.LIST:
            return "; ".join(map(str, value))
        case Kind.DOCUMENT:
            return json.dumps(value, ensure_ascii=False, default=_plain)
        case Kind.RAW:
            return readable(value)
    return str(value)


def answer_cell(form: Definition, question: Question, value: Any, _: Speaker) -> Cell:
    """The cell of an answer: numbers and dates stay numbers and dates, the rest is shown as to a person."""
    if value is None or value in ("", []):
        return None
    if not fits(form, question, value):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    match question.type:
        case QuestionType.INTEGER:
            return int(value)
        case QuestionType.DECIMAL | QuestionType.RANGE:
            return Decimal(value)
        case QuestionType.DATE:
            return date.fromisoformat(value)
    return show(form, question, value, _.language)


def readable(raw: bytes) -> str:
    """The text of raw bytes, or their base64 when they are no text."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw).decode()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def as_csv(cell: Cell) -> str:
    """The cell as Italian Excel reads it: decimal comma, day first; a quote before what looks like a formula."""
    match cell:
        case None:
            return ""
        case str():
            return guarded(cell)
        case datetime():
            return f"{cell:%d/%m/%Y %H:%M:%S}"
        case date():
            return f"{cell:%d/%m/%Y}"
        case Decimal():
            return f"{cell:f}".replace(".", ",")
    return str(cell)


def guarded(text: str) -> str:
    """The text with `'` before when a spreadsheet might run it (`=`, `+`, `-`, `@`, also after spaces; tab, return)."""
    runs = text[:1] in DANGEROUS or text.lstrip()[:1] in DANGEROUS
    return f"'{text}" if text.strip(" ") and runs else text


def fit_for_excel(text: str) -> str:
    """The text without what XML cannot hold, cut where Excel would refuse it."""
    clean = NOT_IN_XML.sub("\ufffd", text)
    return clean if len(clean) <= LONGEST_EXCEL else clean[: LONGEST_EXCEL - 1] + "…"
