"""What a person tells staff on the phone: kept once, and an update heard as if they had written it. Sends nothing.

Staff fill in what they hear; the same engine reads it as reads the chat, and what it doubts is shown before it counts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from facts.calendar import local_date
from facts.languages import N_, Language
from intake.builtin import PROJECT_UPDATE
from intake.catalogue import Catalogue, InUse
from intake.drafting import Prior, facts_about, prior_of
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item, begin
from intake.forms.hearing import Heard, hear, weigh
from intake.forms.nodes import QuestionType
from intake.forms.outcomes import Answered, Doubt, Refusal, Sentence
from intake.forms.standing import Known
from intake.forms.values import show
from intake.inbox import Arrival
from intake.post.block import simple_questions
from intake.updates import Concern, record_update
from storage import audit, calls
from storage.inbox import add_arrival
from storage.tables import Channel, InboxState, Project, Update

KIND, ACCOUNT = "phone", "desk"
NEEDED = N_("Ask for this too: without it the update is not complete.")
BESIDE = N_("This goes only with another answer to the question above.")
SEVERAL = N_("This can be read as {values}: write it in full.")


@dataclass(frozen=True)
class Asked:
    """The form about one project that is filled in for one person. `filling` has no answers yet."""

    referent_id: int
    project_id: int
    in_use: InUse
    prior: Prior
    facts: Facts
    filling: Filling
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Told:
    """What was understood. `errors` by key ("" for what this page cannot ask); `doubts`: understood, and odd."""

    filling: Filling
    errors: Mapping[str, Sentence]
    doubts: Mapping[str, Sentence]


def keep_call(session: Session, key: str, said: Mapping[str, Any], now: datetime) -> int | None:
    """The call as it was written down, raw; None when this very page was sent before (a button pressed twice)."""
    arrival = Arrival(
        KIND, ACCOUNT, key, json.dumps(said, ensure_ascii=False).encode(), f"phone:{key}", content=key.encode()
    )
    done = {"state": InboxState.DONE, "done_at": now}  # nobody else has anything to do with it
    return add_arrival(session, {**arrival.row(now), **done})


def about_project(
    session: Session, catalogue: Catalogue, referent_id: int, project: Project, *, now: datetime, zone: str
) -> Asked:
    """The newest form about projects, with what was said of this one last time. The caller has checked whose it is."""
    in_use = catalogue.newest(session, PROJECT_UPDATE)
    subject = calls.told_about(session, project, in_use.form_id)
    prior = prior_of(in_use.form, subject)
    filling = begin(in_use.plan, Known(now.astimezone(ZoneInfo(zone)), prior.answers, Language.IT.value))
    items = tuple(Item(one.name, one) for one in simple_questions(in_use.form))
    facts = facts_about(local_date(now, zone), subject, prior)
    return Asked(referent_id, project.id, in_use, prior, facts, filling, items)


def understand(asked: Asked, said: Mapping[str, str]) -> Told:
    """`said`: what stands in each field, by key."""
    filling = asked.filling
    errors: dict[str, Sentence] = {}
    doubts: dict[str, Sentence] = {}
    for item in asked.items:
        text = said.get(item.key, "").strip()
        heard = _heard(asked, filling, item, text) if text else None
        if isinstance(heard, Refusal):
            errors[item.key] = heard.sentence
        elif isinstance(heard, Doubt) and len(heard.candidates) != 1:
            errors[item.key] = _several(filling, item, heard)
        elif heard is not None:
            value = heard.value if isinstance(heard, Answered) else heard.candidates[0]
            filling = filling.change({item.key: value}).filling
        if isinstance(heard, Doubt) and item.key not in errors:
            doubts[item.key] = heard.question
    known = {item.key for item in asked.items}
    for lacking in filling.missing():
        errors.setdefault(lacking.key if lacking.key in known else "", Sentence(NEEDED))
    return Told(filling, errors, doubts)


def _heard(asked: Asked, filling: Filling, item: Item, text: str) -> Heard:
    if all(item.key != one.key for one in filling.items):
        return Refusal(Sentence(BESIDE))
    if item.question.type is QuestionType.SELECT_ONE and text in {one.name for one in filling.choices(item)}:
        return weigh(filling, item, text, asked.facts)
    return hear(filling, item, text, asked.facts)


def _several(filling: Filling, item: Item, heard: Doubt) -> Sentence:
    form = filling.plan.form
    shown = {
        "values": lambda language: " / ".join(show(form, item.question, one, language) for one in heard.candidates)
    }
    return Sentence(SEVERAL, shown) if heard.candidates else heard.question


def record_told(  # noqa: PLR0913 - what was said, of what, who wrote it down
    session: Session, asked: Asked, told: Told, *, staff_id: int, inbox_id: int, now: datetime, zone: str
) -> Update:
    """The update, in the person's name: what is owed falls silent as if they had sent it. `told` has no errors."""
    assert not told.errors, "the caller has shown what is wrong"
    update = record_update(
        session,
        referent_id=asked.referent_id,
        about=Concern(asked.project_id),
        form=asked.in_use,
        answers=told.filling.kept,
        channel=Channel.PHONE,
        now=now,
        inbox_id=inbox_id,
        unchanged=asked.prior.at is not None and told.filling.kept == dict(asked.prior.answers),
        zone=zone,
    )
    about = {"referent_id": asked.referent_id}
    audit.record(session, now, ("staff", staff_id), calls.UPDATE, ("update", update.id), **about)
    return update
