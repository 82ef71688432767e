from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from facts.calendar import local_date
from intake.catalogue import Catalogue
from intake.updates import Concern, fitting_obligations, record_update
from storage.reports import close_obligation, latest_update, open_obligations
from storage.tables import (
    Audit,
    Channel,
    Draft,
    DraftKind,
    DraftState,
    FormVersion,
    Obligation,
    ObligationState,
    Outbox,
    Project,
    Referent,
    Update,
)
from tests.cast import Cast

ANSWERS = {"phase": "03005", "progress": "45.5", "spent": "200000", "expected_end": "2027-06-30"}


@dataclass
class Scene:
    """Ada and Bruno report on one project of Abbiategrasso, Carla on another of Corsico."""

    cast: Cast
    ada: Referent
    bruno: Referent
    carla: Referent
    project: Project
    form: FormVersion

    def sent(self, **other: Any) -> Update:
        defaults: dict[str, Any] = {
            "referent_id": self.ada.id,
            "about": Concern(self.project.id),
            "form": Catalogue().version(self.cast.session, self.form.id),
            "answers": ANSWERS,
            "channel": Channel.TELEGRAM,
            "now": self.cast.now,
        }
        return record_update(self.cast.session, **(defaults | other))

    def owed(self, due_on: date, **other: Any) -> Obligation:
        deadline = self.cast.a_deadline(self.form, due_on, **other)
        return self.cast.an_obligation(deadline, self.project, due_on, self.cast.now)


@pytest.fixture
def scene(cast: Cast) -> Scene:
    ours, theirs = cast.an_organization(), cast.an_organization("Corsico")
    project = cast.a_project(ours)
    return Scene(
        cast,
        cast.a_referent("Ada Esempio", ours, (project,), chat=11),
        cast.a_referent("Bruno Esempio", ours, (project,), chat=12),
        cast.a_referent("Carla Esempio", theirs, (cast.a_project(theirs),), chat=13),
        project,
        cast.a_form(),
    )


def test_an_update_is_repeated_on_its_project(session: Session, scene: Scene) -> None:
    update = scene.sent()

    session.refresh(scene.project)
    assert (scene.project.phase, scene.project.progress_tenths) == ("03005", 455)
    assert (scene.project.spent_cents, scene.project.expected_end) == (20_000_000, date(2027, 6, 30))
    assert latest_update(session, scene.project.id, scene.form.form_id) == update
    assert session.exec(select(Audit.action)).all() == ["update.receive"]


def test_an_update_closes_the_oldest_open_obligation_and_no_other(session: Session, scene: Scene) -> None:
    december, october, november = (scene.owed(date(2026, month, 10)) for month in (12, 10, 11))

    update = scene.sent()

    assert update.obligation_id == october.id
    for row in (december, october, november):
        session.refresh(row)
    assert (october.state, october.done_at, october.version) == (ObligationState.DONE, scene.cast.now, 2)
    assert {december.state, november.state} == {ObligationState.OPEN}


def test_an_obligation_whose_window_is_closed_is_left_alone(session: Session, scene: Scene) -> None:
    future = scene.owed(date(2027, 3, 10))

    update = scene.sent()

    assert update.obligation_id is None
    session.refresh(future)
    assert future.state is ObligationState.OPEN


def test_an_obligation_is_closed_once(session: Session, scene: Scene) -> None:
    owed = scene.owed(date(2026, 11, 10))

    assert close_obligation(session, owed.id, scene.cast.now)
    assert not close_obligation(session, owed.id, scene.cast.now + timedelta(days=1))

    session.refresh(owed)
    assert owed.done_at == scene.cast.now


def test_the_chosen_obligation_is_closed_and_never_another_in_its_place(session: Session, scene: Scene) -> None:
    october, november = (scene.owed(date(2026, month, 10)) for month in (10, 11))

    first = scene.sent(obligation_id=november.id)
    again = scene.sent(obligation_id=november.id)

    assert (first.obligation_id, again.obligation_id) == (november.id, None)
    session.refresh(october)
    assert october.state is ObligationState.OPEN


def test_a_foreign_obligation_cannot_be_chosen(session: Session, scene: Scene) -> None:
    deadline = scene.cast.a_deadline(scene.form, date(2026, 11, 30))
    other = scene.cast.a_project(scene.cast.an_organization("Rho"))
    foreign = scene.cast.an_obligation(deadline, other, date(2026, 11, 30), scene.cast.now)

    assert scene.sent(obligation_id=foreign.id).obligation_id is None


def test_a_stopped_deadline_asks_for_nothing(scene: Scene) -> None:
    scene.owed(date(2026, 11, 10), active=False)

    assert scene.sent().obligation_id is None


def test_an_obligation_of_the_organisation_counts_for_its_members_only(session: Session, scene: Scene) -> None:
    deadline = scene.cast.a_deadline(scene.form, date(2026, 11, 30))
    scene.cast.add(
        Obligation(
            deadline_id=deadline.id,
            organization_id=scene.project.implementing_body_id,
            period="2026-11",
            opens_on=date(2026, 11, 1),
            due_on=date(2026, 11, 30),
            due_at=scene.cast.now,
        )
    )
    today = local_date(scene.cast.now, "Europe/Rome")
    fitting: Callable[[Referent], list[Obligation]] = lambda who: fitting_obligations(  # noqa: E731
        session, Concern(scene.project.id), scene.form.form_id, who.id, today
    )

    assert len(fitting(scene.ada)) == 1
    assert fitting(scene.carla) == []


def test_what_is_owed_next_is_known_before_its_window_opens(session: Session, scene: Scene) -> None:
    future = scene.owed(date(2027, 3, 10), title="Trimestrale")

    [(obligation, deadline)] = open_obligations(session, scene.project.id, scene.form.form_id, scene.ada.id)

    assert (obligation.id, deadline.title) == (future.id, "Trimestrale")


def test_colleagues_filling_in_the_same_are_told_once(session: Session, scene: Scene) -> None:
    for who, state in ((scene.bruno, DraftState.OPEN), (scene.ada, DraftState.OPEN), (scene.carla, DraftState.SENT)):
        scene.cast.add(
            Draft(
                kind=DraftKind.UPDATE,
                referent_id=who.id,
                form_version_id=scene.form.id,
                project_id=scene.project.id,
                channel=Channel.TELEGRAM,
                state=state,
                created_at=scene.cast.now - timedelta(hours=1),
                touched_at=scene.cast.now,
            )
        )

    scene.sent()

    [told] = session.exec(select(Outbox)).all()
    assert told.address == "12"
    assert "Ada Esempio ha appena inviato" in told.body["html"]
