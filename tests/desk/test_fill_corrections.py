"""What was sent is corrected on one's own page: with a reason, or because staff ask. What it was stays known."""

from datetime import datetime, timedelta

from sqlmodel import select

from intake.correcting import Corrected, correct
from intake.reviewing import accept, give_back
from storage.tables import AnswerChange, Channel, Draft, DraftKind, DraftState, Review, Update
from tests.desk.conftest import CSRF, Desk
from tests.desk.filling import Filler, a_filler, text_of, updates
from tests.desk.test_fill import ANSWERS, KEPT
from tests.desk.test_personal import a_person, carla


async def has_sent(desk: Desk) -> Filler:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    await filler.sends()
    return filler


async def corrects(desk: Desk, filler: Filler) -> Filler:
    """The form again, with what was sent in it."""
    receipt = f"{filler.person.page}/sent/{updates(desk)[0].id}"
    begun = await filler.browser.send_form(f"{receipt}/correct", receipt)
    again = Filler(desk, filler.person, filler.browser, begun.headers["location"], "")
    await again.reads()
    return again


def changes(desk: Desk) -> list[AnswerChange]:
    with desk.house.database.read() as session:
        return list(session.exec(select(AnswerChange).order_by("id")))


def returned(desk: Desk, **remarks: str) -> int:
    """Staff send it back; the draft in which it is answered."""
    with desk.house.database.write() as session:
        update = session.exec(select(Update)).one()
        form = desk.house.catalogue.version(session, update.form_version_id)
        give_back(session, update, form, remarks, by=desk.people["Olga"], now=desk.house.clock())
        return session.exec(select(Draft).where(Draft.corrects_id == update.id)).one().id


async def test_what_was_sent_is_corrected_with_a_reason(desk: Desk) -> None:
    filler = await corrects(desk, await has_sent(desk))
    before = text_of(filler.page)
    await filler.presses("send", {"progress": "50"})

    receipt = await filler.sends(reason="Ho letto male il verbale.")

    assert "Stai correggendo l'aggiornamento n. 1" in before
    assert [(one.key, one.before, one.after, one.reason) for one in changes(desk)] == [
        ("progress", {"value": "45.5"}, {"value": "50"}, "Ho letto male il verbale.")
    ]
    [update] = updates(desk)
    assert update.answers == {**KEPT, "progress": "50"}
    assert "Corretto una volta" in text_of(receipt.text)


async def test_a_correction_without_a_reason_is_asked_for_one(desk: Desk) -> None:
    filler = await corrects(desk, await has_sent(desk))
    await filler.presses("send", {"progress": "50"})

    answered = await filler.sends(reason="  ")

    assert answered.status_code == 422
    assert "Scrivi in poche parole perché." in answered.text
    assert changes(desk) == []


async def test_what_staff_ask_stands_beside_the_answer_and_needs_no_reason(desk: Desk) -> None:
    sent = await has_sent(desk)
    draft = returned(desk, progress="È il valore di ottobre?")
    listed = text_of((await sent.browser.get(sent.person.page)).text)
    filler = Filler(desk, sent.person, sent.browser, f"{sent.person.page}/drafts/{draft}", "")
    page = text_of(await filler.reads())

    await filler.presses("send", {"progress": "50"})
    receipt = await filler.sends()

    assert "L'ufficio chiede qualcosa" in listed
    assert "L'ufficio chiede: È il valore di ottobre?" in page
    assert 'href="#f-progress"' in filler.page
    assert receipt.status_code == 200
    assert updates(desk)[0].review is Review.RECEIVED
    assert updates(desk)[0].answers["progress"] == "50"


async def test_what_a_colleague_corrected_meanwhile_is_not_overwritten(desk: Desk, now: datetime) -> None:
    filler = await corrects(desk, await has_sent(desk))
    await filler.presses("send", {"progress": "70"})
    with desk.house.database.write() as session:
        update = session.exec(select(Update)).one()
        at = now + timedelta(minutes=1)
        form = desk.house.catalogue.version(session, update.form_version_id)
        theirs = Draft(
            kind=DraftKind.UPDATE,
            referent_id=filler.person.id,
            project_id=update.project_id,
            form_version_id=update.form_version_id,
            channel=Channel.TELEGRAM,
            state=DraftState.SENT,
            corrects_id=update.id,
            created_at=now,
            touched_at=now,
        )
        session.add(theirs)
        session.flush()
        why = Corrected(filler.person.id, Channel.TELEGRAM, "Verbale")
        correct(session, theirs.id, form, {**KEPT, "progress": "60"}, why, now=at)

    answered = await filler.sends(reason="Errore mio")

    assert "Intanto un collega ha corretto le stesse risposte." in text_of(answered.text)
    assert "60%" in answered.text
    assert updates(desk)[0].answers["progress"] == "60"


async def test_what_was_accepted_is_no_longer_corrected(desk: Desk) -> None:
    sent = await has_sent(desk)
    receipt = f"{sent.person.page}/sent/{updates(desk)[0].id}"
    page = (await sent.browser.get(receipt)).text
    csrf = CSRF.search(page)
    assert csrf is not None
    with desk.house.database.write() as session:
        accept(session, 1, 0, by=desk.people["Olga"], now=desk.house.clock())

    answered = await sent.browser.post(f"{receipt}/correct", data={"csrf": csrf[1]})
    again = (await sent.browser.get(receipt)).text

    assert "Correggi qualcosa" in page
    assert "Correggi qualcosa" not in again
    assert "Corretto" not in again
    assert answered.status_code == 409


async def test_carla_corrects_nothing_of_ada(desk: Desk) -> None:
    await has_sent(desk)
    stranger = carla(desk)

    answered = await desk.browser().send_form(f"{stranger.page}/sent/1/correct", f"{stranger.page}/ask")

    assert answered.status_code == 404


async def test_beginning_a_new_update_does_not_take_up_a_correction(desk: Desk) -> None:
    correcting = await corrects(desk, await has_sent(desk))

    fresh = await a_filler(desk, correcting.person, "project-update")

    assert fresh.address != correcting.address
    assert fresh.draft().answers == {}
