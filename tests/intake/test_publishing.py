from dataclasses import replace

import pytest
from sqlmodel import Session, select

from facts.languages import Language, speaking
from intake.forms.builtin import builtin_file, builtin_form
from intake.forms.document import from_document
from intake.forms.nodes import About
from intake.forms.xlsform.reading import read_xlsform
from intake.publishing import CannotPublish, hindrance, propose, publish, publish_proposal, retire, revive
from storage.forms import form_lines, forms_in_use, versions_of
from storage.tables import Audit, Form
from tests.cast import Cast

NEED = builtin_form("local-need")
CHANGED = replace(NEED, title={"it": "Bisogno", "en": "Need"})


def test_each_time_a_version_is_made_and_none_is_changed(session: Session, cast: Cast) -> None:
    officer = cast.a_staff()

    first = publish(session, NEED, now=cast.now, source="bisogno.xlsx", by=officer.id)
    second = publish(session, CHANGED, now=cast.now, by=officer.id)

    form = session.get_one(Form, first.form_id)
    assert [one.number for one in versions_of(session, form.id)] == [2, 1]
    assert (from_document(first.definition), from_document(second.definition)) == (NEED, CHANGED)
    assert (form.title, form.about, first.source) == ("Bisogno", "organization", "bisogno.xlsx")
    assert [(row.actor_id, row.action) for row in session.exec(select(Audit))] == [(officer.id, "form.publish")] * 2


def test_what_is_asked_already_is_not_published_again(session: Session, cast: Cast) -> None:
    publish(session, NEED, now=cast.now)

    refused = hindrance(session, NEED)

    assert refused is not None
    assert (
        refused.say(speaking(Language.IT))
        == "La versione 1 di «Fabbisogno» chiede già queste cose: non c'è nulla da pubblicare."
    )
    with pytest.raises(CannotPublish):
        publish(session, NEED, now=cast.now)


def test_a_form_does_not_change_what_it_is_filled_in_for(session: Session, cast: Cast) -> None:
    publish(session, NEED, now=cast.now)

    refused = hindrance(session, replace(NEED, about=About.PROJECT))

    assert refused is not None
    assert "si compila per un ente, questo file dice per un progetto" in refused.say(speaking(Language.IT))


def test_a_retired_form_is_not_begun_until_it_is_revived_or_published(session: Session, cast: Cast) -> None:
    officer = cast.a_staff()
    form = session.get_one(Form, publish(session, NEED, now=cast.now).form_id)

    retire(session, form, by=officer.id, now=cast.now)
    session.flush()
    assert forms_in_use(session) == []

    revive(session, form, by=officer.id, now=cast.now)
    session.flush()
    assert forms_in_use(session) == [form]

    retire(session, form, by=officer.id, now=cast.now)
    publish(session, NEED, now=cast.now, by=officer.id)
    assert form.retired_at is None


def test_a_file_is_kept_as_it_came_and_published_once_it_was_looked_at(session: Session, cast: Cast) -> None:
    officer, content = cast.a_staff(), builtin_file("local-need")

    row = propose(session, read_xlsform(content, "a.md"), name="a.md", content=content, by=officer.id, now=cast.now)
    assert form_lines(session) == []

    version = publish_proposal(session, row, by=officer.id, now=cast.now)
    assert (row.content, row.version_id, version.source) == (content, version.id, "a.md")
    [line] = form_lines(session)
    assert (line.number, line.deadlines, line.drafts, line.updates) == (1, 0, 0, 0)


def test_a_file_with_problems_is_kept_too(session: Session, cast: Cast) -> None:
    row = propose(session, read_xlsform(b"x", "a.xlsx"), name="a.xlsx", content=b"x", by=None, now=cast.now)

    assert (row.content, row.definition) == (b"x", {})
