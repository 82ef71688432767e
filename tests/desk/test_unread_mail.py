"""A mail that could not be read is shown as text, saved as it came, and read again from the beginning."""

import pytest
from sqlmodel import select

from intake.post.arrival import RawMail, receive_mails
from storage.database import Database
from storage.tables import Audit, Channel, Inbox, InboxState
from tests.desk.conftest import Desk
from tests.intake.reading.letters import a_mail

RAW = a_mail("Perché <script>alert(1)</script>".encode("cp1252") + b"\x00")


def an_unread_mail(desk: Desk, state: InboxState = InboxState.DEAD, channel: Channel = Channel.EMAIL) -> int:
    with desk.house.database.write() as session:
        receive_mails(session, [RawMail(channel, "ufficio@example.net", RAW)], desk.house.clock())
        (row,) = session.exec(select(Inbox)).all()
        row.state, row.attempts, row.error = state, 5, "Unreadable: took too long"
        session.flush()
        return row.id


def acts(database: Database) -> list[str]:
    with database.read() as session:
        return [row.action for row in session.exec(select(Audit))]


async def test_its_beginning_is_shown_as_text(desk: Desk) -> None:
    number = an_unread_mail(desk)

    page = (await desk.browser("Rita").get(f"/desk/dead-letters/{number}")).text
    officers = (await desk.browser("Olga").get(f"/desk/dead-letters/{number}")).text

    assert "Perché &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f"/desk/dead-letters/{number}/raw" not in page
    assert f"/desk/dead-letters/{number}/raw" in officers


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PEC])
async def test_it_is_saved_as_it_came_and_that_is_written_down(desk: Desk, channel: Channel) -> None:
    number = an_unread_mail(desk, channel=channel)

    answer = await desk.browser("Olga").get(f"/desk/dead-letters/{number}/raw")

    assert (await desk.browser("Vera").get(f"/desk/dead-letters/{number}/raw")).status_code == 403
    assert answer.content == RAW
    assert answer.headers["content-disposition"] == f'attachment; filename="e-mail-{number}.eml"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "dead-letter.raw" in acts(desk.house.database)


async def test_only_what_could_not_be_read_and_only_for_staff(desk: Desk) -> None:
    number = an_unread_mail(desk, InboxState.DONE)

    assert (await desk.browser("Anna").get(f"/desk/dead-letters/{number}/raw")).status_code == 404
    assert (await desk.browser("Anna").get("/desk/dead-letters/999999/raw")).status_code == 404
    assert (await desk.browser().get(f"/desk/dead-letters/{number}/raw")).status_code in (302, 303, 401)
    assert "dead-letter.raw" not in acts(desk.house.database)


async def test_it_is_read_again(desk: Desk) -> None:
    number = an_unread_mail(desk)

    await desk.browser("Vera").send_form(f"/desk/dead-letters/{number}/retry", page="/desk/dead-letters")

    with desk.house.database.read() as session:
        row = session.get_one(Inbox, number)
        assert (row.state, row.attempts, row.next_at) == (InboxState.UNREAD, 0, None)
