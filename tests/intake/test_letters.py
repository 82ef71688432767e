"""What a mail means, by who wrote it, where it came to and what it answers."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from delivery.outbox import message_at
from intake.incoming import Enclosed, Writer
from intake.post import letters as meaning
from storage import people as people_stored
from storage.message_ids import message_id_of
from storage.reply_addresses import About
from storage.tables import (
    Address,
    Attachment,
    Audit,
    Channel,
    Decision,
    FileState,
    Letter,
    LetterKind,
    LetterState,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Question,
    QuestionState,
    Reason,
    Referent,
    Standing,
    Step,
)
from tests.cast import Cast
from tests.post import ADA, BRUNO, CARLA, OFFICE, a_mail, by_dmarc
from tests.post_office import PostOffice

STRANGER = "sconosciuta@altrove.example.org"


@dataclass
class People:
    ada: Referent
    bruno: Referent
    carla: Referent
    project: Project


@pytest.fixture
def post(session: Session, cast: Cast) -> PostOffice:
    return PostOffice(session, cast.now)


@pytest.fixture
def people(cast: Cast) -> People:
    abbiategrasso, altro = cast.an_organization(), cast.an_organization("Altro")
    project = cast.a_project(abbiategrasso)
    return People(
        cast.a_referent("Ada Esempio", abbiategrasso, (project,), email=ADA),
        cast.a_referent("Bruno Esempio", abbiategrasso, (project,), email=BRUNO),
        cast.a_referent("Carla Esempio", altro, email=CARLA),
        project,
    )


def fresh(post: PostOffice, question: Question) -> Question:
    return post.session.get_one(Question, question.id, populate_existing=True)


def mail_id(row: Outbox) -> str:
    return message_id_of(row.id, row.dedupe_key, "ufficio.example.org")


# --- from people we know


@pytest.mark.parametrize("made", ["{link}/preferences", "https://safe.example.net/?url=http%3A%2F%2Fr%2F{key}&d=1"])
def test_the_keys_of_our_own_mail_are_not_shown_to_whoever_reads_the_thread(
    post: PostOffice, people: People, made: str
) -> None:
    key = people_stored.new_personal_link(post.session, people.ada.id, post.now)
    reply_to = post.address_for(people.ada.id)
    link = made.format(link=post.house.links.personal(key), key=key.upper())
    quoted = f"> Da: <{reply_to}>\n> La tua pagina: <{link}>"

    letter = post.arrives(a_mail(ADA, f"Non si apre: {link}", quoted=quoted))

    (message,) = post.messages(letter.question_id or 0)
    shown = message.text + message.quoted + letter.text + letter.quoted
    assert key not in shown.lower()
    assert reply_to not in shown
    assert "Non si apre: http" in message.text


def test_a_mail_from_a_known_address_is_a_question_with_a_warning(post: PostOffice, people: People) -> None:
    letter = post.arrives(a_mail(ADA, "Si può?\n\nGrazie", subject="Ribasso d'asta", quoted="> prima"))

    question = post.session.get_one(Question, letter.question_id)
    (message,) = post.messages(question.id)
    assert (question.referent_id, question.channel, question.state) == (people.ada.id, Channel.EMAIL, QuestionState.NEW)
    assert message.text == "Ribasso d'asta\n\nSi può?\n\nGrazie"
    assert (message.quoted, message.standing, message.provider_id) == (
        "> prima",
        Standing.UNVERIFIED,
        letter.provider_id,
    )
    assert (letter.state, letter.message_id) == (LetterState.THREADED, message.id)


def test_only_sure_mail_is_written_down_as_done_by_the_person(post: PostOffice, people: People) -> None:
    for mail in (a_mail(ADA), a_mail(ADA, **by_dmarc(ADA))):
        post.arrives(mail)

    acts = post.session.exec(select(Audit.actor_kind).where(Audit.action == "question.ask").order_by("id")).all()
    assert acts == ["stranger", "referent"]


def test_their_number_is_told_at_the_address_we_know(post: PostOffice, people: People) -> None:
    letter = post.arrives(a_mail(ADA, **by_dmarc(ADA), reply_to=(Writer("altrove@evil.example.net"),)))

    (told,) = post.automatic()
    assert (told.channel, told.address, told.referent_id) == (Channel.EMAIL, ADA, people.ada.id)
    assert (told.question_id, told.inbox_id) == (letter.question_id, letter.inbox_id)
    assert f"domanda n. {letter.question_id}" in told.body["html"]
    assert "Se non hai scritto tu" not in told.body["html"]


def test_who_is_not_sure_is_told_once_a_day_and_asked_whether_it_was_them(post: PostOffice, people: People) -> None:
    for text in ("uno", "due"):
        post.arrives(a_mail(ADA, text))
    (told,) = post.automatic()
    assert "Se non hai scritto tu" in told.body["html"]

    post.now += timedelta(hours=25)
    post.arrives(a_mail(ADA, "tre"))

    assert len(post.automatic()) == 2
    assert len(post.questions()) == 3


def test_a_machine_of_theirs_that_opens_questions_is_told_five_times_a_day(post: PostOffice, people: People) -> None:
    for number in range(20):
        post.arrives(a_mail(ADA, f"Ticket {number} aperto", **by_dmarc(ADA)))

    assert len(post.automatic()) == 5


def test_a_reply_to_the_address_with_the_token_goes_into_the_thread(
    post: PostOffice, people: People, cast: Cast
) -> None:
    question = cast.a_question(people.ada, state=QuestionState.ANSWERED, solved=False)
    to = post.address_for(people.ada.id, About(question_id=question.id))

    letter = post.arrives(a_mail(ADA, "Ancora una cosa", delivered_to=(OFFICE, to)))

    assert letter.standing is Standing.REPLY
    assert [one.text for one in post.messages(question.id)][1:] == ["Ancora una cosa"]
    again = fresh(post, question)
    assert (again.state, again.channel, again.solved) == (QuestionState.NEW, Channel.EMAIL, None)
    assert post.automatic() == []


def test_our_message_id_leads_to_the_thread(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    ours = post.a_mail_of_ours(people.ada.id, ADA, question_id=question.id)

    letter = post.arrives(a_mail(ADA, "Grazie", references=("<altro@example.org>", mail_id(ours))))

    assert letter.question_id == question.id
    assert letter.standing is Standing.UNVERIFIED


def test_their_own_earlier_mail_leads_to_the_thread_on_which_they_go_on(post: PostOffice, people: People) -> None:
    first = post.arrives(a_mail(ADA, "Prima"))

    second = post.arrives(a_mail(ADA, "Mi correggo", references=(first.provider_id,)))

    assert second.question_id == first.question_id
    assert [one.text for one in post.messages(first.question_id or 0)] == ["Una domanda\n\nPrima", "Mi correggo"]


def test_the_number_in_the_subject_helps_only_whose_it_is(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    subject = f"R: [Q-2026-{question.id:05}] ribasso"

    own, foreign = post.arrives(a_mail(ADA, subject=subject)), post.arrives(a_mail(CARLA, subject=subject))

    assert own.question_id == question.id
    assert foreign.question_id != question.id
    assert post.session.get_one(Question, foreign.question_id).referent_id == people.carla.id


@pytest.mark.parametrize("number", ["99999", "2147483648", "999999999999999999"])
def test_a_number_that_is_no_question_is_a_new_one(post: PostOffice, people: People, number: str) -> None:
    letter = post.arrives(a_mail(ADA, subject=f"[Q-2026-{number}]"))

    assert letter.state is LetterState.THREADED


def test_an_unsure_mail_reopens_for_staff_and_changes_nothing_of_theirs(
    post: PostOffice, people: People, cast: Cast
) -> None:
    question = cast.a_question(people.ada, state=QuestionState.CLOSED, solved=True)

    post.arrives(a_mail(ADA, subject=f"[Q-2026-{question.id:05}]"))

    again = fresh(post, question)
    assert (again.state, again.solved, again.channel) == (QuestionState.NEW, True, Channel.TELEGRAM)


def test_a_token_of_ada_says_nothing_for_carla(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    to = post.address_for(people.ada.id, About(question_id=question.id))

    letter = post.arrives(a_mail(CARLA, delivered_to=(to,)))

    assert len(post.messages(question.id)) == 1
    assert post.session.get_one(Question, letter.question_id).referent_id == people.carla.id
    assert (letter.standing, letter.about["thread"]) == (Standing.UNVERIFIED, question.id)


def test_a_revoked_or_guessed_token_is_none(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    guessed = OFFICE.replace("@", f"+{'a' * 32}@")

    letter = post.arrives(a_mail(ADA, delivered_to=(guessed,)))

    assert letter.standing is Standing.UNVERIFIED
    assert letter.question_id != question.id


def test_a_doubtful_sender_is_nobody_even_with_the_token(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    to = post.address_for(people.ada.id, About(question_id=question.id))

    letter = post.arrives(a_mail(ADA, delivered_to=(to,), doubt="It names more than one sender.", **by_dmarc(ADA)))

    assert (letter.state, letter.standing) == (LetterState.HELD, Standing.UNVERIFIED)
    assert (letter.referent_id, letter.about["thread"]) == (None, question.id)
    assert post.automatic() == []


# --- reminders and updates


def a_reminder(post: PostOffice, people: People) -> Outbox:
    return post.a_mail_of_ours(people.ada.id, ADA, kind=OutboxKind.REMINDER, dedupe_key="reminder:1:2026-11-24:1")


def test_a_reply_to_a_reminder_is_an_update_when_it_holds_one(post: PostOffice, people: People) -> None:
    reminder = a_reminder(post, people)
    asked: list[tuple[str, int]] = []

    def reads(_s: Any, _h: Any, incoming: Any, _l: Letter, referent: Referent, row: Outbox, _n: Any) -> bool:
        asked.append((incoming.text, row.id))
        return referent.id == people.ada.id

    post.updates = reads
    to = post.address_for(people.ada.id, About(outbox_id=reminder.id))
    letter = post.arrives(a_mail(ADA, "Nessuna novità", delivered_to=(to,)))

    assert asked == [("Nessuna novità", reminder.id)]
    assert (letter.state, letter.outbox_id, letter.question_id) == (LetterState.UPDATE, reminder.id, None)
    assert post.questions() == []


def test_an_unsure_mail_is_never_read_as_an_update(post: PostOffice, people: People) -> None:
    reminder = a_reminder(post, people)
    post.updates = lambda *_: pytest.fail("read as an update")

    letter = post.arrives(a_mail(ADA, "Nessuna novità", references=(mail_id(reminder),)))

    assert letter.state is LetterState.THREADED


def test_the_reminder_of_another_is_nothing_to_reply_to(post: PostOffice, people: People) -> None:
    reminder = a_reminder(post, people)
    post.updates = lambda *_: pytest.fail("read as an update")

    letter = post.arrives(a_mail(BRUNO, references=(mail_id(reminder),), **by_dmarc(BRUNO)))

    assert (letter.state, letter.outbox_id) == (LetterState.THREADED, None)


def test_other_words_in_reply_to_a_reminder_are_a_question_about_that_project(
    post: PostOffice, people: People, cast: Cast
) -> None:
    reminder = a_reminder(post, people)
    due = date(2026, 12, 1)
    obligation = cast.an_obligation(cast.a_deadline(cast.a_form(), due), people.project, due, cast.now)
    step = cast.add(Step(obligation_id=obligation.id, rung_id=1, offset_days=-7, due_at=cast.now))
    cast.add(
        Decision(
            step_id=step.id,
            referent_id=people.ada.id,
            outcome=Outcome.SENT,
            reason=Reason.DUE,
            outbox_id=reminder.id,
            decided_at=cast.now,
        )
    )

    letter = post.arrives(
        a_mail(
            ADA,
            "Che cosa devo scrivere?",
            delivered_to=(post.address_for(people.ada.id, About(outbox_id=reminder.id)),),
        )
    )

    assert post.session.get_one(Question, letter.question_id).project_id == people.project.id


# --- people we do not know


def test_a_stranger_waits_for_staff_and_is_told_so_once_a_day(post: PostOffice, people: People) -> None:
    letters = [post.arrives(a_mail(STRANGER, text)) for text in ("uno", "due")]

    assert [one.state for one in letters] == [LetterState.HELD] * 2
    assert post.questions() == []
    (told,) = post.automatic()
    assert (told.address, told.inbox_id, told.referent_id) == (STRANGER, letters[0].inbox_id, None)
    assert "non conosciamo ancora questo indirizzo" in told.body["html"]
    assert "we do not know this address yet" in told.body["html"]


@pytest.mark.parametrize(
    "mail",
    [
        a_mail(STRANGER, null_sender=True),
        a_mail(STRANGER, kind=LetterKind.AUTO_REPLY),
        a_mail(STRANGER, kind=LetterKind.LIST),
        a_mail(STRANGER, kind=LetterKind.CALENDAR),
        a_mail(STRANGER, kind=LetterKind.BOUNCE),
        a_mail(STRANGER, kind=LetterKind.RECEIPT),
        a_mail(None),
        a_mail(OFFICE),
        a_mail(OFFICE.replace("@", "+abc@")),
        *(
            a_mail(f"{name}@altrove.example.org")
            for name in (
                "no-reply",
                "noreply",
                "comune.noreply",
                "do-not-reply",
                "non-rispondere",
                "MAILER-DAEMON".lower(),
                "postmaster",
                "bounce+1234",
                "owner-tecnici",
                "tecnici-request",
                "posta-certificata",
            )
        ),
    ],
)
def test_what_must_not_be_answered_is_not(post: PostOffice, people: People, mail: Any) -> None:
    post.arrives(mail)

    assert post.automatic() == []


@pytest.mark.parametrize("name", ["noreen.plyable", "ufficio.protocollo", "postmasterson", "ada.request1"])
def test_people_with_odd_names_are_answered(post: PostOffice, name: str) -> None:
    post.arrives(a_mail(f"{name}@altrove.example.org"))

    assert len(post.automatic()) == 1


def test_a_stranger_in_a_thread_is_held_with_the_thread_named(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    to = post.address_for(people.ada.id, About(question_id=question.id))
    ours = post.a_mail_of_ours(people.ada.id, ADA, question_id=question.id)

    by_token = post.arrives(a_mail(STRANGER, "uno", delivered_to=(to,)))
    by_reference = post.arrives(a_mail(STRANGER, "due", references=(mail_id(ours),)))

    assert [(one.state, one.about["thread"]) for one in (by_token, by_reference)] == [
        (LetterState.HELD, question.id)
    ] * 2
    assert len(post.messages(question.id)) == 1


# --- machines


def test_out_of_office_is_kept_in_the_thread_and_moves_nothing(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada, state=QuestionState.ANSWERED, solved=False)
    before = fresh(post, question).model_dump()
    to = post.address_for(people.ada.id, About(question_id=question.id))

    post.arrives(a_mail(ADA, "Sono in ferie", kind=LetterKind.AUTO_REPLY, delivered_to=(to,)))

    assert fresh(post, question).model_dump() == before
    assert [(one.text, one.automatic) for one in post.messages(question.id)][1:] == [("Sono in ferie", True)]
    assert post.automatic() == []


def test_an_automatic_reply_to_nothing_is_filed(post: PostOffice, people: People) -> None:
    letter = post.arrives(a_mail(ADA, "Sono in ferie", kind=LetterKind.AUTO_REPLY))

    assert letter.state is LetterState.FILED
    assert post.questions() == []


@pytest.mark.parametrize(
    ("kind", "state"), [(LetterKind.LIST, LetterState.FILED), (LetterKind.CALENDAR, LetterState.HELD)]
)
def test_lists_and_invitations_are_messages_from_people_we_know(
    post: PostOffice, people: People, kind: LetterKind, state: LetterState
) -> None:
    known = post.arrives(a_mail(ADA, kind=kind, events=("Riunione, 3 dicembre",), **by_dmarc(ADA)))
    unknown = post.arrives(a_mail(STRANGER, kind=kind))

    assert (known.state, unknown.state) == (LetterState.THREADED, state)
    assert known.about["events"] == ["Riunione, 3 dicembre"]
    assert post.automatic() == []


def test_bounces_and_receipts_open_nothing(post: PostOffice, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(meaning, "note_bounce", lambda *_: seen.append("bounce"))
    monkeypatch.setattr(meaning, "note_receipt", lambda *_: seen.append("receipt"))

    states = [post.arrives(a_mail(ADA, kind=kind)).state for kind in (LetterKind.BOUNCE, LetterKind.RECEIPT)]

    assert seen == ["bounce", "receipt"]
    assert states == [LetterState.FILED] * 2
    assert post.questions() == []


# --- once, and twice


def test_the_same_mail_by_two_doors_is_one(post: PostOffice, people: People) -> None:
    mail = a_mail(ADA)

    letters = [post.arrives(mail), post.arrives(replace(mail, delivered_to=("altro@ufficio.example.org",)))]

    assert letters[0].id == letters[1].id
    assert len(post.questions()) == 1
    assert len(post.automatic()) == 1


def test_two_mails_with_one_message_id_are_two(post: PostOffice, people: People) -> None:
    for text in ("uno", "due"):
        post.arrives(a_mail(ADA, text, message_id="<sempre-lo-stesso@example.org>"))

    assert [post.messages(one.id)[0].text for one in post.questions()] == ["Una domanda\n\nuno", "Una domanda\n\ndue"]


# --- what comes along


def test_files_go_with_the_message_and_what_was_refused_is_named(post: PostOffice, people: People) -> None:
    files = (
        Enclosed("relazione.pdf", "application/pdf", kept="a" * 43, size=1234, seen="application/pdf"),
        Enclosed("firma.pdf.p7m", kept="b" * 43, size=99, signed=True, inside="firma.pdf"),
        Enclosed("logo.png", "image/png", kept="c" * 43, size=5, inline=True, seen="image/png"),
        Enclosed("virus.exe", refused="We cannot take programs."),
    )

    letter = post.arrives(a_mail(ADA, files=files))

    rows = post.session.exec(select(Attachment).order_by("id")).all()
    assert [one.name for one in rows] == ["relazione.pdf", "firma.pdf.p7m", "logo.png", "virus.exe"]
    assert {one.message_id for one in rows} == {letter.message_id}
    assert [one.state for one in rows] == [FileState.KEPT] * 3 + [FileState.MISSING]
    assert rows[1].detail == {"inside": "firma.pdf", "signed": True}
    assert (rows[3].error, rows[3].detail) == ("refused", {"refused": "We cannot take programs."})


def test_files_of_a_stranger_stay_with_the_letter(post: PostOffice) -> None:
    letter = post.arrives(a_mail(STRANGER, files=(Enclosed("a.pdf", kept="a" * 43, size=1),)))

    (file,) = post.session.exec(select(Attachment)).all()
    assert (file.letter_id, file.message_id, file.referent_id) == (letter.id, None, None)


def test_a_mail_without_words_is_called_by_its_subject_or_said_to_be_empty(post: PostOffice, people: People) -> None:
    texts = [
        post.messages(post.arrives(a_mail(ADA, "", subject=subject)).question_id or 0)[0].text
        for subject in ("In allegato la relazione", "")
    ]

    assert texts == ["In allegato la relazione", "(E-mail senza testo.)"]


def test_a_long_text_is_kept_whole_and_nul_is_no_obstacle(post: PostOffice, people: People) -> None:
    long = "è\x00" * 500_000

    letter = post.arrives(a_mail(ADA, long, subject="a\x00b", quoted="\x00>"))

    (message,) = post.messages(letter.question_id or 0)
    assert message.text.count("è") == 500_000
    assert message.quoted == ">"


# --- who is reached again


@pytest.mark.parametrize(("proof", "reached"), [(by_dmarc(ADA), True), ({}, False)])
def test_only_who_surely_writes_is_reachable_again(
    post: PostOffice, people: People, cast: Cast, proof: dict[str, str], reached: bool
) -> None:
    address = post.session.exec(select(Address).where(Address.value == ADA)).one()
    address.unreachable_since, address.unreachable_reason, address.bounces = cast.now, "550", 2
    post.session.add(address)

    post.arrives(a_mail(ADA, **proof))

    again = post.session.get_one(Address, address.id, populate_existing=True)
    assert (again.unreachable_since is None, again.bounces == 0) == (reached, reached)


def test_a_reply_address_is_looked_for_among_all_of_ours(post: PostOffice, people: People, cast: Cast) -> None:
    question = cast.a_question(people.ada)
    to = post.address_for(people.ada.id, About(question_id=question.id))

    letter = post.arrives(a_mail(ADA, delivered_to=("altro+x@example.org", "rotto", OFFICE, to.upper())))

    assert letter.question_id == question.id
    assert message_at(post.session, Channel.EMAIL, ADA, "nothing") is None
