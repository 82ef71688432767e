"""Answers as words for the pages around a form: what fell away, what differs, the summary. Decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from desk.fill_controls import Raw
from desk.fill_draft import Opened
from desk.fill_page import id_of
from desk.fill_reading import Difference, is_unread, read
from desk.house import DeskHouse
from facts.languages import Language
from intake.forms.nodes import ENCLOSING, Question, say
from intake.forms.outcomes import Answered, Doubt
from intake.forms.values import show, title_of
from intake.forms.wording import worded
from storage.forms import newest_of
from storage.people import reachable_addresses
from storage.tables import Attachment, Channel, Form


@dataclass(frozen=True, slots=True)
class Line:
    """A question in few words, and an answer to it."""

    key: str
    id: str
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Both:
    """One question with two answers. `pick`: which one is chosen beforehand, "" where only the person can know."""

    key: str
    id: str
    title: str
    here: str
    there: str
    raw: Raw
    pick: str


def telegram_link(session: Session, house: DeskHouse, opened: Opened) -> str:
    """Where this draft is gone on with in the chat; empty for who is not reached there."""
    reached = house.links.bot and Channel.TELEGRAM in reachable_addresses(session, opened.me.id)
    return house.links.start(f"d{opened.work.id}") if reached else ""


def form_title(session: Session, house: DeskHouse, form: Form, language: Language) -> str:
    """Of its newest version, as its reader says it."""
    newest = house.catalogue.version(session, newest_of(session, form.id)).form
    return say(newest.title, language, newest.languages) or form.title


def title(opened: Opened, key: str) -> str:
    """Of the question under a key; the key itself when this version has none."""
    question = opened.in_use.form.at(key)
    if not isinstance(question, Question):
        return key
    if question.title:
        return title_of(opened.in_use.form, question, opened.language)
    return worded(opened.filling, key, question.label, opened.language) or question.name


def said(opened: Opened, key: str, value: Any) -> str:
    """An answer as words; files by their names."""
    question = opened.in_use.form.at(key)
    if not isinstance(question, Question):
        return str(value)
    if question.type in ENCLOSING and isinstance(value, list) and all(each in opened.files for each in value):
        return ", ".join(opened.files[each].name for each in value)
    return show(opened.in_use.form, question, value, opened.language)


def lines_of(opened: Opened, answers: Mapping[str, Any]) -> list[Line]:
    return [Line(key, id_of(key), title(opened, key), said(opened, key, value)) for key, value in answers.items()]


def along(opened: Opened) -> list[Attachment]:
    """What was left in the chat with this draft, as an answer to no question."""
    answers = opened.filling.kept
    named = {
        each for key, item in opened.items.items() if item.question.type in ENCLOSING for each in answers.get(key, [])
    }
    return [file for file in opened.files.values() if file.id not in named and file.draft_id == opened.work.id]


def dropped_lines(opened: Opened) -> list[Line]:
    """The answers that count no longer because of the last change."""
    return lines_of(opened, opened.notes.dropped)


def conflict_view(opened: Opened, found: Sequence[Difference]) -> dict[str, Any]:
    """`both`: where one of two is chosen; `gone`: what was written for questions that are asked no longer."""
    both = [_both(opened, one) for one in found if one.asked]
    gone = [_gone(opened, one) for one in found if not one.asked]
    return {"both": both, "gone": gone, "revision": opened.work.revision}


def _gone(opened: Opened, one: Difference) -> Line:
    return Line(one.key, id_of(one.key), title(opened, one.key), ", ".join(one.here))


def _both(opened: Opened, one: Difference) -> Both:
    pick = "" if one.mine and one.theirs else "here" if one.mine else "there"
    there = said(opened, one.key, one.there)
    return Both(one.key, id_of(one.key), title(opened, one.key), _here(opened, one), there, one.here, pick)


def _here(opened: Opened, one: Difference) -> str:
    """As it was understood, else as it was written."""
    heard = read(opened.filling, opened.items[one.key], one.here, opened.facts)
    if heard is None:
        return said(opened, one.key, None)
    if is_unread(heard):
        return ", ".join(one.here)
    assert isinstance(heard, Answered | Doubt)
    return said(opened, one.key, heard.value if isinstance(heard, Answered) else heard.candidates[0])
