"""Roles for a category or a group of municipalities, on the pages: what one may do where, and what the page says."""

import pytest
from sqlmodel import select

from storage.tables import Audit, Category, GroupMember, LocalRole, MunicipalityGroup, Question, Role
from tests.desk.conftest import Desk
from tests.desk.test_questions import press, the_question
from tests.desk.test_roles import RULES, Rule, ask, token_of


def a_group(desk: Desk, name: str = "Ovest", organization: str = "Abbiategrasso") -> tuple[int, int]:
    """A group with one municipality in it; the ids of both."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = cast.an_organization(organization)
        group = cast.add(MunicipalityGroup(name=name, created_at=cast.now))
        cast.add(GroupMember(group_id=group.id, organization_id=place.id))
        return group.id, place.id


def asked_there(desk: Desk, organization_id: int | None) -> int:
    from storage.tables import Organization

    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = session.get(Organization, organization_id) if organization_id else None
        return int(cast.a_question(cast.a_referent("Ada Esempio", place)).id)


def entrust(desk: Desk, who: str, role: Role, *, group_id: int | None = None, category_id: int | None = None) -> None:
    with desk.house.database.write() as session:
        row = LocalRole(
            staff_id=desk.people[who],
            group_id=group_id,
            category_id=category_id,
            role=role,
            created_at=desk.house.clock(),
        )
        desk.cast(session).add(row)


async def test_a_reader_works_where_she_volunteers_and_is_refused_elsewhere_and_it_is_logged(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    rita = desk.browser("Rita")

    here = (await rita.get(f"/desk/questions/{inside}")).text
    there = (await rita.get(f"/desk/questions/{outside}")).text
    taken = await press(rita, inside, "take", 1)
    refused = await rita.send_form(f"/desk/questions/{outside}/take", page=f"/desk/questions/{inside}", version=1)

    assert "Qui il tuo ruolo è: volontario" in here
    assert f"/desk/questions/{inside}/take" in here
    assert "Qui il tuo ruolo" not in there
    assert f"/desk/questions/{outside}/take" not in there
    assert (taken.status_code, refused.status_code) == (303, 403)
    with desk.house.database.read() as session:
        denied = session.exec(select(Audit).where(Audit.action == "denied")).one()
    assert (denied.actor_id, denied.object_id, denied.detail["why"]) == (desk.people["Rita"], outside, "role")


async def test_what_she_answers_there_waits_for_an_officer_who_is_one_there(desk: Desk) -> None:
    group, place = a_group(desk)
    question = asked_there(desk, place)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    entrust(desk, "Olga", Role.VOLUNTEER, group_id=group)
    rita, olga, ugo = desk.browser("Rita"), desk.browser("Olga"), desk.browser("Ugo")

    await press(rita, question, "answer", 1, text="Sì, con una variante.")
    page = (await olga.get(f"/desk/questions/{question}")).text
    refused = await press(olga, question, "approve", 2, text="Sì")
    approved = await press(ugo, question, "approve", 2, text="Sì")

    assert f"/desk/questions/{question}/approve" not in page
    assert (refused.status_code, approved.status_code) == (403, 303)


async def test_a_question_that_is_not_there_is_told_to_whoever_may_work_somewhere(desk: Desk) -> None:
    group, _ = a_group(desk)
    rita = desk.browser("Rita")

    before = await rita.send_form("/desk/questions/999999/take", page="/desk/account", version=1)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    after = await rita.send_form("/desk/questions/999999/take", page="/desk/account", version=1)

    assert (before.status_code, after.status_code) == (403, 404)


async def test_she_acts_on_many_at_once_where_she_volunteers_and_the_others_stay_as_they_are(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    rita, olga = desk.browser("Rita"), desk.browser("Olga")
    fields = {"pick": [f"{inside}.1", f"{outside}.1"], "act": "take", "query": "view=all"}

    before = (await rita.get("/desk/questions?view=all")).text
    refused = await rita.send_form("/desk/bulk", page="/desk/account", **fields)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    page = (await rita.get("/desk/questions?view=all")).text
    done = await rita.send_form("/desk/bulk", page="/desk/questions?view=all", **fields)
    said = (await rita.get(done.headers["location"])).text

    assert 'name="pick"' not in before
    assert f'value="assign:{desk.people["Rita"]}"' not in before
    assert refused.status_code == 403
    assert 'name="pick"' in page
    assert "Fatto per una domanda" in said
    assert "Una domanda resta com" in said
    assert (the_question(desk, inside).taken_by, the_question(desk, outside).taken_by) == (desk.people["Rita"], None)
    for option in (f'<option value="{desk.people["Rita"]}"', f'value="assign:{desk.people["Rita"]}"'):
        assert option in (await olga.get("/desk/questions?view=all&bar=1")).text


async def test_of_many_at_once_each_that_is_refused_to_her_is_written_down_and_none_that_came_late(desk: Desk) -> None:
    group, place = a_group(desk)
    late, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    await press(desk.browser("Olga"), late, "take")

    done = await desk.browser("Rita").send_form(
        "/desk/bulk", page="/desk/questions?view=all", pick=[f"{late}.1", f"{outside}.1"], act="take"
    )

    assert done.status_code == 303
    with desk.house.database.read() as session:
        denied = session.exec(select(Audit).where(Audit.action == "denied")).one()
    assert (denied.actor_id, denied.object_kind, denied.object_id) == (desk.people["Rita"], "question", outside)
    assert (denied.detail["why"], denied.detail["route"]) == ("rights", "/desk/bulk")


async def test_who_lost_the_role_meanwhile_puts_nothing_back(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, elsewhere = asked_there(desk, place), a_group(desk, "Est", "Lodi")[0]
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=elsewhere)
    rita, page = desk.browser("Rita"), "/desk/questions?view=all"
    fields = {"pick": [f"{inside}.1"], "act": "urgent", "query": "view=all"}
    done = await rita.send_form("/desk/bulk", page=page, **fields)
    entrust(desk, "Rita", Role.READER, group_id=group)
    with desk.house.database.write() as session:
        for row in session.exec(select(LocalRole).where(LocalRole.group_id == group, LocalRole.role != Role.READER)):
            session.delete(row)

    await rita.send_form(f"{done.headers['location'].partition('?')[0]}/undo", page=page, query="view=all")

    assert the_question(desk, inside).urgent


async def test_she_writes_down_a_call_of_whom_she_volunteers_for_and_of_nobody_else(desk: Desk) -> None:
    group, place = a_group(desk)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    inside, outside = (the_question(desk, asked_there(desk, where)) for where in (place, None))
    rita, here, there = (
        desk.browser("Rita"),
        f"/desk/referents/{inside.referent_id}",
        f"/desk/referents/{outside.referent_id}",
    )

    page, form = (await rita.get(here)).text, (await rita.get(f"{here}/phone")).text
    written = await rita.send_form(f"{here}/phone", page=f"{here}/phone", what="question", text="Entro quando?")
    update = await rita.send_form(f"{here}/phone", page=f"{here}/phone", what="update", text="Avanti")
    refused = await rita.send_form(f"{there}/phone", page=f"{here}/phone", what="question", text="Entro quando?")

    assert f"{here}/phone" in page
    assert f"{there}/phone" not in (await rita.get(there)).text
    assert 'value="update"' not in form
    assert written.status_code == 303
    assert (update.status_code, (await rita.get(f"{there}/phone")).status_code) == (403, 403)
    assert refused.status_code == 422
    assert "Entro quando?" in refused.text
    with desk.house.database.read() as session:
        assert len(session.exec(select(Question)).all()) == 3
        denied = session.exec(select(Audit).where(Audit.action == "denied")).all()
    assert [row.detail["why"] for row in denied] == ["role", "rights", "role"]


async def test_a_question_that_only_its_role_opens_takes_a_call_too(desk: Desk) -> None:
    with desk.house.database.write() as session:
        category = desk.cast(session).add(Category(name="Appalti", created_at=desk.house.clock())).id
        cast = desk.cast(session)
        question = cast.a_question(cast.a_referent("Ada Esempio"), category_id=category)
        number, person = question.id, question.referent_id
    entrust(desk, "Rita", Role.VOLUNTEER, category_id=category)
    entrust(desk, "Olga", Role.READER, category_id=category)
    page, fields = f"/desk/referents/{person}/phone?question={number}", {"question": str(number), "what": "more"}

    written = await desk.browser("Rita").send_form(page.partition("?")[0], page=page, text="Ha richiamato", **fields)

    assert written.headers["location"] == f"/desk/questions/{number}"
    assert (await desk.browser("Olga").get(page)).status_code == 403


async def test_who_is_entrusted_with_a_category_writes_down_what_was_said_about_it_and_nothing_else(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        category = cast.add(Category(name="Appalti", created_at=cast.now)).id
        ada = cast.a_referent("Ada Esempio")
        number = cast.a_question(ada, "Serve una gara?", category_id=category).id
        other, person = cast.a_question(ada, "Entro quando?").id, ada.id
    entrust(desk, "Rita", Role.VOLUNTEER, category_id=category)
    rita, here = desk.browser("Rita"), f"/desk/referents/{person}"

    offered, chosen = (await rita.get(here)).text, (await rita.get(f"{here}/phone")).text
    form = (await rita.get(f"{here}/phone?question={number}")).text
    new = await rita.send_form(f"{here}/phone", page=f"{here}/phone?question={number}", what="question", text="Altro")

    assert f'href="{here}/phone"' in offered
    assert "Serve una gara?" in chosen
    assert f"{here}/phone?question={number}" in chosen
    assert f"question={other}" not in chosen
    assert 'value="more" checked' in form
    assert 'value="question"' not in form
    assert new.status_code == 422


async def test_what_one_may_do_with_a_question_the_page_offers_and_its_addresses_grant(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    for number in (inside, outside):
        await press(desk.browser("Olga"), number, "answer", text="Nella delibera.")
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    entrust(desk, "Vera", Role.READER, group_id=group)

    for who, mine, not_mine in (("Rita", inside, outside), ("Vera", outside, inside)):
        browser = desk.browser(who)
        for number, may in ((mine, True), (not_mine, False)):
            page, form = await browser.get(f"/desk/questions/{number}"), f"/desk/faq/new?question={number}"
            assert (form in page.text, f"phone?question={number}" in page.text) == (may, may)
            assert (await browser.get(form)).status_code == (200 if may else 403)

    rita = desk.browser("Rita")
    fields = {"question": "Dove?", "answer": "In delibera."}
    sent = await rita.send_form(
        "/desk/faq", page=f"/desk/faq/new?question={inside}", from_question=str(inside), **fields
    )
    refused = await rita.send_form(
        "/desk/faq", page=f"/desk/faq/new?question={inside}", from_question=str(outside), **fields
    )
    assert (await rita.get(sent.headers["location"])).status_code == 200
    assert refused.status_code == 409
    assert (await rita.get("/desk/faq/new")).status_code == 403
    assert "/desk/faq/new" not in (await rita.get("/desk/faq")).text


async def test_a_volunteer_is_offered_no_category_in_which_nobody_would_approve(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        for name, free in (("Libera", True), ("Appalti", False)):
            cast.add(Category(name=name, free=free, created_at=cast.now))
    number = asked_there(desk, None)

    vera, olga = [(await desk.browser(who).get(f"/desk/questions/{number}")).text for who in ("Vera", "Olga")]

    assert [name in vera.split('id="f-category"')[1].split("</select>")[0] for name in ("Libera", "Appalti")] == [
        False,
        True,
    ]
    assert "Libera" in olga.split('id="f-category"')[1].split("</select>")[0]


async def test_sections_go_by_the_account_s_own_role(desk: Desk) -> None:
    group, _ = a_group(desk)
    entrust(desk, "Vera", Role.OFFICER, group_id=group)
    entrust(desk, "Olga", Role.READER, group_id=group)

    assert (await desk.browser("Vera").get("/desk/categories")).status_code == 403
    assert (await desk.browser("Olga").get("/desk/categories")).status_code == 200


def routes_of_one_question() -> list[Rule]:
    """Those that change something; and none that stays open."""
    return [rule for rule in RULES if rule.route.startswith("/desk/questions/{question_id}/") and rule.method == "POST"]


@pytest.mark.parametrize(("who", "own"), [("Rita", "reader"), ("Vera", "volunteer"), ("Olga", "officer")])
@pytest.mark.parametrize("role", [Role.READER, Role.VOLUNTEER, Role.OFFICER])
async def test_every_route_of_a_question_goes_by_the_role_in_it(desk: Desk, who: str, own: str, role: Role) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, who, role, group_id=group)
    wrong = []
    async with desk.browser(who) as browser:
        token = await token_of(browser)
        for rule in routes_of_one_question():
            for question, counts in ((inside, role.value), (outside, own)):
                status = (await ask(browser, rule, token, question_id=question)).status_code
                if (status == 403) is rule.lets_in(counts) or status == 500:
                    wrong.append(f"{rule.method} {rule.route} answers {status} to a {counts}")

    assert wrong == []


async def test_the_queue_can_be_narrowed_to_what_is_entrusted_to_whoever_looks(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    address = "/desk/questions?view=all&entrusted=1"

    async def seen(who: str, at: str) -> set[int]:
        page = (await desk.browser(who).get(at)).text
        return {number for number in (inside, outside) if f'href="/desk/questions/{number}"' in page}

    label = "Solo nelle mie competenze"
    assert await seen("Rita", "/desk/questions?view=all") == {inside, outside}
    assert await seen("Rita", address) == {inside}
    assert await seen("Vera", address) == set()
    assert label in (await desk.browser("Rita").get("/desk/questions?bar=1")).text
    assert label not in (await desk.browser("Vera").get("/desk/questions?bar=1")).text
