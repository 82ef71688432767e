"""The gathered mail to staff: when there is news, once in a quarter of an hour, never about nothing."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, col, select

from answering import approval, moves
from answering.answer import Said
from answering.notices import notify_one, word_notice
from delivery.links import Links
from delivery.words import Words
from storage import audit
from storage.letters import add_letter
from storage.outbox import drop_outbox, retry_outbox
from storage.tables import (
    AccessRequest,
    AccessState,
    Channel,
    Inbox,
    LetterKind,
    LetterState,
    Outbox,
    OutboxKind,
    OutboxState,
    Role,
    Standing,
)
from tests.cast import Cast

LINKS = Links("https://raccordo.example")


def notify_all(session: Session, now: datetime) -> list[str]:
    """Who is told now."""
    before = set(session.exec(select(Outbox.id)))
    while notify_one(session, now, LINKS):
        session.flush()
    return [row.address for row in session.exec(select(Outbox).order_by(col(Outbox.id))) if row.id not in before]


def test_mail_to_sort_is_told_to_those_who_may_sort_it(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    cast.a_staff("Vera Esempio", Role.VOLUNTEER, email="vera@example.org")
    row = Inbox(kind="mail", account="x", provider_id="x", payload_hash="x", payload=b"x", lane="x", received_at=now)
    for text, state in (("uno", LetterState.HELD), ("due", LetterState.FILED)):
        cast.add(row)
        add_letter(
            session,
            text,
            inbox_id=row.id,
            channel=Channel.EMAIL,
            kind=LetterKind.MESSAGE,
            state=state,
            standing=Standing.UNVERIFIED,
            sender="dario@example.org",
            received_at=now,
        )

    assert notify_all(session, now) == ["olga@example.org"]
    assert notify_all(session, now + timedelta(hours=1)) == []
    (told,) = session.exec(select(Outbox)).all()
    assert told.body["subject"] == "Una e-mail da smistare"
    assert "https://raccordo.example/desk/letters" in told.body["html"]
    assert "dario" not in str(told.body)


def test_everyone_who_wants_notices_and_may_act_is_told_once(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    cast.a_staff("Vera Esempio", Role.VOLUNTEER, email="vera@example.org")
    cast.a_staff("Rita Esempio", Role.READER, email="rita@example.org")
    cast.a_staff("Ugo Esempio", email="ugo@example.org", notices=False)
    cast.a_staff("Elio Esempio", email="elio@example.org", active=False)
    cast.a_question(cast.a_referent())

    assert notify_all(session, now) == ["olga@example.org", "vera@example.org"]
    assert notify_all(session, now + timedelta(hours=1)) == []


def test_nothing_new_is_no_mail(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio")

    assert notify_all(session, now) == []


def test_what_comes_within_a_quarter_of_an_hour_is_gathered(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    ada = cast.a_referent()
    only = cast.a_question(ada)
    first = notify_all(session, now)
    cast.now = now + timedelta(minutes=2)
    cast.a_question(ada)
    cast.a_question(ada)

    early = notify_all(session, now + timedelta(minutes=14))
    later = notify_all(session, now + timedelta(minutes=16))

    assert (first, early, later) == (["olga@example.org"], [], ["olga@example.org"])
    mails = session.exec(select(Outbox).order_by(col(Outbox.id))).all()
    assert [mail.body["subject"] for mail in mails] == [
        f"Domanda n. {only.id}: rispondere entro il {only.due_at.astimezone(ZoneInfo('Europe/Rome')):%d/%m}",
        f"3 domande aspettano, la prima è la n. {only.id}",
    ]


def test_the_mail_names_numbers_and_places_but_no_person(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio")
    place = cast.an_organization("Abbiategrasso")
    question = cast.a_question(cast.a_referent("Ada Esempio", place), "Testo riservato")

    notify_all(session, now)

    html = session.exec(select(Outbox)).one().body["html"]
    assert f"https://raccordo.example/desk/questions/{question.id}" in html
    assert "Abbiategrasso" in html
    assert "Ada" not in html
    assert "riservato" not in html


def test_a_notice_worded_when_everything_is_taken_is_withheld(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    ugo = cast.a_staff("Ugo Esempio", notices=False)
    question = cast.a_question(cast.a_referent())
    notify_all(session, now)
    row = session.exec(select(Outbox)).one()
    before = word_notice(LINKS)(session, row, now)

    moves.take(session, question.id, ugo.id, version=1, now=now)

    assert before is not None
    assert "Una domanda aspetta" in before.html
    assert word_notice(LINKS)(session, row, now) is None


def test_other_notices_keep_their_words(session: Session, cast: Cast, now: datetime) -> None:
    row = Outbox(
        kind=OutboxKind.NOTICE,
        channel=Channel.EMAIL,
        address="olga@example.org",
        dedupe_key="alert:1",
        body=Words("Altro").to_json(),
        next_at=now,
        created_at=now,
    )

    assert word_notice(LINKS)(session, row, now) == Words("Altro")


def stuck(session: Session, now: datetime, number: int = 1, state: OutboxState = OutboxState.DEAD) -> Outbox:
    """A message that Telegram refused, as the dispatcher writes it down."""
    row = Outbox(
        kind=OutboxKind.ANSWER,
        channel=Channel.TELEGRAM,
        address="100",
        dedupe_key=f"answer:{number}",
        body={"html": "Ecco"},
        state=state,
        error="400 BUTTON_URL_INVALID",
        next_at=now,
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(session, now, ("system", None), f"outbox.{state}", ("outbox", row.id))
    session.flush()
    return row


@pytest.mark.parametrize("state", [OutboxState.DEAD, OutboxState.UNCERTAIN])
def test_a_message_that_did_not_arrive_is_told_to_staff_once(
    session: Session, cast: Cast, now: datetime, state: OutboxState
) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    stuck(session, now, state=state)

    assert notify_all(session, now) == ["olga@example.org"]
    assert notify_all(session, now + timedelta(hours=1)) == []

    (mail,) = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.NOTICE)).all()
    assert mail.body["subject"] == "Un messaggio non è arrivato"
    assert "https://raccordo.example/desk/outbox" in mail.body["html"]


def test_it_is_told_together_with_the_questions_that_wait(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio")
    cast.a_question(cast.a_referent())
    stuck(session, now)
    stuck(session, now, 2)

    notify_all(session, now)

    (mail,) = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.NOTICE)).all()
    assert "Una domanda aspetta una risposta." in mail.body["html"]
    assert "2 nostri messaggi non sono arrivati" in mail.body["html"]
    assert mail.body["subject"].startswith("Domanda n.")


def test_what_somebody_has_mended_meanwhile_is_no_news(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio")
    retry_outbox(session, stuck(session, now).id, now)
    drop_outbox(session, stuck(session, now, 2).id, now)

    assert notify_all(session, now) == []


def test_a_notice_that_did_not_arrive_makes_no_notice_of_itself(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio")
    row = stuck(session, now)
    row.dedupe_key = "notice:1:1"
    session.flush()

    assert notify_all(session, now) == []


def ask_for_access(cast: Cast, chat: str = "44") -> AccessRequest:
    row: AccessRequest = cast.add(
        AccessRequest(
            chat=chat,
            name="Dario Riservato",
            organization="Consorzio",
            email="dario@example.org",
            state=AccessState.WAITING,
            created_at=cast.now,
            touched_at=cast.now,
        )
    )
    return row


def test_who_may_let_people_in_is_told_that_somebody_asks(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    cast.a_staff("Anna Esempio", Role.ADMIN, email="anna@example.org")
    cast.a_staff("Vera Esempio", Role.VOLUNTEER, email="vera@example.org")
    cast.a_staff("Rita Esempio", Role.READER, email="rita@example.org")
    ask_for_access(cast)

    assert notify_all(session, now) == ["olga@example.org", "anna@example.org"]
    assert notify_all(session, now + timedelta(hours=1)) == []
    body = session.exec(select(Outbox)).first()
    assert body is not None
    assert body.body["subject"] == "Una persona chiede l'accesso"
    assert "https://raccordo.example/desk/access" in body.body["html"]
    assert "Riservato" not in str(body.body)


def test_questions_and_requests_come_in_one_mail(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    cast.a_question(cast.a_referent())
    ask_for_access(cast)
    ask_for_access(cast, "45")

    assert notify_all(session, now) == ["olga@example.org"]

    html = session.exec(select(Outbox)).one().body["html"]
    assert "Una domanda aspetta" in html
    assert "2 persone chiedono l'accesso." in html


def test_a_volunteer_reads_nothing_of_requests(session: Session, cast: Cast, now: datetime) -> None:
    cast.a_staff("Vera Esempio", Role.VOLUNTEER)
    cast.a_question(cast.a_referent())
    ask_for_access(cast)

    notify_all(session, now)

    assert "accesso" not in session.exec(select(Outbox)).one().body["html"]


def test_a_notice_of_a_request_that_was_decided_meanwhile_is_withheld(
    session: Session, cast: Cast, now: datetime
) -> None:
    cast.a_staff("Olga Esempio", email="olga@example.org")
    request = ask_for_access(cast)
    notify_all(session, now)
    row = session.exec(select(Outbox)).one()
    before = word_notice(LINKS)(session, row, now)

    request.state = AccessState.REFUSED
    session.flush()

    assert before is not None
    assert word_notice(LINKS)(session, row, now) is None


def test_an_answer_to_approve_is_told_to_those_who_approve_and_a_return_to_its_author(
    session: Session, cast: Cast, now: datetime
) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    vera = cast.a_staff("Vera Esempio", Role.VOLUNTEER, email="vera@example.org")
    question = cast.a_question(cast.a_referent("Ada Esempio"))
    notify_all(session, now)
    later = now + timedelta(hours=1)

    approval.propose(session, question.id, Said(vera, "Parole riservate"), version=1, now=later)
    proposed = notify_all(session, later)
    approval.give_back(session, question.id, olga.id, "Cita la circolare", version=2, now=later + timedelta(hours=1))
    returned = notify_all(session, later + timedelta(hours=1))
    again = notify_all(session, later + timedelta(hours=2))

    assert (proposed, returned, again) == (["olga@example.org"], ["vera@example.org"], [])
    to_olga, to_vera = session.exec(select(Outbox).order_by(col(Outbox.id).desc())).all()[1::-1]
    assert to_olga.body["subject"] == "Una risposta è da approvare"
    assert "https://raccordo.example/desk/questions?view=approve" in to_olga.body["html"]
    assert "Una tua risposta è tornata indietro" in to_vera.body["html"]
    for mail in (to_olga, to_vera):
        assert "riservate" not in str(mail.body)
        assert "circolare" not in str(mail.body)


def test_a_notice_about_an_answer_that_was_approved_meanwhile_is_withheld(
    session: Session, cast: Cast, now: datetime
) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    vera = cast.a_staff("Vera Esempio", Role.VOLUNTEER, notices=False)
    question = cast.a_question(cast.a_referent())
    approval.propose(session, question.id, Said(vera, "Sì"), version=1, now=now)
    notify_all(session, now)
    row = session.exec(select(Outbox)).one()

    approval.approve(session, question.id, olga.id, "Sì", version=2, now=now)

    assert word_notice(LINKS)(session, row, now) is None
