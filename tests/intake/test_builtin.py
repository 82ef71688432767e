from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from intake.builtin import ensure_builtin_forms
from intake.forms.builtin import KEYS, PROJECT_UPDATE, builtin_form
from intake.forms.document import from_document, to_document
from intake.publishing import publish, retire
from storage.forms import newest_version, versions_of
from storage.tables import Channel, Draft, DraftKind, Form, FormVersion, Update
from tests.cast import Cast

FIRST: dict[str, Any] = {
    "key": "project-update",
    "number": 1,
    "title": {"it": "Aggiornamento del progetto", "en": "Project update"},
    "fields": [
        {
            "name": "phase",
            "type": "choice",
            "choices": "phases",
            "label": {"it": "Fase", "en": "Phase"},
            "question": {"it": "A che punto è?", "en": "Where does it stand?"},
        },
        {
            "name": "spent",
            "type": "money",
            "label": {"it": "Speso", "en": "Spent"},
            "question": {"it": "Quanto?", "en": "How much?"},
        },
        {
            "name": "problems",
            "type": "yes-text",
            "label": {"it": "Problemi", "en": "Problems"},
            "question": {"it": "C'è qualche problema?", "en": "Is there any problem?"},
            "follow_up": {"it": "Quale?", "en": "Which one?"},
        },
        {
            "name": "notes",
            "type": "text",
            "optional": True,
            "label": {"it": "Note", "en": "Notes"},
            "question": {"it": "Una nota?", "en": "A note?"},
        },
    ],
}


def test_the_forms_that_come_along_are_written_once(session: Session, cast: Cast) -> None:
    first = ensure_builtin_forms(session, cast.now)
    second = ensure_builtin_forms(session, cast.now)

    assert first.id == second.id
    assert sorted(row.key for row in session.exec(select(Form))) == sorted(KEYS)
    assert len(session.exec(select(FormVersion)).all()) == len(KEYS)


def test_a_newer_form_of_ours_follows_the_older_one(session: Session, cast: Cast) -> None:
    older = cast.a_form(definition=to_document(builtin_form("local-need")))

    newer = ensure_builtin_forms(session, cast.now)

    assert (newer.form_id, newer.number) == (older.form_id, 2)
    assert from_document(newer.definition) == builtin_form(PROJECT_UPDATE)


def test_a_file_that_is_written_otherwise_and_asks_the_same_makes_no_version(session: Session, cast: Cast) -> None:
    kept = cast.a_form(definition=to_document(builtin_form(PROJECT_UPDATE)))

    assert ensure_builtin_forms(session, cast.now).id == kept.id


def test_what_the_office_has_published_is_not_put_aside(session: Session, cast: Cast) -> None:
    ensure_builtin_forms(session, cast.now)
    officer = cast.a_staff()
    theirs = builtin_form("local-need")
    own = publish(
        session,
        type(theirs)(PROJECT_UPDATE, theirs.title, theirs.languages, theirs.children, theirs.lists),
        now=cast.now,
        by=officer.id,
    )
    own.source = "aggiornamento.xlsx"
    session.flush()

    assert ensure_builtin_forms(session, cast.now).id == own.id


def test_what_the_office_has_retired_stays_so(session: Session, cast: Cast) -> None:
    ensure_builtin_forms(session, cast.now)
    newest = newest_version(session, "event-registration")
    assert newest is not None
    newest.source = "event-registration.md of an earlier release"
    form = session.get_one(Form, newest.form_id)
    retire(session, form, by=cast.a_staff().id, now=cast.now)
    session.flush()

    ensure_builtin_forms(session, cast.now + timedelta(days=1))

    assert form.retired_at == cast.now
    assert len(versions_of(session, form.id)) == 1


def test_what_was_answered_before_forms_were_xlsforms_is_brought_forward(session: Session, cast: Cast) -> None:
    version = cast.a_form(definition=FIRST)
    organization = cast.an_organization()
    project = cast.a_project(organization)
    ada = cast.a_referent("Ada Esempio", organization, (project,), chat=11)
    answers = {"phase": "03005", "spent": 12_345_050, "problems": {"any": True, "text": "Crepa"}, "notes": "Ok"}
    sent = cast.add(
        Update(
            project_id=project.id,
            referent_id=ada.id,
            form_version_id=version.id,
            channel=Channel.TELEGRAM,
            answers=answers,
            received_at=cast.now,
        )
    )
    draft = cast.add(
        Draft(
            kind=DraftKind.UPDATE,
            referent_id=ada.id,
            form_version_id=version.id,
            project_id=project.id,
            channel=Channel.TELEGRAM,
            answers={"spent": 100, "problems": {"any": False, "text": ""}},
            step="summary",
            created_at=cast.now,
            touched_at=cast.now,
        )
    )

    ensure_builtin_forms(session, cast.now)
    ensure_builtin_forms(session, cast.now)

    assert sent.answers == {
        "phase": "03005",
        "spent": "123450.5",
        "problems": "yes",
        "problem": "Crepa",
        "notes": "Ok",
    }
    assert draft.answers == {"spent": "1", "problems": "no"}
    assert draft.step == "=summary"
    form = from_document(version.definition)
    assert [one.name for one in form.questions] == ["phase", "spent", "problems", "problem", "notes"]
    assert form.questions[3].rules.relevant == "${problems} = 'yes'"
