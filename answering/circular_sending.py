"""Sends a circular: confirmed once, queued some at a time, worded as it leaves, stopped at any moment.

Officers and administrators send. Of two who confirm at once, one does. Its messages have the lowest urgency, so that
nobody who is writing to us waits for them. Whoever left, was merged or is reached by nothing meanwhile is left out,
with the reason; nobody is told twice.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlmodel import Session

from answering.circular_words import Addressed, addressed, words_for
from answering.circulars import DRAFT, Written, checked, overtaken, the_circular
from answering.refusal import Denied, Refused
from answering.roles import APPROVERS, may_act
from delivery.outbox import queue, queue_to
from delivery.words import Words
from facts.calendar import OFFICE_ZONE, local_date
from facts.languages import N_, Language
from storage import addressees, audit, circulars, recipients
from storage.outbox import state_of
from storage.people import is_here, the_office, ways_to
from storage.recipients import Wanted
from storage.tables import (
    Address,
    Channel,
    Circular,
    CircularState,
    Outbox,
    OutboxKind,
    OutboxState,
    Referent,
    Staff,
    WhyNot,
)

BATCH = 50  # people in one transaction
FILES = ":files-"  # in the key of a row that brings files behind a text
_KEPT_BACK = (OutboxState.WITHHELD, OutboxState.DROPPED)


def confirm(session: Session, circular_id: int, staff_id: int, *, version: int, people: int, now: datetime) -> int:
    """From now on it is being sent, to `people`: as many as its author saw. How many they are."""
    _may_send(session, staff_id)
    circular = the_circular(session, circular_id)
    if circular.state is not CircularState.DRAFT:
        raise overtaken(session, circular_id)
    checked(Written.of(circular))
    chosen = people_now(session, circular, now)
    _worth_sending(session, chosen, people)
    values = {"state": CircularState.SENDING, "confirmed_by": staff_id, "confirmed_at": now, "changed_at": now}
    if not circulars.change(session, circular_id, version, DRAFT, **values):
        raise overtaken(session, circular_id)
    everybody: dict[int, WhyNot | None] = {
        **dict.fromkeys(chosen),
        **recipients.gone(session, Wanted.from_json(circular.audience)),
    }
    addressees.add_all(session, circular_id, everybody, now)
    _note(session, "circular.confirm", circular_id, ("staff", staff_id), now, people=len(chosen))
    return len(chosen)


def people_now(session: Session, circular: Circular, now: datetime) -> list[int]:
    """Everybody it would go to if it were confirmed now, by name."""
    return recipients.chosen(session, Wanted.from_json(circular.audience), local_date(now, OFFICE_ZONE))


def stop(session: Session, circular_id: int, staff_id: int, *, now: datetime) -> int:
    """What has not left stays here: how many people are not told any more. What is leaving now leaves."""
    _may_send(session, staff_id)
    the_circular(session, circular_id)
    if not circulars.end(session, circular_id, CircularState.STOPPED, now, by=staff_id):
        raise Refused(N_("There is nothing to stop: everything has left, or it was stopped before."))
    people = addressees.stop(session, circular_id, now)
    _note(session, "circular.stop", circular_id, ("staff", staff_id), now, people=people)
    return people


def send_test(session: Session, circular_id: int, staff_id: int, language: Language, *, now: datetime) -> None:
    """By mail, to who asks for it, as the first of those it is for would read it."""
    person = may_act(session, staff_id)
    circular = the_circular(session, circular_id)
    reader = sample(session, circular, language, now) or Addressed(person.name, language)
    files = [one.id for one in circulars.files_of(session, circular_id)]
    words = words_for(circular, reader, Channel.EMAIL, the_office(session).name, files=files)
    queue(
        session,
        words,
        kind=OutboxKind.NOTICE,
        channel=Channel.EMAIL,
        address=person.email,
        now=now,
        dedupe_key=f"circular-test:{circular_id}:{staff_id}:{now.timestamp():.3f}",
    )
    _note(session, "circular.test", circular_id, ("staff", staff_id), now)


def sample(session: Session, circular: Circular, language: Language, now: datetime) -> Addressed | None:
    """The first of those it is for who reads this language, else the first, as if they did. None: it is for nobody."""
    ids = people_now(session, circular, now)
    people = recipients.named(session, ids)
    found = next((one for one in people if one.language == language), next(iter(people), None))
    if found is None:
        return None
    reader = addressed(session, found)
    return Addressed(reader.name, language, reader.organizations, reader.projects)


# --- what the clock does


def queue_some(session: Session, now: datetime) -> bool:
    """Some people of the oldest circular that is being sent, or the end of one; False when there was nothing to do."""
    for circular_id in circulars.being_sent(session):
        circular = circulars.hold(session, circular_id)
        if circular is None:
            continue
        people = addressees.undecided(session, circular_id, BATCH)
        if people:
            _tell(session, circular, {one.id: one for one in people}, now)
            return True
        if not addressees.anything_waits(session, circular_id):
            return circulars.end(session, circular_id, CircularState.SENT, now)
    return False


def _tell(session: Session, circular: Circular, people: Mapping[int, Referent], now: datetime) -> None:
    ways = ways_to(session, list(people))
    files = tuple(one.id for one in circulars.files_of(session, circular.id))
    elsewhere = addressees.told_by_another_name(session, circular.id, list(people))
    for referent_id, person in people.items():
        why = WhyNot.MERGED if referent_id in elsewhere else _why_not(person, ways[referent_id])
        if why is None:
            _queue_one(session, circular, person, ways[referent_id], files, now)
        else:
            addressees.leave_out(session, circular.id, referent_id, why, now)


def _queue_one(
    session: Session,
    circular: Circular,
    person: Referent,
    ways: Mapping[Channel, Address],
    files: tuple[int, ...],
    now: datetime,
) -> None:
    """Its words come when it leaves; what is queued says what it is about, for the line below its files."""
    subject = words_for(circular, addressed(session, person), Channel.TELEGRAM, "").subject if files else ""
    queued = queue_to(
        session,
        person.id,
        Words("", subject=subject, files=files),
        kind=OutboxKind.CIRCULAR,
        now=now,
        dedupe_key=circulars.key_of(circular.id, person.id),
        ways=ways,
    )
    if queued is not None:
        addressees.told(session, circular.id, person.id, queued, now)
    else:  # their key is taken: they were told, whatever has become of that row
        addressees.leave_out(session, circular.id, person.id, WhyNot.MERGED, now)


def _why_not(person: Referent, ways: Mapping[Channel, Address]) -> WhyNot | None:
    if not is_here(person):
        return WhyNot.MERGED if person.merged_into_id is not None else WhyNot.LEFT
    return None if ways else WhyNot.UNREACHABLE


# --- as it leaves


def word_circular() -> Callable[[Session, Outbox, datetime], Words | None]:
    """The wording of `OutboxKind.CIRCULAR` for `delivery/dispatch`. None: it was stopped, or they are gone."""

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        number = circulars.number_in(row)
        circular = None if number is None else circulars.find(session, number)
        if circular is None or row.referent_id is None:
            return None
        if FILES in row.dedupe_key:
            return _files_behind(session, row)
        person = session.get_one(Referent, row.referent_id, populate_existing=True)
        why = _left_since(session, circular, person, row)
        if why is not None:
            addressees.leave_out_message(session, row.id, why)
            return None
        files = tuple(row.body.get("files", ()))
        return words_for(circular, addressed(session, person), row.channel, the_office(session).name, files=files)

    return word


def _files_behind(session: Session, row: Outbox) -> Words | None:
    """They go where their text has gone, and nowhere when that stayed here."""
    text = state_of(session, row.dedupe_key.partition(FILES)[0])
    return None if text in _KEPT_BACK else Words.from_json(row.body)


def _left_since(session: Session, circular: Circular, person: Referent, row: Outbox) -> WhyNot | None:
    if circular.state is CircularState.STOPPED:
        return WhyNot.STOPPED
    if not is_here(person):
        return WhyNot.MERGED if person.merged_into_id is not None else WhyNot.LEFT
    told = addressees.of_message(session, row.id)
    if told is not None and told.referent_id != person.id and addressees.hears(session, circular.id, person.id):
        return WhyNot.MERGED  # two who are one now were both among them: one message is enough
    return None


def _worth_sending(session: Session, chosen: list[int], people: int) -> None:
    if not chosen:
        raise Refused(N_("It is for nobody yet. Choose the people first."))
    if len(chosen) != people:
        raise Refused(
            N_("Meanwhile it is for {n} people, and you saw {people}. Look again, then confirm."),
            n=len(chosen),
            people=people,
        )
    if recipients.reach(session, chosen).unreached == len(chosen):
        raise Refused(N_("No channel reaches any of these people: phone them."))


def _may_send(session: Session, staff_id: int) -> Staff:
    person = may_act(session, staff_id)
    if person.role not in APPROVERS:
        raise Denied(N_("Officers and administrators send communications. Prepare it, and ask one of them."))
    return person


def _note(
    session: Session, action: str, circular_id: int, actor: tuple[str, int | None], now: datetime, **detail: int
) -> None:
    audit.record(session, now, actor, action, ("circular", circular_id), **detail)
