"""What leaves and what was not understood: the heaps, trying again, setting aside."""

import json
from typing import Any

import pytest
from sqlmodel import select

from delivery.outbox import queue
from delivery.words import Words
from intake.inbox import receive
from storage.tables import Audit, Channel, Inbox, InboxState, Outbox, OutboxKind, OutboxState
from tests.desk.conftest import Desk


def a_message(desk: Desk, state: OutboxState, key: str = "one", **other: Any) -> int:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio")
        number = queue(
            session,
            Words("Buongiorno <b>Ada</b>"),
            kind=OutboxKind.ANSWER,
            channel=Channel.TELEGRAM,
            address="424242",
            now=cast.now,
            dedupe_key=key,
            referent_id=ada.id,
        )
        assert number is not None
        row = session.get_one(Outbox, number)
        row.state = state
        for name, value in other.items():
            setattr(row, name, value)
        session.add(row)
        return number


def a_letter(desk: Desk, payload: bytes, state: InboxState = InboxState.DEAD) -> int:
    with desk.house.database.write() as session:
        now = desk.house.clock()
        number = receive(session, kind="telegram", account="1", provider_id="7", payload=payload, lane="a", now=now)
        assert number is not None
        row = session.get_one(Inbox, number)
        row.state, row.error, row.attempts = state, "ValueError: colour", 5
        session.add(row)
        return number


def state_of(desk: Desk, table: type[Outbox] | type[Inbox], number: int) -> OutboxState | InboxState:
    with desk.house.database.read() as session:
        row = session.get_one(table, number)
        assert isinstance(row, Outbox | Inbox)
        return row.state


# --- outbox


@pytest.mark.parametrize(
    ("state", "heap"),
    [
        (OutboxState.DEAD, "stuck"),
        (OutboxState.UNCERTAIN, "stuck"),
        (OutboxState.QUEUED, "waiting"),
        (OutboxState.RETRY, "waiting"),
        (OutboxState.SENDING, "waiting"),
        (OutboxState.SENT, "sent"),
        (OutboxState.WITHHELD, "set-aside"),
        (OutboxState.MOVED, "set-aside"),
        (OutboxState.DROPPED, "set-aside"),
    ],
)
async def test_each_message_lies_in_one_heap(desk: Desk, state: OutboxState, heap: str) -> None:
    a_message(desk, state)
    rita = desk.browser("Rita")

    holding = [
        name
        for name in ("stuck", "waiting", "sent", "set-aside")
        if "Ada Esempio" in (await rita.get(f"/desk/outbox?heap={name}")).text
    ]

    assert holding == [heap]


async def test_a_stuck_message_says_why_to_whom_and_what(desk: Desk) -> None:
    a_message(desk, OutboxState.DEAD, error="403 Forbidden: bot was blocked by the user", possible_duplicate=True)

    page = (await desk.browser("Rita").get("/desk/outbox")).text

    assert "Non consegnato" in page
    assert "ha bloccato il bot" in page
    assert "403" not in page
    assert "Buongiorno Ada" in page
    assert "424242" not in page


async def test_a_reason_we_have_no_words_for_is_shown_as_it_is(desk: Desk) -> None:
    a_message(desk, OutboxState.DEAD, error="400 BUTTON_URL_INVALID")

    assert "400 BUTTON_URL_INVALID" in (await desk.browser("Rita").get("/desk/outbox")).text


@pytest.mark.parametrize("heap", ["stuck", "waiting", "sent", "set-aside"])
async def test_an_empty_heap_says_what_it_is_for(desk: Desk, heap: str) -> None:
    assert 'class="empty"' in (await desk.browser("Rita").get(f"/desk/outbox?heap={heap}")).text


async def test_another_heap_is_not_there(desk: Desk) -> None:
    assert (await desk.browser("Rita").get("/desk/outbox?heap=other")).status_code == 404


@pytest.mark.parametrize("state", [OutboxState.DEAD, OutboxState.UNCERTAIN])
async def test_a_stuck_message_is_queued_again(desk: Desk, state: OutboxState) -> None:
    number = a_message(desk, state)

    answer = await desk.browser("Vera").send_form(f"/desk/outbox/{number}/retry", page="/desk/outbox")

    assert answer.status_code == 303
    assert state_of(desk, Outbox, number) is OutboxState.QUEUED
    with desk.house.database.read() as session:
        audit = session.exec(select(Audit).where(Audit.action == "outbox.retry")).one()
    assert (audit.actor_id, audit.object_id) == (desk.people["Vera"], number)


async def test_what_was_sent_meanwhile_is_not_sent_twice(desk: Desk) -> None:
    number = a_message(desk, OutboxState.SENT)
    vera = desk.browser("Vera")

    await vera.send_form(f"/desk/outbox/{number}/retry", page="/desk/outbox")

    assert state_of(desk, Outbox, number) is OutboxState.SENT
    assert "Nel frattempo" in (await vera.get("/desk/outbox")).text


async def test_a_message_is_set_aside_only_after_a_confirmation(desk: Desk) -> None:
    number = a_message(desk, OutboxState.DEAD)
    vera, url = desk.browser("Vera"), f"/desk/outbox/{number}/drop"

    asked = await vera.get(url)
    before = state_of(desk, Outbox, number)
    await vera.send_form(url, page=url)

    assert "Mettere da parte questo messaggio?" in asked.text
    assert before is OutboxState.DEAD
    assert state_of(desk, Outbox, number) is OutboxState.DROPPED


# --- dead letters


async def test_without_dead_letters_the_page_says_so(desk: Desk) -> None:
    assert "Tutto è stato capito" in (await desk.browser("Rita").get("/desk/dead-letters")).text


async def test_a_dead_letter_is_listed_with_its_error(desk: Desk) -> None:
    number = a_letter(desk, b"{}")

    page = (await desk.browser("Rita").get("/desk/dead-letters")).text

    assert f"/desk/dead-letters/{number}" in page
    assert "ValueError: colour" in page


async def test_raw_json_is_laid_out_and_only_text(desk: Desk) -> None:
    number = a_letter(desk, json.dumps({"text": "<script>alert(1)</script> però"}).encode())

    page = (await desk.browser("Rita").get(f"/desk/dead-letters/{number}")).text

    assert "{\n  &#34;text&#34;: &#34;&lt;script&gt;alert(1)&lt;/script&gt; però&#34;\n}" in page


@pytest.mark.parametrize("payload", [b"\xff\xfe\x00 not JSON", b"[" * 50_000, b"x" * 300_000])
async def test_whatever_came_can_be_looked_at(desk: Desk, payload: bytes) -> None:
    number = a_letter(desk, payload)

    page = await desk.browser("Rita").get(f"/desk/dead-letters/{number}")

    assert page.status_code == 200
    assert len(page.text) < 150_000


async def test_a_dead_letter_is_tried_again(desk: Desk) -> None:
    number = a_letter(desk, b"{}")

    await desk.browser("Vera").send_form(f"/desk/dead-letters/{number}/retry", page="/desk/dead-letters")

    assert state_of(desk, Inbox, number) is InboxState.NEW


async def test_a_dead_letter_is_set_aside_only_after_a_confirmation(desk: Desk) -> None:
    number = a_letter(desk, b"{}")
    vera, url = desk.browser("Vera"), f"/desk/dead-letters/{number}/drop"

    asked = await vera.get(url)
    before = state_of(desk, Inbox, number)
    await vera.send_form(url, page=url)

    assert "Mettere da parte questo arrivo?" in asked.text
    assert before is InboxState.DEAD
    assert state_of(desk, Inbox, number) is InboxState.DROPPED


async def test_what_was_understood_is_not_shown_here(desk: Desk) -> None:
    number = a_letter(desk, b"{}", InboxState.DONE)

    assert (await desk.browser("Anna").get(f"/desk/dead-letters/{number}")).status_code == 404


@pytest.mark.parametrize("url", ["/desk/dead-letters/9999", "/desk/dead-letters/9999/drop", "/desk/outbox/9999/drop"])
async def test_what_is_not_there_is_said_kindly(desk: Desk, url: str) -> None:
    assert (await desk.browser("Vera").get(url)).status_code == 404


# --- Carla may not

PAGES = ["/desk/outbox", "/desk/dead-letters", "/desk/dead-letters/{letter}"]
FORMS = ["/desk/outbox/{message}/drop", "/desk/dead-letters/{letter}/drop"]
BUTTONS = ["/desk/outbox/{message}/retry", "/desk/dead-letters/{letter}/retry", *FORMS]


@pytest.mark.parametrize("url", PAGES + FORMS)
async def test_carla_who_has_no_account_sees_nothing(desk: Desk, url: str) -> None:
    here = {"message": a_message(desk, OutboxState.DEAD), "letter": a_letter(desk, b"{}")}

    assert (await desk.browser().get(url.format(**here))).status_code == 303


@pytest.mark.parametrize("url", FORMS)
async def test_a_reader_has_no_form(desk: Desk, url: str) -> None:
    here = {"message": a_message(desk, OutboxState.DEAD), "letter": a_letter(desk, b"{}")}

    assert (await desk.browser("Rita").get(url.format(**here))).status_code == 403


@pytest.mark.parametrize("who", ["Rita", None])
@pytest.mark.parametrize("url", BUTTONS)
async def test_a_reader_presses_no_button(desk: Desk, who: str | None, url: str) -> None:
    here = {"message": a_message(desk, OutboxState.DEAD), "letter": a_letter(desk, b"{}")}
    page = "/desk/outbox" if who else "/desk/sign-in"

    answer = await desk.browser(who).send_form(url.format(**here), page=page)

    assert answer.status_code == (403 if who else 303)
    assert state_of(desk, Outbox, here["message"]) is OutboxState.DEAD
    assert state_of(desk, Inbox, here["letter"]) is InboxState.DEAD


@pytest.mark.parametrize("url", PAGES)
async def test_a_reader_is_shown_no_button(desk: Desk, url: str) -> None:
    here = {"message": a_message(desk, OutboxState.DEAD), "letter": a_letter(desk, b"{}")}

    page = (await desk.browser("Rita").get(url.format(**here))).text

    assert "/retry" not in page
    assert "/drop" not in page
