"""A reply to a reminder: what was filled in, "nothing new", and what is neither."""

from datetime import date, timedelta

import pytest
from sqlmodel import col, delete, select

from delivery.words import plain_text
from reminders.wording import SHOWN
from storage.forms import asked_version
from storage.reports import close_obligation
from storage.tables import (
    Attachment,
    Channel,
    Draft,
    DraftKind,
    DraftState,
    Following,
    LetterState,
    Obligation,
    Outbox,
    OutboxKind,
    Project,
    Question,
)
from tests.cast import Cast
from tests.intake.replying import (
    ADA,
    LAST,
    a_correspondence,
    a_file,
    block_of,
    changed,
    open_ones,
    quoted,
)

FIFTY = ("(%): 45", "(%): 50")


def cup_of(cast: Cast, title: str) -> str:
    return cast.session.exec(select(Project.cup).where(Project.title == title)).one()


# --- a block that was filled in


def test_what_was_filled_in_waits_for_its_writer_to_confirm_it(cast: Cast) -> None:
    ada = a_correspondence(cast)

    assert ada.replies("Buongiorno, ecco i dati.", ada.quoted(FIFTY))

    (draft,) = ada.drafts
    (letter,) = ada.letters
    assert draft.answers == {**LAST, "progress": "50"}
    assert (draft.state, draft.channel, draft.kind) == (DraftState.PARKED, Channel.EMAIL, DraftKind.UPDATE)
    assert draft.obligation_id == open_ones(cast.session)[0].id
    assert (letter.draft_id, letter.state) == (draft.id, LetterState.UPDATE)
    assert ada.updates == []


def test_one_mail_answers_it_and_shows_what_was_understood(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("", ada.quoted(FIFTY, ("30/06/2027", "31/07/2027")))

    (row,) = ada.summaries
    assert (row.channel, row.address) == (Channel.EMAIL, ADA)
    assert row.inbox_id == ada.letters[0].inbox_id
    assert ada.words.subject == "Re: Promemoria"
    cup = cup_of(cast, "Ex mercato")
    assert ada.said.replace("\u00a0", " ") == (
        "Ho letto il tuo aggiornamento: manca un passo. Controllalo e confermalo con il link. Finché non confermi, "
        "l'ufficio non lo riceve.\n\n"
        f"Ex mercato · CUP {cup}\n"
        "Fase: Esecuzione dei lavori\n"
        "Avanzamento fisico: 50% (prima: 45%)\n"
        "Speso finora: 120.000,00 €\n"
        "Fine prevista: 31 luglio 2027 (prima: 30 giugno 2027)\n"
        "Problemi: No\n\n"
        "Qualcosa non va? Rispondi a questa e-mail e correggi qui sotto, oppure usa il link.\n\n"
        f"--- Ex mercato · CUP {cup} ---\n"
        "Fase: Esecuzione dei lavori\n"
        "Avanzamento fisico (%): 50\n"
        "Speso finora (€): 120.000,00\n"
        "Fine prevista: 31/07/2027\n"
        "Problemi: No\n"
        "Quale problema:\n"
        "Note:\n"
        "---"
    )
    assert [(button.text, button.url) for (button,) in ada.words.buttons] == [
        ("Controlla e conferma «Ex mercato»", f"raccordo:personal-page/drafts/{ada.drafts[0].id}/summary")
    ]


def test_what_was_not_understood_is_shown_with_how_to_write_it_and_waits_on_the_page(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("", ada.quoted(("30/06/2027", "quando si può"), ("Problemi: No", "Problemi: Sì")))

    (draft,) = ada.drafts
    assert "Non ho capito\nFine prevista: hai scritto «quando si può». Non riesco a leggere questa data." in ada.said
    assert "Manca ancora\nQuale problema" in ada.said
    assert draft.memory == {"page": {"unread": {"expected_end": ["quando si può"]}}}
    assert "expected_end" not in draft.answers
    assert [button.url for (button,) in ada.words.buttons] == [f"raccordo:personal-page/drafts/{draft.id}"]


def test_what_seems_wrong_is_asked_back(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("", ada.quoted(("(%): 45", "(%): 30")))

    assert "Da controllare\nAvanzamento fisico: Prima era 45%, ora 30%" in ada.said
    assert ada.drafts[0].answers["progress"] == "30"


def test_what_was_deleted_stays_as_it_was(cast: Cast) -> None:
    ada = a_correspondence(cast)
    cup = cup_of(cast, "Ex mercato")

    assert ada.replies(f"--- Ex mercato · CUP {cup} ---\nAvanzamento fisico: 51")

    assert ada.drafts[0].answers == {**LAST, "progress": "51"}


def test_the_first_update_asks_for_what_is_missing(cast: Cast) -> None:
    ada = a_correspondence(cast, last=None)

    ada.replies("", ada.quoted(("Fase:", "Fase: 5"), ("(%):", "(%): 10")))

    assert "NESSUNA NOVITÀ" not in ada.text
    assert ada.drafts[0].answers == {"phase": "03005", "progress": "10"}
    assert "Manca ancora\nSpeso finora\nFine prevista\nProblemi" in ada.said


def test_a_question_above_an_untouched_block_is_no_update(cast: Cast) -> None:
    ada = a_correspondence(cast)

    assert not ada.replies("Chi devo chiamare per il CUP?", ada.quoted())
    assert not ada.replies(f"Chi devo chiamare per il CUP?\n\nRaccordo ha scritto:\n\n{ada.text}")
    assert not ada.replies("", ada.quoted())
    assert not ada.replies("Grazie, ci penso domani.\n\n-- \nAda")

    assert (ada.drafts, ada.summaries) == ([], [])


def test_an_untouched_block_in_their_own_words_says_that_it_holds(cast: Cast) -> None:
    ada = a_correspondence(cast)

    assert ada.replies(f"Buongiorno,\n\n{block_of(ada.text)}\n\nCordiali saluti\nAda")

    assert ada.drafts[0].answers == LAST


def test_of_several_projects_those_that_were_filled_in_have_a_draft_each(cast: Cast) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo", "Scuola"))
    first, second, third = ada.text.split("(%): 45")[:3]

    ada.replies("", quoted(f"{first}(%): 46{second}(%): 45{third}(%): 47{ada.text.split('(%): 45')[3]}"))

    assert sorted(draft.answers["progress"] for draft in ada.drafts) == ["46", "47"]
    assert len({draft.project_id for draft in ada.drafts}) == 2
    assert len(ada.summaries) == 1
    assert len(ada.words.buttons) == 2


def test_nobody_writes_into_another_s_project(cast: Cast) -> None:
    ada = a_correspondence(cast)
    carla = cast.a_project(cast.an_organization("Altro"), title="Cascina di Carla")
    block = changed(block_of(ada.text), (cup_of(cast, "Ex mercato"), carla.cup), FIFTY)

    assert ada.replies(block)

    assert (ada.drafts, ada.updates, ada.words.buttons) == ([], [], ())
    assert "Non ho registrato niente." in ada.said
    assert f"«Ex mercato · CUP {carla.cup}» non è fra i tuoi progetti" in ada.said


def test_nor_into_their_own_that_this_reminder_did_not_tell_of(cast: Cast) -> None:
    ada = a_correspondence(cast)
    other = cast.a_project(cast.an_organization("Corsico"), title="Piscina")
    cast.add(Following(referent_id=ada.ada.id, project_id=other.id, since=cast.now))

    ada.replies(changed(block_of(ada.text), (cup_of(cast, "Ex mercato"), other.cup), FIFTY))

    assert ada.drafts == []


def test_who_no_longer_follows_a_project_does_not_write_into_it(cast: Cast) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo"))
    asilo = cast.session.exec(select(Project.id).where(Project.title == "Asilo")).one()
    cast.session.execute(delete(Following).where(col(Following.project_id) == asilo))

    ada.replies("", ada.quoted(FIFTY))

    assert [draft.project_id == asilo for draft in ada.drafts] == [False]
    assert f"«Asilo · CUP {cup_of(cast, 'Asilo')}» non è fra i tuoi progetti" in ada.said


def test_somebody_else_s_reminder_is_answered_by_nobody(cast: Cast) -> None:
    """Not even by a colleague who follows the same project: what they were told is in their own."""
    ada = a_correspondence(cast)
    project = cast.session.exec(select(Project)).one()
    ada.ada = cast.a_referent("Bruno Esempio", projects=(project,), email="bruno@comune.example.org")

    assert not ada.replies("Nessuna novità", ada.quoted())


def test_other_mail_of_ours_is_no_reminder(cast: Cast) -> None:
    ada = a_correspondence(cast)
    notice = ada.reminder.model_dump(exclude={"id"}) | {"kind": OutboxKind.NOTICE, "dedupe_key": "summary:x"}

    assert not ada.replies("Nessuna novità", to=cast.add(Outbox(**notice)))


def test_what_was_settled_meanwhile_is_said_and_what_was_written_is_kept(cast: Cast) -> None:
    ada = a_correspondence(cast)
    close_obligation(cast.session, open_ones(cast.session)[0].id, cast.now)

    ada.replies("", ada.quoted(FIFTY))

    assert "La scadenza è già coperta. Se hai novità, conferma lo stesso" in ada.said
    assert (ada.drafts[0].obligation_id, ada.drafts[0].answers["progress"]) == (None, "50")


def test_a_second_reply_corrects_the_first_in_the_same_draft(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))

    summary = ada.summaries[0]
    assert ada.replies("", quoted(changed(ada.said, ("120.000,00\n", "130.000,00\n"))), to=summary)

    (draft,) = ada.drafts
    assert (draft.answers["progress"], draft.answers["spent"]) == ("50", "130000")
    assert len(ada.summaries) == 2


@pytest.mark.parametrize("text", ["Confermo", "Ok, confermo.", "Buongiorno,\nva bene.\nGrazie\nAda Esempio"])
def test_who_says_yes_to_the_summary_is_shown_the_button_again(cast: Cast, text: str) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))
    first = ada.said

    assert ada.replies(text, quoted(ada.said), to=ada.summaries[0])

    assert (ada.said, ada.updates, len(ada.drafts)) == (first, [], 1)


def test_a_yes_to_the_reminder_itself_says_nothing(cast: Cast) -> None:
    ada = a_correspondence(cast)

    assert not ada.replies("Ok", ada.quoted())


def test_the_sentences_of_the_summary_are_no_lines_to_be_filled_in(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))
    in_bold = changed(ada.said, ("fisico: 50%", "fisico: *50%*"), ("120.000,00\n", "130.000,00\n"))

    ada.replies("", quoted(in_bold), to=ada.summaries[0])
    ada.replies(in_bold, to=ada.summaries[0])

    assert ada.drafts[0].answers == {**LAST, "progress": "50", "spent": "130000"}


def test_by_the_summary_an_answer_can_be_put_back_as_it_was(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))

    ada.replies("", quoted(changed(ada.said, ("(%): 50", "(%): 45"))), to=ada.summaries[0])

    assert ada.drafts[0].answers["progress"] == "45"


def test_a_second_reply_to_the_reminder_leaves_what_the_first_one_changed(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))

    ada.replies("", ada.quoted(("120.000,00", "130.000,00")))

    (draft,) = ada.drafts
    assert (draft.answers["progress"], draft.answers["spent"]) == ("50", "130000")


def test_thanks_for_the_summary_are_a_message(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))

    assert not ada.replies("Grazie, confermo dal link.", quoted(ada.said), to=ada.summaries[0])


@pytest.mark.parametrize("state", [DraftState.OPEN, DraftState.PARKED])
def test_what_was_begun_elsewhere_is_gone_on_with(cast: Cast, state: DraftState) -> None:
    ada = a_correspondence(cast)
    obligation = open_ones(cast.session)[0]
    cast.add(
        Draft(
            kind=DraftKind.UPDATE,
            referent_id=ada.ada.id,
            form_version_id=asked_version(cast.session, obligation.id),
            project_id=obligation.project_id,
            channel=Channel.TELEGRAM,
            answers={"spent": "125000", "phase": "03006"},
            step="=unchanged",
            state=state,
            created_at=cast.now,
            touched_at=cast.now,
        )
    )

    ada.replies("", ada.quoted(FIFTY))

    (draft,) = ada.drafts
    assert draft.answers == {**LAST, "phase": "03006", "spent": "125000", "progress": "50"}
    assert (draft.state, draft.step, draft.obligation_id) == (state, "=summary", obligation.id)


def test_files_go_with_the_first_of_the_drafts(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("", ada.quoted(FIFTY), files=(a_file(), a_file("logo.png", inline=True)))

    rows = cast.session.exec(select(Attachment).order_by(col(Attachment.id))).all()
    assert [(row.name, row.draft_id) for row in rows] == [
        ("relazione.pdf", ada.drafts[0].id),
        ("logo.png", ada.drafts[0].id),
    ]
    assert "Con la tua e-mail è arrivato un file: va con Ex mercato." in ada.said


def test_other_words_beside_the_block_are_not_lost(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("Buongiorno,\nquando arriva il saldo?\nCordiali saluti\nAda Esempio", ada.quoted(FIFTY))

    (question,) = cast.session.exec(select(Question)).all()
    assert question.project_id == ada.drafts[0].project_id
    assert f"è la domanda n. {question.id}." in ada.said


def test_who_reads_english_is_answered_in_english(cast: Cast) -> None:
    ada = a_correspondence(cast, language="en")

    ada.replies("", ada.quoted(FIFTY))

    assert "I have read your update: one step is missing." in ada.said
    assert "Physical progress: 50% (it was 45%)" in ada.said


# --- nothing new


@pytest.mark.parametrize(
    "text",
    [
        "NESSUNA NOVITÀ",
        "Nessuna novità.",
        "nessuna novita'",
        "\n\n  Nessuna  novita  \n",
        "Buongiorno,\nnessuna novità.\nCordiali saluti\nAda Esempio\nUfficio tecnico",
        "Niente di nuovo",
        "Nulla è cambiato",
        "No news",
        "Nothing new.",
        "nothing has changed",
        "«Nessuna novità»",
        "*NESSUNA NOVITÀ*",
    ],
)
def test_nothing_new_is_recorded_at_once(cast: Cast, text: str) -> None:
    ada = a_correspondence(cast)

    assert ada.replies(text, ada.quoted())

    (update,) = ada.updates
    assert (update.answers, update.unchanged, update.channel) == (LAST, True, Channel.EMAIL)
    assert (open_ones(cast.session), ada.drafts) == ([], [])
    assert ada.letters[0].update_id == update.id


def test_nothing_new_is_confirmed_with_a_way_to_correct_it(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("Nessuna novità", ada.quoted())

    assert ada.said == (
        "Ricevuto: nessuna novità.\n\n"
        f"Ex mercato · CUP {cup_of(cast, 'Ex mercato')}: Rendicontazione, 25 novembre 2026. Resta tutto com'era il 24 "
        f"ottobre 2026 (aggiornamento n. {ada.updates[0].id}).\n\n"
        "Non riceverai altri promemoria per questo. Qualcosa invece è cambiato? Correggi con i link qui sotto."
    )
    assert [(button.text, button.url) for (button,) in ada.words.buttons] == [
        ("Correggi «Ex mercato»", f"raccordo:personal-page/sent/{ada.updates[0].id}")
    ]


def test_it_is_said_of_all_the_projects_when_it_stands_alone(cast: Cast) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo"))

    assert ada.replies("Nessuna novità\n\nGrazie\nAda", ada.quoted())

    assert len(ada.updates) == 2
    assert len(ada.words.buttons) == 2


def test_beside_other_words_it_is_not_clear_of_which_of_several_projects_it_is_said(cast: Cast) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo"))

    assert not ada.replies("Nessuna novità\nper il mercato, per l'asilo vi chiamo io domani", ada.quoted())

    assert (ada.updates, len(open_ones(cast.session))) == ([], 2)


def test_what_the_mail_only_counted_is_not_settled_by_it(cast: Cast) -> None:
    ada = a_correspondence(cast, tuple(f"Progetto {n}" for n in range(SHOWN + 2)))

    ada.replies("Nessuna novità", ada.quoted())

    assert "…e altri 2" in ada.text
    assert (len(ada.updates), len(open_ones(cast.session))) == (SHOWN, 2)


def test_the_mail_that_went_instead_of_a_message_is_answered_as_well(cast: Cast) -> None:
    ada = a_correspondence(cast)
    copy = ada.reminder.model_dump(exclude={"id"}) | {"dedupe_key": f"{ada.reminder.dedupe_key}:email"}

    assert ada.replies("Nessuna novità", to=cast.add(Outbox(**copy)))

    assert len(ada.updates) == 1


def test_nothing_new_and_one_block_that_says_otherwise(cast: Cast) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo"))
    first, second, rest = ada.text.split("(%): 45")

    assert ada.replies("Nessuna novità", quoted(f"{first}(%): 45{second}(%): 50{rest}"))

    (update,), (draft,) = ada.updates, ada.drafts
    assert update.project_id != draft.project_id
    assert draft.answers["progress"] == "50"


def test_of_one_project_other_words_are_passed_on(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("Nessuna novità\nDal mese prossimo mi sostituisce un collega.", ada.quoted())

    assert len(ada.updates) == 1
    assert len(cast.session.exec(select(Question)).all()) == 1


def test_where_nothing_was_ever_answered_there_is_nothing_to_repeat(cast: Cast) -> None:
    ada = a_correspondence(cast, last=None)

    assert ada.replies("Nessuna novità")

    assert (ada.updates, len(open_ones(cast.session))) == ([], 1)
    assert "Ex mercato: è il primo aggiornamento, quindi servono alcune risposte." in ada.said
    (button,) = ada.words.buttons[0]
    assert button.url == f"raccordo:personal-page/fill?obligation_id={open_ones(cast.session)[0].id}"


def test_what_is_settled_already_is_not_recorded_twice(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("Nessuna novità")

    assert ada.replies("Nessuna novità")

    assert len(ada.updates) == 1
    assert "Ex mercato: era già tutto a posto, non c'era altro da fare." in ada.said


def test_other_answers_that_were_begun_are_not_overruled(cast: Cast) -> None:
    ada = a_correspondence(cast)
    ada.replies("", ada.quoted(FIFTY))

    ada.replies("Nessuna novità", ada.quoted())

    assert ada.updates == []
    assert "avevi cominciato a scrivere qualcosa di diverso" in ada.said


def test_what_may_be_wrong_by_now_is_said(cast: Cast) -> None:
    ada = a_correspondence(cast, last={**LAST, "expected_end": "2026-11-01"})

    ada.replies("Nessuna novità")

    assert len(ada.updates) == 1
    assert "Fine prevista: 1 novembre 2026: è una data già passata. È giusto?" in ada.said


def test_files_that_come_with_nothing_new_go_with_the_update(cast: Cast) -> None:
    ada = a_correspondence(cast)

    ada.replies("Nessuna novità", files=(a_file(),))

    (row,) = cast.session.exec(select(Attachment)).all()
    assert row.update_id == ada.updates[0].id


def test_it_works_by_certified_mail_too(cast: Cast) -> None:
    ada = a_correspondence(cast, channel=Channel.PEC)

    assert ada.replies("Nessuna novità", ada.quoted())

    assert (ada.updates[0].channel, ada.summaries[0].channel) == (Channel.PEC, Channel.PEC)


def test_a_mail_that_was_reworded_for_what_is_left_is_read_by_what_it_said(cast: Cast) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo"))
    obligation = cast.session.exec(select(Obligation).order_by(col(Obligation.id))).all()[0]
    obligation.due_on = date(2026, 11, 24) - timedelta(days=1)
    cast.add(obligation)

    ada.replies("", ada.quoted(FIFTY))

    assert len(ada.drafts) == 2
    assert plain_text(str(ada.reminder.body["html"])).count("---\n") >= 2
