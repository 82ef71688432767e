"""Two questions that are one, and one that is two: merges and splits threads. Never writes to the referent.

Merged are questions of one person only: in a thread of two, each would read what the other wrote. What is merged keeps
its number, which leads to the other from then on, and it can be taken out again. The next answer says which numbers it
answers. `Refused` while an answer waits for approval or can still be stopped: whoever decided on it has read another
thread.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from answering.answer import Freedom, freedom
from answering.moves import overtaken, the_question
from answering.refusal import Denied, Refused
from answering.roles import may_act_on
from facts.languages import N_
from intake.questions import expected_by
from storage import audit, joining, threads
from storage.categories import hours_of
from storage.tables import Audience, Message, Question, QuestionState, Staff

WAITING = (QuestionState.NEW, QuestionState.TAKEN)


@dataclass(frozen=True, slots=True)
class Seen:
    """A question as whoever decides saw it."""

    id: int
    version: int


def merge(session: Session, source: Seen, target: Seen, staff_id: int, *, now: datetime) -> None:
    """Moves the messages of `source` into `target`, which waits for an answer if either of them did."""
    gone, stays = the_question(session, source.id), the_question(session, target.id)
    may = min(freedom(session, may_act_on(session, staff_id, one).person, one) for one in (gone, stays))
    may_merge(session, gone, stays, now)
    before: dict[str, Any] = {"state": gone.state.value, "taken_by": gone.taken_by}
    together = _together(gone, stays)
    _both(session, source, target, staff_id, together, now)
    ids, proposals = joining.message_ids(session, source.id), joining.proposal_ids(session, source.id)
    joining.say_where_from(session, ids, source.id)
    joining.lead_on(session, source.id, target.id)
    joining.move(session, ids, source.id, target.id)
    joining.move_proposals(session, proposals, target.id)
    joining.share_tags(session, source.id, target.id)
    _gains_nothing(session, may, the_question(session, target.id), staff_id)
    detail = before | {"into": target.id, "proposals": list(proposals)}
    audit.record(session, now, ("staff", staff_id), "question.merge", ("question", source.id), **detail)


def may_merge(session: Session, source: Question, target: Question, now: datetime) -> None:
    """`Refused` when they cannot become one."""
    if source.id == target.id:
        raise Refused(N_("Choose another question: this is the same one."))
    if source.merged_into_id is not None or target.merged_into_id is not None:
        raise Refused(N_("One of the two has been merged already. Look again at how things stand."))
    if source.referent_id is None or source.referent_id != target.referent_id:
        raise Refused(N_("Two people asked these: each would read what the other wrote. Answer both."))
    for one in (source, target):
        _nothing_on_its_way(session, one, now)


def _nothing_on_its_way(session: Session, question: Question, now: datetime) -> None:
    if question.state is QuestionState.PROPOSED:
        raise Refused(
            N_("In question no. {number} an answer waits for approval: decide on it first."), number=question.id
        )
    if joining.may_be_stopped(session, question.id, now):
        raise Refused(
            N_("An answer to question no. {number} leaves in a few seconds. Wait for it, then try again."),
            number=question.id,
        )


def _gains_nothing(session: Session, before: Freedom, question: Question, staff_id: int) -> None:
    """By merging nobody brings a question to where they may do more with it than in each of the two."""
    if freedom(session, session.get_one(Staff, staff_id), question) > before:
        raise Denied(N_("In one of the two you may do more than in the other: ask an officer to merge them."))


def _both(session: Session, source: Seen, target: Seen, staff_id: int, together: dict[str, Any], now: datetime) -> None:
    """The rows are always claimed in the same order: two who merge the other way round do not wait for each other."""
    for one in sorted((source, target), key=lambda seen: seen.id):
        if one is source:
            done = joining.put_away(session, source.id, source.version, target.id, now)
        else:
            done = joining.change(session, target.id, target.version, **together)
        if not done:
            raise overtaken(session, one.id, staff_id)


def _together(source: Question, target: Question) -> dict[str, Any]:
    """What the target is from then on."""
    waiting = [one for one in (target, source) if one.state in WAITING]
    newest = max(target, source, key=lambda one: one.last_message_at)
    values: dict[str, Any] = {
        "urgent": target.urgent or source.urgent,
        "category_id": target.category_id or source.category_id,
        "project_id": target.project_id or source.project_id,
        "channel": newest.channel,
        "last_message_at": newest.last_message_at,
        "awaits": target.awaits or (source.awaits and target.state is QuestionState.ANSWERED),
    }
    if not waiting:
        return values
    whose = next((one.taken_by for one in waiting if one.state is QuestionState.TAKEN), None)
    return values | {
        "state": QuestionState.NEW if whose is None else QuestionState.TAKEN,
        "taken_by": whose,
        "due_at": min(one.due_at for one in waiting),
        "closed_at": None,
        "awaits": False,
    }


def take_out(session: Session, target: Seen, source_id: int, staff_id: int, *, now: datetime) -> None:
    """Undoes a merge: what was the other one's is its own again, as it was. What came since stays where it is."""
    question = the_question(session, target.id)
    may_act_on(session, staff_id, question)
    _nothing_on_its_way(session, question, now)
    before = joining.before_merging(session, source_id)
    state = QuestionState(before.get("state", QuestionState.NEW))
    if not joining.bring_back(session, source_id, target.id, state=state, **_closing(state, now)):
        raise Refused(N_("Question no. {number} is not part of this one any more."), number=source_id)
    ids = joining.came_from(session, target.id, source_id)
    joining.say_where_from(session, ids, None)
    joining.move(session, ids, target.id, source_id)
    joining.move_proposals(session, before.get("proposals", []), source_id)
    _as_it_remains(session, target, staff_id)
    about = ("question", source_id)
    audit.record(session, now, ("staff", staff_id), "question.take-out", about, out_of=target.id)


def _closing(state: QuestionState, now: datetime) -> dict[str, Any]:
    return {} if state is QuestionState.CLOSED else {"closed_at": None}


def split(session: Session, source: Seen, chosen: Collection[int], staff_id: int, *, now: datetime, zone: str) -> int:
    """Makes a question of its own of some messages; its number. It is due from when the last of them was asked."""
    question = the_question(session, source.id)
    may_act_on(session, staff_id, question)
    _nothing_on_its_way(session, question, now)
    messages = _messages(session, source.id)
    moved, left = [one for one in messages if one.id in chosen], [one for one in messages if one.id not in chosen]
    _enough(moved, left)
    new = _split_off(session, question, moved, zone)
    joining.say_where_from(session, [one.id for one in moved], source.id)
    joining.move(session, [one.id for one in moved], source.id, new.id)
    joining.share_tags(session, source.id, new.id)
    _as_it_remains(session, Seen(new.id, new.version), staff_id)
    _as_it_remains(session, source, staff_id)
    about = ("question", source.id)
    audit.record(session, now, ("staff", staff_id), "question.split", about, into=new.id, messages=len(moved))
    return new.id


def may_hold_two(session: Session, question_id: int) -> bool:
    """Whether its referent wrote more than once: one message makes no two questions."""
    return sum(map(_asks, _messages(session, question_id))) > 1


def _messages(session: Session, question_id: int) -> list[Message]:
    return [session.get_one(Message, id_) for id_ in joining.message_ids(session, question_id)]


def _enough(moved: list[Message], left: list[Message]) -> None:
    if not moved:
        raise Refused(N_("Choose the messages that are a question of their own."))
    if not all(any(_asks(one) for one in part) for part in (moved, left)):
        raise Refused(N_("Both questions need a message of who asked: choose at least one, and leave at least one."))


def _asks(message: Message) -> bool:
    return message.staff_id is None and message.audience is Audience.REFERENT and not message.automatic


def _split_off(session: Session, question: Question, moved: list[Message], zone: str) -> Question:
    asked = [one for one in moved if _asks(one)][-1]
    answers = [one for one in moved if one.staff_id is not None and one.audience is Audience.REFERENT]
    new = Question(
        referent_id=question.referent_id,
        project_id=question.project_id,
        category_id=question.category_id,
        circular_id=question.circular_id,
        urgent=question.urgent,
        channel=asked.channel,
        split_from_id=question.id,
        created_at=moved[0].created_at,
        due_at=expected_by(asked.created_at, zone, hours_of(session, question.id)),
        last_message_at=max(one.created_at for one in (asked, *answers)),
        first_answer_at=answers[0].created_at if answers else None,
        state=QuestionState.TAKEN if question.state is QuestionState.TAKEN else QuestionState.NEW,
        taken_by=question.taken_by if question.state is QuestionState.TAKEN else None,
    )
    session.add(new)
    session.flush()
    return new


def _as_it_remains(session: Session, seen: Seen, staff_id: int) -> None:
    """After messages came or went, what is last in a thread may be another thing. What is closed stays so."""
    question = the_question(session, seen.id)
    newest = joining.newest_of(session, seen.id)
    values: dict[str, Any] = {}
    if newest is not None and question.state is not QuestionState.CLOSED:
        values = _whose_turn(session, question, newest)
    if not joining.change(session, seen.id, seen.version, **values):
        raise overtaken(session, seen.id, staff_id)


def _whose_turn(session: Session, question: Question, newest: Message) -> dict[str, Any]:
    """Nothing to be answered: it is the referent's turn. Else it is at work, with whoever has it."""
    if not threads.awaits_reply(session, question.id):
        return {"state": QuestionState.ANSWERED, "taken_by": newest.staff_id, "last_message_at": newest.created_at}
    in_hand = question.taken_by if question.state is QuestionState.TAKEN else None
    state = QuestionState.NEW if in_hand is None else QuestionState.TAKEN
    return {"state": state, "taken_by": in_hand, "last_message_at": newest.created_at, "awaits": False}
