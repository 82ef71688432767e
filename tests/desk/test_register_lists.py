"""The register's lists: who is late and since when, who never answers, which channel works."""

from datetime import date, timedelta

import pytest

from intake.forms.builtin import PROJECT_UPDATE
from storage.tables import (
    Channel,
    Decision,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Reason,
    Referent,
    Step,
    Update,
)
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.test_register import PAGE, lines

RUNG = 1  # of the standard ladder


def reminded(
    cast: Cast, who: Referent, about: Obligation, channel: Channel, days_ago: int, *, left: bool = True
) -> None:
    at = cast.now - timedelta(days=days_ago)
    said = cast.add(
        Outbox(
            kind=OutboxKind.REMINDER,
            channel=channel,
            address="x",
            referent_id=who.id,
            dedupe_key=f"reminder:{about.id}:{channel}",
            body={},
            state=OutboxState.SENT if left else OutboxState.DEAD,
            next_at=at,
            created_at=at,
            sent_at=at if left else None,
        )
    )
    step = cast.add(Step(obligation_id=about.id, rung_id=RUNG, offset_days=-7, due_at=at, settled=True))
    cast.add(
        Decision(
            step_id=step.id,
            referent_id=who.id,
            outcome=Outcome.SENT,
            reason=Reason.DUE,
            outbox_id=said.id,
            decided_at=at,
        )
    )


def an_autumn(desk: Desk) -> None:
    """Ada was reminded of two months and sent nothing; Bruno was, too, and sent the second within three days."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        form = cast.a_form(PROJECT_UPDATE)
        deadline = cast.a_deadline(form, date(2026, 9, 1))
        for name, channel in (("Ada Esempio", Channel.EMAIL), ("Bruno Esempio", Channel.TELEGRAM)):
            town = cast.an_organization(f"Comune di {name[:3]}")
            project = cast.a_project(town, title=f"Progetto di {name[:3]}")
            who = cast.a_referent(name, town, (project,))
            for month, days_ago in ((9, 70), (10, 40)):
                on = date(2026, month, 20)
                one = cast.an_obligation(deadline, project, on, cast.now - timedelta(days=days_ago - 5))
                one.body_id = town.id
                reminded(cast, who, one, channel, days_ago, left=not (month == 9 and channel is Channel.TELEGRAM))
            if name.startswith("Bruno"):
                one.state, one.done_at = ObligationState.DONE, cast.now - timedelta(days=37)
                cast.add(
                    Update(
                        form_version_id=form.id,
                        project_id=project.id,
                        referent_id=who.id,
                        channel=channel,
                        answers={},
                        received_at=cast.now - timedelta(days=37),
                    )
                )


async def test_who_is_late_stands_there_with_the_days_and_whom_to_ask(desk: Desk) -> None:
    an_autumn(desk)

    found = await lines(desk, "late")

    assert [line[:2] + line[3:] for line in found[1:]] == [
        ["Progetto di Ada", "Comune di Ada", "20/09/2026", "65", "Ada Esempio"],
        ["Progetto di Bru", "Comune di Bru", "20/09/2026", "65", "Bruno Esempio"],
        ["Progetto di Ada", "Comune di Ada", "20/10/2026", "35", "Ada Esempio"],
    ]


async def test_who_was_reminded_and_sent_nothing_is_named_and_who_sent_anything_is_not(desk: Desk) -> None:
    an_autumn(desk)

    assert (await lines(desk, "silent"))[1:] == [["Ada Esempio", "2", "2", "15/10/2026"]]


async def test_a_channel_works_where_updates_come_within_a_week_of_its_reminders(desk: Desk) -> None:
    an_autumn(desk)

    assert (await lines(desk, "channels"))[1:] == [
        ["Telegram", "2", "1", "1", "1", "100,0"],
        ["E-mail", "2", "2", "2", "0", "0,0"],
    ]


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", "Anna"])
@pytest.mark.parametrize(
    ("key", "empty"),
    [
        ("late", "Nessuno è in ritardo"),
        ("silent", "Chi ha ricevuto promemoria ha risposto"),
        ("channels", "Negli ultimi 90 giorni non è partito nessun promemoria"),
    ],
)
async def test_each_list_opens_for_whoever_may_look_full_and_empty(desk: Desk, who: str, key: str, empty: str) -> None:
    browser = desk.browser(who)
    before = await browser.get(f"{PAGE}/{key}")
    an_autumn(desk)
    after = await browser.get(f"{PAGE}/{key}")

    assert (before.status_code, after.status_code) == (200, 200)
    assert (empty in before.text, empty in after.text) == (True, False)


async def test_a_list_is_narrowed_like_the_map(desk: Desk) -> None:
    an_autumn(desk)

    for key in ("late", "silent", "channels"):
        assert len(await lines(desk, key, "?deadline=99999")) == 1, key
        assert (await desk.browser("Rita").get(f"{PAGE}/{key}?deadline=99999")).status_code == 200
