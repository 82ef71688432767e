"""What is said of a deadline beside its days, for every page that shows `deadline_rules.html`. Only looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from desk.deadline_scope import said_scope
from facts.languages import Speaker
from storage.ladders import rungs_in_use
from storage.scopes import targets_of
from storage.staff import staff_name
from storage.tables import Deadline, Ladder, Rung


@dataclass(frozen=True, slots=True)
class Rules:
    """`scope` is empty for everything; `officer` None for nobody in particular."""

    scope: Sequence[str]
    left_out: Sequence[str]
    ladder: str
    rungs: Sequence[Rung]
    officer: str | None


def rules_of(session: Session, one: Deadline, _: Speaker) -> Rules:
    targets = targets_of(session, one.id)
    return Rules(
        scope=said_scope(session, targets, _, excluded=False),
        left_out=said_scope(session, targets, _, excluded=True),
        ladder=session.get_one(Ladder, one.ladder_id).name,
        rungs=rungs_in_use(session, one.ladder_id),
        officer=staff_name(session, one.officer_id),
    )
