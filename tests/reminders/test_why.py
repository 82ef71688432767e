"""Why somebody got a reminder: what it told, since when it is theirs, what comes next, and nothing of others."""

from datetime import date, timedelta
from typing import Any

from sqlmodel import col, select

from facts.languages import Language, speaking
from facts.recurrence import ONCE
from reminders.sweep import remind_one
from reminders.why import Why, why
from storage.people import mark_unreachable
from storage.reports import close_obligation
from storage.tables import Channel, Following, Obligation, Outbox, OutboxKind, Referent
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

ENGLISH = speaking(Language.EN)


def reminded(cast: Cast, **other: Any) -> tuple[Referent, Outbox]:
    """Ada, who follows one project for ninety days, was told a week before the day."""
    project = cast.a_project(cast.an_organization(), title="Ex mercato", cup="C47H20000010001")
    ada = cast.a_referent("Ada Esempio", projects=(project,), chat=101)
    a_new_deadline(cast, rule=other.pop("rule", ONCE), first_on=date(2026, 12, 1), title="Rendicontazione", **other)
    while remind_one(cast.session, cast.now):
        pass
    return ada, cast.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)).one()


def asked(cast: Cast, referent: Referent, row: Outbox | None) -> Why:
    return why(cast.session, referent.id, row, ENGLISH, cast.now)


def test_it_names_deadline_project_since_when_and_what_comes_next(cast: Cast) -> None:
    ada, row = reminded(cast)

    found = asked(cast, ada, row)

    assert found.by_message
    assert [one.title for one in found.about] == ["Ex mercato"]
    assert found.about[0].sentences == (
        "The deadline “Rendicontazione” asks for an update, due on 1 December 2026.",
        "You have followed this project (CUP C47H20000010001) since 26 August 2026.",
        "The next reminder leaves on 30 November 2026, 08:30, unless the update is in by then.",
    )


def test_a_rule_is_said_in_words(cast: Cast) -> None:
    ada, row = reminded(cast, rule="FREQ=MONTHLY;BYMONTHDAY=1")

    assert any("It comes again by this rule:" in said for said in asked(cast, ada, row).about[0].sentences)


def test_once_it_is_in_nothing_more_comes(cast: Cast) -> None:
    ada, row = reminded(cast)
    close_obligation(cast.session, cast.session.exec(select(Obligation.id)).one(), cast.now)

    assert asked(cast, ada, row).about[0].sentences[-1] == "The update is in: nobody reminds you of it any more."


def test_what_they_do_not_follow_any_more_is_said(cast: Cast) -> None:
    ada, row = reminded(cast)
    for one in cast.session.exec(select(Following)):
        cast.session.delete(one)
    cast.session.flush()

    assert "You do not follow it any more." in asked(cast, ada, row).about[0].sentences


def test_a_message_of_somebody_else_explains_only_what_they_owe_themselves(cast: Cast) -> None:
    _ada, row = reminded(cast)
    carla = cast.a_referent("Carla Esempio", chat=300)

    found = asked(cast, carla, row)

    assert (found.about, found.by_message) == ([], False)


def test_without_a_message_it_explains_what_they_owe(cast: Cast) -> None:
    ada, _row = reminded(cast)

    found = asked(cast, ada, None)

    assert [one.title for one in found.about] == ["Ex mercato"]
    assert not found.by_message


def test_a_substitute_reads_for_whom_it_is(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization(), title="Ex mercato")
    ada = cast.a_referent("Ada Esempio", projects=(project,), chat=101)
    bruno = cast.a_referent("Bruno Esempio", chat=102)
    ada.substitute_id = bruno.id
    mark_unreachable(cast.session, Channel.TELEGRAM, "101", "blocked", cast.now)
    a_new_deadline(cast, rule=ONCE, first_on=cast.now.date() + timedelta(days=7))
    while remind_one(cast.session, cast.now):
        pass
    row = cast.session.exec(select(Outbox).where(col(Outbox.referent_id) == bruno.id)).one()

    found = asked(cast, bruno, row)

    assert found.instead_of == "Ada Esempio"
    assert not any("You " in said for said in found.about[0].sentences)
