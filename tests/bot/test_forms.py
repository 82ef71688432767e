"""Forms beside the usual one, in the chat: each type, groups, repeats, ticks, what is private, to the web and back."""

from dataclasses import dataclass

import pytest
from sqlmodel import select

from intake.forms.nodes import Definition
from intake.publishing import publish, retire
from storage.forms import newest_version
from storage.people import organizations_of
from storage.tables import Draft, DraftState, Form, Subject, Update
from tests.bot.conftest import Stage
from tests.bot.talk import Phone, a_document
from tests.intake.forms.making import form_of

EVERYTHING = """
| survey |
| | type | name | label | required | relevant | hint | appearance | parameters | raccordo::private | raccordo::ask |
| | note | hello | Grazie di rispondere. | | | | | | | |
| | begin_group | site | Il luogo | | | | | | | |
| | text | name | Come si chiama? | yes | | | | | | |
| | integer | people | Quante persone? | | | | | | | |
| | end_group | | | | | | | | | |
| | select_multiple uses or_other | uses | A che cosa serve? | yes | | | | | | |
| | rank uses | order | In quale ordine? | | | | | | | |
| | range | mark | Che voto dai? | yes | | | | start=1 end=5 step=1 | | |
| | select_one uses | main | Qual è il principale per ${name}? | yes | | | likert | | | |
| | geopoint | place | Dove si trova? | | | | | | | |
| | image | photo | Hai una foto? | | | | | | | |
| | time | hour | A che ora apre? | | | | | | | |
| | begin_repeat | works | Lavori | | | | | | | |
| | text | what | Quale lavoro? | yes | | | | | | |
| | decimal | cost | Quanto costa? | | | | | | | |
| | end_repeat | | | | | | | | | |
| | text | secret | Qual è il conto? | | | | | | yes | |
| | acknowledge | read | Hai letto? | yes | | | | | | |
| | note | bye | Ci vediamo presto. | | | | | | | |
| choices |
| | list_name | name | label |
| | uses | sport | Sport |
| | uses | art | Arte |
| | uses | study | Studio |
| settings |
| | form_title | form_id | raccordo::about |
| | Tutto | everything | organization |
"""


@dataclass
class Scene:
    stage: Stage
    bruno: Phone

    def publish(self, form: Definition) -> None:
        publish(self.stage.session, form, now=self.stage.cast.now, source="modulo.xlsx")

    @property
    def draft(self) -> Draft:
        return self.stage.session.exec(select(Draft).where(Draft.state == DraftState.OPEN)).one()

    @property
    def sent(self) -> Update:
        return self.stage.session.exec(select(Update)).one()


@pytest.fixture
def scene(stage: Stage) -> Scene:
    found = Scene(stage, stage.bruno)
    found.publish(form_of(EVERYTHING))
    return found


def begun(scene: Scene) -> Phone:
    return scene.bruno.says("/moduli").presses("Tutto")


def at_uses(scene: Scene) -> Phone:
    return begun(scene).says("Ex mercato").says("1.200")


def at_place(scene: Scene) -> Phone:
    bruno = at_uses(scene).presses("Sport").presses("Fatto")
    return bruno.presses("Salta").presses("3").presses("Studio")


def at_works(scene: Scene) -> Phone:
    return at_place(scene).presses("Salta").presses("Salta").presses("Salta")


def test_the_menu_leads_to_the_other_forms_that_are_in_use(scene: Scene) -> None:
    session = scene.stage.session
    retire(session, session.exec(select(Form).where(Form.key == "local-need")).one(), by=1, now=scene.stage.cast.now)
    session.flush()

    bruno = scene.bruno.says("/menu").presses("Altri moduli")

    assert "Quale modulo vuoi compilare?" in bruno.text
    assert "🗂 Tutto" in bruno.labels
    assert not [label for label in bruno.labels if "Fabbisogno" in label]
    assert not [label for label in bruno.labels if "Aggiornamento" in label]


def test_an_old_button_of_a_retired_form_says_so(scene: Scene) -> None:
    session = scene.stage.session
    bruno = scene.bruno.says("/moduli")
    button = next(data for label, data in bruno.buttons if "Tutto" in label)
    form = session.exec(select(Form).where(Form.key == "everything")).one()
    retire(session, form, by=1, now=scene.stage.cast.now)
    session.flush()

    assert button is not None
    assert "Questo modulo non si usa più." in bruno.presses_data(button).text


def test_who_writes_for_several_organisations_says_for_which(scene: Scene) -> None:
    other = scene.stage.cast.an_organization("Magenta")
    scene.stage.cast.also_of(scene.stage.colleague, other)

    bruno = begun(scene)
    assert "Per quale ente scrivi?" in bruno.text

    bruno.presses("Magenta")
    assert "1 di 11 · Magenta" in bruno.text
    assert scene.draft.organization_id == other.id


def test_notes_and_groups_are_said_on_the_way_and_groups_only_once(scene: Scene) -> None:
    bruno = begun(scene)
    assert "Grazie di rispondere." in bruno.text
    assert "▸ Il luogo" in bruno.text

    bruno.says("Ex mercato")
    assert "Quante persone?" in bruno.text
    assert "Il luogo" not in bruno.text
    assert "Grazie di rispondere." not in bruno.text


def test_several_answers_are_ticked_in_the_very_message(scene: Scene) -> None:
    bruno = at_uses(scene)
    assert "Puoi scegliere più risposte" in bruno.text
    assert not [label for label in bruno.labels if "Fatto" in label]

    bruno.presses("Sport")
    assert bruno.heard[0].replaces
    assert "☑️ Sport" in bruno.labels

    bruno.presses("Arte").presses("Sport")
    assert [label for label in bruno.labels if label.startswith("☑️")] == ["☑️ Arte"]

    bruno.presses("Fatto")
    assert not bruno.heard[0].replaces
    assert scene.draft.answers["uses"] == ["art"]


def test_ticks_pressed_faster_than_the_chat_shows_them_all_count(scene: Scene) -> None:
    bruno = at_uses(scene)
    shown = dict(bruno.buttons)

    for label in ("⬜ Sport", "⬜ Arte"):
        data = shown[label]
        assert data is not None
        bruno.presses_data(data)

    assert [label for label in bruno.labels if label.startswith("☑️")] == ["☑️ Sport", "☑️ Arte"]


def test_a_tick_of_another_question_is_an_old_button(scene: Scene) -> None:
    bruno = at_uses(scene)
    old = dict(bruno.buttons)["⬜ Sport"]
    bruno.presses("Arte").presses("Fatto")

    assert old is not None
    bruno.presses_data(old)

    assert "Quel pulsante è di un messaggio precedente" in bruno.text
    assert "In quale ordine?" in bruno.text


def test_several_answers_may_be_written_and_other_is_asked_for(scene: Scene) -> None:
    bruno = at_uses(scene).says("sport, altro")

    assert "Altro: che cosa?" in bruno.text
    bruno.says("Orto")

    assert scene.draft.answers["uses"] == ["sport", "other"]
    assert scene.draft.answers["uses_other"] == "Orto"


def test_ranks_are_pressed_in_order(scene: Scene) -> None:
    bruno = at_uses(scene).presses("Sport").presses("Fatto")

    bruno.presses("Studio").presses("Sport")
    assert "1. Studio" in bruno.labels
    bruno.presses("Arte")

    assert scene.draft.answers["order"] == ["study", "sport", "art"]


def test_a_range_and_a_scale_are_buttons(scene: Scene) -> None:
    bruno = at_uses(scene).presses("Sport").presses("Fatto").presses("Salta")
    assert bruno.labels[:5] == ["1", "2", "3", "4", "5"]

    bruno.presses("4")
    assert "Qual è il principale per Ex mercato?" in bruno.text
    bruno.presses("Arte")

    assert (scene.draft.answers["mark"], scene.draft.answers["main"]) == ("4", "art")


def test_a_place_is_sent_or_written(scene: Scene) -> None:
    bruno = at_place(scene)
    assert "graffetta" in bruno.text

    bruno.leaves(location={"latitude": 45.4642, "longitude": 9.19})
    assert scene.draft.answers["place"] == [45.4642, 9.19]

    bruno.presses("Indietro").says("45.1, 9.2")
    assert scene.draft.answers["place"] == [45.1, 9.2]


def test_a_photo_is_the_answer_and_stays_with_the_update(scene: Scene) -> None:
    bruno = at_place(scene).presses("Salta")
    assert "Hai una foto?" in bruno.text
    assert "serve un file" in bruno.says("non saprei").text

    bruno.leaves()
    assert "A che ora apre?" in bruno.text
    [photo] = scene.draft.answers["photo"]

    bruno.presses("Indietro")
    assert "La tua risposta adesso: 1 file" in bruno.text
    bruno.leaves(document=a_document("pianta.pdf"))
    assert len(scene.draft.answers["photo"]) == 2
    assert scene.draft.answers["photo"][0] == photo


def test_an_album_is_one_answer(scene: Scene) -> None:
    bruno = at_place(scene).presses("Salta")

    bruno.leaves(album="a").leaves(album="a").waits()

    assert len(scene.draft.answers["photo"]) == 2
    assert "A che ora apre?" in bruno.text


def test_one_asks_whether_there_is_another_and_takes_it_away_when_asked(scene: Scene) -> None:
    bruno = at_works(scene)
    assert "Vuoi aggiungere una voce a Lavori?" in bruno.text

    bruno.presses("Aggiungi")
    assert "▸ Lavori 1" in bruno.text
    bruno.says("Tetto").says("12500")
    assert "Finora ce n'è una." in bruno.text

    bruno.says("sì").says("Muro").presses("Salta")
    assert "Finora sono 2." in bruno.text

    bruno.presses("Togli l'ultima")
    assert "Tolgo l'ultima voce" in bruno.text
    bruno.presses("Sì, togli")
    assert scene.draft.answers["works[1]/what"] == "Tetto"
    assert "works[2]/what" not in scene.draft.answers
    assert scene.draft.repetitions == {"works": 1}

    assert "Qual è il conto?" in bruno.says("basta").text


def test_what_is_private_is_answered_on_the_web_only(scene: Scene) -> None:
    bruno = at_works(scene).presses("No, avanti")
    [page] = [one for row in bruno.heard[0].buttons for one in row if one.url]
    assert "solo sulla tua pagina web" in bruno.text
    assert page.url == f"raccordo:personal-page/drafts/{scene.draft.id}"

    bruno.says("IT60X0542811101000000123456")
    assert "secret" not in scene.draft.answers
    assert "solo sulla tua pagina web" in bruno.text

    assert "Hai letto?" in bruno.presses("Avanti").text


def test_what_was_answered_on_the_web_lets_the_chat_go_on(scene: Scene) -> None:
    bruno = at_works(scene).presses("No, avanti")
    scene.draft.answers = scene.draft.answers | {"secret": "IT60X0542811101000000123456"}
    scene.stage.session.flush()
    bruno.says("ecco")
    assert "Hai risposto sulla tua pagina" in bruno.text

    assert "Hai letto?" in bruno.presses("Avanti").text
    assert "Qual è il conto?" in bruno.presses("Indietro").text
    assert "Hai letto?" in bruno.says("fatto").text


def test_back_at_a_photo_the_chat_goes_on_with_it(scene: Scene) -> None:
    bruno = at_place(scene).presses("Salta").leaves().presses("Indietro")

    assert "A che ora apre?" in bruno.presses("Avanti").text


def test_what_is_written_where_only_the_page_asks_is_said_to_be_kept_nowhere(scene: Scene) -> None:
    bruno = at_works(scene).presses("No, avanti").says("IT60X0542811101000000123456")

    assert "Quello che hai scritto qui non vale come risposta" in bruno.text
    assert "secret" not in scene.draft.answers


def test_a_whole_form_is_sent_with_what_its_files_are(scene: Scene) -> None:
    bruno = at_works(scene).presses("Aggiungi").says("Tetto").presses("Salta").says("no").presses("Avanti")

    bruno.presses("Ho letto")
    assert "Ci vediamo presto." in bruno.text
    assert "Riepilogo · Tutto · Abbiategrasso" in bruno.text
    assert "Quale lavoro? (1): Tetto" in bruno.text

    bruno.presses("Invia")
    assert f"Tutto: n. {scene.sent.id} ricevuto" in bruno.text
    assert scene.sent.organization_id is not None
    assert scene.sent.project_id is None
    assert scene.sent.answers == {
        "site/name": "Ex mercato",
        "site/people": 1200,
        "uses": ["sport"],
        "mark": "3",
        "main": "study",
        "works[1]/what": "Tetto",
        "read": "OK",
    }


def test_a_changed_answer_says_which_others_no_longer_count(scene: Scene) -> None:
    bruno = at_works(scene).presses("No, avanti").presses("Avanti").presses("Ho letto")
    bruno.presses("Cambia una risposta").presses("A che cosa serve").says("altro")
    bruno.says("Orto")
    assert "Riepilogo" in bruno.text

    bruno.presses("Cambia una risposta").presses("A che cosa serve? Altro").says("sport")

    assert "un'altra non vale più: “Altro: che cosa?”" in bruno.text
    assert "uses_other" not in scene.draft.answers


def test_from_the_chat_to_the_web_and_back(scene: Scene) -> None:
    bruno = at_uses(scene).presses("Web")
    [page] = [one for row in bruno.heard[0].buttons for one in row if one.url]
    assert page.url == f"raccordo:personal-page/drafts/{scene.draft.id}"
    draft_id = scene.draft.id

    bruno.says("/menu").says(f"/start d{draft_id}")

    assert "A che cosa serve?" in bruno.text
    assert scene.draft.id == draft_id


def test_a_link_to_the_draft_of_another_leads_nowhere(scene: Scene) -> None:
    at_uses(scene)
    ada = scene.stage.carla

    ada.says(f"/start d{scene.draft.id}")

    assert "A che cosa serve?" not in ada.text
    assert scene.draft.referent_id == scene.stage.colleague.id


def test_a_form_that_is_left_is_named_in_the_menu_and_taken_up_again(scene: Scene) -> None:
    bruno = at_uses(scene).says("/menu")
    assert "Tutto · Abbiategrasso (risposte: 2 su 11)" in bruno.text

    assert "A che cosa serve?" in bruno.presses("Continua: Tutto").text


def test_whoever_leaves_the_organisation_loses_its_form(scene: Scene) -> None:
    bruno = at_uses(scene)
    for one in scene.stage.session.exec(select(Draft)).all():
        one.organization_id = scene.stage.cast.an_organization("Corsico").id
    scene.stage.session.flush()

    assert "Questo ente non è più tra i tuoi" in bruno.says("sport").text


def test_a_form_about_a_project_asks_which(scene: Scene) -> None:
    bruno = scene.bruno.says("/moduli").presses("Scheda progetto")

    assert scene.draft.project_id == scene.stage.market.id
    assert "1 di" in bruno.text


RECKONING = """
| survey |
| | type | name | label | required | calculation | default |
| | text | what | Che cosa? | yes | | |
| | text | why | Perché? | yes | | |
| | hidden | mark | | | | x |
| | calculate | twice | | | concat(${what}, ${what}) | |
| settings |
| | form_title | form_id | raccordo::about |
| | Conti | reckoning | organization |
"""


def test_what_the_form_knows_by_itself_is_not_counted_as_an_answer(scene: Scene) -> None:
    scene.publish(form_of(RECKONING))
    bruno = scene.bruno.says("/moduli").presses("Conti").says("Tetto")

    assert "(risposte: 1 su 2)" in bruno.says("/menu").text


def test_what_is_due_by_another_form_is_not_said_to_be_due_by_this_one(scene: Scene) -> None:
    stage = scene.stage
    stage.owed(stage.today)
    ada = stage.ada.says("/moduli").presses("Scheda progetto")
    assert "Di quale progetto si tratta?" in ada.text
    assert "scadenza:" not in ada.text

    assert "scadenza:" in ada.presses("Annulla").says("/aggiorna").text


def test_what_an_organisation_owes_is_told_by_its_own_form(scene: Scene) -> None:
    stage = scene.stage
    version = newest_version(stage.session, "everything")
    assert version is not None
    deadline = stage.cast.a_deadline(version, stage.today, "Censimento", subject=Subject.ORGANIZATION)
    [organization] = organizations_of(stage.session, stage.colleague.id)
    owed = stage.cast.an_obligation(deadline, organization, stage.today, stage.cast.now)

    bruno = scene.bruno.says("/scadenze").presses("📝 Abbiategrasso")
    assert "1 di 11 · Abbiategrasso" in bruno.text
    assert scene.draft.obligation_id == owed.id

    bruno.says("Ex mercato").says("/menu").says("/scadenze").presses("📝 Abbiategrasso")
    assert "Quante persone?" in bruno.text

    bruno.presses("Salta").presses("Sport").presses("Fatto").presses("Salta").presses("3").presses("Studio")
    for _ in range(3):
        bruno.presses("Salta")
    bruno.presses("No, avanti").presses("Avanti").presses("Ho letto")
    assert "Vale per: Censimento" in bruno.text
    bruno.presses("Invia")
    assert scene.sent.obligation_id == owed.id

    button = f"o:{owed.id}"
    assert "Questa scadenza è già coperta" in bruno.presses_data(button).text


def test_what_a_foreign_organisation_owes_is_not_told(scene: Scene) -> None:
    stage = scene.stage
    version = newest_version(stage.session, "everything")
    assert version is not None
    deadline = stage.cast.a_deadline(version, stage.today, "Censimento", subject=Subject.ORGANIZATION)
    owed = stage.cast.an_obligation(deadline, stage.cast.an_organization("Corsico"), stage.today, stage.cast.now)

    assert "Questa scadenza è già coperta" in scene.bruno.presses_data(f"o:{owed.id}").text


def test_nothing_changed_is_offered_only_where_that_form_was_answered_before(scene: Scene) -> None:
    stage = scene.stage
    stage.reported(stage.cast.now)
    census = newest_version(stage.session, "project-census")
    assert census is not None
    deadline = stage.cast.a_deadline(census, stage.today, "Scheda")
    stage.cast.an_obligation(deadline, stage.market, stage.today, stage.cast.now)

    bruno = scene.bruno.says("/scadenze")
    assert "Scheda: Ex mercato coperto" in bruno.text
    assert not [label for label in bruno.labels if "Nessuna novità" in label]

    stage.owed(stage.today)
    assert [label for label in scene.bruno.says("/scadenze").labels if "Nessuna novità" in label]
