"""Whatever somebody answers, in the chat or on the page, the same update is kept."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import select

from bot.house import House
from delivery.links import Links
from facts.languages import Language
from intake.catalogue import Catalogue
from intake.drafting import Prior, filling_of
from intake.forms.filling import Filling, Item, More
from intake.forms.hearing import RANGE
from intake.forms.nodes import ENCLOSING, Question, QuestionType
from storage.drafts import Work
from storage.tables import Draft, DraftState, Update
from tests.bot.talk import Phone
from tests.desk.conftest import Desk
from tests.desk.filling import Filler, a_filler, everything, updates
from tests.desk.test_personal import Person, a_person

CHAT = 77
MOST_STEPS = 80


@dataclass
class Answers:
    """What somebody would answer to each question, whichever door asks it: the same for the same seed."""

    seed: int
    given: dict[str, Any] = field(default_factory=dict)

    def to(self, filling: Filling, item: Item) -> Any:
        """The kept value; None to leave it out."""
        if item.question.type in ENCLOSING:
            return None
        chance = random.Random(f"{self.seed} {item.key}")
        if chance.random() < 0.3 and not filling.is_required(item):
            return None
        return self.given.setdefault(item.key, _drawn(chance, filling, item))

    def repetitions(self, key: str) -> int:
        return random.Random(f"{self.seed} {key}").randint(0, 2)


def _drawn(chance: random.Random, filling: Filling, item: Item) -> Any:
    draw = _DRAWN.get(item.question.type, _some_words)
    return draw(chance, item.question, [one.name for one in filling.choices(item)])


def _some_words(chance: random.Random, _question: Question, _names: list[str]) -> Any:
    return chance.choice(("Ex mercato", "Tutto <bene> & in orario", "Perché no?", "1.234,5", "così così"))


def _in_range(chance: random.Random, question: Question, _names: list[str]) -> Any:
    start, end = (int(question.parameters.get(name, RANGE[name])) for name in ("start", "end"))
    return str(chance.randint(start, end))


def _several(chance: random.Random, _question: Question, names: list[str]) -> Any:
    wanted = set(chance.sample(names, chance.randint(1, 2)))
    return [name for name in names if name in wanted]


def _a_day(chance: random.Random) -> str:
    return f"20{chance.randint(10, 29)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


_DRAWN: dict[QuestionType, Callable[[random.Random, Question, list[str]], Any]] = {
    QuestionType.INTEGER: lambda chance, _question, _names: chance.randint(0, 5000),
    QuestionType.DECIMAL: lambda chance, _question, _names: f"{chance.randint(0, 9999)}.{chance.randint(1, 9)}",
    QuestionType.RANGE: _in_range,
    QuestionType.DATE: lambda chance, _question, _names: _a_day(chance),
    QuestionType.TIME: lambda chance, _question, _names: f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}",
    QuestionType.DATE_TIME: lambda chance, _question, _names: f"{_a_day(chance)}T{chance.randint(10, 23)}:30",
    QuestionType.SELECT_ONE: lambda chance, _question, names: chance.choice(names),
    QuestionType.SELECT_MULTIPLE: _several,
    QuestionType.RANK: lambda chance, _question, names: chance.sample(names, len(names)),
    QuestionType.GEOPOINT: lambda chance, _question, _names: [
        round(chance.uniform(44, 46), 4),
        round(chance.uniform(8, 10), 4),
    ],
    QuestionType.ACKNOWLEDGE: lambda _chance, _question, _names: "OK",
}


# --- as it is written in the chat


def _written(filling: Filling, item: Item, value: Any) -> str:
    labels = {one.name: one.label["it"] for one in filling.choices(item)}
    match item.question.type:
        case QuestionType.DECIMAL:
            return str(value).replace(".", ",")
        case QuestionType.DATE:
            return "/".join(reversed(value.split("-")))
        case QuestionType.DATE_TIME:
            day, _sep, hour = value.partition("T")
            return f"{'/'.join(reversed(day.split('-')))} alle {hour}"
        case QuestionType.SELECT_ONE:
            return str(labels[value])
        case QuestionType.SELECT_MULTIPLE | QuestionType.RANK:
            return ", ".join(str(labels[name]) for name in value)
        case QuestionType.GEOPOINT:
            return f"{value[0]}, {value[1]}"
        case _:
            return str(value)


def by_chat(desk: Desk, person: Person, answers: Answers) -> dict[str, Any]:
    """The whole form, question by question; what was sent."""
    with desk.house.database.write() as session:
        phone = Phone(session, CHAT, desk.house.clock(), House(Links("https://raccordo.example.org", bot="bot")))
        phone.says("/moduli").presses("Tutto")
        for _step in range(MOST_STEPS):
            draft = session.exec(
                select(Draft).where(Draft.state == DraftState.OPEN).execution_options(populate_existing=True)
            ).one()
            if draft.step == "=summary":
                phone.presses("Invia")
                return session.exec(select(Update)).one().answers
            _answer_in_chat(phone, _standing(phone, draft), draft.step, answers)
        raise AssertionError(f"it never ends: {phone.text}")


def _standing(phone: Phone, draft: Draft) -> Filling:
    form = Catalogue().version(phone.session, draft.form_version_id or 0)
    work = Work(draft.id, draft.kind, None, None, None, None, draft.answers, "", {}, 0, {}, None, draft.repetitions)
    return filling_of(form, work, Prior({}, None), now=phone.now, zone="Europe/Rome", language=Language.IT)


def _answer_in_chat(phone: Phone, filling: Filling, step: str, answers: Answers) -> None:
    one = next(item for item in filling.items if item.key == step)
    if isinstance(one, More):
        phone.says("sì" if one.number < answers.repetitions(one.key) else "no")
        return
    value = answers.to(filling, one)
    phone.says("salta" if value is None else _written(filling, one, value))


# --- as it stands on the page


def _put(question: Question, value: Any) -> str | list[str]:
    match question.type:
        case QuestionType.DATE:
            return "/".join(reversed(value.split("-")))
        case QuestionType.DATE_TIME:
            day, _sep, hour = value.partition("T")
            return ["/".join(reversed(day.split("-"))), hour]
        case QuestionType.DECIMAL:
            return str(value).replace(".", ",")
        case QuestionType.RANK:
            return [f"{place}:{name}" for place, name in enumerate(value, 1)]
        case QuestionType.GEOPOINT:
            return [str(one) for one in value]
        case QuestionType.SELECT_MULTIPLE:
            return list(value)
        case _:
            return str(value)


async def by_page(desk: Desk, person: Person, answers: Answers) -> dict[str, Any]:
    """All that is there is filled in at once, again and again until nothing new is asked; then it is sent."""
    filler = await a_filler(desk, person, _form_on_page(desk))
    put = dict[str, Any]()
    for _round in range(10):
        fresh = _fresh(desk, filler, answers, put)
        more = _more(desk, filler, answers)
        if not fresh and more is None:
            break
        await filler.presses(f"add:{more}" if more else "save", fresh)
        put |= fresh
    await filler.presses("send")
    await filler.sends()
    return updates(desk)[-1].answers


def _form_on_page(desk: Desk) -> int:
    with desk.house.database.read() as session:
        version = session.exec(select(Draft.form_version_id).order_by("id")).first()
        assert version is not None
        return Catalogue().version(session, version).form_id


def _on_page(desk: Desk, filler: Filler) -> Filling:
    draft = filler.draft()
    with desk.house.database.read() as session:
        form = Catalogue().version(session, draft.form_version_id or 0)
    work = Work(draft.id, draft.kind, None, None, None, None, draft.answers, "", {}, 0, {}, None, draft.repetitions)
    return filling_of(form, work, Prior({}, None), now=desk.house.clock(), zone=desk.house.zone, language=Language.IT)


def _fresh(desk: Desk, filler: Filler, answers: Answers, put: dict[str, Any]) -> dict[str, Any]:
    filling, found = _on_page(desk, filler), dict[str, Any]()
    for one in filling.items:
        if isinstance(one, Item) and one.question.type is not QuestionType.NOTE and one.key not in put:
            value = answers.to(filling, one)
            if value is not None:
                found[one.key] = _put(one.question, value)
    return found


def _more(desk: Desk, filler: Filler, answers: Answers) -> str | None:
    wanted = (
        one.key
        for one in _on_page(desk, filler).items
        if isinstance(one, More) and one.number < answers.repetitions(one.key)
    )
    return next(wanted, None)


@pytest.mark.parametrize("seed", range(8))
async def test_chat_and_page_keep_the_same_update(desk: Desk, seed: int) -> None:
    everything(desk)
    ada, bruno = a_person(desk, chat=CHAT), a_person(desk, "Bruno Esempio", "Biblioteca")

    in_chat = by_chat(desk, ada, Answers(seed))
    on_page = await by_page(desk, bruno, Answers(seed))

    assert on_page == in_chat
    assert len(in_chat) > 5
