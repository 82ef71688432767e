"""A photo is replaced by editing it, or the words below it change: the first version stays where it was sent."""

import pytest
from sqlmodel import col, select

from storage import attachments, corrections
from storage.questions import thread
from storage.tables import CAPTION, FILE, Attachment, Draft, FileState, Question, QuestionState
from tests.bot.conftest import Stage
from tests.bot.talk import a_document, photo, walk_to_summary


def files(stage: Stage) -> list[Attachment]:
    return list(
        stage.session.exec(select(Attachment).order_by(col(Attachment.id)).execution_options(populate_existing=True))
    )


def the_question(stage: Stage) -> Question:
    return stage.session.exec(select(Question).execution_options(populate_existing=True)).one()


def texts(stage: Stage) -> list[str]:
    return [message.text for message in thread(stage.session, the_question(stage).id)]


def corrected(stage: Stage) -> list[tuple[str, str, str]]:
    """Of files of a thread or of the newest update: what, before, after."""
    found = corrections.of_files(stage.session, [one.id for one in files(stage)])
    return [(row.field, row.before, row.after) for rows in found.values() for row in rows]


# -- another file under the same message ----------------------------------------------------------------


def test_another_photo_takes_the_place_of_the_first_in_a_draft(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere", photo=photo(1))

    bruno.edits("cantiere", photo=photo(2))

    assert bruno.text.startswith("📎 Ricevuto: foto\n\nPrende il posto di quello di prima.")
    assert "1 di 6" in bruno.text
    walk_to_summary(bruno).presses("Invia")
    [sent] = attachments.of_update(stage.session, stage.sent[0].id)
    assert (sent.file_id, sent.caption, sent.state) == ("p2-1280", "cantiere", FileState.WAITING)
    assert len(files(stage)) == 2, "the first one is still in the house"


def test_the_same_photo_with_another_key_is_no_other_photo(stage: Stage) -> None:
    """Telegram gives a file another id now and then; the unique one stays."""
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere", photo=photo(1))
    again = [size | {"file_id": size["file_id"] + "x"} for size in photo(1)]

    assert bruno.edits("cantiere", photo=again).heard == []
    assert len(files(stage)) == 1


def test_another_file_and_other_words_are_both_taken(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("45").says("310000").says("30/9/2027")
    bruno.leaves("Crepa a nord", document=a_document("a.pdf"))

    bruno.edits("Crepa a sud", document=a_document("b.pdf"))

    assert "📎 Ricevuto: b.pdf" in bruno.text
    assert "✏️ Corretto: Quale problema: Crepa a sud" in bruno.text
    bruno.presses("Salta").presses("Invia")
    [sent] = attachments.of_update(stage.session, stage.sent[0].id)
    assert (sent.name, sent.caption) == ("b.pdf", "Crepa a sud")
    assert stage.sent[0].answers["problem"] == "Crepa a sud"


def test_another_file_that_is_too_large_is_told_with_the_way_to_leave_it(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves(document=a_document("a.pdf"))

    bruno.edits("", document=a_document("b.pdf", size=30 * 1024 * 1024))

    assert "“b.pdf” è troppo grande" in bruno.text
    assert [one.draft_id is not None for one in files(stage)] == [False, True]


def test_another_file_of_a_draft_set_aside_is_taken_there(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere", document=a_document("a.pdf"))
    written = bruno.written
    bruno.says("/menu")

    bruno.edits("cantiere", written, document=a_document("b.pdf"))

    assert bruno.text == "📎 Ricevuto: b.pdf\n\nPrende il posto di quello di prima."
    assert [one.name for one in attachments.of_draft(stage.session, files(stage)[1].draft_id or 0)] == ["b.pdf"]


def test_another_photo_in_a_sent_update_stands_beside_the_first(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere", photo=photo(1))
    written = bruno.written
    walk_to_summary(bruno).presses("Invia")

    bruno.edits("cantiere", written, photo=photo(2))

    sent = attachments.of_update(stage.session, stage.sent[0].id)
    assert [one.file_id for one in sent] == ["p1-1280", "p2-1280"]
    assert sent[0].name != sent[1].name
    assert corrected(stage) == [(FILE, sent[0].name, sent[1].name)]
    assert "era già partito" in bruno.text
    assert bruno.edits("cantiere", written, photo=photo(2)).heard == [], "the same edit twice"
    assert len(files(stage)) == 2


def test_another_photo_in_a_thread_opens_the_answered_question_again(stage: Stage) -> None:
    ada = stage.ada.leaves("Va bene?", photo=photo(1))
    written = ada.written
    ada.presses("Sì, inviala").presses("Nessun progetto")
    question = the_question(stage)
    question.state = QuestionState.ANSWERED
    stage.session.flush()

    ada.edits("Va bene?", written, photo=photo(2))

    assert "era già partita" in ada.text
    assert "di nuovo aperta" in ada.text
    assert len({one.message_id for one in files(stage)}) == 1
    assert the_question(stage).state is QuestionState.NEW
    assert texts(stage) == ["Va bene?"]


def test_a_photo_and_its_words_replaced_together_in_a_thread_are_told_once(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto").presses("Aggiungi qualcosa")
    ada.leaves("ecco", photo=photo(1))

    ada.edits("eccola", photo=photo(2))

    assert len(ada.heard) == 1
    messages = thread(stage.session, the_question(stage).id)
    [row] = corrections.of_thread(stage.session, the_question(stage).id)[messages[1].id]
    assert (row.before, row.after) == ("ecco", "eccola")
    assert [one.message_id for one in files(stage)] == [messages[1].id] * 2


def test_a_photo_added_to_words_goes_where_the_words_went(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").says("Va bene così?")
    written = ada.written

    ada.edits("Va bene così?", written, photo=photo(1))
    assert "📎 Ricevuto: foto" in ada.text
    ada.presses("Nessun progetto")
    ada.edits("Va bene così?", written, photo=photo(2))

    assert [one.message_id is not None for one in files(stage)] == [True, True]
    assert "era già partita" in ada.text


def test_a_photo_added_to_an_answer_of_a_sent_update_goes_there(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("45")
    written = bruno.written
    bruno.says("310000").says("30/9/2027").presses("No").presses("Salta").presses("Invia")

    bruno.edits("45", written, photo=photo(1))

    assert [one.update_id for one in files(stage)] == [stage.sent[0].id]
    assert "era già partito" in bruno.text


def test_another_photo_of_what_was_left_out_is_offered_like_any_file(stage: Stage) -> None:
    bruno = walk_to_summary(stage.bruno.says("/aggiorna").leaves("cantiere", photo=photo(1)))
    bruno.presses("Cambia una risposta").presses("Togli gli allegati").presses("Invia")

    bruno.edits("cantiere", files(stage)[0].provider_id, photo=photo(2))

    assert "Dove lo metto?" in bruno.text
    assert files(stage)[1].draft_id is not None


def test_carla_cannot_replace_adas_photo(stage: Stage) -> None:
    stage.ada.says("/aggiorna").leaves("cantiere", photo=photo(1))

    stage.carla.edits("mio", stage.ada.written, photo=photo(2))

    assert [one.referent_id for one in files(stage)] == [stage.referent.id, stage.foreigner.id]
    assert files(stage)[0].draft_id != files(stage)[1].draft_id


# -- the words below it -----------------------------------------------------------------------------------


def test_words_below_a_photo_of_a_sent_update_are_corrected_beside_it(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("fachada", photo=photo(1))
    written = bruno.written
    walk_to_summary(bruno).presses("Invia")

    bruno.edits("facciata", written, photo=photo(1))

    assert files(stage)[0].caption == "fachada"
    assert corrected(stage) == [(CAPTION, "fachada", "facciata")]
    assert "era già partito" in bruno.text
    assert bruno.edits("facciata", written, photo=photo(1)).heard == []
    bruno.edits("fachada", written, photo=photo(1))
    assert corrected(stage)[1:] == [(CAPTION, "facciata", "fachada")], "back to what it was is a correction too"


def test_words_below_a_further_photo_of_a_thread_are_corrected_beside_it(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Va bene?").leaves("davanti").leaves("dientro", photo=photo(2))
    written = ada.written
    ada.presses("Nessun progetto")

    ada.edits("dietro", written, photo=photo(2))

    [message] = thread(stage.session, the_question(stage).id)
    assert message.text == "Va bene?\ndavanti\ndientro"
    [row] = corrections.of_thread(stage.session, the_question(stage).id)[message.id]
    assert (row.before, row.after) == ("dientro", "dietro")
    assert files(stage)[1].caption == "dientro"


def test_words_taken_away_below_a_sent_photo_are_a_correction(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("numero di targa", photo=photo(1))
    written = bruno.written
    walk_to_summary(bruno).presses("Invia")

    bruno.edits("", written, photo=photo(1))

    assert corrected(stage) == [(CAPTION, "numero di targa", "")]
    assert "era già partito" in bruno.text


def test_words_taken_away_below_an_offered_photo_leave_the_photo(stage: Stage) -> None:
    ada = stage.ada.leaves("boh", photo=photo(1))

    ada.edits("", photo=photo(1))

    assert "✏️ Corretto." in ada.text
    ada.presses("Sì, inviala").presses("Nessun progetto")
    assert texts(stage) == ["Lascio un file."]
    assert files(stage)[0].caption == ""


def beside_the_newest_message(stage: Stage) -> list[tuple[str, str]]:
    """Before and after, of its words."""
    newest = thread(stage.session, the_question(stage).id)[-1]
    return [(row.before, row.after) for row in corrections.of_thread(stage.session, newest.question_id)[newest.id]]


@pytest.mark.parametrize("question", ["/domanda", "/domanda Va bene?"])
def test_words_taken_away_and_written_anew_below_a_sent_photo_were_nothing_between(stage: Stage, question: str) -> None:
    ada = stage.ada.says(question).leaves("davanti", photo=photo(1))
    written = ada.written
    ada.presses("Nessun progetto")

    ada.edits("", written, photo=photo(1)).edits("dietro", written, photo=photo(1))

    assert beside_the_newest_message(stage) == [("davanti", ""), ("", "dietro")]


def test_words_taken_away_and_written_anew_below_a_photo_added_to_a_thread_were_nothing_between(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto").presses("Aggiungi qualcosa")
    ada.leaves("davanti", photo=photo(1))
    written = ada.written

    ada.edits("", written, photo=photo(1)).edits("dietro", written, photo=photo(1))

    assert beside_the_newest_message(stage) == [("davanti", ""), ("", "dietro")]


def test_formatting_a_photo_without_words_corrects_nothing(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto").presses("Aggiungi qualcosa")
    ada.leaves(photo=photo(1))

    assert ada.edits("", photo=photo(1)).heard == []
    assert corrections.of_thread(stage.session, the_question(stage).id) == {}


@pytest.mark.parametrize("sent", [True, False])
def test_words_that_stand_below_a_photo_follow_when_they_are_edited(stage: Stage, sent: bool) -> None:
    ada = stage.ada.says("Crepa nel muro nord")
    written = ada.written
    ada.leaves("lato strada", photo=photo(1)).presses("Va con l'aggiornamento").presses("Ex mercato")
    below = files(stage)[0].provider_id
    if sent:
        walk_to_summary(ada).presses("Invia")

    ada.edits("Crepa nel muro sud", written)
    assert "✏️" in ada.text
    ada.edits("lato corte", below, photo=photo(1))
    assert "✏️" in ada.text

    if sent:
        assert files(stage)[0].caption == "lato strada\nCrepa nel muro nord"
        assert [one[2] for one in corrected(stage)] == [
            "lato strada\nCrepa nel muro sud",
            "lato corte\nCrepa nel muro sud",
        ]
    else:
        assert files(stage)[0].caption == "lato corte\nCrepa nel muro sud"
        ada.edits("lato corte", below, photo=photo(2))
        assert files(stage)[1].caption == "lato corte\nCrepa nel muro sud", "words stay also below another photo"


# -- albums -----------------------------------------------------------------------------------------------


def test_the_words_of_an_album_are_those_of_the_part_that_has_them(stage: Stage) -> None:
    ada = stage.ada.leaves(album="5", photo=photo(1))
    first = ada.written
    ada.leaves("Va bene?", album="5", photo=photo(2))
    second = ada.written
    ada.waits()

    ada.edits("Va bene cosi?", second, photo=photo(2))
    assert "✏️ Corretto." in ada.text
    ada.edits("davanti", first, photo=photo(1))
    ada.presses("Sì, inviala").presses("Nessun progetto")
    assert texts(stage) == ["Va bene cosi?"]
    assert [one.caption for one in files(stage)] == ["davanti", "Va bene cosi?"]

    ada.edits("Va bene così?", second, photo=photo(2))
    [message] = thread(stage.session, the_question(stage).id)
    [row] = corrections.of_thread(stage.session, the_question(stage).id)[message.id]
    assert (row.before, row.after) == ("Va bene cosi?", "Va bene così?")
    ada.edits("sul davanti", first, photo=photo(1))
    assert corrected(stage) == [(CAPTION, "davanti", "sul davanti")]


def test_the_answer_of_an_album_follows_the_part_that_has_the_words(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("45").says("310000").says("30/9/2027")
    bruno.leaves(album="77")
    bruno.leaves("Crepa a nord", album="77", photo=photo(2))
    second = bruno.written
    bruno.waits()

    bruno.edits("Crepa a sud", second, photo=photo(2))

    assert "✏️ Corretto: Quale problema: Crepa a sud" in bruno.text


def test_a_late_part_goes_where_the_others_went_when_the_first_was_replaced(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves(album="9", photo=photo(1))
    first = bruno.written
    bruno.leaves(album="9", photo=photo(2)).waits()

    bruno.edits("", first, photo=photo(3))
    bruno.leaves(album="9", photo=photo(4))

    assert "insieme al resto" in bruno.text
    draft = stage.session.exec(select(Draft.id)).one()
    assert [one.file_id for one in attachments.of_draft(stage.session, draft)] == ["p2-1280", "p3-1280", "p4-1280"]
