"""What people send besides words: where it goes, what cannot be had, and the way out."""

import pytest
from sqlmodel import col, select

from delivery.words import PERSONAL_PAGE
from storage import attachments
from storage.questions import thread
from storage.tables import Attachment, Draft, DraftState, FileKind, FileState, Question
from tests.bot.conftest import Stage
from tests.bot.talk import Phone, a_document, photo, walk_to_summary


def files(stage: Stage) -> list[Attachment]:
    return list(
        stage.session.exec(select(Attachment).order_by(col(Attachment.id)).execution_options(populate_existing=True))
    )


def the_question(stage: Stage) -> Question:
    return stage.session.exec(select(Question).execution_options(populate_existing=True)).one()


def test_a_photo_sent_while_answering_goes_along_with_the_update(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere")
    assert "📎 Ricevuto: foto\n" in bruno.text
    assert "Parte insieme a questo aggiornamento" in bruno.text
    assert "1 di 6" in bruno.text, "the question being asked is asked on"

    walk_to_summary(bruno)
    assert "📎 Allegati: 1" in bruno.text
    bruno.presses("Invia")

    [file] = files(stage)
    assert (file.kind, file.state, file.caption) == (FileKind.PHOTO, FileState.WAITING, "cantiere")
    assert file.file_id.endswith("-1280"), "the largest size"
    assert file.update_id == stage.sent[0].id


def test_words_below_a_photo_answer_a_question_that_asks_for_words(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("45").says("310000").says("30/9/2027")

    bruno.leaves("Crepa nel muro nord")
    assert "✓ Quale problema: Crepa nel muro nord" in bruno.text
    bruno.presses("Salta").presses("Invia")

    assert stage.sent[0].answers["problem"] == "Crepa nel muro nord"
    assert len(attachments.of_update(stage.session, stage.sent[0].id)) == 1


def test_files_left_out_before_sending_do_not_go_along(stage: Stage) -> None:
    bruno = walk_to_summary(stage.bruno.says("/aggiorna").leaves(document=a_document()))

    bruno.presses("Cambia una risposta").presses("Togli gli allegati").presses("Invia")

    assert attachments.of_update(stage.session, stage.sent[0].id) == []


def test_a_document_sent_on_its_own_may_become_a_question(stage: Stage) -> None:
    ada = stage.ada.leaves("Va bene così?", document=a_document("verbale.pdf"))
    assert "📎 Ricevuto: verbale.pdf" in ada.text
    assert "Dove lo metto?" in ada.text
    assert ada.labels[-1] == "Lascia perdere"

    ada.presses("Sì, inviala").presses("Nessun progetto")

    [message] = thread(stage.session, the_question(stage).id)
    assert message.text == "Va bene così?"
    assert [(file.name, file.message_id) for file in files(stage)] == [("verbale.pdf", message.id)]


def test_a_document_without_words_may_go_with_an_update(stage: Stage) -> None:
    ada = stage.ada.leaves(document=a_document("sal-3.pdf")).presses("Va con l'aggiornamento")
    assert "Di quale progetto si tratta?" in ada.text
    walk_to_summary(ada.presses("Ex mercato")).presses("Invia")

    assert [file.name for file in attachments.of_update(stage.session, stage.sent[0].id)] == ["sal-3.pdf"]


def test_a_voice_message_is_added_to_an_open_question(stage: Stage) -> None:
    stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto")

    ada = stage.ada.leaves(voice={"file_id": "v1", "duration": 4, "mime_type": "audio/ogg", "file_size": 900})
    ada.presses("Aggiungi alla n.")

    added = thread(stage.session, the_question(stage).id)[1]
    assert added.text == "Lascio un file."
    assert [(file.kind, file.message_id) for file in files(stage)] == [(FileKind.VOICE, added.id)]


def test_a_photo_in_reply_to_a_thread_goes_there(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto")
    receipt = ada.delivered("900")

    ada.leaves("ecco", reply_to=receipt)

    assert "Aggiunto alla domanda" in ada.text
    assert [message.text for message in thread(stage.session, the_question(stage).id)] == ["Serve il CUP?", "ecco"]
    assert files(stage)[0].message_id is not None


def test_a_question_of_files_alone_takes_the_words_that_follow(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").leaves(document=a_document()).says("È il verbale giusto?")
    ada.presses("Nessun progetto")

    assert [message.text for message in thread(stage.session, the_question(stage).id)] == ["È il verbale giusto?"]


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        (
            {"location": {"latitude": 45.4642, "longitude": 0}},
            FileKind.LOCATION,
            {"latitude": 45.4642, "longitude": 0},
        ),
        (
            {
                "venue": {
                    "location": {"latitude": 45.4, "longitude": 9.1},
                    "title": "Ex mercato",
                    "address": "Via Roma",
                },
                "location": {"latitude": 45.4, "longitude": 9.1},
            },
            FileKind.LOCATION,
            {"latitude": 45.4, "longitude": 9.1, "title": "Ex mercato", "address": "Via Roma"},
        ),
        (
            {"contact": {"phone_number": "+39021234", "first_name": "Ines", "last_name": "Esempio"}},
            FileKind.CONTACT,
            {"name": "Ines Esempio", "phone": "+39021234"},
        ),
    ],
)
def test_places_and_contacts_are_kept_as_what_they_say(stage: Stage, content, kind, detail) -> None:  # type: ignore[no-untyped-def]
    stage.bruno.says("/aggiorna").leaves(**content)

    [file] = files(stage)
    assert (file.kind, file.state, file.detail) == (kind, FileState.KEPT, detail)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (a_document("progetto.pdf", size=25 * 1024 * 1024), "è troppo grande per Telegram"),
        (a_document("installa.exe"), "niente programmi"),
    ],
)
def test_what_cannot_be_had_is_said_at_once_with_the_way_to_that_very_place(stage: Stage, document, said) -> None:  # type: ignore[no-untyped-def]
    stage.bruno.says("/aggiorna").leaves(document=document)

    assert said in stage.bruno.text
    assert "Ricevuto" not in stage.bruno.text
    [file] = files(stage)
    links = [one.url for words in stage.bruno.heard for row in words.buttons for one in row if one.url]
    assert links == [f"{PERSONAL_PAGE}/upload/{file.id}"]
    assert (file.state, file.draft_id is not None) == (FileState.MISSING, True)


def test_a_sticker_is_said_not_to_be_read(stage: Stage) -> None:
    stage.ada.leaves(sticker={"file_id": "s", "emoji": "👍"})

    assert "non lo so leggere" in stage.ada.text
    assert files(stage) == []


def test_a_stranger_leaves_no_file(stage: Stage) -> None:
    stranger = Phone(stage.session, 99, stage.cast.now).leaves(photo=photo(1))

    assert "Non ti conosco ancora" in stranger.text
    assert files(stage) == []


def test_a_file_for_a_project_that_is_no_longer_theirs_is_not_lost(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").leaves()
    draft_id = files(stage)[0].draft_id

    stage.bruno.presses("Annulla")

    assert files(stage)[0].draft_id == draft_id
    assert attachments.of_draft(stage.session, draft_id or 0)
    assert DraftState.OPEN not in stage.session.exec(select(Draft.state)).all()


ORIGINALS = "Telegram rimpicciolisce le foto: se conta l'originale, mandalo come file."


def test_that_originals_go_as_files_is_told_once_with_the_first_photo(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves(document=a_document())
    assert ORIGINALS not in bruno.text
    assert f"📎 Ricevuto: foto\n{ORIGINALS}\n" in bruno.leaves("cantiere").text
    assert ORIGINALS not in bruno.leaves("facciata").text

    assert ORIGINALS in stage.ada.leaves("un'altra persona").text


def test_that_originals_go_as_files_is_told_in_a_thread_too(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Che foto servono?").presses("Nessun progetto")

    ada.leaves("questa", reply_to=ada.delivered("900"))

    assert ada.text.startswith(ORIGINALS)


def test_an_album_of_first_photos_tells_it_once(stage: Stage) -> None:
    stage.ada.leaves("Il cantiere", album="1").leaves(album="1")

    assert ORIGINALS in stage.ada.waits().text
    stage.ada.leaves("Ancora", album="2")
    assert ORIGINALS not in stage.ada.waits().text


def test_the_help_tells_that_originals_go_as_files(stage: Stage) -> None:
    assert ORIGINALS in stage.ada.says("/aiuto").text
