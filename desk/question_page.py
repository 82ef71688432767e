"""The page of one question: everything a person at the desk needs to decide. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from answering import answer as answers
from answering.categories import open_to
from answering.difference import difference
from answering.faq import SETTLED
from answering.refusal import Refused
from answering.roles import Acting
from desk import came_from, denied, presence, queue_rows
from desk.acting import works
from desk.house import DeskHouse
from desk.pages import N_, Refuse, redirect, render, speaker
from desk.projects import PHASE_NAMES
from desk.question_files import FILE_MB, MAIL_MB, going_along
from desk.security import NotSignedIn, SignedIn
from facts.calendar import local_date
from storage import around, circulars, corrections, joining, local_roles, proposals, threads
from storage.calls import by_voice
from storage.faq import entries_of_question
from storage.letters import letters_of_thread
from storage.presence import Standing
from storage.proposals import Proposed
from storage.receipts import receipts_of
from storage.saved_answers import saved_at_hand
from storage.tables import Message, Outbox, OutboxState, Question, QuestionState, Role, Staff
from storage.tags import active_tags, tags_of
from storage.thread_parts import parts_of


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has written and not sent: it stays in its box. `approve`: the text of an answer to be approved.

    `kept`: the files that go along (None: nobody has chosen yet). `missing`: what a saved answer could not say.
    """

    answer: str = ""
    note: str = ""
    approve: str = ""
    remark: str = ""
    awaits: bool = False
    kept: tuple[int, ...] | None = None
    missing: str = ""


NOTHING = Typed()


@dataclass(frozen=True, slots=True)
class Stoppable:
    """An answer that can still be taken back, for so many `seconds`."""

    message_id: int
    seconds: int


def back(request: Request, question_id: int, flash: str = "", level: str = "success") -> Response:
    return redirect(request, f"/desk/questions/{question_id}", flash, level=level)


def refused(
    request: Request, house: DeskHouse, signed: SignedIn, question_id: int, no: Refused, typed: Typed = NOTHING
) -> Response:
    """The page as it is now, why not, and everything that was typed still there."""
    denied.refused(request, no)
    sentence = speaker(request)(no.sentence, **no.values)
    with house.database.read() as session:
        return show(request, session, signed, question_id, status=409, problem=sentence, typed=typed)


def elsewhere(request: Request, question: Question) -> Response:
    """A merged question leads to where its messages are."""
    said = N_("Question no. {number} was merged into this one.")
    return redirect(
        request, f"/desk/questions/{question.merged_into_id}", speaker(request)(said, number=question.id), level="info"
    )


def show(
    request: Request,
    session: Session,
    signed: SignedIn,
    question_id: int,
    *,
    status: int = 200,
    problem: str = "",
    typed: Typed = NOTHING,
) -> Response:
    head = threads.question_head(session, question_id)
    if head is None:
        raise Refuse(404)
    if head.question.merged_into_id is not None:
        return elsewhere(request, head.question)
    people = local_roles.everybody(session, question_id)
    acting = _acting(people, signed)
    signed = replace(signed, role=acting.role)
    can = possible(head.question, signed)
    values = _thread(session, question_id) | _writing(session, head.question, acting, can)
    rows: Sequence[Outbox] = values.pop("sent")
    values["going"] = going_along(session, signed.staff_id, values["came_back"], typed.kept)
    house: DeskHouse = request.app.state.house
    beside = came_from.beside(request, session, signed, question_id)
    return render(
        request,
        "question.html",
        status=status,
        head=head,
        question=head.question,
        beside=beside,
        beside_says=queue_rows.beside(request, beside.lines if beside else ()),
        **_around(session, head, house),
        others=presence.others(
            session, signed, question_id, _standing(head.question, values["thread"]), house.clock(), speaker(request)
        ),
        circular=circulars.find(session, head.question.circular_id or 0),
        deliveries=deliveries(rows),
        stoppable=_stoppable(values["thread"], rows, signed, values["became"], house.clock()),
        can=can,
        awaits_reply=can["close"] and threads.awaits_reply(session, question_id),
        **_offered(session, head.question, acting, people, can),
        problem=problem,
        role_here=_role_here(request, signed),
        reads_proposals=works(session, request.state.signed),
        meanwhile=_meanwhile(session, signed, question_id) if problem else None,
        typed=typed,
        **values,
    )


def _acting(people: Sequence[tuple[Staff, Role]], signed: SignedIn) -> Acting:
    """Whoever looks, with their role in this question."""
    for person, role in people:
        if person.id == signed.staff_id:
            return Acting(person, role)
    raise NotSignedIn  # the account was closed a moment ago


def _standing(question: Question, thread: Sequence[tuple[Message, str | None]]) -> Standing:
    return Standing(question.version, thread[-1][0].id if thread else 0)


def _offered(
    session: Session,
    question: Question,
    acting: Acting,
    people: Sequence[tuple[Staff, Role]],
    can: Mapping[str, bool],
) -> dict[str, Any]:
    """What may be chosen from; not asked for where nothing is to be chosen."""
    others = [(one, role) for one, role in people if one is not acting.person]
    return {
        "categories": open_to(session, acting, question) if can["sort"] else (),
        "known_tags": active_tags(session) if can["sort"] else (),
        "saved": saved_at_hand(session, question.category_id) if can["answer"] else (),
        "may_be_called": [one for one, _ in others],
        "colleagues": [one for one, role in others if role is not Role.READER and one.id != question.taken_by],
    }


def _around(session: Session, head: threads.Head, house: DeskHouse) -> dict[str, Any]:
    """What stands beside the question; nothing of a person who was forgotten."""
    now, today = house.clock(), local_date(house.clock(), house.zone)
    known = around.around(session, head.question, head.referent, now, today) if head.referent else None
    return {"around": known, "today": today, "phases": PHASE_NAMES}


def _thread(session: Session, question_id: int) -> dict[str, Any]:
    has = parts_of(session, question_id)
    files = threads.thread_files(session, question_id) if has.files else {}
    sent = threads.answers_sent(session, question_id)
    became = proposals.became(session, question_id) if has.proposals else {}
    thread = threads.whole_thread(session, question_id)
    return {
        "tags": tags_of(session, [question_id]).get(question_id, []) if has.tags else [],
        "merged": joining.merged_into(session, question_id) if has.merged else [],
        "thread": thread,
        "sent": sent,
        "files": files,
        "letters": letters_of_thread(session, question_id) if has.letters else {},
        "faq": entries_of_question(session, question_id) if has.faq else [],
        "corrections": corrections.of_thread(session, question_id) if has.corrections else {},
        "amended": corrections.of_files(session, [file.id for rows in files.values() for file in rows]),
        "receipts": receipts_of(session, [row.id for row in sent]),
        "by_voice": by_voice(session, question_id),
        "became": became,
        "changed": {
            message.id: difference(became[message.id].proposal.text, message.text)
            for message, _ in thread
            if message.id in became and became[message.id].proposal.text != message.text
        },
    }


def _writing(session: Session, question: Question, acting: Acting, can: Mapping[str, bool]) -> dict[str, Any]:
    """What stands around the box for the answer."""
    waiting = proposals.waiting_on(session, question.id)
    newest = threads.newest_of_referent(session, question.id) if waiting is not None else None
    return {
        "leaves_by": answers.leaves_by(session, question) if can["answer"] or can["approve"] else None,
        "proposes": answers.needs_approval(session, acting, question),
        "proposed": waiting,
        "came_back": proposals.back_with(session, question, acting.person.id),
        "megabytes": {"file": FILE_MB, "mail": MAIL_MB},
        "wrote_since": waiting is not None and newest is not None and newest.created_at > waiting.proposal.created_at,
    }


def _role_here(request: Request, signed: SignedIn) -> Role | None:
    """The role in which one acts on this question, when it is another than the account's own."""
    account: SignedIn = request.state.signed
    return signed.role if signed.role is not account.role else None


def _meanwhile(session: Session, signed: SignedIn, question_id: int) -> tuple[str, str] | None:
    """Who was quicker, and what they wrote: it stands before whoever was stopped."""
    waiting = proposals.waiting_on(session, question_id)
    if waiting is not None:
        return (waiting.author, waiting.proposal.text) if waiting.proposal.staff_id != signed.staff_id else None
    newest = threads.newest_message(session, question_id)
    if newest is None or newest[1] is None or newest[0].staff_id == signed.staff_id:
        return None
    return newest[1], newest[0].text


def _stoppable(
    thread: Sequence[tuple[Message, str | None]],
    sent: Sequence[Outbox],
    signed: SignedIn,
    became: Mapping[int, Proposed],
    now: datetime,
) -> Stoppable | None:
    """The newest answer, while all of it waits. The rule stands in `answering/undo.py`."""
    mine = [
        message
        for message, _ in thread
        if message.staff_id is not None
        and (signed.may_manage or (message.staff_id == signed.staff_id and message.id not in became))
    ]
    for message in reversed(mine):
        rows = [row for row in sent if row.dedupe_key.split(":")[1:2] == [str(message.id)]]
        untouched = all(row.state is OutboxState.QUEUED and row.attempts == 0 for row in rows)
        if rows and untouched and rows[0].next_at > now:
            return Stoppable(message.id, max(1, round((rows[0].next_at - now).total_seconds())))
    return None


def possible(question: Question, signed: SignedIn) -> Mapping[str, bool]:
    """Which buttons make sense now. The rules stand in `answering`; this only spares people a refusal."""
    acts, closed = signed.may_act, question.state is QuestionState.CLOSED
    mine = question.taken_by == signed.staff_id
    in_hand, waits = question.state is QuestionState.TAKEN, question.state is QuestionState.PROPOSED
    return {
        "take": acts and (question.state is QuestionState.NEW or (in_hand and not mine)),
        "assign": acts and not closed and not waits,
        "release": acts and in_hand and mine,
        "answer": acts and not closed and not waits and (mine or not in_hand),
        "note": acts,
        "close": acts and not closed and not waits,
        "reopen": acts and closed,
        "approve": signed.may_manage and waits,
        "withdraw": acts and waits and mine,
        "sort": acts,
        "write_down": acts,
        "propose_for_all": acts and question.state in SETTLED,
    }


def deliveries(rows: Sequence[Outbox]) -> Mapping[int, Sequence[Outbox]]:
    """By message: the newest try of its first part. The key reads `answer:<message>[:<other way>][:<part>]`."""
    found: dict[int, list[Outbox]] = {}
    for row in rows:
        kind, _, rest = row.dedupe_key.partition(":")
        message, _, what = rest.partition(":")
        if kind == "answer" and message.isdigit() and not what.rpartition(":")[2].isdigit():
            found.setdefault(int(message), []).append(row)
    return found
