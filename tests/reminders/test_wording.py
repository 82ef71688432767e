"""What a reminder says, decided at the moment it is sent: answered anywhere, silent everywhere."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, delete, select

from delivery.callbacks import AskedWhy, StartUpdate, Tomorrow, Unchanged, parse
from delivery.links import Links
from delivery.words import Words, plain_text, utf16
from facts.calendar import local_instant
from facts.languages import Language, speaking
from facts.recurrence import ONCE
from reminders.deadlines import stop_deadline, waive
from reminders.sweep import remind_one
from reminders.wording import due_words, word_reminder
from storage.obligations import obligations_of
from storage.reports import close_obligation
from storage.tables import (
    Channel,
    Deadline,
    Decision,
    Following,
    FormVersion,
    Obligation,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Reason,
    Subject,
    Update,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")


def a_deadline_due(cast: Cast, due_on: date, title: str = "Rendicontazione", **other: Any) -> Deadline:
    return a_new_deadline(cast, title=title, rule=ONCE, first_on=due_on, opens_days_before=20, **other)


def reported(cast: Cast, project: Project) -> None:
    """An update that came some time ago."""
    version = cast.session.exec(select(FormVersion.id).limit(1)).one()
    cast.add(
        Update(
            project_id=project.id,
            form_version_id=version,
            channel=Channel.TELEGRAM,
            answers={},
            received_at=cast.now - timedelta(days=31),
        )
    )


def the_message(session: Session) -> Outbox:
    return session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)).one()


def worded(session: Session, now: datetime) -> Words | None:
    return word_reminder(LINKS)(session, the_message(session), now)


def told(session: Session) -> list[tuple[Outcome, Reason]]:
    rows = session.exec(select(Decision).where(col(Decision.outbox_id).is_not(None)).order_by(col(Decision.id)))
    return [(row.outcome, row.reason) for row in rows]


def test_one_obligation_is_said_in_plain_italian_with_two_buttons(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization(), title="Ex mercato <nuovo>")
    cast.a_referent(projects=(project,), chat=101)
    deadline = a_deadline_due(cast, date(2026, 11, 25))
    reported(cast, project)
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert plain_text(words.html) == (
        "Manca un aggiornamento\n\n"
        f"Ex mercato <nuovo> · CUP {project.cup}\n"
        "Rendicontazione: scade domani, 25 novembre 2026\n\n"
        "Rispondi con i pulsanti qui sotto.\n\n"
        "Ricevi questo messaggio perché segui questo progetto."
    )
    assert words.subject == "Promemoria: Rendicontazione, scade domani, 25 novembre 2026"
    row, below, last = words.buttons
    obligation_id = obligations_of(cast.session, deadline.id)[0].obligation.id
    assert [button.text for button in row] == ["Aggiorna ora", "Nessuna novità"]
    assert [parse(button.data or "") for button in row] == [
        StartUpdate(project.id, obligation_id),
        Unchanged(project.id, obligation_id),
    ]
    assert [(button.text, parse(button.data or "")) for button in below] == [("Ricordamelo domani", Tomorrow())]
    assert [(button.text, parse(button.data or "")) for button in last] == [("Perché ricevo questo?", AskedWhy())]


def test_nothing_changed_is_not_offered_where_nothing_was_ever_reported(cast: Cast) -> None:
    corsico = cast.an_organization()
    known, new = cast.a_project(corsico, title="Asilo"), cast.a_project(corsico, title="Zoo")
    cast.a_referent(projects=(known, new), chat=101)
    a_deadline_due(cast, date(2026, 11, 25))
    reported(cast, known)
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert [[button.text for button in row] for row in words.buttons] == [
        ["1. Aggiorna ora", "1. Nessuna novità"],
        ["2. Aggiorna ora"],
        ["Ricordamelo domani"],
        ["Perché ricevo questo?"],
    ]


def test_who_reads_english_is_written_to_in_english(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101)
    ada.language = "en"
    cast.add(ada)
    a_deadline_due(cast, date(2026, 11, 22))
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert "Rendicontazione: was due 2 days ago, 22 November 2026" in words.html


@pytest.mark.parametrize(
    ("days", "italian", "english"),
    [
        (7, "scade tra 7 giorni, 10 dicembre 2026", "is due in 7 days, 10 December 2026"),
        (1, "scade domani, 10 dicembre 2026", "is due tomorrow, 10 December 2026"),
        (0, "scade oggi, 10 dicembre 2026", "is due today, 10 December 2026"),
        (-1, "scadeva ieri, 10 dicembre 2026", "was due yesterday, 10 December 2026"),
        (-7, "scadeva 7 giorni fa, 10 dicembre 2026", "was due 7 days ago, 10 December 2026"),
    ],
)
def test_how_urgent_it_is_comes_in_words(days: int, italian: str, english: str) -> None:
    due_on = date(2026, 12, 10)
    today = due_on - timedelta(days=days)

    assert due_words(speaking(Language.IT), due_on, today) == italian
    assert due_words(speaking(Language.EN), due_on, today) == english


def test_sent_a_day_late_it_says_how_things_stand_then(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now + timedelta(days=2))

    assert words is not None
    assert "scadeva ieri" in words.html


def test_done_between_decision_and_sending_nothing_goes(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    deadline = a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)
    before = told(cast.session)
    close_obligation(cast.session, obligations_of(cast.session, deadline.id)[0].obligation.id, cast.now)

    words = worded(cast.session, cast.now)

    assert words is None
    assert before == [(Outcome.SENT, Reason.DUE)]
    assert told(cast.session) == [(Outcome.WITHHELD, Reason.DONE)]


def test_of_several_only_those_still_open_are_said(cast: Cast) -> None:
    corsico = cast.an_organization()
    projects = tuple(cast.a_project(corsico, title=title) for title in ("Asilo", "Biblioteca", "Cinema", "Darsena"))
    ada = cast.a_referent(projects=projects, chat=101)
    deadline = a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)
    ids = [row.obligation.id for row in obligations_of(cast.session, deadline.id)]
    close_obligation(cast.session, ids[0], cast.now)
    waive(cast.session, ids[1], "Concluso", None, cast.now)
    cast.session.execute(
        delete(Following).where(col(Following.referent_id) == ada.id, col(Following.project_id) == projects[2].id)
    )

    words = worded(cast.session, cast.now)

    assert words is not None
    text = plain_text(words.html)
    assert "Darsena" in text
    assert not any(title in text for title in ("Asilo", "Biblioteca", "Cinema"))
    assert [len(row) for row in words.buttons] == [1, 1, 1]
    assert sorted(told(cast.session)) == [
        (Outcome.SENT, Reason.GATHERED),
        (Outcome.WITHHELD, Reason.DONE),
        (Outcome.WITHHELD, Reason.NO_LONGER_THEIRS),
        (Outcome.WITHHELD, Reason.WAIVED),
    ]


def test_a_deadline_stopped_meanwhile_is_silent_and_says_stopped(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    deadline = a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)
    stop_deadline(cast.session, deadline.id, "Programma chiuso", None, cast.now)
    cast.session.expire_all()

    words = worded(cast.session, cast.now)

    assert words is None
    assert told(cast.session) == [(Outcome.WITHHELD, Reason.STOPPED)]


def test_a_repeated_message_leaves_out_what_is_done_but_does_not_deny_the_first(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    deadline = a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)
    message = the_message(cast.session)
    message.possible_duplicate = True
    cast.add(message)
    close_obligation(cast.session, obligations_of(cast.session, deadline.id)[0].obligation.id, cast.now)

    words = worded(cast.session, cast.now)

    assert words is None
    assert told(cast.session) == [(Outcome.SENT, Reason.DUE)]


def test_the_copy_by_mail_says_the_same_without_buttons(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent(projects=(project,), chat=101, email="ada@example.org")
    a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)
    first = the_message(cast.session)
    copy: Outbox = cast.add(
        Outbox(
            kind=OutboxKind.REMINDER,
            channel=Channel.EMAIL,
            address="ada@example.org",
            referent_id=ada.id,
            dedupe_key=f"{first.dedupe_key}:email",
            body=first.body,
            next_at=cast.now,
            created_at=cast.now,
        )
    )

    words = word_reminder(LINKS)(cast.session, copy, cast.now)

    assert words is not None
    assert words.buttons == ()
    assert "Rendicontazione: scade domani" in words.html
    assert "Nella tua pagina trovi tutte le tue scadenze" in words.html


def test_the_late_ones_come_first_and_the_buttons_are_numbered_alike(cast: Cast) -> None:
    corsico = cast.an_organization()
    soon, overdue = cast.a_project(corsico, title="Asilo"), cast.a_project(corsico, title="Zoo")
    cast.a_referent(projects=(soon, overdue), chat=101)
    a_new_deadline(cast)
    form_id = cast.session.exec(select(Deadline.form_id)).one()
    a_deadline_due(cast, date(2026, 11, 20), form_id=form_id)
    for row in cast.session.exec(select(Obligation).where(Obligation.project_id == soon.id)):
        if row.due_on == date(2026, 11, 20):
            close_obligation(cast.session, row.id, cast.now)
    now = local_instant(date(2026, 12, 3), time(9), "Europe/Rome")
    remind_one(cast.session, now)

    words = worded(cast.session, now)

    assert words is not None
    lines = [line for line in plain_text(words.html).split("\n") if line[:2] in {"1.", "2.", "3."}]
    assert [line.split(" ·")[0] for line in lines] == ["1. Zoo", "2. Asilo", "3. Zoo"]
    assert [row[0].text for row in words.buttons[:-2]] == ["1. Aggiorna ora", "2. Aggiorna ora", "3. Aggiorna ora"]
    assert "perché segui questi progetti" in words.html


def test_a_dozen_long_titles_fit_into_one_telegram_message(cast: Cast) -> None:
    corsico = cast.an_organization()
    projects = tuple(cast.a_project(corsico, title="🏛 & " * 100) for _ in range(12))
    cast.a_referent(projects=projects, chat=101)
    a_deadline_due(cast, date(2026, 11, 25), title="&" * 200)
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert utf16(plain_text(words.html)) <= 4096
    assert len(words.buttons) == 8 + 2
    assert "…e altri 4: guarda /scadenze" in words.html


def test_a_mail_names_no_command_of_the_chat(cast: Cast) -> None:
    corsico = cast.an_organization()
    projects = tuple(cast.a_project(corsico, title=f"Opera {number}") for number in range(12))
    cast.a_referent(projects=projects, email="ada@example.org")
    a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert "…e altri 4\n" in plain_text(words.html)
    assert "/scadenze" not in words.html
    assert "il link è qui sotto" in words.html


def test_nothing_changed_is_not_offered_for_a_form_that_was_never_answered(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent("Ada Esempio", None, (project,), chat=101)
    cast.a_form("another-form")
    reported(cast, project)
    a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert not any(isinstance(parse(button.data or ""), Unchanged) for row in words.buttons for button in row)


def test_an_organisation_is_asked_by_its_name(cast: Cast) -> None:
    corsico = cast.an_organization("Corsico")
    cast.a_project(corsico)
    cast.a_referent("Ada Esempio", corsico, chat=101)
    a_deadline_due(cast, date(2026, 11, 25), subject=Subject.ORGANIZATION)
    remind_one(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert "<b>Corsico</b>\n" in words.html
    assert [[button.text for button in row] for row in words.buttons] == [
        ["Aggiorna ora"],
        ["Ricordamelo domani"],
        ["Perché ricevo questo?"],
    ]
    assert "perché sei referente" in words.html


def test_a_message_for_somebody_erased_is_not_sent(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    a_deadline_due(cast, date(2026, 11, 25))
    remind_one(cast.session, cast.now)
    message = the_message(cast.session)
    message.referent_id = None
    cast.add(message)

    assert worded(cast.session, cast.now) is None
