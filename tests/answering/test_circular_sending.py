"""A circular is confirmed once, queued some at a time, stopped at any moment, and tells nobody twice."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from answering import circular_sending, circulars
from answering.circulars import Files, Written
from answering.refusal import Denied, Refused
from delivery.words import Words
from facts.languages import Language
from intake.files import StoredFile
from registry.merging import merge
from storage import addressees
from storage import circulars as stored
from storage.addressees import Heap
from storage.database import Database
from storage.recipients import Wanted
from storage.tables import (
    Address,
    Attachment,
    Audit,
    Channel,
    Circular,
    CircularState,
    Outbox,
    OutboxKind,
    OutboxState,
    Referent,
    Role,
    WhyNot,
)
from tests.answering.circular_makers import (
    a_circular,
    an_officer,
    being_sent,
    outgoing,
    queue_all,
    reasons,
)
from tests.cast import Cast

PDF = StoredFile("a" * 64, 3, "avviso.pdf", "application/pdf", "application/pdf")


def some_people(cast: Cast, how_many: int) -> list[Referent]:
    return [cast.a_referent(f"Persona {number:02}", chat=1000 + number) for number in range(how_many)]


def state_of(cast: Cast, circular: Circular) -> CircularState:
    found = stored.find(cast.session, circular.id)
    assert found is not None
    return found.state


def leaves(cast: Cast, row: Outbox, state: OutboxState = OutboxState.SENT) -> None:
    row.state = state
    cast.session.add(row)
    cast.session.flush()


def acts(session: Session) -> list[str]:
    return [one for one in session.exec(select(Audit.action).order_by("id")) if one.startswith("circular")]


# --- confirming


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.READER])
def test_only_officers_and_administrators_send(cast: Cast, role: Role) -> None:
    draft = a_circular(cast, some_people(cast, 1))

    with pytest.raises(Denied):
        circular_sending.confirm(
            cast.session, draft.id, an_officer(cast, role=role).id, version=1, people=1, now=cast.now
        )


def test_one_for_nobody_is_refused(cast: Cast) -> None:
    draft, officer = a_circular(cast, []), an_officer(cast)

    with pytest.raises(Refused, match="nobody"):
        circular_sending.confirm(cast.session, draft.id, officer.id, version=1, people=0, now=cast.now)


def test_one_that_would_reach_nobody_is_refused(cast: Cast) -> None:
    draft, officer = a_circular(cast, [cast.a_referent()]), an_officer(cast)

    with pytest.raises(Refused, match="phone"):
        circular_sending.confirm(cast.session, draft.id, officer.id, version=1, people=1, now=cast.now)


def test_who_confirms_has_seen_for_how_many_people_it_is(cast: Cast) -> None:
    draft, officer = a_circular(cast, some_people(cast, 3)), an_officer(cast)

    with pytest.raises(Refused, match="Look again"):
        circular_sending.confirm(cast.session, draft.id, officer.id, version=1, people=2, now=cast.now)


def test_what_is_confirmed_is_confirmed_once_and_cannot_be_changed(cast: Cast) -> None:
    circular, officer = being_sent(cast, some_people(cast, 2)), an_officer(cast)

    for version in (1, circular.version):
        with pytest.raises(Refused, match="already"):
            circular_sending.confirm(cast.session, circular.id, officer.id, version=version, people=2, now=cast.now)
    with pytest.raises(Refused, match="already"):
        circulars.choose(cast.session, circular.id, officer.id, Wanted(), version=circular.version, now=cast.now)
    assert acts(cast.session) == ["circular.begin", "circular.confirm"]


def test_of_two_officers_who_confirm_at_once_one_does(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        officers = [an_officer(cast, name).id for name in ("Olga", "Ugo")]
        draft = a_circular(cast, some_people(cast, 3)).id
    start, said = threading.Barrier(2), list[str]()

    def confirms(officer: int) -> None:
        start.wait()
        try:
            with database.write() as session:
                circular_sending.confirm(session, draft, officer, version=1, people=3, now=now)
            said.append("sent")
        except Refused as refused:
            said.append(str(refused))

    both = [threading.Thread(target=confirms, args=(officer,)) for officer in officers]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with database.write() as session:
        queue_all(Cast(session, now))

    with database.read() as session:
        assert sorted(said, key=len)[0] == "sent"
        assert "already" in sorted(said, key=len)[1]
        assert len(outgoing(session)) == 3


# --- queueing


def test_people_are_queued_some_at_a_time_below_everything_else(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circular_sending, "BATCH", 2)
    being_sent(cast, some_people(cast, 5))

    assert circular_sending.queue_some(cast.session, cast.now)
    assert len(outgoing(cast.session)) == 2
    assert queue_all(cast) == 2

    rows = outgoing(cast.session)
    assert len(rows) == 5
    assert {row.urgency for row in rows} == {2}
    assert {row.kind for row in rows} == {OutboxKind.CIRCULAR}


def test_a_crash_between_batches_tells_nobody_twice_and_forgets_nobody(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circular_sending, "BATCH", 2)
    with database.write() as session:
        being_sent(Cast(session, now), some_people(Cast(session, now), 5))
    with database.write() as session:
        circular_sending.queue_some(session, now)

    with pytest.raises(RuntimeError), database.write() as session:
        circular_sending.queue_some(session, now)
        raise RuntimeError("killed before the commit")
    with database.write() as session:
        queue_all(Cast(session, now))

    with database.read() as session:
        told = [row.referent_id for row in outgoing(session)]
    assert len(told) == len(set(told)) == 5


def test_two_processes_that_queue_at_once_tell_everybody_once(database: Database, now: datetime) -> None:
    with database.write() as session:
        being_sent(Cast(session, now), some_people(Cast(session, now), 60))
    start, done = threading.Barrier(2), list[bool]()

    def queues() -> None:
        start.wait()
        going = True
        while going:
            with database.write() as session:
                going = circular_sending.queue_some(session, now)
        done.append(True)

    both = [threading.Thread(target=queues) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    with database.read() as session:
        assert done == [True, True]
        assert len(outgoing(session)) == 60
        assert set(reasons(session).values()) == {""}


def test_each_is_told_by_their_own_way_and_who_has_none_is_left_out_with_the_reason(cast: Cast) -> None:
    ada = cast.a_referent("Ada", chat=1, email="ada@example.org")
    bruno = cast.a_referent("Bruno", email="bruno@example.org")
    pec = cast.a_referent("Carla")
    cast.add(Address(referent_id=pec.id, channel=Channel.PEC, value="carla@pec.example.org", created_at=cast.now))
    nobody = cast.a_referent("Dora")
    circular = being_sent(cast, [ada, bruno, pec, nobody])

    queue_all(cast)

    assert {row.referent_id: row.channel for row in outgoing(cast.session)} == {
        ada.id: Channel.TELEGRAM,
        bruno.id: Channel.EMAIL,
        pec.id: Channel.PEC,
    }
    assert reasons(cast.session)[nobody.id] == WhyNot.UNREACHABLE
    assert addressees.not_reached(cast.session, circular.id) == [nobody.id]


def test_who_left_or_was_merged_before_their_turn_is_left_out_with_the_reason(cast: Cast) -> None:
    ada, bruno = some_people(cast, 2)
    being_sent(cast, [ada, bruno])
    ada.left_at = cast.now
    bruno.merged_into_id = cast.a_referent("Un'altra").id
    cast.session.flush()

    queue_all(cast)

    assert outgoing(cast.session) == []
    assert reasons(cast.session) == {ada.id: WhyNot.LEFT, bruno.id: WhyNot.MERGED}


def test_added_people_who_are_gone_already_stand_in_it_with_the_reason(cast: Cast) -> None:
    ada, bruno = some_people(cast, 2)
    bruno.left_at = cast.now
    cast.session.flush()
    draft, officer = a_circular(cast, [ada, bruno]), an_officer(cast)

    circular_sending.confirm(cast.session, draft.id, officer.id, version=1, people=1, now=cast.now)

    assert reasons(cast.session) == {ada.id: "", bruno.id: WhyNot.LEFT}


@pytest.mark.parametrize("queued", ["both", "the one that goes", "none"])
def test_two_who_become_one_meanwhile_are_told_once(cast: Cast, queued: str) -> None:
    town = cast.an_organization()
    goes = cast.a_referent("Ada Esempio", town, chat=1)
    stays = cast.a_referent("Ada Esempio", town, email="ada@example.org")
    circular, officer = being_sent(cast, [goes, stays]), an_officer(cast)
    if queued == "the one that goes":
        addressees.told(cast.session, circular.id, goes.id, _queued_by_hand(cast, circular, goes), cast.now)
    elif queued == "both":
        queue_all(cast)

    merge(cast.session, goes.id, stays.id, now=cast.now, by=officer.id)
    queue_all(cast)

    word = circular_sending.word_circular()
    said = [word(cast.session, row, cast.now) for row in outgoing(cast.session)]
    assert sum(words is not None for words in said) == 1


def _queued_by_hand(cast: Cast, circular: Circular, person: Referent) -> int:
    row: Outbox = cast.add(
        Outbox(
            kind=OutboxKind.CIRCULAR,
            urgency=2,
            channel=Channel.TELEGRAM,
            address="1",
            referent_id=person.id,
            dedupe_key=stored.key_of(circular.id, person.id),
            body={"html": ""},
            next_at=cast.now,
            created_at=cast.now,
        )
    )
    return row.id


def test_it_is_over_when_everything_has_left(cast: Cast) -> None:
    circular = being_sent(cast, some_people(cast, 2))
    queue_all(cast)
    first, second = outgoing(cast.session)

    leaves(cast, first)
    assert queue_all(cast) == 0
    assert state_of(cast, circular) is CircularState.SENDING
    leaves(cast, second, OutboxState.DEAD)
    assert queue_all(cast) == 1

    assert state_of(cast, circular) is CircularState.SENT
    counts = addressees.counts(cast.session, circular.id)
    assert (counts.heaps[Heap.REACHED], counts.heaps[Heap.MISSED]) == (1, 1)
    assert counts.channels == {Channel.TELEGRAM: 1}


# --- stopping


def test_what_is_stopped_in_the_middle_keeps_back_what_has_not_left(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circular_sending, "BATCH", 3)
    circular, officer = being_sent(cast, some_people(cast, 5)), an_officer(cast)
    circular_sending.queue_some(cast.session, cast.now)
    gone, flying, waiting = outgoing(cast.session)
    leaves(cast, gone)
    leaves(cast, flying, OutboxState.SENDING)

    stopped = circular_sending.stop(cast.session, circular.id, officer.id, now=cast.now)

    assert stopped == 3
    assert [row.state for row in outgoing(cast.session)] == [
        OutboxState.SENT,
        OutboxState.SENDING,
        OutboxState.WITHHELD,
    ]
    assert queue_all(cast) == 0
    assert reasons(cast.session)[waiting.referent_id or 0] == WhyNot.STOPPED
    assert list(reasons(cast.session).values()).count(WhyNot.STOPPED) == 3


def test_what_comes_back_after_it_was_stopped_is_not_worded_any_more(cast: Cast) -> None:
    circular, officer = being_sent(cast, some_people(cast, 1)), an_officer(cast)
    queue_all(cast)
    (row,) = outgoing(cast.session)
    leaves(cast, row, OutboxState.SENDING)
    circular_sending.stop(cast.session, circular.id, officer.id, now=cast.now)

    said = circular_sending.word_circular()(cast.session, row, cast.now)

    assert said is None
    assert reasons(cast.session) == {row.referent_id: WhyNot.STOPPED}


def test_it_is_stopped_once_and_by_who_may(cast: Cast) -> None:
    circular, officer = being_sent(cast, some_people(cast, 1)), an_officer(cast)

    with pytest.raises(Denied):
        circular_sending.stop(cast.session, circular.id, an_officer(cast, role=Role.VOLUNTEER).id, now=cast.now)
    circular_sending.stop(cast.session, circular.id, officer.id, now=cast.now)
    with pytest.raises(Refused, match="nothing to stop"):
        circular_sending.stop(cast.session, circular.id, officer.id, now=cast.now)


# --- words as it leaves


def test_it_is_worded_as_it_leaves_in_the_name_and_language_of_that_moment(cast: Cast) -> None:
    (ada,) = some_people(cast, 1)
    being_sent(cast, [ada], Written("Avviso", "Ciao {nome}", "Notice", "Dear {nome}"))
    queue_all(cast)
    (row,) = outgoing(cast.session)
    ada.name, ada.language = "Ada Nuova", "en"
    cast.session.flush()

    words = circular_sending.word_circular()(cast.session, row, cast.now)

    assert words is not None
    assert "<b>Notice</b>\n\nDear Ada Nuova" in words.html
    assert words.buttons[0][0].text == "Answer this"


def test_files_follow_the_text_by_telegram_and_go_with_it_by_mail(cast: Cast) -> None:
    ada, bruno = cast.a_referent("Ada", chat=1), cast.a_referent("Bruno", email="bruno@example.org")
    draft, officer = a_circular(cast, [ada, bruno]), an_officer(cast)
    circulars.write(
        cast.session,
        draft.id,
        officer.id,
        Written("Avviso per {nome}", "Testo"),
        version=1,
        now=cast.now,
        files=Files([PDF]),
    )
    circular_sending.confirm(cast.session, draft.id, officer.id, version=2, people=2, now=cast.now)
    queue_all(cast)
    text, files, mail = outgoing(cast.session)
    word = circular_sending.word_circular()

    said = [word(cast.session, row, cast.now) or Words("") for row in (text, files, mail)]

    assert [len(one.files) for one in said] == [0, 1, 1]
    assert said[1].html == "Avviso per Ada"
    assert "Testo" in said[2].html


def test_files_stay_when_their_text_was_stopped(cast: Cast) -> None:
    (ada,) = some_people(cast, 1)
    draft, officer = a_circular(cast, [ada]), an_officer(cast)
    circulars.write(cast.session, draft.id, officer.id, Written("A", "T"), version=1, now=cast.now, files=Files([PDF]))
    circular_sending.confirm(cast.session, draft.id, officer.id, version=2, people=1, now=cast.now)
    queue_all(cast)
    _, files = outgoing(cast.session)

    circular_sending.stop(cast.session, draft.id, officer.id, now=cast.now)

    assert circular_sending.word_circular()(cast.session, files, cast.now) is None


# --- afterwards


def test_who_was_not_reached_is_in_a_new_draft_with_the_same_words_and_files(cast: Cast) -> None:
    ada, bruno = some_people(cast, 2)
    draft, officer = a_circular(cast, [ada, bruno, cast.a_referent("Dora")]), an_officer(cast)
    circulars.write(cast.session, draft.id, officer.id, Written("A", "T"), version=1, now=cast.now, files=Files([PDF]))
    circular_sending.confirm(cast.session, draft.id, officer.id, version=2, people=3, now=cast.now)
    queue_all(cast)
    rows = {row.referent_id: row for row in outgoing(cast.session) if ":files" not in row.dedupe_key}
    leaves(cast, rows[ada.id], OutboxState.UNCERTAIN)
    leaves(cast, rows[bruno.id], OutboxState.DEAD)

    new = circulars.again(cast.session, draft.id, officer.id, now=cast.now + timedelta(hours=1))

    added = Wanted.from_json(new.audience).added
    assert [cast.session.get_one(Referent, one).name for one in added] == ["Dora", "Persona 01"]
    assert (new.subject, new.text, new.state) == ("A", "T", CircularState.DRAFT)
    assert [one.name for one in stored.files_of(cast.session, new.id)] == ["avviso.pdf"]
    assert len(cast.session.exec(select(Attachment)).all()) == 2


def test_a_test_goes_to_who_asks_for_it_and_to_nobody_else(cast: Cast) -> None:
    ada = cast.a_referent("Ada Esempio", chat=1)
    vera = an_officer(cast, "Vera", Role.VOLUNTEER)
    draft = a_circular(cast, [ada])

    circular_sending.send_test(cast.session, draft.id, vera.id, Language.EN, now=cast.now)

    (row,) = outgoing(cast.session)
    assert (row.address, row.channel, row.referent_id) == (vera.email, Channel.EMAIL, None)
    assert "Buongiorno Ada Esempio" in row.body["html"]
    assert "You get this message because" in row.body["html"]
