"""Who else has a question open, live and without scripts; and what arrives meanwhile."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from sqlmodel import select

from desk.app import make_desk
from desk.presence import LONGEST, MOST_OF_ONE, Streams
from intake.questions import add_message
from storage import staff as accounts
from storage.database import Database
from storage.tables import Channel, Presence, Question, StaffSession
from tests.desk.conftest import Browser, Clock, Desk
from tests.desk.streams import PATIENCE, listening


@pytest.fixture
def question_id(desk: Desk) -> int:
    desk.app.state.streams = Streams(pause=0.01)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        return cast.a_question(cast.a_referent()).id


async def opens(browser: Browser, question_id: int) -> str:
    return (await browser.get(f"/desk/questions/{question_id}")).text


async def types(browser: Browser, question_id: int, writing: str = "1") -> None:
    url = f"/desk/questions/{question_id}"
    assert (await browser.send_form(f"{url}/presence", page=url, writing=writing)).status_code == 204


def stream_of(question_id: int) -> str:
    return f"/desk/questions/{question_id}/presence"


# --- without scripts


async def test_who_opens_it_is_told_who_did_so_lately(desk: Desk, question_id: int, clock: Clock) -> None:
    await opens(desk.browser("Rita"), question_id)
    now = await opens(desk.browser("Olga"), question_id)
    clock.move(minutes=2)
    lately = await opens(desk.browser("Olga"), question_id)
    clock.move(minutes=4)
    alone = await opens(desk.browser("Olga"), question_id)

    assert "Rita Esempio la sta leggendo adesso." in now
    assert "Rita Esempio l&#39;ha aperta negli ultimi minuti." in lately
    assert "Rita Esempio la" not in alone
    assert "Rita Esempio l&#39;ha" not in alone


async def test_nobody_is_told_of_themselves_or_of_another_question(desk: Desk, question_id: int) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        other = cast.a_question(cast.a_referent()).id
    olga = desk.browser("Olga")
    await opens(olga, question_id)
    await opens(desk.browser("Ugo"), other)

    assert "adesso." not in await opens(olga, question_id)


async def test_a_name_is_only_ever_text(desk: Desk, question_id: int) -> None:
    with desk.house.database.write() as session:
        accounts.change_own(session, desk.people["Ugo"], name="<b>Ugo</b>", language="it", notices=True)
    await opens(desk.browser("Ugo"), question_id)

    assert "&lt;b&gt;Ugo" in await opens(desk.browser("Olga"), question_id)


async def test_what_is_a_day_old_is_forgotten(desk: Desk, question_id: int, clock: Clock) -> None:
    await opens(desk.browser("Ugo"), question_id)
    clock.move(days=2)

    desk.browser("Olga")  # signs in

    with desk.house.database.read() as session:
        assert session.exec(select(Presence)).all() == []


# --- live


async def test_who_comes_and_who_writes_is_said_at_once(desk: Desk, question_id: int) -> None:
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")

    async with listening(desk, olga, stream_of(question_id)) as stream:
        first = await stream.next()
        await opens(ugo, question_id)
        came = await stream.next()
        await types(ugo, question_id)
        writes = await stream.next()
        await types(ugo, question_id, "")
        rests = await stream.next()

    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    assert first["people"] == ""
    assert came["people"] == rests["people"] == "Ugo Esempio la sta leggendo adesso."
    assert writes["people"] == "Ugo Esempio sta scrivendo adesso."


async def test_who_listens_is_there_and_who_hung_up_soon_no_more(desk: Desk, question_id: int, clock: Clock) -> None:
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")

    async with listening(desk, olga, stream_of(question_id)) as stream:
        await stream.next()
        async with listening(desk, ugo, stream_of(question_id)) as theirs:
            await theirs.next()
            came = await stream.next()
            clock.move(seconds=40)
            async with asyncio.timeout(PATIENCE):
                while "Olga Esempio la sta leggendo" not in await opens(ugo, question_id):
                    """Until she is noted again."""
        clock.move(seconds=50)
        left = await stream.next()

    assert "Ugo" in came["people"]
    assert left["people"] == ""


async def test_a_new_message_and_a_change_of_state_are_told(desk: Desk, question_id: int) -> None:
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")
    url = f"/desk/questions/{question_id}"

    async with listening(desk, olga, stream_of(question_id)) as stream:
        before = await stream.next()
        with desk.house.database.write() as session:
            question = session.get_one(Question, question_id)
            assert question.referent_id is not None
            add_message(
                session,
                question,
                referent_id=question.referent_id,
                text="Anzi no",
                channel=Channel.TELEGRAM,
                now=desk.house.clock(),
            )
        arrived = await stream.next()
        await ugo.send_form(f"{url}/take", page=url, version=str(arrived["version"]))
        taken = await stream.next()
        while taken["version"] == arrived["version"]:  # that Ugo came may have been told before
            taken = await stream.next()

    assert arrived["newest"] > before["newest"]
    assert taken["version"] == arrived["version"] + 1
    assert taken["newest"] == arrived["newest"]


async def test_the_page_says_from_where_its_script_goes_on(desk: Desk, question_id: int) -> None:
    olga = desk.browser("Olga")
    async with listening(desk, olga, stream_of(question_id)) as stream:
        now = await stream.next()

    page = await opens(olga, question_id)

    assert f'data-newest="{now["newest"]}" data-version="{now["version"]}"' in page


async def test_it_ends_when_somebody_signs_out(desk: Desk, question_id: int) -> None:
    olga = desk.browser("Olga")

    async with listening(desk, olga, stream_of(question_id)) as stream:
        await stream.next()
        await olga.send_form("/desk/sign-out", page="/desk/questions")

        await stream.ended()


async def test_it_ends_when_the_account_is_closed(desk: Desk, question_id: int) -> None:
    async with listening(desk, desk.browser("Olga"), stream_of(question_id)) as stream:
        await stream.next()
        with desk.house.database.write() as session:
            accounts.set_active(session, desk.people["Olga"], active=False)

        await stream.ended()


async def test_it_ends_when_the_service_stops_and_none_begins_after(desk: Desk, question_id: int) -> None:
    desk.app.state.streams = streams = Streams(pause=3600)
    olga = desk.browser("Olga")

    async with listening(desk, olga, stream_of(question_id)) as stream:
        await stream.next()
        streams.close()
        await stream.ended()

    assert (await olga.get(stream_of(question_id))).status_code == 204


async def test_it_ends_after_a_while_and_the_browser_comes_again(desk: Desk, question_id: int, clock: Clock) -> None:
    async with listening(desk, desk.browser("Olga"), stream_of(question_id)) as stream:
        await stream.next()
        clock.now += LONGEST

        await stream.ended()


async def test_one_person_has_only_so_many_and_room_again_when_one_ends(desk: Desk, question_id: int) -> None:
    olga, path = desk.browser("Olga"), stream_of(question_id)

    async with AsyncExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stream = await stack.enter_async_context(listening(desk, olga, path))
            await stream.next()
        refused = await olga.get(path)
        async with listening(desk, desk.browser("Ugo"), path) as another:
            await another.next()

    assert refused.status_code == 204
    assert desk.app.state.streams.has_room(desk.people["Olga"])


async def test_listening_keeps_no_session_alive(desk: Desk, question_id: int, clock: Clock) -> None:
    olga = desk.browser("Olga")
    signed_in = clock.now
    clock.move(hours=7)

    async with listening(desk, olga, stream_of(question_id)) as stream:
        await stream.next()
    clock.move(hours=2)
    page = await olga.get(f"/desk/questions/{question_id}")

    with desk.house.database.read() as session:
        assert session.exec(select(StaffSession.seen_at)).one() == signed_in
    assert page.headers["location"].startswith("/desk/sign-in")


async def test_a_question_that_is_not_there_has_no_stream(desk: Desk, question_id: int) -> None:
    seen = [await desk.browser(who).get(stream_of(999)) for who in ("Olga", "Rita")]

    assert [answer.status_code for answer in seen] == [404, 404]


async def test_a_reader_is_seen_and_writes_nothing(desk: Desk, question_id: int) -> None:
    rita = desk.browser("Rita")
    page = await opens(rita, question_id)
    token = page.split('name="csrf" value="')[1].split('"')[0]

    answer = await rita.post(stream_of(question_id), data={"csrf": token, "writing": "1"})

    assert answer.status_code == 403
    assert "Rita Esempio la sta leggendo" in await opens(desk.browser("Olga"), question_id)


async def test_a_colleague_at_another_process_is_seen(desk: Desk, question_id: int, database: Database) -> None:
    """Two applications, each with its own connections to the one database."""
    elsewhere = Database(database.url.render_as_string(hide_password=False), database.keys)
    house = replace(desk.house, database=elsewhere)
    there = Desk(make_desk(house), house, desk.people)
    try:
        async with listening(desk, desk.browser("Olga"), stream_of(question_id)) as stream:
            await stream.next()
            await opens(there.browser("Ugo"), question_id)
            seen = await stream.next()
    finally:
        elsewhere.close()

    assert seen["people"] == "Ugo Esempio la sta leggendo adesso."
