"""Who is reminded, when, and the reason written down for everybody else."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from facts.calendar import is_working_day, local_instant
from facts.recurrence import ONCE
from reminders.choices import choose
from reminders.deadlines import stop_deadline, waive
from reminders.sweep import dry_run, next_due, remind_one
from storage.due import DueStep
from storage.ladder import newest_decisions
from storage.people import mark_unreachable
from storage.reports import close_obligation
from storage.tables import (
    Channel,
    Deadline,
    Decision,
    Following,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Reason,
    Referent,
    Step,
    Subject,
)
from storage.timelines import decisions
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline


def rome(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return local_instant(day, time(hour, minute), "Europe/Rome")


def a_single_deadline(cast: Cast, due_on: date, **other: Any) -> Deadline:
    defaults: dict[str, Any] = {"title": "Rendicontazione", "rule": ONCE}
    return a_new_deadline(cast, **(defaults | {"first_on": due_on} | other))


def sweep(session: Session, now: datetime) -> int:
    """A whole pass; how many people were decided about."""
    people = 0
    while remind_one(session, now):
        people += 1
        assert people < 1000
    return people


def reminders(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER).order_by(col(Outbox.id))))


def verdicts(session: Session) -> list[tuple[int, int | None, Outcome, Reason]]:
    """(offset of the step, person, outcome, reason), in order."""
    rows = session.exec(
        select(Step.offset_days, Decision.referent_id, Decision.outcome, Decision.reason)
        .join(Step, col(Step.id) == col(Decision.step_id))
        .order_by(col(Step.offset_days), col(Decision.referent_id))
    )
    return [(row[0], row[1], Outcome(row[2]), Reason(row[3])) for row in rows]


def the_obligation(session: Session) -> Obligation:
    return session.exec(select(Obligation).order_by(col(Obligation.due_on))).first()  # type: ignore[return-value]  # made before


def test_the_day_before_each_referent_gets_one_message_and_one_decision(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent("Ada Esempio", projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 12, 2))
    sweep(cast.session, cast.now)  # seven days before falls on 25 November: nothing yet

    people = sweep(cast.session, rome(date(2026, 12, 1)))

    assert people == 1
    (message,) = reminders(cast.session)
    assert (message.channel, message.address, message.urgency) == (Channel.TELEGRAM, "101", 2)
    assert message.dedupe_key == f"reminder:{ada.id}:2026-12-01:1"
    assert verdicts(cast.session) == [
        (-7, ada.id, Outcome.WITHHELD, Reason.OVERTAKEN),
        (-1, ada.id, Outcome.SENT, Reason.DUE),
    ]


def test_a_second_pass_finds_nothing_to_do(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 11, 25))
    first = sweep(cast.session, cast.now)

    second = sweep(cast.session, cast.now + timedelta(minutes=1))

    assert (first, second) == (1, 0)
    assert len(reminders(cast.session)) == 1
    due = cast.session.exec(select(Step).where(Step.due_at <= cast.now)).all()
    assert due
    assert all(step.settled for step in due)


def test_each_rung_reminds_once_until_the_update_is_in(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 12, 15))
    days = [date(2026, 12, 8) + timedelta(days=number) for number in range(20)]

    told = []
    for day in days:
        if day == date(2026, 12, 18):
            close_obligation(cast.session, the_obligation(cast.session).id, rome(day))
        if sweep(cast.session, rome(day)):
            told.append((day, len(reminders(cast.session))))

    # the eighth of December is a holiday: its reminder leaves on the ninth; the last rung finds it done
    assert told == [
        (date(2026, 12, 9), 1),
        (date(2026, 12, 14), 2),
        (date(2026, 12, 15), 3),
        (date(2026, 12, 17), 4),
        (date(2026, 12, 22), 4),
    ]
    assert verdicts(cast.session)[-1][2:] == (Outcome.WITHHELD, Reason.DONE)


def test_an_update_one_second_before_the_run_silences_the_reminder(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 11, 25))
    close_obligation(cast.session, the_obligation(cast.session).id, cast.now - timedelta(seconds=1))

    sweep(cast.session, cast.now)

    assert reminders(cast.session) == []
    assert {row[1:] for row in verdicts(cast.session)} == {(ada.id, Outcome.WITHHELD, Reason.DONE)}


def test_a_due_date_entered_already_past_acts_at_once(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 11, 20))

    sweep(cast.session, cast.now)

    assert len(reminders(cast.session)) == 1
    assert verdicts(cast.session) == [
        (-7, ada.id, Outcome.WITHHELD, Reason.OVERTAKEN),
        (-1, ada.id, Outcome.WITHHELD, Reason.OVERTAKEN),
        (0, ada.id, Outcome.WITHHELD, Reason.OVERTAKEN),
        (2, ada.id, Outcome.SENT, Reason.DUE),
    ]


def test_who_began_to_follow_after_the_step_hears_the_next_one_only(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    a_single_deadline(cast, date(2026, 12, 1), now=cast.now - timedelta(days=5))
    newcomer = cast.a_referent("Bruno Esempio", chat=102)
    cast.add(Following(referent_id=newcomer.id, project_id=project.id, since=cast.now + timedelta(hours=1)))
    cast.a_referent("Ada Esempio", projects=(project,))  # unreachable, so the step stays in nobody's way

    sweep(cast.session, cast.now + timedelta(hours=2))
    early = reminders(cast.session)
    sweep(cast.session, rome(date(2026, 11, 30)))

    assert early == []
    assert (-7, newcomer.id, Outcome.WITHHELD, Reason.JOINED_LATER) in verdicts(cast.session)
    assert (-1, newcomer.id, Outcome.SENT, Reason.DUE) in verdicts(cast.session)


def test_who_follows_since_yesterday_hears_of_a_deadline_entered_late_today(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(chat=101)
    cast.add(Following(referent_id=ada.id, project_id=project.id, since=cast.now - timedelta(days=1)))
    a_single_deadline(cast, date(2026, 11, 20))

    sweep(cast.session, cast.now)

    assert (2, ada.id, Outcome.SENT, Reason.DUE) in verdicts(cast.session)


def test_two_referents_of_one_project_are_both_told_and_the_step_is_settled(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent("Ada Esempio", projects=(project,), chat=101)
    bruno = cast.a_referent("Bruno Esempio", projects=(project,), email="bruno@example.org")
    a_single_deadline(cast, date(2026, 11, 24), opens_days_before=0)

    people = sweep(cast.session, cast.now)

    assert people == 2
    assert [(row.referent_id, row.channel) for row in reminders(cast.session)] == [
        (ada.id, Channel.TELEGRAM),
        (bruno.id, Channel.EMAIL),
    ]
    assert cast.session.exec(select(Step.settled).where(Step.offset_days == 0)).one()


def test_everything_due_is_gathered_in_one_message(cast: Cast) -> None:
    corsico = cast.an_organization("Corsico")
    projects = tuple(cast.a_project(corsico, title=f"Progetto {number}") for number in range(12))
    ada = cast.a_referent("Ada Esempio", corsico, projects, chat=101)
    a_single_deadline(cast, date(2026, 11, 25), opens_days_before=1)
    a_single_deadline(cast, date(2026, 11, 24), opens_days_before=0, subject=Subject.ORGANIZATION, title="Ente")

    people = sweep(cast.session, cast.now)

    assert people == 1
    assert len(reminders(cast.session)) == 1
    assert [row[1:] for row in verdicts(cast.session)] == [(ada.id, Outcome.SENT, Reason.GATHERED)] * 13


def test_what_falls_due_later_the_same_day_waits_for_the_next_working_morning(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    form_id = cast.a_form().form_id
    a_single_deadline(cast, date(2026, 11, 25), form_id=form_id)
    sweep(cast.session, cast.now)
    a_single_deadline(cast, date(2026, 11, 30), form_id=form_id, title="Altra")

    same_day = sweep(cast.session, cast.now + timedelta(hours=2))
    when = next_due(cast.session, cast.now + timedelta(hours=2))
    sweep(cast.session, rome(date(2026, 11, 25), 8, 30))

    assert same_day == 0
    assert when == rome(date(2026, 11, 25), 8, 30)
    assert [row.dedupe_key for row in reminders(cast.session)] == [
        f"reminder:{ada.id}:2026-11-24:1",
        f"reminder:{ada.id}:2026-11-25:1",
    ]
    assert verdicts(cast.session) == [
        (-7, ada.id, Outcome.WITHHELD, Reason.OVERTAKEN),
        (-7, ada.id, Outcome.SENT, Reason.GATHERED),
        (-1, ada.id, Outcome.SENT, Reason.DUE),
        (0, ada.id, Outcome.SENT, Reason.GATHERED),
    ]


def test_what_is_late_does_not_wait_for_tomorrow(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    form_id = cast.a_form().form_id
    a_single_deadline(cast, date(2026, 11, 25), form_id=form_id)
    sweep(cast.session, cast.now)
    a_single_deadline(cast, date(2026, 11, 23), form_id=form_id, title="Scaduta")

    sweep(cast.session, cast.now + timedelta(hours=2))

    assert [row.dedupe_key for row in reminders(cast.session)] == [
        f"reminder:{ada.id}:2026-11-24:1",
        f"reminder:{ada.id}:2026-11-24:2",
    ]


def test_a_message_that_never_left_does_not_count_as_todays(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    form_id = cast.a_form().form_id
    a_single_deadline(cast, date(2026, 11, 25), form_id=form_id)
    sweep(cast.session, cast.now)
    (first,) = reminders(cast.session)
    first.state = OutboxState.WITHHELD
    cast.add(first)
    a_single_deadline(cast, date(2026, 11, 30), form_id=form_id, title="Altra")

    sweep(cast.session, cast.now + timedelta(hours=2))

    assert len(reminders(cast.session)) == 2


def test_nobody_to_tell_is_written_down_once(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    a_single_deadline(cast, date(2026, 11, 24), opens_days_before=0)

    people = sweep(cast.session, cast.now)
    sweep(cast.session, cast.now)

    assert people == 0
    assert verdicts(cast.session) == [(0, None, Outcome.WITHHELD, Reason.NOBODY)]


def test_whom_no_channel_reaches_is_written_down_for_staff(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    mark_unreachable(cast.session, Channel.TELEGRAM, "101", "blocked", cast.now)
    a_single_deadline(cast, date(2026, 11, 24), opens_days_before=0)

    sweep(cast.session, cast.now)

    assert reminders(cast.session) == []
    assert verdicts(cast.session) == [(0, ada.id, Outcome.WITHHELD, Reason.UNREACHABLE)]


def test_who_blocked_the_bot_is_reminded_by_mail(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101, email="ada@example.org")
    mark_unreachable(cast.session, Channel.TELEGRAM, "101", "blocked", cast.now)
    a_single_deadline(cast, date(2026, 11, 24), opens_days_before=0)

    sweep(cast.session, cast.now)

    assert [(row.channel, row.address) for row in reminders(cast.session)] == [(Channel.EMAIL, "ada@example.org")]


def test_waived_and_stopped_say_so(cast: Cast) -> None:
    corsico = cast.an_organization()
    first, second = cast.a_project(corsico), cast.a_project(corsico)
    cast.a_referent(projects=(first, second), chat=101)
    form_id = cast.a_form().form_id
    waived = a_single_deadline(cast, date(2026, 11, 24), form_id=form_id, opens_days_before=0)
    stopped = a_single_deadline(cast, date(2026, 11, 24), form_id=form_id, opens_days_before=0)
    for row in cast.session.exec(select(Obligation).where(Obligation.deadline_id == waived.id)):
        waive(cast.session, row.id, "Concluso", None, cast.now)
    stop_deadline(cast.session, stopped.id, "Programma chiuso", None, cast.now)

    sweep(cast.session, cast.now)

    assert reminders(cast.session) == []
    assert sorted(row[3] for row in verdicts(cast.session)) == [Reason.STOPPED] * 2 + [Reason.WAIVED] * 2


@pytest.mark.parametrize(
    "quiet",
    [
        rome(date(2026, 11, 24), 8, 29),
        rome(date(2026, 11, 24), 18, 0),
        rome(date(2026, 11, 28), 11),  # a Saturday
        rome(date(2026, 12, 7), 11),  # Sant'Ambrogio
        rome(date(2026, 12, 8), 11),
        rome(date(2026, 12, 25), 11),
    ],
    ids=["dawn", "evening", "saturday", "patron saint", "immaculate", "christmas"],
)
def test_at_night_and_on_holidays_nothing_is_touched(cast: Cast, quiet: datetime) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 11, 23))

    done = remind_one(cast.session, quiet)
    then = next_due(cast.session, quiet)

    assert not done
    assert verdicts(cast.session) == []
    assert then is not None
    assert then > quiet
    assert remind_one(cast.session, then)


def test_the_next_reminder_is_where_the_clock_may_jump_to(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2026, 12, 15))

    jumps = []
    now = cast.now
    while (then := next_due(cast.session, now)) is not None:
        assert then >= now
        now = then
        jumps.append(now)
        assert sweep(cast.session, now) == 1

    assert jumps == [rome(date(2026, 12, day), 8, 30) for day in (9, 14, 15, 17, 22)]
    assert len(reminders(cast.session)) == 5


def test_the_next_reminder_passes_over_what_nobody_will_hear(cast: Cast) -> None:
    corsico = cast.an_organization()
    done, unreached = cast.a_project(corsico), cast.a_project(corsico)
    cast.a_referent(projects=(done,), chat=101)
    cast.a_referent(projects=(unreached,))
    a_single_deadline(cast, date(2026, 12, 15))
    for row in cast.session.exec(select(Obligation).where(Obligation.project_id == done.id)):
        close_obligation(cast.session, row.id, cast.now)

    then = next_due(cast.session, cast.now)

    assert then is None


def test_a_dry_run_says_what_the_sweep_then_does_and_writes_nothing(cast: Cast) -> None:
    corsico = cast.an_organization()
    open_one, empty = cast.a_project(corsico), cast.a_project(corsico)
    cast.a_referent("Ada Esempio", projects=(open_one,), chat=101)
    cast.a_referent("Bruno Esempio", projects=(open_one,))
    a_single_deadline(cast, date(2026, 11, 23))

    plans = dry_run(cast.session, cast.now)
    before = verdicts(cast.session)
    sweep(cast.session, cast.now)

    assert before == []
    made = cast.session.exec(select(Decision)).all()
    assert sorted((row.step_id, row.referent_id or 0, row.outcome, row.reason) for row in made) == sorted(
        (plan.step_id, plan.referent_id or 0, plan.outcome, plan.reason) for plan in plans
    )
    assert {row.reason for row in made} == {Reason.OVERTAKEN, Reason.DUE, Reason.UNREACHABLE, Reason.NOBODY}
    assert empty.id != open_one.id


def test_an_obligation_tells_its_story(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    deadline = a_single_deadline(cast, date(2026, 11, 24), opens_days_before=1)
    sweep(cast.session, cast.now)

    story = decisions(cast.session, obligation_id=the_obligation(cast.session).id)
    last = newest_decisions(cast.session, deadline.id)[the_obligation(cast.session).id]

    assert [(one.offset_days, one.reason) for one in story] == [(-1, Reason.OVERTAKEN), (0, Reason.DUE)]
    assert [one.person_id for one in story] == [ada.id, ada.id]
    assert (last.decision.reason, last.outbox_state) == (Reason.DUE, OutboxState.QUEUED)


def test_in_a_month_with_a_change_of_hour_each_rung_still_speaks_once(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_single_deadline(cast, date(2027, 3, 30))  # the clock goes ahead on Sunday 28 March

    told = []
    now = datetime(2027, 3, 20, 7, tzinfo=UTC)
    while now < datetime(2027, 4, 10, tzinfo=UTC):
        if remind_one(cast.session, now):
            told.append(now)
        now += timedelta(minutes=30)

    # Easter Monday 29 March is a holiday, so the day before and the day itself are one message
    assert told == [rome(date(2027, 3, 23), 8, 30)] + [
        rome(day, 8, 30) for day in (date(2027, 3, 30), date(2027, 4, 1), date(2027, 4, 6))
    ]


@given(
    offsets=st.lists(st.sampled_from([-7, -1, 0, 2, 7]), min_size=1, unique=True),
    since=st.datetimes(datetime(2026, 11, 1), datetime(2027, 1, 15), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    entered=st.datetimes(datetime(2026, 11, 1), datetime(2027, 1, 15), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    state=st.sampled_from(ObligationState),
)
def test_of_one_obligation_at_most_the_newest_step_is_told(
    offsets: list[int], since: datetime, entered: datetime, state: ObligationState
) -> None:
    due_on = date(2026, 12, 10)
    steps = [
        DueStep(
            step_id=number,
            due_at=rome(due_on + timedelta(days=offset), 8, 30),
            obligation_id=1,
            urgent=offset >= 0,
            state=state,
            deadline_active=True,
            deadline_created_at=entered,
            referent_id=1,
            since=since,
        )
        for number, offset in enumerate(offsets)
    ]

    choices = choose(steps)

    told = [choice for choice in choices if choice.outcome is Outcome.SENT]
    newest = max(steps, key=lambda step: step.due_at)
    theirs = since <= max(newest.due_at, entered)
    assert [choice.about for choice in told] == ([newest] if state is ObligationState.OPEN and theirs else [])
    assert [choice.about for choice in choices] == steps


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_rung_of_a_whole_year_is_lost_and_none_speaks_twice(cast: Cast) -> None:
    """T11 in small: swept at odd hours, with a silence of three days in every fortnight."""
    project = cast.a_project(cast.an_organization())
    ada: Referent = cast.a_referent(projects=(project,), chat=101)
    a_new_deadline(cast, until=date(2027, 11, 30))

    days = [date(2026, 11, 25) + timedelta(days=number) for number in range(390)]
    for day in days:
        if day.toordinal() % 14 > 2:
            for hour in (7, 9, 13, 19):
                sweep(cast.session, rome(day, hour))

    steps = cast.session.exec(select(Step).where(Step.due_at < rome(days[-1]))).all()
    decided = cast.session.exec(select(Decision).where(Decision.referent_id == ada.id)).all()
    assert len(steps) == 12 * 5
    assert {row.step_id for row in decided} == {step.id for step in steps}
    assert len(decided) == len(steps)
    assert all(step.settled for step in steps)
    assert len(reminders(cast.session)) == sum(row.outcome is Outcome.SENT for row in decided)
    assert all(is_working_day(row.created_at.date()) for row in reminders(cast.session))
