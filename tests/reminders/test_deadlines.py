"""A deadline becomes obligations and steps: the right ones, once, for whoever is in scope."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, col, func, select

from facts.recurrence import ONCE
from reminders.deadlines import keep_obligations, stop_deadline, waive
from reminders.wanted import DeadlineRefused
from storage.obligations import deadlines_with_counts, late, obligations_of, owed_by, periods_of
from storage.tables import (
    Audit,
    Deadline,
    Following,
    Obligation,
    ObligationState,
    Step,
    Subject,
    TargetKind,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

ROME = ZoneInfo("Europe/Rome")


def _obligations(session: Session, deadline: Deadline) -> list[Obligation]:
    return list(
        session.exec(
            select(Obligation)
            .where(Obligation.deadline_id == deadline.id)
            .order_by(col(Obligation.due_on), col(Obligation.project_id), col(Obligation.organization_id))
        )
    )


def _steps(session: Session, obligation: Obligation) -> list[Step]:
    return list(session.exec(select(Step).where(Step.obligation_id == obligation.id).order_by(col(Step.due_at))))


def test_a_monthly_deadline_makes_the_obligations_of_the_next_400_days(cast: Cast) -> None:
    projects = [cast.a_project(cast.an_organization()) for _ in range(2)]

    deadline = a_new_deadline(cast)

    made = _obligations(cast.session, deadline)
    assert len(made) == 2 * 13  # 24 November 2026 + 400 days = 29 December 2027
    assert [row.project_id for row in made[:2]] == [project.id for project in projects]
    assert (made[0].period, made[0].opens_on, made[0].due_on) == ("2026-12", date(2026, 11, 20), date(2026, 12, 10))
    assert made[-1].period == "2027-12"


def test_an_obligation_is_due_when_its_local_day_has_ended(cast: Cast) -> None:
    cast.a_project(cast.an_organization())

    deadline = a_new_deadline(cast)

    december, *_, july = _obligations(cast.session, deadline)[:8]
    assert december.due_at == datetime(2026, 12, 10, 23, 0, tzinfo=UTC)
    assert july.due_at == datetime(2027, 7, 10, 22, 0, tzinfo=UTC)


def test_each_obligation_has_one_step_per_rung_at_half_past_eight_local_time(cast: Cast) -> None:
    cast.a_project(cast.an_organization())

    deadline = a_new_deadline(cast)

    for obligation in _obligations(cast.session, deadline):
        steps = _steps(cast.session, obligation)
        assert [step.offset_days for step in steps] == [-7, -1, 0, 2, 7]
        for step in steps:
            local = step.due_at.astimezone(ROME)
            assert local.date() == obligation.due_on + timedelta(days=step.offset_days)
            assert (local.hour, local.minute) == (8, 30)


def test_no_step_comes_before_the_window_opens(cast: Cast) -> None:
    cast.a_project(cast.an_organization())

    deadline = a_new_deadline(cast, opens_days_before=3)

    first = _obligations(cast.session, deadline)[0]
    assert [step.offset_days for step in _steps(cast.session, first)] == [-1, 0, 2, 7]


def test_a_single_deadline_makes_one_obligation_each_even_when_it_is_past(cast: Cast) -> None:
    cast.a_project(cast.an_organization())

    deadline = a_new_deadline(cast, rule=ONCE, first_on=date(2026, 11, 20))

    (only,) = _obligations(cast.session, deadline)
    assert (only.period, only.due_on) == ("2026-11-20", date(2026, 11, 20))
    assert len(_steps(cast.session, only)) == 5


def test_a_deadline_for_organizations_asks_each_body_once_however_many_projects_it_has(cast: Cast) -> None:
    corsico, milano = cast.an_organization("Corsico"), cast.an_organization("Milano")
    host = cast.an_organization("Rho")
    cast.an_organization("Nessun progetto")
    for organization in (corsico, corsico, milano):
        cast.a_project(organization)
    cast.a_project(host, implementing_body_id=None)

    deadline = a_new_deadline(cast, subject=Subject.ORGANIZATION, rule=ONCE, first_on=date(2026, 12, 1))

    made = _obligations(cast.session, deadline)
    assert [row.organization_id for row in made] == [corsico.id, milano.id, host.id]
    assert {row.project_id for row in made} == {None}


def test_keeping_obligations_again_makes_nothing(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    a_new_deadline(cast)

    again = keep_obligations(cast.session, cast.now)

    assert again == 0
    assert cast.session.exec(select(func.count()).select_from(Step)).one() == 13 * 5


def test_time_passing_adds_the_month_that_comes_into_view(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    deadline = a_new_deadline(cast)

    made = keep_obligations(cast.session, cast.now + timedelta(days=31))

    assert made == 1
    assert _obligations(cast.session, deadline)[-1].period == "2028-01"


def test_a_project_that_joins_the_scope_owes_from_the_next_due_day_without_backlog(cast: Cast) -> None:
    deadline = a_new_deadline(cast, first_on=date(2026, 10, 1))
    newcomer = cast.a_project(cast.an_organization())

    made = keep_obligations(cast.session, cast.now)

    joined = [row.period for row in _obligations(cast.session, deadline) if row.project_id == newcomer.id]
    assert made == 13
    assert joined[0] == "2026-12"


def test_a_stopped_deadline_waives_what_is_open_and_makes_nothing_more(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    deadline = a_new_deadline(cast)
    done, *rest = _obligations(cast.session, deadline)
    done.state = ObligationState.DONE
    cast.add(done)

    stopped = stop_deadline(cast.session, deadline.id, " Programma  concluso ", None, cast.now)

    cast.session.expire_all()
    assert stopped
    assert done.state is ObligationState.DONE
    assert {(row.state, row.waived_reason) for row in rest} == {(ObligationState.WAIVED, "Programma concluso")}
    assert keep_obligations(cast.session, cast.now + timedelta(days=60)) == 0
    assert not stop_deadline(cast.session, deadline.id, "di nuovo", None, cast.now)


def test_one_obligation_is_waived_once_with_its_reason_and_an_audit_line(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    obligation = _obligations(cast.session, a_new_deadline(cast))[0]
    officer = cast.a_staff()

    first = waive(cast.session, obligation.id, "Progetto concluso", officer.id, cast.now)
    second = waive(cast.session, obligation.id, "Altro motivo", officer.id, cast.now)

    cast.session.refresh(obligation)
    assert (first, second) == (True, False)
    assert (obligation.state, obligation.waived_reason) == (ObligationState.WAIVED, "Progetto concluso")
    acts = cast.session.exec(select(Audit).where(Audit.action == "obligation.waive")).all()
    assert [(act.actor_id, act.object_id) for act in acts] == [(officer.id, obligation.id)]


def test_nothing_is_waived_without_a_reason(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    obligation = _obligations(cast.session, a_new_deadline(cast))[0]

    with pytest.raises(DeadlineRefused, match="Say why"):
        waive(cast.session, obligation.id, "  ", None, cast.now)

    cast.session.refresh(obligation)
    assert obligation.state is ObligationState.OPEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "too long"),
        ({"zone": "Europe/Corsico"}, "Europe/Corsico is not a time zone"),
        ({"zone": "../../etc/passwd"}, "not a time zone"),
        ({"rule": "every full moon"}, "not a rule"),
        ({"rule": "FREQ=OFTEN"}, "not a rule"),
        ({"rule": "FREQ=SECONDLY"}, "not a rule"),
        ({"rule": "FREQ=MONTHLY;BYMONTHDAY=10;COUNT=3"}, "not a rule"),
        ({"grace_days": -1}, "between 0 and 90"),
        ({"ladder_id": 999}, "ladder"),
        ({"officer_id": 999}, "Choose an officer"),
        ({"targets": [(TargetKind.PHASE, 0, "03005"), (TargetKind.PHASE, 0, "03005", True)]}, "named twice"),
        ({"targets": [(TargetKind.MEASURE, 0, "")]}, "beginning of a measure"),
        ({"targets": [(TargetKind.PHASE, 0, "soon")]}, "no phase"),
        ({"until": date(2026, 11, 30)}, "No day falls"),
        ({"until": date(2026, 12, 9)}, "No day falls"),
        ({"first_on": date(2025, 11, 1)}, "more than a year ago"),
        ({"first_on": date(2126, 11, 1)}, "50 years"),
        ({"opens_days_before": -1}, "between 0 and 366"),
        ({"form_id": 999}, "form does not exist"),
        ({"targets": [(TargetKind.PROJECT, 999)]}, "does not exist any more"),
    ],
)
def test_a_deadline_that_makes_no_sense_is_refused_with_a_sentence(
    cast: Cast, wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DeadlineRefused, match=sentence):
        a_new_deadline(cast, **wrong)

    assert cast.session.exec(select(Deadline)).all() == []


def test_the_desk_sees_each_deadline_with_its_counts_and_who_is_late(cast: Cast) -> None:
    corsico = cast.an_organization("Corsico")
    projects = [cast.a_project(corsico, title=title) for title in ("Asilo", "Biblioteca", "Cinema")]
    deadline = a_new_deadline(cast, first_on=date(2026, 11, 1))
    november = _obligations(cast.session, deadline)[:3]
    november[0].state = ObligationState.DONE
    november[1].state = ObligationState.WAIVED
    cast.session.flush()

    (counts,) = deadlines_with_counts(cast.session, date(2026, 11, 24))
    missing = late(cast.session, deadline.id, date(2026, 11, 24))
    listed = obligations_of(cast.session, deadline.id, period="2026-11")

    # December's window opened on 20 November; later months are not counted yet
    assert (counts.open, counts.done, counts.waived, counts.late) == (4, 1, 1, 1)
    assert [(row.project and row.project.title) for row in missing] == ["Cinema"]
    assert [(row.project and row.project.id) for row in listed] == [project.id for project in projects]
    assert periods_of(cast.session, deadline.id)[0] == "2026-11"


def test_a_referent_sees_what_they_owe_and_nothing_of_others(cast: Cast) -> None:
    corsico, milano = cast.an_organization("Corsico"), cast.an_organization("Milano")
    own, foreign = cast.a_project(corsico), cast.a_project(milano)
    ada = cast.a_referent("Ada Esempio", corsico, (own,))
    a_new_deadline(cast)
    a_new_deadline(cast, subject=Subject.ORGANIZATION)

    owed = owed_by(cast.session, ada.id, date(2026, 12, 31))

    assert {(row.obligation.project_id, row.obligation.organization_id) for row in owed} == {
        (own.id, None),
        (None, corsico.id),
    }
    assert foreign.id not in {row.obligation.project_id for row in owed}


def test_following_is_what_makes_a_project_mine(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent("Ada Esempio")
    a_new_deadline(cast)
    before = owed_by(cast.session, ada.id, date(2026, 12, 31))
    cast.add(Following(referent_id=ada.id, project_id=project.id, since=cast.now))

    after = owed_by(cast.session, ada.id, date(2026, 12, 31))

    assert (len(before), len(after)) == (0, 1)


def test_282_projects_every_month_are_made_at_once(cast: Cast) -> None:
    milano = cast.an_organization("Milano")
    programme = cast.a_programme()
    for number in range(282):
        cast.a_project(milano, programme, f"Intervento {number}")

    a_new_deadline(cast)

    assert cast.session.exec(select(func.count()).select_from(Obligation)).one() == 282 * 13
    assert cast.session.exec(select(func.count()).select_from(Step)).one() == 282 * 13 * 5
