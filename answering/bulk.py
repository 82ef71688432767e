"""One act on many questions: each by the rule that holds for one, those that cannot be are left as they are, and why.

For some minutes its author may undo it: what moved on meanwhile stays, and is said. Never writes to the referent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from answering import categories, moves, tags
from answering.joining import Seen
from answering.refusal import Denied, Refused
from answering.roles import may_act_on, may_work
from facts.languages import N_
from storage import audit, bulk
from storage import tags as stored_tags
from storage.bulk import Standing
from storage.tables import BulkAct, QuestionState, Tag

MOST = 100
UNDO = timedelta(minutes=10)


class Act(StrEnum):
    TAKE = "take"
    ASSIGN = "assign"
    TAG = "tag"
    UNTAG = "untag"
    CATEGORY = "category"
    URGENT = "urgent"
    NOT_URGENT = "not-urgent"
    CLOSE = "close"


NEEDS_A_THING = (Act.ASSIGN, Act.TAG, Act.UNTAG, Act.CATEGORY)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is done: `thing` is the colleague, the tag or the category."""

    act: Act
    thing: int = 0


@dataclass(frozen=True, slots=True)
class Who:
    """By whom and when."""

    staff_id: int
    now: datetime
    zone: str


def do(session: Session, many: Sequence[Seen], wanted: Wanted, who: Who) -> BulkAct:
    """The row that says what was done: `before["done"]` by question, `before["same"]`, `before["refused"]` and why.

    `before["denied"]`: those among the refused on which this person may not do it, whatever happens to them.
    """
    may_work(session, who.staff_id)
    if not many:
        raise Refused(N_("Choose at least one question."))
    if len(many) > MOST:
        raise Refused(N_("At most {most} questions at a time."), most=MOST)
    found: dict[str, Any] = {"thing": wanted.thing, "done": {}, "same": [], "refused": {}, "denied": []}
    for seen in many:
        _one(session, seen, wanted, who, found)
    act = BulkAct(staff_id=who.staff_id, action=wanted.act, before=found, created_at=who.now)
    bulk.keep(session, act)
    about = ("bulk", act.id)
    audit.record(session, who.now, ("staff", who.staff_id), "bulk.do", about, act=wanted.act, done=len(found["done"]))
    return act


def _one(session: Session, seen: Seen, wanted: Wanted, who: Who, found: dict[str, Any]) -> None:
    before = bulk.standing(session, seen.id)
    try:
        with session.begin_nested():
            _RULES[wanted.act](session, seen, wanted.thing, who)
            session.flush()
    except Refused as no:
        found["refused"][str(seen.id)] = [no.sentence, {name: str(value) for name, value in no.values.items()}]
        if isinstance(no, Denied):
            found["denied"].append(seen.id)
        return
    after = bulk.standing(session, seen.id)
    assert before is not None
    assert after is not None
    if before == after:
        found["same"].append(seen.id)
    else:
        found["done"][str(seen.id)] = _to_put_back(wanted.act, before, after)


def _to_put_back(act: Act, before: Standing, after: Standing) -> dict[str, Any]:
    """What is put back (`values`) while what the act left is `still` there."""
    if act in (Act.TAKE, Act.ASSIGN, Act.CLOSE):
        return {
            "still": {"version": after.version},
            "values": {"state": before.state, "taken_by": before.taken_by},
        }
    if act is Act.CATEGORY:
        values = {"category_id": before.category_id, "due_at": before.due_at.isoformat()}
        return {"still": {"category_id": after.category_id}, "values": values}
    if act in (Act.URGENT, Act.NOT_URGENT):
        return {"still": {"urgent": after.urgent}, "values": {"urgent": before.urgent}}
    return {}


# --- the rule of each act


def _take(session: Session, seen: Seen, _: int, who: Who) -> None:
    moves.take(session, seen.id, who.staff_id, version=seen.version, now=who.now)


def _assign(session: Session, seen: Seen, thing: int, who: Who) -> None:
    moves.assign(session, seen.id, who.staff_id, thing, version=seen.version, now=who.now)


def _close(session: Session, seen: Seen, _: int, who: Who) -> None:
    moves.close(session, seen.id, who.staff_id, version=seen.version, now=who.now)


def _category(session: Session, seen: Seen, thing: int, who: Who) -> None:
    categories.categorise(session, seen.id, who.staff_id, thing or None, now=who.now, zone=who.zone)


def _tag(session: Session, seen: Seen, thing: int, who: Who) -> None:
    may_act_on(session, who.staff_id, moves.the_question(session, seen.id))
    tags.put(session, seen.id, who.staff_id, _the_tag(session, thing), now=who.now)


def _untag(session: Session, seen: Seen, thing: int, who: Who) -> None:
    tags.take_off(session, seen.id, who.staff_id, thing, now=who.now)


def _flag(urgent: bool) -> Callable[[Session, Seen, int, Who], None]:
    def flag(session: Session, seen: Seen, _: int, who: Who) -> None:
        moves.flag(session, seen.id, who.staff_id, urgent=urgent, now=who.now)

    return flag


_RULES: Mapping[Act, Callable[[Session, Seen, int, Who], None]] = {
    Act.TAKE: _take,
    Act.ASSIGN: _assign,
    Act.CLOSE: _close,
    Act.CATEGORY: _category,
    Act.TAG: _tag,
    Act.UNTAG: _untag,
    Act.URGENT: _flag(True),
    Act.NOT_URGENT: _flag(False),
}


def _the_tag(session: Session, tag_id: int) -> Tag:
    tag = session.get(Tag, tag_id)
    if tag is None:
        raise Refused(N_("This tag does not exist."))
    return tag


# --- undone


def own(session: Session, bulk_id: int, staff_id: int) -> BulkAct | None:
    """An act of this person; somebody else's is not there."""
    act = bulk.one(session, bulk_id)
    return act if act is not None and act.staff_id == staff_id and act.action in set(Act) else None


def may_undo(act: BulkAct, now: datetime) -> bool:
    return act.undone_at is None and now < act.created_at + UNDO and bool(act.before["done"])


def undo(session: Session, bulk_id: int, staff_id: int, *, now: datetime) -> list[int]:
    """Puts everything back; the questions that moved on since and stay as they are."""
    may_work(session, staff_id)
    act = own(session, bulk_id, staff_id)
    if act is None or not may_undo(act, now) or not bulk.mark_undone(session, bulk_id, now):
        raise Refused(N_("This can no longer be undone."))
    stayed = [
        int(number)
        for number, kept in sorted(act.before["done"].items(), key=lambda it: int(it[0]))
        if not _still_theirs(session, int(number), staff_id)
        or not _put_back(session, Act(act.action), int(number), act.before["thing"], kept)
    ]
    back = len(act.before["done"]) - len(stayed)
    audit.record(session, now, ("staff", staff_id), "bulk.undo", ("bulk", bulk_id), back=back)
    return stayed


def _still_theirs(session: Session, question_id: int, staff_id: int) -> bool:
    """Whether its author may work on it even now."""
    try:
        may_act_on(session, staff_id, moves.the_question(session, question_id))
    except Refused:
        return False
    return True


def _put_back(session: Session, act: Act, question_id: int, thing: int, kept: dict[str, Any]) -> bool:
    if act is Act.TAG:
        return stored_tags.take_off(session, question_id, thing)
    if act is Act.UNTAG:
        return stored_tags.put_on(session, question_id, thing)
    values = dict(kept["values"])
    if "state" in values:
        values |= {"state": QuestionState(values["state"]), "closed_at": None}
    if "due_at" in values:
        values["due_at"] = datetime.fromisoformat(values["due_at"])
    return bulk.put_back(session, question_id, kept["still"], values)
