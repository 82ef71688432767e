"""A draft left for a day is recalled once, and not when somebody has come back to it meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, delete, select

from delivery.callbacks import AboutDraft, parse
from delivery.links import Links
from delivery.words import Words, plain_text
from intake.builtin import ensure_builtin_forms
from reminders.drafts import recall_one, word_recall
from reminders.halts import resume, stop
from storage.drafts import change_draft
from storage.halts import holding
from storage.people import mark_unreachable
from storage.tables import (
    Attachment,
    Channel,
    Draft,
    DraftKind,
    DraftState,
    Following,
    HaltKind,
    Outbox,
    OutboxKind,
    OutboxState,
    Project,
    Referent,
    Update,
)
from tests.cast import Cast

LINKS = Links(base_url="https://raccordo.example.org")
THREE = {"phase": "03005", "progress": "40", "spent": "300000"}
ALL = THREE | {"expected_end": "2027-06-30", "problems": "no"}
DAY = timedelta(hours=24)


@pytest.fixture
def project(cast: Cast) -> Project:
    return cast.a_project(cast.an_organization(), title="Ex mercato <nuovo>")


@pytest.fixture
def ada(cast: Cast, project: Project) -> Referent:
    return cast.a_referent("Ada Esempio", projects=(project,), chat=101, email="ada@example.org")


def a_draft(cast: Cast, ada: Referent, project: Project | None, **other: Any) -> Draft:
    """Begun this morning, three answers given."""
    defaults: dict[str, Any] = {
        "kind": DraftKind.UPDATE,
        "form_version_id": ensure_builtin_forms(cast.session, cast.now).id,
        "answers": THREE,
        "step": "expected_end",
        "channel": Channel.TELEGRAM,
    }
    row: Draft = cast.add(
        Draft(
            referent_id=ada.id,
            project_id=project.id if project is not None else None,
            created_at=cast.now,
            touched_at=cast.now,
            **(defaults | other),
        )
    )
    return row


def a_question(cast: Cast, ada: Referent, text: str = "Il collaudo?", **other: Any) -> Draft:
    answers = {"text": text} if text else {}
    return a_draft(cast, ada, None, **({"kind": DraftKind.QUESTION, "step": "project", "answers": answers} | other))


def recall(session: Session, now: datetime) -> int:
    """How many drafts were seen to."""
    seen = 0
    while recall_one(session, now):
        seen += 1
        assert seen < 100
    return seen


def recalls(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).where(Outbox.kind == OutboxKind.RECALL).order_by(col(Outbox.id))))


def worded(session: Session, now: datetime) -> Words | None:
    (row,) = recalls(session)
    return word_recall(LINKS)(session, row, now)


def test_after_a_day_it_is_recalled_with_how_much_of_it_there_is(cast: Cast, project: Project, ada: Referent) -> None:
    draft = a_draft(cast, ada, project)

    assert recall(cast.session, cast.now + DAY - timedelta(seconds=1)) == 0
    assert recall(cast.session, cast.now + DAY) == 1

    words = worded(cast.session, cast.now + DAY)
    assert words is not None
    assert plain_text(words.html) == (
        "Hai lasciato a metà l'aggiornamento di Ex mercato <nuovo>: 3 risposte su 6.\n\n"
        "Quello che hai scritto è ancora qui."
    )
    (row,) = words.buttons
    assert [(button.text, parse(button.data or "")) for button in row] == [
        ("Continua", AboutDraft(draft.id, drop=False)),
        ("Lascia perdere", AboutDraft(draft.id, drop=True)),
    ]
    assert recalls(cast.session)[0].channel is Channel.TELEGRAM


def test_what_only_waits_to_be_sent_says_so(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project, answers=ALL, step="summary")

    recall(cast.session, cast.now + DAY)

    words = worded(cast.session, cast.now + DAY)
    assert words is not None
    assert "è completo: manca solo l'invio" in words.html


def test_an_update_with_nothing_but_files_is_recalled_too(cast: Cast, project: Project, ada: Referent) -> None:
    draft = a_draft(cast, ada, project, answers={}, step="phase")
    for name in ("foto.jpg", "sal.pdf"):
        cast.add(Attachment(size=1, name=name, referent_id=ada.id, draft_id=draft.id, created_at=cast.now))

    recall(cast.session, cast.now + DAY)

    words = worded(cast.session, cast.now + DAY)
    assert words is not None
    assert plain_text(words.html) == (
        "Hai cominciato l'aggiornamento di Ex mercato <nuovo>: ci sono 2 allegati e ancora nessuna risposta.\n\n"
        "Quello che hai mandato è ancora qui."
    )
    assert [button.text for button in words.buttons[0]] == ["Continua", "Lascia perdere"]


@pytest.mark.parametrize("channel", [Channel.TELEGRAM, Channel.EMAIL])
def test_a_file_whose_project_was_never_chosen_is_recalled_too(cast: Cast, ada: Referent, channel: Channel) -> None:
    draft = a_draft(cast, ada, None, answers={}, step="project", state=DraftState.PARKED)
    cast.add(Attachment(size=1, name="foto.jpg", referent_id=ada.id, draft_id=draft.id, created_at=cast.now))
    if channel is Channel.EMAIL:
        mark_unreachable(cast.session, Channel.TELEGRAM, "101", "blocked", cast.now)

    recall(cast.session, cast.now + DAY)

    words = worded(cast.session, cast.now + DAY)
    assert words is not None
    assert "Hai lasciato un allegato per un aggiornamento, e il progetto è ancora da scegliere." in words.html
    assert words.subject == "Aggiornamento lasciato a metà"


@pytest.mark.parametrize("where", [{"update": True}, {"draft": None}])
def test_files_that_went_elsewhere_are_nothing_to_recall(
    cast: Cast, project: Project, ada: Referent, where: dict[str, Any]
) -> None:
    draft = a_draft(cast, ada, project, answers={}, step="phase")
    assert draft.form_version_id is not None
    update = cast.add(
        Update(
            project_id=project.id,
            referent_id=ada.id,
            form_version_id=draft.form_version_id,
            channel=Channel.TELEGRAM,
            received_at=cast.now,
        )
    )
    home = {"draft_id": draft.id, "update_id": update.id} if where.get("update") else {}
    cast.add(Attachment(size=1, name="foto.jpg", referent_id=ada.id, created_at=cast.now, **home))

    recall(cast.session, cast.now + DAY)

    assert recalls(cast.session) == []


@pytest.mark.parametrize("state", [DraftState.OPEN, DraftState.PARKED])
def test_a_question_with_words_is_recalled_too(cast: Cast, ada: Referent, state: DraftState) -> None:
    a_question(cast, ada, "Il <collaudo>?", state=state)

    recall(cast.session, cast.now + DAY)

    words = worded(cast.session, cast.now + DAY)
    assert words is not None
    assert plain_text(words.html).startswith("Hai scritto una domanda e non l'hai inviata:\n> Il <collaudo>?")
    assert [button.text for button in words.buttons[0]] == ["Inviala", "Lascia perdere"]


def test_never_twice_also_when_it_is_left_again(cast: Cast, project: Project, ada: Referent) -> None:
    draft = a_draft(cast, ada, project)
    recall(cast.session, cast.now + DAY)
    assert change_draft(cast.session, draft.id, draft.revision, cast.now + DAY, answers=ALL)

    for days in range(1, 6):
        recall(cast.session, cast.now + days * DAY)

    assert len(recalls(cast.session)) == 1


def test_what_had_nothing_in_it_is_recalled_once_it_has(cast: Cast, project: Project, ada: Referent) -> None:
    draft = a_draft(cast, ada, project, answers={})
    recall(cast.session, cast.now + DAY)
    assert recalls(cast.session) == []
    assert change_draft(cast.session, draft.id, draft.revision, cast.now + DAY, answers=THREE)

    assert recall(cast.session, cast.now + 2 * DAY) == 1

    assert len(recalls(cast.session)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"state": DraftState.SENT},
        {"state": DraftState.CANCELLED},
        {"answers": {}},
        {"project_id": None, "step": "project"},
        {"kind": DraftKind.FOLLOW_UP},
        {"kind": DraftKind.QUESTION, "answers": {}},
    ],
    ids=str,
)
def test_what_is_over_or_has_nothing_in_it_is_not_recalled(
    cast: Cast, project: Project, ada: Referent, other: dict[str, Any]
) -> None:
    draft = a_draft(cast, ada, project)
    for name, value in other.items():
        setattr(draft, name, value)
    cast.session.flush()

    recall(cast.session, cast.now + DAY)

    assert recalls(cast.session) == []


def test_what_was_left_long_ago_is_left_in_peace(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project)

    assert recall(cast.session, cast.now + timedelta(days=15)) == 0


def test_at_night_it_waits_for_the_morning(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project)
    evening = cast.now + DAY + timedelta(hours=9)

    assert recall(cast.session, evening) == 0
    assert recall(cast.session, evening + timedelta(hours=15)) == 1


@pytest.mark.parametrize("kind", [OutboxKind.REMINDER, OutboxKind.RECALL])
def test_not_on_the_same_day_as_something_else_we_wrote_of_ourselves(
    cast: Cast, project: Project, ada: Referent, kind: OutboxKind
) -> None:
    a_draft(cast, ada, project)
    this_morning = cast.now + DAY - timedelta(minutes=30)
    cast.add(
        Outbox(
            kind=kind,
            channel=Channel.TELEGRAM,
            address="101",
            referent_id=ada.id,
            dedupe_key="reminder:1:2026-11-25:1",
            state=OutboxState.SENT,
            next_at=this_morning,
            created_at=this_morning,
        )
    )

    assert recall(cast.session, cast.now + DAY) == 0
    assert recall(cast.session, cast.now + 2 * DAY) == 1


def test_of_several_drafts_one_a_day(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project, state=DraftState.PARKED)
    a_question(cast, ada)

    told = [recall(cast.session, cast.now + days * DAY) for days in (1, 2, 3)]

    assert told == [1, 1, 0]


def test_who_is_reached_by_mail_only_is_shown_the_personal_page(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project)
    mark_unreachable(cast.session, Channel.TELEGRAM, "101", "blocked", cast.now)

    recall(cast.session, cast.now + DAY)

    assert recalls(cast.session)[0].channel is Channel.EMAIL
    words = worded(cast.session, cast.now + DAY)
    assert words is not None
    assert "3 risposte su 6" in words.html
    assert "dalla tua pagina" in words.html
    assert words.subject == "Aggiornamento lasciato a metà: Ex mercato <nuovo>"
    assert words.buttons == ()


def test_whom_nothing_reaches_is_not_written_to(cast: Cast, project: Project) -> None:
    carla = cast.a_referent("Carla Esempio", projects=(project,))
    a_draft(cast, carla, project)

    assert recall(cast.session, cast.now + DAY) == 1
    assert recalls(cast.session) == []


@pytest.mark.parametrize("state", [DraftState.SENT, DraftState.CANCELLED])
def test_sent_or_dropped_meanwhile_nothing_goes(cast: Cast, project: Project, ada: Referent, state: DraftState) -> None:
    draft = a_draft(cast, ada, project)
    recall(cast.session, cast.now + DAY)
    change_draft(cast.session, draft.id, draft.revision, cast.now + DAY, state=state)

    assert worded(cast.session, cast.now + DAY) is None


def test_touched_meanwhile_nothing_goes(cast: Cast, project: Project, ada: Referent) -> None:
    draft = a_draft(cast, ada, project)
    recall(cast.session, cast.now + DAY)
    change_draft(cast.session, draft.id, draft.revision, cast.now + DAY + timedelta(seconds=1), answers=ALL)

    assert worded(cast.session, cast.now + DAY + timedelta(minutes=1)) is None


def test_given_to_a_colleague_meanwhile_nothing_goes(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project)
    recall(cast.session, cast.now + DAY)
    cast.session.execute(delete(Following).where(col(Following.referent_id) == ada.id))

    assert worded(cast.session, cast.now + DAY) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL chooses by size
def test_asking_at_every_tick_does_not_look_at_what_was_sent(cast: Cast) -> None:
    asked: list[tuple[str, Any]] = []
    connection = cast.session.connection()

    @event.listens_for(connection, "before_cursor_execute")
    def note(*given: Any) -> None:
        asked.append((given[2], given[3]))

    recall_one(cast.session, cast.now)

    statement, values = next(one for one in asked if "FROM draft" in one[0])
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert "USING INDEX ix_draft_unfinished" in str(plan)


def test_while_all_reminders_are_stopped_it_waits_and_is_recalled_afterwards(
    cast: Cast, project: Project, ada: Referent
) -> None:
    a_draft(cast, ada, project)
    olga = cast.a_staff()
    stop(cast.session, HaltKind.ALL, 0, "Alluvione", by=olga.id, now=cast.now)

    assert recall(cast.session, cast.now + DAY) == 0

    resume(cast.session, holding(cast.session)[0].halt.id, by=olga.id, now=cast.now + DAY)
    assert recall(cast.session, cast.now + DAY) == 1


def test_who_is_not_to_be_reminded_is_not_recalled_either(cast: Cast, project: Project, ada: Referent) -> None:
    a_draft(cast, ada, project)
    recall(cast.session, cast.now + DAY)
    stop(cast.session, HaltKind.REFERENT, ada.id, "In malattia", by=cast.a_staff().id, now=cast.now + DAY)

    assert worded(cast.session, cast.now + DAY) is None
