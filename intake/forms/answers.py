"""Reads an answer as people write it, doubts what is implausible, asks back what has two meanings. Pure.

Stored values (JSON): a choice's code; a percentage as "45.5"; money as whole cents; a date as ISO 8601;
yes-text as {"any": bool, "text": str}; a text as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from facts.dates import read_date
from facts.folding import fold
from facts.languages import N_, Language
from facts.numbers import read_cents, read_percentage, show_cents, show_number
from facts.reading import Ambiguous, Unreadable
from intake.forms.definition import Check, Field, FieldType
from intake.forms.hearing import YES_WORDS
from intake.forms.outcomes import LONGEST_TEXT, Answered, Doubt, Refusal, Sentence
from intake.forms.showing import fits, show

FAR = timedelta(days=5 * 365 + 1)

NO_WORDS = {"no", "n", "nessuno", "nessun problema", "nulla", "niente", "none", "nothing", "tutto bene", "no grazie"}

SKIP_WORDS = {"salta", "skip", "saltare", "passo", "boh", "non so", "avanti", "next"}  # these describe no problem


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer is compared with. `last` holds the answers of last time; `total_cents` is 0 when unknown."""

    today: date
    total_cents: int = 0
    last: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class More:
    """ "Yes": and what is it? Ask the field's `follow_up`, and read what comes with `more=True`."""


Outcome = Answered | Doubt | Refusal | More


def parse(one: Field, text: str, facts: Facts, *, more: bool = False) -> Outcome:
    """What a person answered to a field. `more`: the text is the rest of a yes."""
    text = text.replace("\x00", "").strip()
    if not text:
        return Refusal(Sentence(N_("There is nothing to read.")))
    try:
        read = _READERS[one.type](one, text, facts)
    except Ambiguous as found:
        return _among(one, tuple(_stored(each) for each in found.candidates), facts)
    except Unreadable as problem:
        return Refusal(Sentence(problem.sentence))
    if more and isinstance(read, More):
        return Refusal(Sentence(N_("Write in a few words what it is.")))
    return consider(one, read.value, facts) if isinstance(read, Answered) else read


def consider(one: Field, value: Any, facts: Facts) -> Answered | Doubt:
    """A well-formed answer, doubted when it is implausible beside what is known."""
    for check in one.checks:
        doubt = _CHECKS[check](one, value, facts)
        if doubt is not None:
            return Doubt(doubt, (value,))
    return Answered(value)


def _among(one: Field, candidates: tuple[Any, ...], facts: Facts) -> Answered | Doubt:
    """Several meanings: asked back, unless what is known leaves just one.

    `312.345` beside 300 000 euro of last time cannot be 312,34: asking would cost a tap at nearly every update.
    """
    plausible = [value for value in candidates if isinstance(consider(one, value, facts), Answered)]
    if len(plausible) == 1 and facts.last.get(one.name) is not None:
        return Answered(plausible[0])
    if len(candidates) > 1:
        return Doubt(Sentence(N_("Which one do you mean?")), candidates)
    found = consider(one, candidates[0], facts)
    values = {"value": _shown(one, candidates[0])}
    return found if isinstance(found, Doubt) else Doubt(Sentence(N_("{value}: is that right?"), values), candidates)


def _stored(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _choice(one: Field, text: str, _facts: Facts) -> Outcome:
    """By number, by code, by the words of its label or the beginning of one."""
    wanted = fold(text)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(one.choices):
        return Answered(one.choices[int(wanted) - 1].code)
    exact = [each for each in one.choices if wanted in {fold(each.code), *map(fold, each.label.values())}]
    similar = [each for each in one.choices if any(_begins(wanted, label) for label in each.label.values())]
    found = exact or similar
    if len(found) == 1:
        return Answered(found[0].code)
    if found:
        return Doubt(Sentence(N_("Which one do you mean?")), tuple(each.code for each in found))
    return Refusal(Sentence(N_("I do not find this among the answers: press one of the buttons.")))


def _begins(wanted: str, label: str) -> bool:
    """Every word of `wanted` begins a word of the label."""
    words = fold(label).split()
    return bool(wanted) and all(any(word.startswith(each) for word in words) for each in wanted.split())


def _percentage(_one: Field, text: str, _facts: Facts) -> Outcome:
    return Answered(str(read_percentage(text)))


def _money(_one: Field, text: str, _facts: Facts) -> Outcome:
    return Answered(read_cents(text))


def _date(_one: Field, text: str, facts: Facts) -> Outcome:
    return Answered(read_date(text, today=facts.today).isoformat())


def _yes_text(_one: Field, text: str, _facts: Facts) -> Outcome:
    words = fold(text)
    if words in NO_WORDS:
        return Answered({"any": False, "text": ""})
    if words in YES_WORDS:
        return More()
    if words in SKIP_WORDS or not any(letter.isalnum() for letter in text):
        return Refusal(Sentence(N_("I need an answer here: “No”, or what it is in a few words.")))
    return _text_or_refusal(text, {"any": True, "text": text})


def _text(_one: Field, text: str, _facts: Facts) -> Outcome:
    return _text_or_refusal(text, text)


def _text_or_refusal(text: str, value: Any) -> Outcome:
    if len(text) <= LONGEST_TEXT:
        return Answered(value)
    shown = {"limit": _number(LONGEST_TEXT), "length": _number(len(text))}
    return Refusal(Sentence(N_("The text has {length} characters: {limit} at most."), shown))


def _number(n: int) -> Callable[[Language], str]:
    return lambda language: show_number(n, language)


_READERS: dict[FieldType, Callable[[Field, str, Facts], Outcome]] = {
    FieldType.CHOICE: _choice,
    FieldType.PERCENTAGE: _percentage,
    FieldType.MONEY: _money,
    FieldType.DATE: _date,
    FieldType.YES_TEXT: _yes_text,
    FieldType.TEXT: _text,
}


def _last(one: Field, facts: Facts) -> Any:
    value = facts.last.get(one.name)
    return value if fits(one, value) else None


def _shown(one: Field, value: Any) -> Callable[[Language], str]:
    return lambda language: show(one, value, language)


def _never_falls(one: Field, value: Any, facts: Facts) -> Sentence | None:
    last = _last(one, facts)
    if last is None or Decimal(value) >= Decimal(last):
        return None
    values = {"value": _shown(one, value), "last": _shown(one, last)}
    return Sentence(N_("Before it was {last}, now {value}: it has gone down. Is that right?"), values)


def _within_total(one: Field, value: Any, facts: Facts) -> Sentence | None:
    if not facts.total_cents or value <= facts.total_cents:
        return None
    total = facts.total_cents
    values = {"value": _shown(one, value), "total": lambda language: show_cents(total, language)}
    return Sentence(N_("{value} is more than the whole funding of the project ({total}). Is that right?"), values)


def _not_past(one: Field, value: Any, facts: Facts) -> Sentence | None:
    if date.fromisoformat(value) >= facts.today:
        return None
    return Sentence(N_("{value}: this date has already passed. Is that right?"), {"value": _shown(one, value)})


def _near_last(one: Field, value: Any, facts: Facts) -> Sentence | None:
    """More than five years from last time's date; from today when there is none."""
    last = _last(one, facts)
    if abs(date.fromisoformat(value) - (date.fromisoformat(last) if last else facts.today)) <= FAR:
        return None
    if last is None:
        return Sentence(N_("{value}: this is more than five years away. Is that right?"), {"value": _shown(one, value)})
    values = {"value": _shown(one, value), "last": _shown(one, last)}
    return Sentence(N_("Before it was {last}, now {value}: more than five years apart. Is that right?"), values)


_CHECKS: dict[Check, Callable[[Field, Any, Facts], Sentence | None]] = {
    Check.NEVER_FALLS: _never_falls,
    Check.WITHIN_TOTAL: _within_total,
    Check.NOT_PAST: _not_past,
    Check.NEAR_LAST: _near_last,
}
