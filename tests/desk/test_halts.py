"""Stopping reminders from the desk, where it is seen, and letting them go on."""

import pytest
from sqlmodel import col, select

from reminders.sweep import remind_one
from storage.tables import Audit, Halt, HaltKind, Obligation, Referent
from tests.desk.conftest import Desk
from tests.desk.test_deadlines_pages import a_deadline, an_obligation

NEW = "/desk/halts/new"


async def stop(desk: Desk, kind: str = "all", target: int = 0, who: str = "Olga") -> None:
    page = f"{NEW}?kind={kind}&target={target}"
    answer = await desk.browser(who).send_form(
        "/desk/halts", page, kind=kind, target=str(target), reason="Il decreto proroga tutto"
    )
    assert answer.status_code == 303


def sweep(desk: Desk) -> None:
    with desk.house.database.write() as session:
        while remind_one(session, desk.house.clock()):
            pass


def halts(desk: Desk) -> list[tuple[str, bool]]:
    with desk.house.database.read() as session:
        return [(one.kind, one.ended_at is None) for one in session.exec(select(Halt).order_by(col(Halt.id)))]


def ada(desk: Desk) -> int:
    with desk.house.database.read() as session:
        return session.exec(select(Referent.id)).one()


async def test_a_deadline_whose_reminders_are_stopped_says_so_and_why(desk: Desk) -> None:
    deadline = a_deadline(desk, 5)

    before = await desk.browser("Olga").get(f"/desk/deadlines/{deadline}")
    asked = await desk.browser("Olga").get(f"{NEW}?kind=deadline&target={deadline}")
    await stop(desk, "deadline", deadline)
    page = await desk.browser("Rita").get(f"/desk/deadlines/{deadline}")
    inside = await desk.browser("Olga").get(f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}")

    assert "Il decreto proroga tutto" not in before.text
    assert "Si aspettano 3 aggiornamenti." in asked.text
    for shown in (page.text, inside.text):
        assert "I promemoria di questa scadenza sono sospesi." in shown
        assert "Il decreto proroga tutto" in shown
    assert "Sospendi i promemoria" not in page.text


async def test_all_stopped_is_said_on_every_page_of_who_may_let_them_go_on(desk: Desk) -> None:
    deadline = a_deadline(desk, 5)
    await stop(desk)

    for who, path, said in (
        ("Ugo", "/desk/questions", True),
        ("Anna", "/desk/projects", True),
        ("Vera", "/desk/questions", False),
        ("Rita", f"/desk/deadlines/{deadline}", True),
        ("Ugo", f"/desk/deadlines/{deadline}", True),
    ):
        text = (await desk.browser(who).get(path)).text
        assert text.count("Tutti i promemoria sono sospesi: nessuno riceve promemoria.") == said, (who, path)


async def test_the_reminders_of_an_organisation_and_of_a_person_can_be_stopped(desk: Desk) -> None:
    deadline = a_deadline(desk, 5)
    with desk.house.database.read() as session:
        body = session.exec(select(Obligation.body_id).where(Obligation.id == an_obligation(desk, deadline))).one()
    choosing = await desk.browser("Olga").get(f"{NEW}?kind=organization")
    await stop(desk, "organization", body or 0)
    await stop(desk, "referent", ada(desk))

    person = await desk.browser("Olga").get(f"/desk/referents/{ada(desk)}")
    owed = await desk.browser("Olga").get(f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}")
    listed = await desk.browser("Rita").get("/desk/halts")

    assert f'<option value="{body}">Melzo</option>' in choosing.text
    assert "I promemoria a Ada Esempio sono sospesi." in person.text
    assert "I promemoria di Melzo sono sospesi." in owed.text
    assert "Riprendi" not in listed.text  # she may only read
    assert "Ada Esempio" in listed.text


async def test_going_on_says_how_many_hear_of_what_was_kept_back(desk: Desk) -> None:
    a_deadline(desk, 5)
    await stop(desk)
    sweep(desk)
    olga = desk.browser("Olga")

    asked = await olga.get("/desk/halts/1/resume")
    done = await olga.send_form("/desk/halts/1/resume", "/desk/halts/1/resume")
    again = await olga.send_form("/desk/halts/1/resume", "/desk/halts")
    page = await olga.get("/desk/halts")

    assert "Una persona non ha ricevuto il promemoria" in asked.text
    assert done.status_code == again.status_code == 303
    assert halts(desk) == [(HaltKind.ALL, False)]
    assert "Sospesi in passato" in page.text
    with desk.house.database.read() as session:
        acts = session.exec(select(Audit.action, Audit.detail).where(col(Audit.action).startswith("halt."))).all()
    assert list(acts) == [("halt.begin", {}), ("halt.end", {"people": 1})]


@pytest.mark.parametrize("reason", ["", "   ", "\0", "x" * 501])
async def test_without_a_reason_nothing_is_stopped_and_what_was_typed_stays(desk: Desk, reason: str) -> None:
    answer = await desk.browser("Olga").send_form("/desk/halts", NEW, kind="all", target="0", reason=reason)

    assert answer.status_code == 422
    assert halts(desk) == []
    assert 'name="kind" value="all"' in answer.text


@pytest.mark.parametrize(
    "fields", [{"kind": "deadline"}, {"kind": "referent", "target": "99"}, {"kind": "all", "target": "7"}]
)
async def test_what_is_not_there_cannot_be_stopped(desk: Desk, fields: dict[str, str]) -> None:
    answer = await desk.browser("Olga").send_form("/desk/halts", NEW, reason="perché sì", **fields)

    assert answer.status_code == 404
    assert halts(desk) == []


async def test_who_stops_what_is_stopped_is_told_that_it_was(desk: Desk) -> None:
    await stop(desk)
    await stop(desk, who="Ugo")

    assert halts(desk) == [(HaltKind.ALL, True)]


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_volunteers_and_readers_stop_nothing(desk: Desk, who: str) -> None:
    await stop(desk)
    browser = desk.browser(who)

    for path in (NEW, "/desk/halts/1/resume"):
        assert (await browser.get(path)).status_code == 403
    posted = await browser.send_form("/desk/halts/1/resume", "/desk/halts")
    assert posted.status_code == 403
    assert halts(desk) == [(HaltKind.ALL, True)]
