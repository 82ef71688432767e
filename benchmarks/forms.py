"""How long a long form keeps somebody waiting: 300 questions with 200 expressions. Asserts nothing about speed.

python -m benchmarks.forms [--rounds 30]

Beside each figure stands its ratio to a yardstick of the same round: the least that a page of as many questions can
cost, a label and a field each, joined as text. Whatever else the machine does weighs on both alike.
"""

import argparse
import asyncio
import html
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from delivery.links import Links
from desk.app import DeskHouse, make_desk
from desk.fill_page import page_of
from facts.languages import Language
from intake.forms.document import from_document, to_document
from intake.forms.filling import Filling, Item, begin
from intake.forms.nodes import Definition, QuestionType, say
from intake.forms.plan import Plan
from intake.forms.standing import Known
from intake.forms.xlsform.reading import read_xlsform
from intake.publishing import publish
from storage.database import Database
from storage.drafts import Work, insert_draft
from storage.files import Files
from storage.keys import new_ring
from storage.people import new_personal_link
from storage.schema import migrate
from storage.sealing import Keyring
from storage.tables import Channel, DraftKind, DraftState, Referent
from tests.cast import Cast
from tests.intake.forms.making import large_form

QUESTIONS, EXPRESSIONS = 300, 200
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Europe/Rome"))
FIRST = "part_0/q0"  # two thirds of what follows depends on the questions before it
GIVEN: dict[QuestionType, Any] = {
    QuestionType.TEXT: "Una risposta di alcune parole",
    QuestionType.INTEGER: 12,
    QuestionType.DECIMAL: "45.5",
    QuestionType.SELECT_ONE: "c3",
    QuestionType.DATE: "2026-12-10",
    QuestionType.SELECT_MULTIPLE: ["c1", "c7"],
}

Figures = dict[str, list[tuple[float, float]]]  # milliseconds by the clock, and of processor


def a_form() -> Definition:
    reading = read_xlsform(large_form(QUESTIONS, EXPRESSIONS).encode(), "large.md")
    assert reading.form is not None, reading.problems
    return reading.form


def answered(form: Definition) -> Filling:
    """Every question that is asked has an answer, and so has what those answers open."""
    filling = begin(Plan(form), Known(NOW), {}, {"part_40": 1})
    for _round in range(QUESTIONS):
        open_ones = {
            one.key: GIVEN[one.question.type]
            for one in filling.items
            if isinstance(one, Item) and one.question.type in GIVEN and one.key not in filling.answers
        }
        if not open_ones:
            break
        filling = filling.change(open_ones).filling
    return filling


@contextmanager
def timed(found: Figures, name: str) -> Any:
    began, worked = time.perf_counter(), time.process_time()
    yield
    found[name].append(((time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000))


def bare_page(form: Definition, answers: dict[str, Any]) -> str:
    """The yardstick."""
    return "".join(
        f'<label for="{number}">{html.escape(say(one.label, "it", form.languages))}</label>'
        f'<input id="{number}" name="{html.escape(one.name)}" value="{html.escape(str(answers.get(one.name, "")))}">'
        for number, one in enumerate(form.questions)
    )


def engine(found: Figures, document: dict[str, Any], filling: Filling) -> None:
    """Without any page."""
    with timed(found, "next question, cold: definition read, expressions compiled"):
        cold = begin(Plan(from_document(document)), Known(NOW), filling.answers, filling.repetitions)
        assert cold.after(FIRST) is not None
    with timed(found, "next question after one answer has changed"):
        changed = filling.change({FIRST: "Un'altra risposta"}).filling
        assert changed.after(FIRST) is not None
    with timed(found, "what a page shows, worked out"):
        assert page_of(filling, Language.IT).answered > QUESTIONS / 2


def a_house(folder: Path, form: Definition, filling: Filling) -> tuple[DeskHouse, str]:
    """A desk with one draft of this form; the address of its page."""
    database = Database(f"sqlite:///{folder / 'raccordo.db'}", Keyring(new_ring()))
    migrate(database)
    house = DeskHouse(
        database=database,
        clock=lambda: NOW.astimezone(UTC),
        links=Links("http://raccordo.example"),
        secret_key=b"a secret of the benchmarks, 32 b",
        files=Files(folder / "files", database.keys),
    )
    with database.write() as session:
        cast = Cast(session, house.clock())
        organization = cast.an_organization()
        project = cast.a_project(organization)
        ada: Referent = cast.a_referent(organization=organization, projects=(project,))
        version = publish(session, form, now=house.clock(), source="large.md")
        draft = insert_draft(
            session,
            ada.id,
            house.clock(),
            _work(version.id, project.id, filling),
            channel=Channel.WEB,
            state=DraftState.PARKED,
        )
        return house, f"/r/{new_personal_link(session, ada.id, house.clock())}/drafts/{draft.id}"


def _work(version_id: int, project_id: int, filling: Filling) -> Work:
    return Work(
        id=0,
        kind=DraftKind.UPDATE,
        form_version_id=version_id,
        project_id=project_id,
        question_id=None,
        obligation_id=None,
        answers=dict(filling.answers),
        step="",
        memory={},
        revision=0,
        sources={},
        repetitions=dict(filling.repetitions),
    )


async def pages(house: DeskHouse, address: str, measure: Callable[[httpx.AsyncClient, str], Awaitable[None]]) -> None:
    transport = httpx.ASGITransport(make_desk(house))
    async with httpx.AsyncClient(transport=transport, base_url=house.links.base_url) as browser:
        await measure(browser, address)


async def ask(found: Figures, browser: httpx.AsyncClient, address: str, number: int) -> None:
    """The whole page; then one answer saved in passing, as a script does."""
    with timed(found, "page of the form, from request to answer"):
        page = (await browser.get(address)).raise_for_status().text
    assert page.count("fill-field") > QUESTIONS / 2
    fields = {name: _value(page, name) for name in ("csrf", "revision")}
    data = fields | {"shown": "part_0/q1=!", "a:part_0/q1": str(number)}
    with timed(found, "one answer saved in passing"):
        (await browser.post(f"{address}/answers", data=data)).raise_for_status()


def _value(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


async def measured(rounds: int, folder: Path) -> Figures:
    form = a_form()
    document, filling = to_document(form), answered(form)
    house, address = a_house(folder, form, filling)
    found: Figures = defaultdict(list)

    async def all_rounds(browser: httpx.AsyncClient, address: str) -> None:
        for number in range(rounds + 1):
            round_: Figures = defaultdict(list)
            with timed(round_, YARDSTICK):
                bare_page(form, dict(filling.answers))
            engine(round_, document, filling)
            await ask(round_, browser, address, number)
            if number:  # the first one warms up
                for name, values in round_.items():
                    found[name] += values

    await pages(house, address, all_rounds)
    house.database.close()
    return found


YARDSTICK = "yardstick: a bare page of as many questions"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forms")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        found = asyncio.run(measured(options.rounds, Path(name)))
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    print(f"| {QUESTIONS} questions, {EXPRESSIONS} expressions | ms | ms of processor | × yardstick |")
    print("| --- | --- | --- | --- |")
    for what, values in found.items():
        pairs = zip(values, found[YARDSTICK], strict=True)
        ratio = median(mine[1] / bare[1] for mine, bare in pairs)
        clock, processor = (_spread([each[which] for each in values]) for which in (0, 1))
        print(f"| {what} | {clock} | {processor} | {ratio:.0f} |", flush=True)


def _spread(values: list[float]) -> str:
    return f"{median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


if __name__ == "__main__":
    main()
