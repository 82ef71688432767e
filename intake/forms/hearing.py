"""Reads an answer as people write it, for each type of question: kept values as decision 10 says. Pure.

Refuses with a sentence that says how to write it; asks back what has two meanings.
"""

import re
from collections.abc import Callable, Sequence
from datetime import time
from decimal import Decimal
from typing import Any

from facts.codes import InvalidCode, read_cig, read_cup
from facts.dates import read_date
from facts.folding import fold
from facts.languages import N_, Language
from facts.numbers import read_cents, read_number, read_percentage, show_number
from facts.reading import Ambiguous, Unreadable
from intake.forms.doubts import Facts, consider, doubt_about
from intake.forms.filling import Filling, Item
from intake.forms.nodes import Bound, Choice, QuestionType, say
from intake.forms.outcomes import LONGEST_TEXT, Answered, Doubt, Refusal, Sentence

Heard = Answered | Doubt | Refusal
_SEPARATORS = re.compile(r"\s*(?:[,;\n]|\be\b|\band\b)\s*", re.IGNORECASE)
_TIME = re.compile(r"(?:alle |ore |at )?(\d{1,2})(?:[:.h ](\d{2}))?")
_COORDINATES = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*")


RANGE = {"start": "1", "end": "10", "step": "1"}  # where the form says nothing
YES = "yes"  # the name of that choice, in a form where there is one
NO = "no"
YES_WORDS = frozenset({"si", "s", "yes", "y", "certo", "purtroppo si"})
NO_WORDS = frozenset(
    {"no", "n", "nessuno", "nessun problema", "nulla", "niente", "none", "nothing", "tutto bene", "no grazie"}
)
NO_STORY = frozenset({"salta", "skip", "saltare", "passo", "boh", "non so", "avanti", "next"})  # these describe nothing


class _Said(Exception):
    """The answer cannot be read; the sentence says why."""

    def __init__(self, msgid: str, **values: Callable[[Language], str]) -> None:
        super().__init__(msgid)
        self.sentence = Sentence(msgid, values)


def hear(filling: Filling, item: Item, text: str, facts: Facts | None = None) -> Heard:
    """What a person answered to a question, held against its choices, its range, its constraint, and what is known."""
    text = text.replace("\x00", "").strip()
    if not text:
        return Refusal(Sentence(N_("There is nothing to read.")))
    try:
        value = _READERS[item.question.type](filling, item, text)
    except Ambiguous as found:
        return _among(filling, item, [_plain(each) for each in found.candidates], facts)
    except (Unreadable, InvalidCode) as problem:
        return Refusal(Sentence(problem.sentence))
    except _Said as refused:
        return Refusal(refused.sentence)
    return value if isinstance(value, Doubt) else weigh(filling, item, value, facts)


def weigh(filling: Filling, item: Item, value: Any, facts: Facts | None = None) -> Heard:
    """A well-formed answer: refused when the form does not allow it, in the form's own words where it has some.

    Doubted when it is implausible beside `facts`.
    """
    if filling.satisfies(item, value):
        return Answered(value) if facts is None else consider(filling, item, value, facts)
    own, languages = item.question.constraint_message, filling.plan.form.languages
    if not own:
        return Refusal(Sentence(N_("This answer is not possible here: look again.")))
    return Refusal(Sentence("{reason}", {"reason": lambda language: say(own, language, languages)}))


def _among(filling: Filling, item: Item, candidates: Sequence[Any], facts: Facts | None) -> Heard:
    """Several meanings: asked back, unless the form allows just one, or what is known leaves just one.

    `312.345` beside 300 000 euro of last time cannot be 312,34: asking would cost a tap at nearly every update.
    """
    possible = [value for value in candidates if filling.satisfies(item, value)]
    if not possible or (len(possible) == 1 and len(candidates) > 1):
        return weigh(filling, item, (possible or candidates)[0], facts)
    if facts is not None and facts.last.get(item.key) is not None:
        plausible = [value for value in possible if doubt_about(filling, item, value, facts) is None]
        if len(plausible) == 1:
            return Answered(plausible[0])
    return Doubt(Sentence(N_("Which one do you mean?")), tuple(possible))


def hear_ahead(filling: Filling, item: Item, text: str) -> tuple[Item, str] | None:
    """A story told at once where "yes" was expected, as people do: the question that a yes opens, and its answer.

    None when the question has no yes, or a yes opens no question for a text.
    """
    if item.question.type is not QuestionType.SELECT_ONE or YES not in {one.name for one in filling.choices(item)}:
        return None
    opened = filling.change({item.key: YES}).filling
    follows = opened.after(item.key)
    without = filling.change({item.key: None}).filling.items
    is_new = follows is not None and all(follows.key != one.key for one in without)
    if not is_new or not isinstance(follows, Item) or follows.question.type is not QuestionType.TEXT:
        return None
    story = _story(text)
    heard = hear(opened, follows, story) if story else None
    return (follows, heard.value) if isinstance(heard, Answered) else None


def _story(text: str) -> str:
    """What is told behind a "yes", or without one; "" where nothing is, or behind a "no"."""
    first, _sep, rest = text.strip().partition(" ")
    word = fold(first.rstrip(",.;:!"))
    told = rest.strip() if word in YES_WORDS else text.strip()
    is_story = word != NO and fold(told) not in NO_STORY and sum(letter.isalpha() for letter in told) > 1
    return told if is_story else ""


def _plain(value: Any) -> Any:
    """As it is kept: never a float."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value if isinstance(value, str | int) else value.isoformat()


def _text(_filling: Filling, item: Item, text: str) -> Any:
    if item.question.bound is Bound.CUP:
        return read_cup(text).value
    if item.question.bound is Bound.CIG:
        return read_cig(text).value
    if len(text) > LONGEST_TEXT:
        limit, length = _number(LONGEST_TEXT), _number(len(text))
        raise _Said(N_("The text has {length} characters: {limit} at most."), limit=limit, length=length)
    return text


def _number(n: int | Decimal) -> Callable[[Language], str]:
    return lambda language: show_number(n, language)


def _integer(_filling: Filling, _item: Item, text: str) -> int:
    try:
        found = read_number(text)
    except Unreadable as problem:
        if problem.reason != "not-a-number":
            raise
        raise _Said(N_("This is not a number I can read. Write it in figures, like 12.")) from None
    except Ambiguous as several:  # of 1.234 only one is whole
        whole = [one for one in several.candidates if one == int(one)]
        if len(whole) != 1:
            raise Ambiguous(*map(int, whole)) from None
        found = whole[0]
    if found != int(found):
        raise _Said(N_("A whole number is needed here, without decimals."))
    return int(found)


def _decimal(_filling: Filling, item: Item, text: str) -> str:
    match item.question.bound:
        case Bound.PROGRESS:
            return _plain(read_percentage(text))  # type: ignore[no-any-return]
        case Bound.SPENT:
            try:
                return _plain(Decimal(read_cents(text)) / 100)  # type: ignore[no-any-return]
            except Ambiguous as several:
                raise Ambiguous(*(Decimal(cents) / 100 for cents in several.candidates)) from None
        case _:
            return _plain(read_number(text))  # type: ignore[no-any-return]


def _range(_filling: Filling, item: Item, text: str) -> str:
    found, given = read_number(text), item.question.parameters
    start, end, step = (Decimal(given.get(name, usual)) for name, usual in RANGE.items())
    low, high = min(start, end), max(start, end)
    if not low <= found <= high:
        raise _Said(N_("A number from {low} to {high} is needed here."), low=_number(low), high=_number(high))
    if step and (found - start) % step:
        ends = {"low": _number(low), "high": _number(high), "step": _number(abs(step))}
        raise _Said(N_("A number from {low} to {high} is needed here, in steps of {step}."), **ends)
    return _plain(found)  # type: ignore[no-any-return]


def _date(filling: Filling, _item: Item, text: str) -> str:
    return read_date(text, today=filling.known.now.date()).isoformat()


def _time(_filling: Filling, _item: Item, text: str) -> str:
    found = _TIME.fullmatch(fold(text))
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise _Said(N_("This is not a time I can read. Write it like 14:30."))
    return time(int(found[1]), int(found[2] or 0)).isoformat("minutes")


def _date_time(filling: Filling, item: Item, text: str) -> str:
    """The time stands behind the last space or comma: `10/12/2026 14:30`."""
    day, _sep, hour = text.replace(",", " ").replace(" alle ", " ").replace(" ore ", " ").rpartition(" ")
    if not day.strip():
        raise _Said(N_("Both a day and a time are needed: for example 10/12/2026 14:30."))
    return f"{_date(filling, item, day)}T{_time(filling, item, hour)}"


def _one(filling: Filling, item: Item, text: str) -> str | Doubt:
    choices = filling.choices(item)
    if {YES, NO} <= {one.name for one in choices} and (said := _yes_or_no(text)):
        return said
    found = _found(choices, item, text)
    if len(found) > 1:
        return Doubt(Sentence(N_("Which one do you mean?")), tuple(one.name for one in found))
    return found[0].name


def _yes_or_no(text: str) -> str:
    """As people say it; "" for anything else."""
    words = fold(text.strip(" .!"))
    return YES if words in YES_WORDS else NO if words in NO_WORDS else ""


def _found(choices: Sequence[Choice], item: Item, text: str) -> list[Choice]:
    """By number, by name, by the words of a label or the beginning of one."""
    wanted = fold(text)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(choices):
        return [choices[int(wanted) - 1]]
    exact = [one for one in choices if wanted in {fold(one.name), *map(fold, one.label.values())}]
    found = exact or [one for one in choices if any(_begins(wanted, label) for label in one.label.values())]
    if found:
        return found
    raise _Said(N_("I do not find this among the answers: press one of the buttons."))


def _begins(wanted: str, label: str) -> bool:
    words = fold(label).split()
    return bool(wanted) and all(any(word.startswith(each) for word in words) for each in wanted.split())


def _several(filling: Filling, item: Item, text: str) -> list[str]:
    """`1, 3` or labels with commas between them, in the order of the list."""
    choices = filling.choices(item)
    found = {_only(choices, item, part).name for part in _SEPARATORS.split(text) if part}
    return [name for name in (one.name for one in choices) if name in found]


def _only(choices: Sequence[Choice], item: Item, text: str) -> Choice:
    found = _found(choices, item, text)
    if len(found) > 1:
        sentence = N_("I do not know which one you mean by “{text}”: write more of it, or its number.")
        raise _Said(sentence, text=lambda _: text)
    return found[0]


def _ranked(filling: Filling, item: Item, text: str) -> list[str]:
    """All of them, the first first."""
    choices = filling.choices(item)
    found = [_only(choices, item, part).name for part in _SEPARATORS.split(text) if part]
    if sorted(found) != sorted(one.name for one in choices):
        raise _Said(N_("All of them are needed, each once, the most important first: for example 2, 1, 3."))
    return found


def _geopoint(_filling: Filling, _item: Item, text: str) -> list[float]:
    found = _COORDINATES.fullmatch(text)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise _Said(N_("Send the place with the paper clip, or write its latitude and longitude: 45.4642, 9.1900."))
    return [float(found[1]), float(found[2])]


def _acknowledge(_filling: Filling, _item: Item, text: str) -> str:
    if fold(text) not in YES_WORDS | {"ok", "va bene", "confermo", "letto", "ho letto"}:
        raise _Said(N_("Write OK when you have read it."))
    return "OK"


def _enclosure(_filling: Filling, _item: Item, _text: str) -> Any:
    raise _Said(N_("A file is needed here: send it with the paper clip."))


def _nothing(_filling: Filling, _item: Item, _text: str) -> Any:
    raise _Said(N_("There is nothing to answer here."))


_READERS: dict[QuestionType, Callable[[Filling, Item, str], Any]] = {
    QuestionType.TEXT: _text,
    QuestionType.INTEGER: _integer,
    QuestionType.DECIMAL: _decimal,
    QuestionType.DATE: _date,
    QuestionType.TIME: _time,
    QuestionType.DATE_TIME: _date_time,
    QuestionType.SELECT_ONE: _one,
    QuestionType.SELECT_MULTIPLE: _several,
    QuestionType.RANK: _ranked,
    QuestionType.RANGE: _range,
    QuestionType.GEOPOINT: _geopoint,
    QuestionType.IMAGE: _enclosure,
    QuestionType.FILE: _enclosure,
    QuestionType.AUDIO: _enclosure,
    QuestionType.NOTE: _nothing,
    QuestionType.ACKNOWLEDGE: _acknowledge,
    QuestionType.CALCULATE: _nothing,
    QuestionType.HIDDEN: _nothing,
}
