"""Every act that was refused to somebody is in the log, and no script fills the disk by it."""

import json
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from desk import denied
from storage.tables import Audit, QuestionState
from tests.desk.conftest import CSRF, Clock, Desk
from tests.desk.test_personal import a_person, a_question, carla


def rows(desk: Desk, act: str = denied.ACT) -> list[Audit]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Audit).where(Audit.action == act).order_by(col(Audit.id))).all())


def the_row(desk: Desk) -> tuple[Any, ...]:
    (row,) = rows(desk)
    return (row.actor_kind, row.actor_id), (row.object_kind, row.object_id), row.detail


async def test_a_page_for_other_roles_is_refused_and_written_down(desk: Desk) -> None:
    async with desk.browser("Rita") as browser:
        found = await browser.get("/desk/office")

    assert found.status_code == 403
    detail = {"method": "GET", "route": "/desk/office", "why": denied.ROLE}
    assert the_row(desk) == (("staff", desk.people["Rita"]), ("page", None), detail)


async def test_a_button_for_other_roles_names_its_object(desk: Desk) -> None:
    async with desk.browser("Vera") as browser:
        token = {"csrf": await _token(browser)}
        found = await browser.post("/desk/referents/7/pec", data=token)

    assert found.status_code == 403
    detail = {"method": "POST", "route": "/desk/referents/{referent_id}/pec", "why": denied.ROLE}
    assert the_row(desk) == (("staff", desk.people["Vera"]), ("referent", 7), detail)


async def _token(browser: httpx.AsyncClient) -> str:
    found = CSRF.search((await browser.get("/desk/questions")).text)
    assert found is not None
    return found[1]


async def test_a_number_that_is_not_there_is_written_down_and_a_wrong_word_is_not(desk: Desk) -> None:
    async with desk.browser("Vera") as browser:
        assert (await browser.get("/desk/projects/4711")).status_code == 404
        assert (await browser.get("/desk/outbox?heap=nonsense")).status_code == 404
        assert (await browser.get("/desk/nothing")).status_code == 404

    detail = {"method": "GET", "route": "/desk/projects/{project_id}", "why": denied.NOT_THERE}
    assert the_row(desk) == (("staff", desk.people["Vera"]), ("project", 4711), detail)


async def test_what_is_somebody_elses_is_written_down_without_the_key_of_the_page(desk: Desk) -> None:
    ada, other = a_person(desk), carla(desk)
    number = a_question(desk, ada)

    async with desk.browser() as browser:
        assert (await browser.get(f"{other.page}/questions/{number}")).status_code == 404

    detail = {"method": "GET", "route": "/r/{token}/questions/{question_id}", "why": denied.NOT_THERE}
    assert the_row(desk) == (("referent", other.id), ("question", number), detail)
    (row,) = rows(desk)
    assert other.token not in json.dumps(row.model_dump(), default=str)


async def test_a_second_parameter_that_is_somebody_elses_is_written_down_too(desk: Desk) -> None:
    ada, other = a_person(desk), carla(desk)

    async with desk.browser() as browser:
        found = await browser.send_form(
            f"{other.page}/ask", page=f"{other.page}/ask", text="Quando?", project=str(ada.project)
        )

    assert found.status_code == 404
    assert the_row(desk)[0] == ("referent", other.id)


async def test_a_strangers_unknown_number_is_no_act_of_anybody(desk: Desk) -> None:
    async with desk.browser() as browser:
        assert (await browser.get("/r/nonsense/questions/1")).status_code == 404
        assert (await browser.get("/desk/projects/1")).status_code == 303

    assert rows(desk) == []


@pytest.mark.parametrize("who", ["Olga", None])
async def test_a_form_that_is_not_ours_is_written_down(desk: Desk, who: str | None) -> None:
    async with desk.browser(who) as browser:
        found = await browser.post("/desk/sign-out", data={"csrf": "wrong"})

    assert found.status_code == 403
    actor, _, detail = the_row(desk)
    assert actor == (("staff", desk.people["Olga"]) if who else ("browser", None))
    assert detail["why"] == denied.FOREIGN_FORM


async def test_a_move_that_is_a_colleagues_right_is_written_down_and_one_that_is_late_is_not(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent()
        taken = cast.a_question(ada, state=QuestionState.TAKEN, taken_by=desk.people["Ugo"]).id
    async with desk.browser("Vera") as browser:
        token = await _token(browser)
        rights = await browser.post(f"/desk/questions/{taken}/release", data={"csrf": token, "version": "1"})
        late = await browser.post(f"/desk/questions/{taken}/take", data={"csrf": token, "version": "99"})

    assert (rights.status_code, late.status_code) == (409, 409)
    actor, thing, detail = the_row(desk)
    assert (actor, thing, detail["why"]) == (("staff", desk.people["Vera"]), ("question", taken), denied.RIGHTS)


async def test_a_script_does_not_fill_the_disk_and_the_rest_is_counted(desk: Desk, clock: Clock) -> None:
    async with desk.browser("Rita") as browser:
        for _ in range(denied.MOST + 15):
            assert (await browser.get("/desk/office")).status_code == 403
        assert len(rows(desk)) == denied.MOST
        assert rows(desk, denied.MORE) == []

        clock.move(seconds=61)
        await browser.get("/desk/office")

    (more,) = rows(desk, denied.MORE)
    assert (more.actor_id, more.detail) == (desk.people["Rita"], {"count": 15})
    assert len(rows(desk)) == denied.MOST + 1


async def test_one_who_is_refused_often_hides_nobody_else(desk: Desk) -> None:
    async with desk.browser("Rita") as rita, desk.browser("Vera") as vera:
        for _ in range(denied.MOST + 5):
            await rita.get("/desk/office")
        await vera.get("/desk/office")

    assert rows(desk)[-1].actor_id == desk.people["Vera"]


async def test_many_networks_together_have_a_limit_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denied, "MOST_STRANGERS", 5)
    for n in range(8):
        async with desk.browser(address=f"198.51.100.{n + 1}") as browser:
            await browser.post("/desk/sign-in", data={"csrf": "wrong"})

    assert len(rows(desk)) == 5


async def test_what_cannot_be_written_down_is_refused_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no room")

    async with desk.browser("Rita") as browser:
        monkeypatch.setattr("storage.audit.record", broken)
        assert (await browser.get("/desk/office")).status_code == 403
