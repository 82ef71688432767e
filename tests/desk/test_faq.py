"""What is answered for everybody, at the desk: proposed, checked, published, withdrawn."""

import re
import threading
from datetime import timedelta

import pytest
from sqlmodel import col, select

from answering.faq import Wished, publish
from answering.refusal import Refused
from storage.tables import Audit, FaqEntry, FaqState, Question
from tests.desk.conftest import Desk
from tests.desk.test_questions import a_question, press

PAGE = "/desk/faq"
TEXTS = {"question": "Che cos'è il CUP?", "answer": "Il codice unico di progetto."}


def an_entry(desk: Desk, state: FaqState = FaqState.PROPOSED, **other: object) -> int:
    now = desk.house.clock()
    values = {"proposed_by": desk.people["Vera"], "created_at": now, "changed_at": now} | TEXTS
    if state is not FaqState.PROPOSED:
        values |= {"published_at": now}
    with desk.house.database.write() as session:
        return int(desk.cast(session).add(FaqEntry.model_validate(values | {"state": state} | other)).id)


def the_entry(desk: Desk, entry_id: int) -> FaqEntry:
    with desk.house.database.read() as session:
        return session.get_one(FaqEntry, entry_id)


async def an_answered_question(desk: Desk, asked: str, answered: str) -> int:
    question_id = a_question(desk, asked)
    await press(desk.browser("Olga"), question_id, "answer", text=answered)
    return question_id


async def test_from_an_answered_question_to_everybody(desk: Desk) -> None:
    question_id = await an_answered_question(desk, "Dove trovo il CUP?", "Nella delibera.")
    vera, olga = desk.browser("Vera"), desk.browser("Olga")

    thread = (await vera.get(f"/desk/questions/{question_id}")).text
    begun = (await vera.get(f"{PAGE}/new?question={question_id}")).text
    sent = await vera.send_form(
        PAGE, page=f"{PAGE}/new", question="Dove  trovo\nil CUP?", answer="In delibera.", from_question=str(question_id)
    )
    waiting = (await olga.get(PAGE)).text
    here = sent.headers["location"]
    published = await olga.send_form(
        f"{here}/publish", page=here, question="Dove trovo il CUP?", answer="Nella delibera di giunta.", version="1"
    )

    assert f'href="/desk/faq/new?question={question_id}"' in thread
    assert "Dove trovo il CUP?</textarea>" in begun
    assert "Nella delibera.</textarea>" in begun
    assert "Dove trovo il CUP?" in waiting
    assert published.status_code == 303
    entry = the_entry(desk, int(here.rsplit("/", 1)[1]))
    assert (entry.state, entry.answer, entry.question_id) == (
        FaqState.PUBLISHED,
        "Nella delibera di giunta.",
        question_id,
    )
    assert (entry.proposed_by, entry.checked_by, entry.version) == (desk.people["Vera"], desk.people["Olga"], 2)
    assert "Nella delibera di giunta." in (await desk.browser().get("/public/faq")).text
    assert "pubblicata" in (await vera.get(f"/desk/questions/{question_id}")).text
    with desk.house.database.read() as session:
        acts = session.exec(select(Audit.action).where(Audit.object_kind == "faq").order_by(col(Audit.id))).all()
    assert acts == ["faq.propose", "faq.publish"]


async def test_before_there_is_an_answer_there_is_nothing_to_propose(desk: Desk) -> None:
    question_id = a_question(desk)
    vera = desk.browser("Vera")

    page = await vera.get(f"{PAGE}/new?question={question_id}")
    sent = await vera.send_form(PAGE, page=f"{PAGE}/new", from_question=str(question_id), **TEXTS)

    assert (page.status_code, sent.status_code) == (409, 409)
    assert "Prima rispondi a questa domanda" in page.text
    for nothing in ("999", "0", "abc", "99999999999", "²"):
        assert (await vera.get(f"{PAGE}/new?question={nothing}")).status_code == 404


async def test_personal_data_are_taken_out_or_confirmed_one_by_one(desk: Desk) -> None:
    question_id = await an_answered_question(desk, "Sono Ada: il CUP C47H21000010001?", "Scrivi a olga@example.org.")
    vera = desk.browser("Vera")
    texts = {"question": "Sono Ada: il CUP C47H21000010001?", "answer": "Chiedi a Olga."}

    begun = (await vera.get(f"{PAGE}/new?question={question_id}")).text
    form = {"page": f"{PAGE}/new", "from_question": str(question_id), **texts}
    refused = await vera.send_form(PAGE, **form)
    some = await vera.send_form(PAGE, **form, confirm=["Ada", "C47H21000010001"])
    all_of_it = await vera.send_form(PAGE, **form, confirm=["Ada", "C47H21000010001", "Olga"])

    found = re.findall(r'name="confirm" value="([^"]+)"', begun)
    assert found == ["C47H21000010001", "Ada", "olga@example.org"]
    assert (refused.status_code, some.status_code, all_of_it.status_code) == (409, 409, 303)
    assert "Chiedi a Olga.</textarea>" in refused.text
    assert re.findall(r'name="confirm" value="([^"]+)" checked', some.text) == ["C47H21000010001", "Ada"]


async def test_an_officer_confirms_again_what_a_volunteer_confirmed(desk: Desk) -> None:
    number = an_entry(desk, answer="Telefona allo 02 7740 1234.")
    olga = desk.browser("Olga")
    texts = {"question": "A chi telefono?", "answer": "Telefona allo 02 7740 1234.", "version": "1"}

    refused = await olga.send_form(f"{PAGE}/{number}/publish", page=f"{PAGE}/{number}", **texts)
    before = the_entry(desk, number).state
    await olga.send_form(f"{PAGE}/{number}/publish", page=f"{PAGE}/{number}", **texts, confirm="02 7740 1234")

    assert refused.status_code == 409
    assert before is FaqState.PROPOSED
    assert the_entry(desk, number).state is FaqState.PUBLISHED


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"question": " ", "answer": "Sì."}, "Scrivi la domanda e la risposta"),
        ({"question": "Sì?", "answer": "\x00"}, "Scrivi la domanda e la risposta"),
        ({"question": "x" * 301, "answer": "Sì."}, "La domanda è troppo lunga"),
        ({"question": "Sì?", "answer": "x" * 3001}, "La risposta è troppo lunga"),
        ({"question": "Sì?", "answer": "Sì.", "question_en": "Yes?"}, "oppure nessuna delle due"),
        ({"question": "Sì?", "answer": "Sì.", "category": "999999999"}, "non è più in uso"),
        ({"question": "Sì?", "answer": "Sì.", "category": "x"}, "non è più in uso"),
    ],
)
async def test_what_is_wrong_is_said_and_stays_in_the_form(desk: Desk, fields: dict[str, str], why: str) -> None:
    number = an_entry(desk)
    olga = desk.browser("Olga")

    answers = [
        await olga.send_form(path, page=PAGE + "/new", version="1", **fields)
        for path in (PAGE, f"{PAGE}/{number}", f"{PAGE}/{number}/publish")
    ]

    for answer in answers:
        assert answer.status_code == 409
        assert why in answer.text
        assert fields["answer"].replace("\x00", "")[:100] in answer.text
    assert (the_entry(desk, number).state, the_entry(desk, number).version) == (FaqState.PROPOSED, 1)


async def test_what_is_withdrawn_nobody_reads_and_can_be_published_again(desk: Desk) -> None:
    number = an_entry(desk, FaqState.PUBLISHED)
    olga = desk.browser("Olga")
    here = f"{PAGE}/{number}"

    await olga.send_form(f"{here}/withdraw", page=here, version="1")
    gone = (await olga.get("/public/faq")).text
    again = await olga.send_form(f"{here}/publish", page=here, version="2", **TEXTS)

    assert "CUP" not in gone
    assert again.status_code == 303
    history = (await olga.get(here)).text
    assert "ha ritirato una domanda frequente" in history
    assert "Olga Esempio" in history


async def test_a_volunteer_proposes_and_publishes_nothing(desk: Desk) -> None:
    number = an_entry(desk)
    vera = desk.browser("Vera")

    seen = (await vera.get(f"{PAGE}/{number}")).text
    presses = [
        (await vera.send_form(f"{PAGE}/{number}{act}", page=f"{PAGE}/new", version="1", **TEXTS)).status_code
        for act in ("", "/publish", "/withdraw")
    ]

    assert "Il codice unico di progetto." in seen
    assert "/publish" not in seen
    assert presses == [403] * 3
    assert the_entry(desk, number).state is FaqState.PROPOSED


async def test_a_reader_has_no_part_in_it(desk: Desk) -> None:
    number = an_entry(desk)
    question_id = await an_answered_question(desk, "Dove?", "Qui.")
    rita = desk.browser("Rita")

    assert [(await rita.get(path)).status_code for path in (PAGE, f"{PAGE}/{number}", f"{PAGE}/new")] == [403] * 3
    assert "/desk/faq/new" not in (await rita.get(f"/desk/questions/{question_id}")).text


async def test_the_second_of_two_officers_is_told_and_changes_nothing(desk: Desk) -> None:
    number = an_entry(desk)
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")
    here = f"{PAGE}/{number}"

    await olga.send_form(here, page=here, version="1", question="Che cos'è il CUP?", answer="Il primo testo.")
    late = await ugo.send_form(f"{here}/publish", page=here, version="1", question="Sì?", answer="Il secondo testo.")
    withdrawn = await ugo.send_form(f"{here}/withdraw", page=here, version="99999999999")

    assert (late.status_code, withdrawn.status_code) == (409, 409)
    assert "Nel frattempo un collega" in late.text
    assert "Il secondo testo.</textarea>" in late.text
    assert "<p>Il primo testo.</p>" in late.text  # read before it is written over
    assert 'name="version" value="2"' in late.text
    assert (the_entry(desk, number).answer, the_entry(desk, number).state) == ("Il primo testo.", FaqState.PROPOSED)


def test_of_two_officers_at_once_one_publishes(desk: Desk) -> None:
    number = an_entry(desk)
    start, outcomes = threading.Barrier(2), []

    def race(who: str) -> None:
        start.wait(timeout=30)
        try:
            with desk.house.database.write() as session:
                wished = Wished("Che cos'è il CUP?", f"Il testo numero {desk.people[who]}.")
                publish(session, number, desk.people[who], wished, version=1, now=desk.house.clock())
            outcomes.append(who)
        except Refused:
            outcomes.append("")

    racing = [threading.Thread(target=race, args=(who,)) for who in ("Olga", "Ugo")]
    for one in racing:
        one.start()
    for one in racing:
        one.join(timeout=60)

    winner = "".join(outcomes)
    assert sorted(outcomes) == sorted(["", winner])
    assert the_entry(desk, number).answer == f"Il testo numero {desk.people[winner]}."
    with desk.house.database.read() as session:
        assert len(session.exec(select(Audit).where(Audit.action == "faq.publish")).all()) == 1


async def test_what_was_asked_by_somebody_who_is_forgotten_can_still_be_proposed(desk: Desk) -> None:
    question_id = await an_answered_question(desk, "Dove trovo il CUP?", "Nella delibera.")
    with desk.house.database.write() as session:
        session.get_one(Question, question_id).referent_id = None

    page = await desk.browser("Vera").get(f"{PAGE}/new?question={question_id}")

    assert page.status_code == 200


async def test_the_lists_hold_their_own(desk: Desk) -> None:
    an_entry(desk, question="Da controllare?", changed_at=desk.house.clock() - timedelta(days=1))
    an_entry(desk, FaqState.PUBLISHED, question="Già uscita?", helped=7, not_helped=3)
    olga = desk.browser("Olga")

    first, published = (await olga.get(PAGE)).text, (await olga.get(f"{PAGE}?state=published")).text
    empty = (await olga.get(f"{PAGE}?state=withdrawn")).text

    assert "Da controllare?" in first
    assert "Già uscita?" not in first
    assert "Già uscita?" in published
    assert '<td data-label="Ha risposto">7' in published
    assert "Niente di ritirato" in empty
    assert (await olga.get(f"{PAGE}?state=nonsense")).status_code == 422
