"""Whatever a browser sends, or somebody by hand: no form stops on it, and only what is an answer is kept as one."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from desk.fill_controls import mark_of, raw_of
from desk.fill_page import Besides, Unread, page_of
from desk.fill_reading import differences, is_unread, read, read_post, take
from facts.languages import Language
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item, begin
from intake.forms.nodes import Question
from intake.forms.plan import Plan
from intake.forms.standing import Known
from intake.forms.values import fits
from tests.intake.forms.making import form_of

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Europe/Rome"))
PLAN = Plan(form_of((Path(__file__).parent / "data" / "everything.md").read_text(encoding="utf-8")))
FACTS = Facts(NOW.date())

PLAUSIBLE = (
    "",
    "yes",
    "other",
    "red",
    "1:red",
    "2:red",
    "1.234",
    "12,5",
    "10/12/2026",
    "domani",
    "14:30",
    "45.46",
    "OK",
)
VALUES = st.sampled_from(PLAUSIBLE) | st.text(max_size=12)
FLAT = ("name", "people", "area", "opened", "visit", "colour", "other_colour", "other_colour_other", "colours", "order")
OTHERS = (
    "mark",
    "share",
    "point",
    "more/works",
    "more/which",
    "payment[1]/what",
    "payment[7]/cost",
    "no/such",
    "photo",
)
KEYS = st.sampled_from((*FLAT, *OTHERS))
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=12)


def at_the_beginning() -> Filling:
    return begin(PLAN, Known(NOW), {}, {"payment": 1})


def posted(pairs: list[tuple[str, str]], revision: int = 0) -> Any:
    shown = " ".join(f"{key}=-" for key, _value in pairs)
    return read_post([("revision", str(revision)), ("shown", shown), *((f"a:{key}", value) for key, value in pairs)])


@settings(max_examples=150, deadline=None)
@given(PAIRS, PAIRS, st.sampled_from(Language))
def test_only_what_is_an_answer_is_kept_and_the_rest_stands_in_its_control(
    first: list[tuple[str, str]], second: list[tuple[str, str]], language: Language
) -> None:
    taken = take(at_the_beginning(), posted(first), {}, FACTS)
    taken = take(taken.filling, posted(second), taken.unread, FACTS)

    filling = taken.filling
    for key, value in filling.answers.items():
        question = filling.plan.form.at(key)
        assert isinstance(question, Question)
        assert fits(filling.plan.form, question, value)
    items = {one.key: one for one in filling.items if isinstance(one, Item)}
    heard = {key: read(filling, items[key], raw, FACTS) for key, raw in taken.unread.items() if key in items}
    unread = {key: Unread(taken.unread[key], each) for key, each in heard.items() if each and is_unread(each)}  # type: ignore[arg-type]
    page = page_of(filling, language, Besides(FACTS, unread, complete=True))
    shown = {one.key: one.raw for one in page.asked}
    assert {key: shown[key] for key in unread} == {key: each.raw for key, each in unread.items()}


@settings(max_examples=150, deadline=None)
@given(PAIRS)
def test_what_stands_in_a_control_reads_again_as_what_is_kept(pairs: list[tuple[str, str]]) -> None:
    filling = take(at_the_beginning(), posted(pairs), {}, FACTS).filling

    for one in filling.items:
        value = filling.answers.get(one.key)
        if not isinstance(one, Item) or value is None:
            continue
        raw = raw_of(one.question, value, Language.IT)
        heard = read(filling, one, raw, FACTS)
        assert heard is not None
        assert value in getattr(heard, "candidates", (getattr(heard, "value", None),))


@settings(max_examples=150, deadline=None)
@given(PAIRS, PAIRS)
def test_two_doors_with_whatever_answers_are_told_apart(
    here: list[tuple[str, str]], there: list[tuple[str, str]]
) -> None:
    filling = take(at_the_beginning(), posted(there), {}, FACTS).filling

    found = differences(filling, posted(here, revision=-1), {}, Language.IT)

    for one in found:
        known = filling.plan.form.at(one.key)
        assert not one.asked or isinstance(known, Question)
        assert one.here or one.there is not None
        assert mark_of(one.here) != "-" or one.theirs
