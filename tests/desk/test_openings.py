"""That the link in a message was followed: noted once, never as read when a scanner may have done it."""

from datetime import datetime

from sqlmodel import select

from storage.openings import note_opening
from storage.people import new_personal_link, revoke_personal_links
from storage.tables import Channel, Opening, Outbox, OutboxKind
from tests.desk.conftest import Clock, Desk


def a_message(desk: Desk) -> tuple[str, int]:
    """Ada's personal page by the key in a message: its address, and the message."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio", email="ada@example.org")
        row = cast.add(
            Outbox(
                kind=OutboxKind.REMINDER,
                channel=Channel.EMAIL,
                address="ada@example.org",
                referent_id=ada.id,
                dedupe_key="reminder:1",
                body={"html": ""},
                next_at=cast.now,
                created_at=cast.now,
            )
        )
        return f"/r/{new_personal_link(session, ada.id, cast.now, row.id)}", row.id


def openings(desk: Desk) -> list[tuple[int, datetime, datetime | None]]:
    with desk.house.database.read() as session:
        return [(one.outbox_id, one.opened_at, one.confirmed_at) for one in session.exec(select(Opening))]


async def test_the_first_look_is_noted_and_later_ones_change_nothing(desk: Desk, clock: Clock) -> None:
    page, message = a_message(desk)
    first = clock.now
    scanner = desk.browser()

    await scanner.get(page)
    clock.move(hours=1)
    await desk.browser().get(page)

    assert openings(desk) == [(message, first, None)]


async def test_a_scanner_that_follows_every_link_of_the_mail_is_not_taken_for_a_reader(desk: Desk) -> None:
    page, message = a_message(desk)
    scanner = desk.browser()

    for link in (page, f"{page}/preferences", page):
        assert (await scanner.get(link)).status_code == 200
    scanner.cookies.clear()
    await scanner.get(f"{page}/ask")

    assert [(one, confirmed) for one, _at, confirmed in openings(desk)] == [(message, None)]


async def test_who_goes_on_from_the_page_has_opened_it(desk: Desk, clock: Clock) -> None:
    page, message = a_message(desk)
    opened, ada = clock.now, desk.browser()

    await ada.get(page)
    clock.move(minutes=1)
    await ada.get(f"{page}/ask")
    gone_on = clock.now
    clock.move(minutes=1)
    await ada.get(f"{page}/ask")

    assert openings(desk) == [(message, opened, gone_on)]


async def test_who_sends_a_form_has_opened_it(desk: Desk) -> None:
    page, message = a_message(desk)

    await desk.browser().send_form(f"{page}/ask", page=f"{page}/preferences", text="Una domanda.", helped="")

    ((outbox_id, _opened, confirmed),) = openings(desk)
    assert (outbox_id, confirmed is not None) == (message, True)


async def test_a_form_without_our_token_confirms_nothing(desk: Desk) -> None:
    page, _message = a_message(desk)

    assert (await desk.browser().post(f"{page}/ask", data={"text": "x"})).status_code == 403

    assert openings(desk) == []


async def test_a_key_that_opens_nothing_any_more_notes_nothing(desk: Desk) -> None:
    page, _message = a_message(desk)
    with desk.house.database.write() as session:
        revoke_personal_links(session, 1, desk.house.clock())

    assert (await desk.browser().get(page)).status_code == 404

    assert openings(desk) == []


async def test_a_key_that_stands_in_no_message_notes_nothing(desk: Desk) -> None:
    with desk.house.database.write() as session:
        ada = desk.cast(session).a_referent("Ada Esempio")
        token = new_personal_link(session, ada.id, desk.house.clock())

    assert (await desk.browser().get(f"/r/{token}")).status_code == 200

    assert openings(desk) == []


async def test_two_who_follow_it_at_once_leave_one_row_with_the_first_instant(desk: Desk, clock: Clock) -> None:
    _page, message = a_message(desk)
    first = clock.now
    with desk.house.database.write() as session:
        note_opening(session, message, first, confirmed=False)
    clock.move(minutes=1)
    with desk.house.database.write() as session:
        note_opening(session, message, clock.now, confirmed=True)
        note_opening(session, message, clock.now, confirmed=False)

    assert openings(desk) == [(message, first, clock.now)]
