"""The red switch: what is stopped does not leave, and what was kept back is told once reminders go on."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlmodel import col, select

from delivery.links import Links
from reminders.deadlines import stop_deadline
from reminders.halts import resume, stop
from reminders.sweep import dry_run, next_due, remind_one
from reminders.wanted import DeadlineRefused
from reminders.wording import word_reminder
from storage.database import Database
from storage.halts import holding, reach
from storage.people import mark_unreachable
from storage.reports import close_obligation
from storage.tables import (
    Again,
    Channel,
    Decision,
    Halt,
    HaltKind,
    Obligation,
    Outcome,
    Project,
    Reason,
    Referent,
    Snooze,
    Staff,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline
from tests.reminders.test_sweep import reminders, rome, sweep

DUE = datetime(2026, 12, 3, 9, tzinfo=UTC)  # a week before the tenth, a Thursday
word = word_reminder(Links("http://raccordo.example"))


class Office:
    """Ada follows two projects of Melzo, Carla one of Corsico; all of it is due on 10 December. Olga may stop it."""

    def __init__(self, cast: Cast) -> None:
        self.session = cast.session
        self.melzo, self.corsico = cast.an_organization("Melzo"), cast.an_organization("Corsico")
        self.mercato, self.biblioteca = (cast.a_project(self.melzo, title=one) for one in ("Ex mercato", "Biblioteca"))
        self.cascina = cast.a_project(self.corsico, title="Cascina")
        self.ada = cast.a_referent("Ada Esempio", self.melzo, (self.mercato, self.biblioteca), chat=100)
        self.carla = cast.a_referent("Carla Esempio", self.corsico, (self.cascina,), chat=300)
        self.olga: Staff = cast.a_staff()
        self.deadline = a_new_deadline(cast)

    def stop(self, kind: HaltKind, target: int = 0, now: datetime = DUE) -> Halt:
        assert stop(self.session, kind, target, "Il decreto proroga tutto", by=self.olga.id, now=now)
        return next(one.halt for one in holding(self.session) if (one.halt.kind, one.halt.target_id) == (kind, target))

    def resume(self, halt: Halt, now: datetime = DUE) -> int | None:
        return resume(self.session, halt.id, by=self.olga.id, now=now)

    def decided(self, person: Referent) -> set[tuple[str, str]]:
        query = select(Decision.outcome, Decision.reason).where(Decision.referent_id == person.id)
        return set(self.session.exec(query).all())

    def waiting(self) -> list[tuple[int, str, datetime]]:
        query = select(Snooze.referent_id, Snooze.why, Snooze.again_at).where(col(Snooze.decided_at).is_(None))
        return [(who, why, when) for who, why, when in self.session.exec(query.order_by(col(Snooze.id)))]

    def obligation(self, project: Project) -> Obligation:
        query = select(Obligation).where(Obligation.project_id == project.id, Obligation.period == "2026-12")
        return self.session.exec(query).one()


@pytest.fixture
def office(cast: Cast) -> Office:
    return Office(cast)


KEPT = {(Outcome.WITHHELD, Reason.HALTED)}

WHAT: dict[HaltKind, Callable[[Office], int]] = {
    HaltKind.ALL: lambda _: 0,
    HaltKind.DEADLINE: lambda office: office.deadline.id,
    HaltKind.ORGANIZATION: lambda office: office.melzo.id,
    HaltKind.REFERENT: lambda office: office.ada.id,
}


@pytest.mark.parametrize("kind", HaltKind)
def test_what_is_stopped_is_withheld_with_its_reason(office: Office, kind: HaltKind) -> None:
    office.stop(kind, WHAT[kind](office))

    planned = {(one.referent_id, one.reason) for one in dry_run(office.session, DUE)}
    sweep(office.session, DUE)

    assert office.decided(office.ada) == KEPT
    assert (office.ada.id, Reason.HALTED) in planned
    others = kind in {HaltKind.ALL, HaltKind.DEADLINE}
    assert (office.decided(office.carla) == KEPT) is others
    assert [row.referent_id for row in reminders(office.session)] == ([] if others else [office.carla.id])


def test_what_was_queued_before_the_stop_does_not_leave_after_it(office: Office) -> None:
    sweep(office.session, DUE)
    to_ada, to_carla = reminders(office.session)
    office.stop(HaltKind.ORGANIZATION, office.melzo.id)

    assert word(office.session, to_ada, DUE) is None
    assert word(office.session, to_carla, DUE) is not None
    assert office.decided(office.ada) == KEPT


def test_of_two_deadlines_only_the_stopped_one_is_left_out(office: Office, cast: Cast) -> None:
    a_new_deadline(cast, title="Collaudo", form_id=office.deadline.form_id)
    sweep(office.session, DUE)
    to_ada = reminders(office.session)[0]
    office.stop(HaltKind.DEADLINE, office.deadline.id)

    words = word(office.session, to_ada, DUE)

    assert words is not None
    assert "Collaudo" in words.html
    assert "Monitoraggio mensile" not in words.html


def test_a_stop_of_the_one_who_stands_in_keeps_back_what_they_read_for_another(office: Office, cast: Cast) -> None:
    office.ada.substitute_id = cast.a_referent("Bruno Esempio", office.melzo, chat=200).id
    mark_unreachable(office.session, Channel.TELEGRAM, "100", "blocked", DUE)
    sweep(office.session, DUE)
    to_bruno = next(row for row in reminders(office.session) if row.referent_id == office.ada.substitute_id)
    halt = office.stop(HaltKind.REFERENT, office.ada.substitute_id)

    assert word(office.session, to_bruno, DUE) is None
    assert office.resume(halt) == 1
    assert {who for who, *_ in office.waiting()} == {office.ada.id}


def test_when_reminders_go_on_each_person_is_told_once_the_next_working_morning(office: Office) -> None:
    halt = office.stop(HaltKind.ALL)
    sweep(office.session, DUE)
    friday, wednesday = DUE + timedelta(days=1), rome(date(2026, 12, 9), 8, 30)  # between them, three holidays

    told = office.resume(halt, friday)
    sweep(office.session, friday)
    at_once = reminders(office.session)
    waiting = office.waiting()
    sweep(office.session, wednesday)

    assert (told, at_once) == (2, [])
    assert {(why, when) for _, why, when in waiting} == {(Again.RESUMED, wednesday)}
    assert sorted(row.referent_id or 0 for row in reminders(office.session)) == [office.ada.id, office.carla.id]


def test_what_was_done_meanwhile_or_is_no_longer_theirs_is_not_told(office: Office) -> None:
    halt = office.stop(HaltKind.ALL)
    sweep(office.session, DUE)
    for project in (office.mercato, office.biblioteca):
        close_obligation(office.session, office.obligation(project).id, DUE)
    stop_deadline(office.session, office.deadline.id, "finita", office.olga.id, DUE)

    assert office.resume(halt) == 0
    assert office.waiting() == []


def test_what_another_stop_keeps_back_waits_for_its_end(office: Office) -> None:
    everything = office.stop(HaltKind.ALL)
    sweep(office.session, DUE)
    melzo = office.stop(HaltKind.ORGANIZATION, office.melzo.id)

    first = office.resume(everything)
    then = office.resume(melzo)

    assert (first, then) == (1, 1)
    assert [who for who, *_ in office.waiting()] == [office.carla.id, office.ada.id, office.ada.id]


def test_what_they_asked_to_hear_again_waits_for_the_end_of_the_stop_too(office: Office) -> None:
    about = office.obligation(office.cascina).id
    row = Snooze(
        referent_id=office.carla.id,
        obligation_id=about,
        again_at=DUE - timedelta(hours=1),
        created_at=DUE - timedelta(days=1),
    )
    office.session.add(row)
    halt = office.stop(HaltKind.REFERENT, office.carla.id)
    sweep(office.session, DUE)

    office.session.refresh(row)
    assert (row.outcome, row.reason) == (Outcome.WITHHELD, Reason.HALTED)
    assert office.resume(halt) == 1


def test_who_was_told_since_is_not_told_again(office: Office) -> None:
    halt = office.stop(HaltKind.ALL)
    sweep(office.session, DUE)
    office.resume(halt)
    sweep(office.session, DUE + timedelta(days=1))
    again = office.stop(HaltKind.ALL, now=DUE + timedelta(days=1, hours=3))

    assert office.resume(again, DUE + timedelta(days=1, hours=4)) == 0


def test_the_same_cannot_be_stopped_twice_nor_let_go_twice_nor_without_a_reason(office: Office) -> None:
    halt = office.stop(HaltKind.ALL)

    assert not stop(office.session, HaltKind.ALL, 0, "ancora", by=office.olga.id, now=DUE)
    assert office.resume(halt) == 0
    assert office.resume(halt) is None
    for reason in ("", " \0 ", "x" * 501):
        with pytest.raises(DeadlineRefused):
            stop(office.session, HaltKind.ALL, 0, reason, by=office.olga.id, now=DUE)


def test_how_far_a_stop_goes_is_said_before(office: Office) -> None:
    reached = {kind: reach(office.session, kind, what(office), DUE.date()).people for kind, what in WHAT.items()}

    assert reached == {HaltKind.ALL: 2, HaltKind.DEADLINE: 2, HaltKind.ORGANIZATION: 1, HaltKind.REFERENT: 1}


def test_nothing_leaves_by_itself_while_everything_is_stopped(office: Office) -> None:
    before = next_due(office.session, DUE)
    office.stop(HaltKind.ALL)

    assert before == DUE
    assert next_due(office.session, DUE) is None


def test_a_stop_against_a_sweep_leaves_nothing_that_could_still_go(database: Database, now: datetime) -> None:
    with database.write() as session:
        office = Office(Cast(session, now))
        ids = office.olga.id, {office.ada.id, office.carla.id}
    start = Barrier(2)

    def sweeping() -> None:
        start.wait()
        for _ in ids[1]:
            with database.write() as session:
                remind_one(session, DUE)

    def stopping() -> None:
        start.wait()
        with database.write() as session:
            stop(session, HaltKind.ALL, 0, "Sbagliato il modulo", by=ids[0], now=DUE)

    together(sweeping, stopping)
    with database.write() as session:
        sweep(session, DUE)
        assert [word(session, row, DUE) for row in reminders(session)] == [None] * len(reminders(session))
        assert set(session.exec(select(Decision.referent_id)).all()) == ids[1]
        assert set(session.exec(select(Decision.reason)).all()) == {Reason.HALTED}


def test_who_resumes_waits_for_a_sweep_that_is_withholding(database: Database, now: datetime) -> None:
    with database.write() as session:
        office = Office(Cast(session, now))
        by, halt_id = office.olga.id, office.stop(HaltKind.ALL).id
    told: list[int | None] = []

    def resuming() -> None:
        with database.write() as session:
            told.append(resume(session, halt_id, by=by, now=DUE))

    other = Thread(target=resuming)
    with database.write() as session:
        sweep(session, DUE)
        other.start()
        other.join(0.2)  # long enough to see nothing, were it not held; the outcome is the same however long it takes
    other.join()

    assert told == [2]


def together(*jobs: Callable[[], None]) -> None:
    threads = [Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
