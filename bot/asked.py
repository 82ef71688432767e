"""A question of a form as the chat asks it: text and buttons. Pure; a button's value means something to `filling`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zlib import crc32

from bot.markup import bold, escape, italic, lines, paragraphs
from facts.languages import N_, Language, Speaker
from facts.numbers import show_number
from intake.forms.filling import Filling, Item, More
from intake.forms.hearing import RANGE
from intake.forms.nodes import CHOOSING, ENCLOSING, Question, QuestionType, say
from intake.forms.values import show
from intake.forms.wording import worded

PAGE = 12  # choices shown at a time
MOST_STEPS = 11  # of a range: beyond, the number is written
IN_A_ROW = 6  # numbers of a range
ON_THE_WEB_ONLY = N_("This is answered on your web page only, not here: it does not travel through Telegram.")
TICKED, UNTICKED = "☑️ ", "⬜ "
TICKING = frozenset({QuestionType.SELECT_MULTIPLE, QuestionType.RANK})
OF_FILES = {
    QuestionType.IMAGE: N_("Send a photo with the paper clip 📎, or several together."),
    QuestionType.FILE: N_("Send the file with the paper clip 📎, or several together."),
    QuestionType.AUDIO: N_("Record a voice message, or send a recording with the paper clip 📎."),
}
HOW: Mapping[QuestionType, str] = {
    **OF_FILES,
    QuestionType.SELECT_MULTIPLE: N_("You may choose several answers, then press “Done”."),
    QuestionType.RANK: N_("Press them in order, the most important first."),
    QuestionType.GEOPOINT: N_(
        "Send the place with the paper clip 📎 → Location, or write latitude and longitude: 45.4642, 9.1900."
    ),
    QuestionType.TIME: N_("For example 14:30."),
    QuestionType.DATE_TIME: N_("For example 10/12/2026 14:30."),
}

Option = tuple[str, str]  # label, value


@dataclass(frozen=True, slots=True)
class Asked:
    """`rows` of options: what can be pressed beside writing."""

    html: str
    rows: tuple[tuple[Option, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """One question at the moment it is asked. `memory` as the draft keeps it; `same`: last time's answer, that fits.

    `how`: with what the type asks for, when the form gives no hint.
    """

    filling: Filling
    item: Item
    _: Speaker
    memory: Mapping[str, Any] = field(default_factory=dict)
    same: Any = None

    @property
    def question(self) -> Question:
        return self.item.question

    @property
    def language(self) -> Language:
        return self._.language

    def says(self, texts: Mapping[str, str]) -> str:
        return say(texts, self.language, self.filling.plan.form.languages)

    def words(self, texts: Mapping[str, str]) -> str:
        """With the answers that they repeat."""
        return worded(self.filling, self.item.key, texts, self.language)

    def shown(self, value: Any) -> str:
        return show(self.filling.plan.form, self.question, value, self.language)


def question_text(asking: Asking, header: str = "") -> str:
    """Notes and groups on the way to it, its number, what it asks, how to answer."""
    hint = asking.words(asking.question.hint) or _how(asking)
    return paragraphs(
        *notes_before(asking.filling, asking.item, asking.language),
        lines(
            header,
            *announced(asking.filling, asking.item, asking.language),
            bold(asking.words(asking.question.label)),
            italic(hint) if hint else "",
        ),
    )


def _how(asking: Asking) -> str:
    msgid = HOW.get(asking.question.type)
    return asking._(msgid) if msgid else ""


def notes_before(filling: Filling, item: Item | More | None, language: Language) -> list[str]:
    """What the form says between the question before and this one; at the end for None."""
    items = filling.items
    place = len(items) if item is None else filling.position(item.key)
    found: list[str] = []
    for one in reversed(items[:place]):
        if not isinstance(one, Item) or one.question.type is not QuestionType.NOTE:
            break
        found.append(escape("ℹ️ " + worded(filling, one.key, one.question.label, language)))
    return found[::-1]


def announced(filling: Filling, item: Item | More, language: Language) -> list[str]:
    """The groups that begin here, which the question before was not in."""
    before = filling.before(item.key)
    known = {key for key, _group in before.groups} if before is not None else set()
    return [
        escape("▸ ") + bold(group_name((key, group), filling, language))
        for key, group in item.groups
        if key not in known and group.label
    ]


def group_name(one: tuple[str, Any], filling: Filling, language: Language) -> str:
    """Its label; of a repetition with its number."""
    key, group = one
    label = worded(filling, key, group.label, language) or group.name
    number = key.rpartition("[")[2].rstrip("]") if key.endswith("]") else ""
    return f"{label} {number}" if number else label


def options(asking: Asking) -> list[list[Option]]:
    """What can be pressed, in rows."""
    make = _OPTIONS.get(asking.question.type)
    return make(asking) if make is not None else []


def mark_of(key: str) -> str:
    """Short for a question: its ticks may be pressed faster than the chat can show them."""
    return f"{crc32(key.encode()):08x}"


def _one(asking: Asking) -> list[list[Option]]:
    """Last time's answer has a button of its own."""
    choices = [
        (number, one)
        for number, one in enumerate(asking.filling.choices(asking.item))
        if asking.same is None or one.name != asking.same
    ]
    page, pages = page_of(asking.memory, len(choices))
    rows = [
        [(asking.says(one.label) or one.name, f"choose-{number}")]
        for number, one in choices[page * PAGE : (page + 1) * PAGE]
    ]
    return rows + _pages(asking, page, pages)


def page_of(memory: Mapping[str, Any], amount: int) -> tuple[int, int]:
    """The page being shown, from 0, and how many there are."""
    pages = max(1, -(-amount // PAGE))
    return min(int(memory.get("page", 0)), pages - 1), pages


def _pages(asking: Asking, page: int, pages: int) -> list[list[Option]]:
    _, row = asking._, []
    if page > 0:
        row.append((_(N_("◀ Previous")), f"page-{page - 1}"))
    if page + 1 < pages:
        row.append((_(N_("More ({page} of {pages}) ▶"), page=page + 2, pages=pages), f"page-{page + 1}"))
    return [row] if row else []


def _several(asking: Asking) -> list[list[Option]]:
    ticked, mark = asking.memory.get("ticked", ()), mark_of(asking.item.key)
    choices = list(enumerate(asking.filling.choices(asking.item)))
    page, pages = page_of(asking.memory, len(choices))
    rows = [
        [((TICKED if one.name in ticked else UNTICKED) + (asking.says(one.label) or one.name), f"tick-{number}-{mark}")]
        for number, one in choices[page * PAGE : (page + 1) * PAGE]
    ]
    done = [[(asking._(N_("✅ Done")), "done")]] if ticked else []
    return rows + _pages(asking, page, pages) + done


def _ranked(asking: Asking) -> list[list[Option]]:
    ticked, mark = list(asking.memory.get("ticked", ())), mark_of(asking.item.key)
    rows = []
    for number, one in enumerate(asking.filling.choices(asking.item)):
        place = f"{ticked.index(one.name) + 1}. " if one.name in ticked else UNTICKED
        rows.append([(place + (asking.says(one.label) or one.name), f"tick-{number}-{mark}")])
    return rows


def range_steps(question: Question) -> list[Decimal]:
    """The numbers of a range, in the order of the form; [] when they are too many to be pressed."""
    start, end, step = (Decimal(question.parameters.get(name, usual)) for name, usual in RANGE.items())
    step = abs(step) if end >= start else -abs(step)
    if not step or (end - start) / step >= MOST_STEPS:
        return []
    return [start + step * n for n in range(int((end - start) / step) + 1)]


def _range(asking: Asking) -> list[list[Option]]:
    found = [
        (show_number(one, asking.language), f"choose-{number}")
        for number, one in enumerate(range_steps(asking.question))
    ]
    return [found[at : at + IN_A_ROW] for at in range(0, len(found), IN_A_ROW)]


def _acknowledge(asking: Asking) -> list[list[Option]]:
    return [[(asking._(N_("👍 I have read it")), "choose-0")]]


_OPTIONS: dict[QuestionType, Callable[[Asking], list[list[Option]]]] = {
    QuestionType.SELECT_ONE: _one,
    QuestionType.SELECT_MULTIPLE: _several,
    QuestionType.RANK: _ranked,
    QuestionType.RANGE: _range,
    QuestionType.ACKNOWLEDGE: _acknowledge,
}


def ask_more(filling: Filling, more: More, _: Speaker) -> Asked:
    """Whether there is another one."""
    language = _.language
    label = worded(filling, more.key, more.group.label, language) or more.group.name
    text = (
        _(N_("Do you want to add another one to <b>{list}</b>? There are {n} so far."), list=label, n=more.number)
        if more.number > 1
        else _(N_("Do you want to add another one to <b>{list}</b>? There is one so far."), list=label)
        if more.number
        else _(N_("Do you want to add something to <b>{list}</b>?"), list=label)
    )
    rows: list[tuple[Option, ...]] = [((_(N_("➕ Add")), "add"), (_(N_("No, go on ▶")), "done"))]
    if more.number:
        rows.append(((_(N_("🗑 Take the last one away")), "remove"),))
    parts = (*notes_before(filling, more, language), lines(*announced(filling, more, language), text))
    return Asked(paragraphs(*parts), tuple(rows))


def takes_text(question: Question) -> bool:
    """Whether the words below a photo may be the answer."""
    return question.type is QuestionType.TEXT


def takes_files(question: Question) -> bool:
    return question.type in ENCLOSING


def is_chosen(question: Question) -> bool:
    return question.type in CHOOSING
