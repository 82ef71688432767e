"""What staff name inside of one thing and belongs to another: refused where it is asked for, and nothing changes.

Everybody at the desk may read all of it. So it is no secret that is kept here, but that a number taken from another
page moves, sends or takes away nothing of that page.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from answering.answer import answer
from intake.builtin import ensure_builtin_forms
from intake.files import StoredFile
from storage.tables import (
    Attachment,
    Audit,
    Circular,
    FaqEntry,
    GroupMember,
    LocalRole,
    Message,
    MunicipalityGroup,
    QuestionState,
    Role,
)
from tests.desk.conftest import Desk
from tests.desk.test_parameters import everything
from tests.desk.test_personal import a_person
from tests.desk.test_roles import token_of

SECRET = "riservato.pdf"
A_FILE = StoredFile("a" * 64, 3, SECRET, "application/pdf", "application/pdf")


@dataclass(frozen=True)
class Two:
    """Of each kind one that is meant, and another one's child."""

    olga: int
    ada: int
    carla: int
    question: int
    others: int
    others_message: int
    others_answer: int
    merged_elsewhere: int
    files: tuple[int, ...]
    project: int
    town: int
    obligation: int
    deadline: int
    circular: int
    circular_file: int
    group: int
    role: int

    @property
    def wrong(self) -> list[tuple[str, dict[str, Any], int]]:
        """Where, what is sent, what it answers."""
        question, person = f"/desk/questions/{self.question}", f"/desk/referents/{self.ada}"
        seen, save = {"version": 1}, {"step": "save", "sure": "1"}
        return [
            (f"{question}/undo", {"message": self.others_answer}, 409),
            (f"{question}/split", seen | {"message": self.others_message}, 409),
            (f"{question}/take-out", seen | {"number": self.merged_elsewhere}, 409),
            (f"{question}/merge", seen | {"into": self.others, "into_version": 2}, 409),
            (f"{question}/preview", seen | {"text": "Sì.", "keep": self.files}, 200),
            (f"{question}/write", seen | {"text": "Sì.", "keep": self.files}, 200),
            (f"{person}/part/{self.town}", {}, 404),
            (f"{person}/unfollow/{self.project}", {}, 404),
            (f"{person}/phone", {"text": "Sì.", "project": self.project}, 404),
            (f"{person}/phone", {"what": "more", "text": "Sì.", "question": self.others}, 404),
            (f"{person}/hand-over", save | {"successor": self.carla, "project": self.project}, 404),
            (f"{person}/merge", save | {"other": self.carla, "stays": 987_654}, 404),
            (f"{person}/away", {"first": "2026-12-10", "last": "2026-12-12", "substitute": self.carla}, 422),
            (f"/desk/deadlines/{self.deadline}/obligations/{self.obligation}/waive", {"reason": "Perché."}, 404),
            (f"/desk/circulars/{self.circular}/files/{self.circular_file}/detach", seen, 409),
            (f"/desk/office/groups/{self.group}/members/{self.town}/out", {}, 404),
            (f"/desk/office/staff/{self.olga}/roles/{self.role}/end", {}, 404),
        ]


def two(desk: Desk) -> Two:
    with desk.house.database.write() as session:
        cast, olga, ugo = desk.cast(session), desk.people["Olga"], desk.people["Ugo"]
        place, town = cast.an_organization(), cast.an_organization("Corsico")
        market, park = cast.a_project(place), cast.a_project(town, title="Parco")
        ada = cast.a_referent("Ada Esempio", place, (market,), chat=11)
        carla = cast.a_referent("Carla Esempio", town, (park,), chat=13)
        question, others = cast.a_question(ada), cast.a_question(carla)
        asked = session.exec(select(Message.id).where(Message.question_id == others.id)).one()
        said = answer(session, others.id, olga, "No.", version=1, now=cast.now, files=[A_FILE])
        merged = cast.a_question(carla, state=QuestionState.CLOSED, merged_into_id=others.id)
        form = ensure_builtin_forms(session, cast.now)
        deadline, other = (cast.a_deadline(form, date(2026, 12, day), title=f"Del {day}") for day in (10, 11))
        circulars = [
            cast.add(
                Circular(subject=f"{n}", text="Testo", created_by=olga, created_at=cast.now, changed_at=cast.now)
            ).id
            for n in (1, 2)
        ]
        going = cast.add(Attachment(size=3, name=SECRET, circular_id=circulars[1], created_at=cast.now)).id
        loose = cast.add(Attachment(size=3, name=SECRET, staff_id=ugo, created_at=cast.now)).id
        groups = [cast.add(MunicipalityGroup(name=f"Zona {n}", created_at=cast.now)).id for n in (1, 2)]
        cast.add(GroupMember(group_id=groups[1], organization_id=town.id))
        role = cast.add(LocalRole(staff_id=ugo, group_id=groups[1], role=Role.VOLUNTEER, created_at=cast.now)).id
        obligation = cast.an_obligation(other, park, date(2026, 12, 11), cast.now).id
        sent = session.exec(select(Attachment.id).where(Attachment.message_id == said.id)).one()
        return Two(
            olga=olga,
            ada=ada.id,
            carla=carla.id,
            question=question.id,
            others=others.id,
            others_message=asked,
            others_answer=said.id,
            merged_elsewhere=merged.id,
            files=(loose, sent, going),
            project=park.id,
            town=town.id,
            obligation=obligation,
            deadline=deadline.id,
            circular=circulars[0],
            circular_file=going,
            group=groups[0],
            role=role,
        )


async def test_what_belongs_to_another_is_refused_and_stays_as_it_is(desk: Desk) -> None:
    things = two(desk)
    before = everything(desk)

    async with desk.browser("Anna") as anna:
        token, answered = await token_of(anna), []
        for url, sent, _ in things.wrong:
            found = await anna.post(url, data=sent | {"csrf": token})
            answered.append((url, found.status_code))
            assert SECRET not in found.text, url

    assert answered == [(url, status) for url, _, status in things.wrong]
    after = everything(desk)
    assert [name for name in before if before[name] != after[name]] == []


async def test_it_is_written_down(desk: Desk) -> None:
    things = two(desk)
    asked = [one for one in things.wrong if one[2] == 404 or one[0].endswith("/undo")]

    async with desk.browser("Anna") as anna:
        token = await token_of(anna)
        for url, sent, _ in asked:
            await anna.post(url, data=sent | {"csrf": token})

    with desk.house.database.read() as session:
        rows = session.exec(select(Audit).where(Audit.action == "denied").order_by(col(Audit.id))).all()
    assert [(row.actor_id, row.detail["method"]) for row in rows] == [(desk.people["Anna"], "POST")] * len(asked)


@pytest.mark.parametrize("what", ["answer", "approve"])
async def test_somebody_elses_files_go_along_with_no_answer(desk: Desk, what: str) -> None:
    things = two(desk)

    async with desk.browser("Olga") as olga:
        sent = {"version": 1, "text": "Sì.", "keep": things.files, "csrf": await token_of(olga)}
        found = await olga.post(f"/desk/questions/{things.question}/{what}", data=sent)

    assert found.status_code == (303 if what == "answer" else 409)  # nothing waits for approval
    with desk.house.database.read() as session:
        here = select(Attachment.id).join(Message, col(Message.id) == Attachment.message_id)
        assert session.exec(here.where(Message.question_id == things.question)).all() == []
        homes = session.exec(select(Attachment.message_id).where(col(Attachment.id).in_(things.files))).all()
    assert sorted(homes, key=str) == sorted([None, None, things.others_answer], key=str)


async def test_no_unpublished_answer_is_counted_as_helpful(desk: Desk) -> None:
    ada = a_person(desk)
    with desk.house.database.write() as session:
        cast, olga = desk.cast(session), desk.people["Olga"]
        entry = FaqEntry(question="Chi?", answer="Noi.", proposed_by=olga, created_at=cast.now, changed_at=cast.now)
        number = cast.add(entry).id
    before = everything(desk)["faq_entry"]

    async with desk.browser() as browser:
        page = f"{ada.page}/ask"
        await browser.send_form(page, page=page, text="Chi siete?", seen=number, helped=number, offered="1")

    assert everything(desk)["faq_entry"] == before
