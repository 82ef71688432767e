"""What a reminder by mail holds besides: how to reply to it, and the block to be filled in."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from delivery.links import Links
from delivery.words import plain_text
from facts.recurrence import ONCE
from intake.builtin import ensure_builtin_forms
from reminders.sweep import remind_one
from reminders.wording import SHOWN, word_reminder
from storage.tables import (
    Channel,
    Following,
    Form,
    Inbox,
    Letter,
    LetterKind,
    LetterState,
    Outbox,
    OutboxKind,
    Project,
    Referent,
    Standing,
    Subject,
    Update,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")
MAIL = frozenset({Channel.EMAIL})
HOW = "Rispondi a questa e-mail"


def due(cast: Cast, key: str = "project-update", **other: Any) -> None:
    """Tomorrow, by one of the forms that come along."""
    ensure_builtin_forms(cast.session, cast.now)
    form_id = cast.session.exec(select(Form.id).where(Form.key == key)).one()
    once: dict[str, Any] = {"rule": ONCE, "first_on": date(2026, 11, 25)}
    a_new_deadline(cast, form_id=form_id, **once | other)


def answered(cast: Cast, project: Project) -> None:
    version = ensure_builtin_forms(cast.session, cast.now)
    cast.add(
        Update(
            project_id=project.id,
            form_version_id=version.id,
            channel=Channel.WEB,
            answers={"phase": "03005", "progress": "45"},
            received_at=cast.now - timedelta(days=31),
        )
    )


def the_reminder(cast: Cast) -> Outbox:
    found = select(Outbox).where(Outbox.kind == OutboxKind.REMINDER).order_by(col(Outbox.id).desc())
    return cast.session.exec(found).all()[0]


def said(cast: Cast, replies: frozenset[Channel] = MAIL) -> str:
    words = word_reminder(LINKS, None, replies)(cast.session, the_reminder(cast), cast.now)
    assert words is not None
    return plain_text(words.html)


def test_the_mail_says_how_to_reply_and_holds_the_block(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization(), title="Ex <mercato> & portici")
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast)
    answered(cast, project)
    remind_one(cast.session, cast.now)

    text = said(cast)

    assert (
        "Non è cambiato nulla? Rispondi a questa e-mail e scrivi NESSUNA NOVITÀ sulla prima riga: non serve altro.\n\n"
        "È cambiato qualcosa? Rispondi a questa e-mail: correggi qui sotto quello che sta dopo i due punti e cancella "
        "quello che non cambia.\n\n"
        f"--- Ex <mercato> & portici · CUP {project.cup} ---\n"
        "Fase: Esecuzione dei lavori\n"
        "Avanzamento fisico (%): 45\n"
        "Speso finora (€):\n"
    ) in text
    assert "Dopo «Fase» scrivi una di queste risposte, o il suo numero: 1. Studio di fattibilità" in text


def test_what_the_register_knows_is_filled_in_before_the_first_update(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization(), progress_tenths=305, spent_cents=1_234_550)
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast)
    remind_one(cast.session, cast.now)

    text = said(cast)

    assert "Avanzamento fisico (%): 30,5\nSpeso finora (€): 12.345,50\n" in text
    assert "NESSUNA NOVITÀ" not in text


def test_where_nothing_is_known_there_is_nothing_to_correct(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast)
    remind_one(cast.session, cast.now)

    text = said(cast)

    assert "Rispondi a questa e-mail: scrivi le risposte qui sotto, dopo i due punti." in text
    assert "correggi" not in text


def test_a_chat_gets_buttons_and_no_block(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    due(cast)
    answered(cast, project)
    remind_one(cast.session, cast.now)

    assert HOW not in said(cast, frozenset(Channel))


def test_where_no_mail_comes_in_nobody_is_asked_to_reply(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast)
    answered(cast, project)
    remind_one(cast.session, cast.now)

    assert HOW not in said(cast, frozenset())


def test_mail_that_has_come_by_a_pipe_shows_that_it_comes(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast)
    remind_one(cast.session, cast.now)
    row = cast.add(
        Inbox(kind="mail", account="x", provider_id="1", payload_hash="x", payload=b"", lane="x", received_at=cast.now)
    )
    cast.add(
        Letter(
            inbox_id=row.id,
            channel=Channel.EMAIL,
            fingerprint="x",
            kind=LetterKind.MESSAGE,
            state=LetterState.FILED,
            standing=Standing.UNVERIFIED,
            about={},
            received_at=cast.now,
        )
    )

    assert HOW in said(cast, frozenset())


def test_a_form_that_needs_the_page_leads_there(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast, "project-census")
    remind_one(cast.session, cast.now)

    text = said(cast)

    assert "---" not in text
    assert "Nella tua pagina trovi tutte le tue scadenze" in text


def test_beside_a_block_it_is_said_what_needs_the_page(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization(), title="Asilo")
    cast.a_referent(projects=(project,), email="ada@example.org")
    due(cast, "project-census")
    due(cast)
    remind_one(cast.session, cast.now)

    assert "Per Asilo usa la tua pagina: lì si chiede più di quanto entra in un'e-mail." in said(cast)


def test_what_an_organisation_owes_by_a_form_of_its_own_needs_the_page(cast: Cast) -> None:
    organization = cast.an_organization()
    project = cast.a_project(organization)
    cast.a_referent(organization=organization, projects=(project,), email="ada@example.org")
    due(cast, "local-need", subject=Subject.ORGANIZATION)
    remind_one(cast.session, cast.now)

    assert "---" not in said(cast)


def test_there_is_a_block_for_as_many_projects_as_the_mail_names(cast: Cast) -> None:
    organization = cast.an_organization()
    projects = tuple(cast.a_project(organization, title=f"Progetto {n}") for n in range(SHOWN + 2))
    cast.a_referent(projects=projects, email="ada@example.org")
    due(cast)
    remind_one(cast.session, cast.now)

    assert said(cast).count("\n---\n") == SHOWN


@pytest.mark.parametrize("follows", [True, False])
def test_a_substitute_fills_in_only_what_is_their_own(cast: Cast, follows: bool) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent("Ada Esempio", projects=(project,))
    bruno = cast.a_referent("Bruno Esempio", email="bruno@example.org")
    absent = cast.session.get_one(Referent, ada.id)
    absent.substitute_id = bruno.id
    cast.add(absent)
    due(cast)
    remind_one(cast.session, cast.now)
    if follows:
        cast.add(Following(referent_id=bruno.id, project_id=project.id, since=cast.now))

    assert ("--- " in said(cast)) is follows
