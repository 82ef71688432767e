"""A mailbox on a real Dovecot, brought into the inbox whatever happens to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from app.checks import check_all
from app.settings import Settings
from intake.post import mailbox
from intake.post.imap import Connection, SignInRefused
from intake.post.imap_server import ImapServer
from intake.post.mailbox import Collector
from storage.database import Database
from storage.tables import Channel, Inbox
from tests.journeys.dovecot import Dovecot, running_dovecot

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

PATIENCE = 90.0
_people = count(1)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as dovecot:
        yield dovecot


@pytest.fixture
def user() -> str:
    """A mailbox that no other test has."""
    return f"raccordo{next(_people)}@example.org"


def mail(number: int) -> bytes:
    return b"From: ada@example.org\r\nSubject: mail %d\r\n\r\nnumero%d\r\n" % (number, number)


def mails(first: int, behind: int) -> list[bytes]:
    return [mail(number) for number in range(first, behind)]


def collector(database: Database, server: Dovecot | ImapServer, user: str = "", owner: str = "one") -> Collector:
    at = ImapServer.at(server.url(user)) if isinstance(server, Dovecot) else server
    return Collector(database, at, Channel.EMAIL, owner=owner, clock=lambda: datetime.now(UTC))


@asynccontextmanager
async def collecting(one: Collector) -> AsyncIterator[Collector]:
    stop = asyncio.Event()
    running = asyncio.create_task(one.run(stop))
    try:
        yield one
    finally:
        stop.set()
        await running


async def until(ready: Callable[[], Any], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(ready):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {PATIENCE:.0f} s") from None


def kept(database: Database) -> list[bytes]:
    with database.read() as session:
        return list(session.exec(select(Inbox.payload).order_by("id")))


async def all_kept(database: Database, number: int) -> None:
    await until(lambda: len(kept(database)) >= number, f"{number} mails are kept")


async def away(dovecot: Dovecot, user: str, number: int) -> None:
    await until(
        lambda: len(dovecot.contents(user, "Lavorati")) == number and not dovecot.contents(user),
        f"{number} mails are put away",
    )


async def test_what_comes_is_told_at_once_kept_as_it_is_and_put_away_unread(
    database: Database, dovecot: Dovecot, user: str
) -> None:
    async with collecting(collector(database, dovecot, user)) as one:
        await until(lambda: one.last_success is not None, "it is connected")
        one.poll = 3_600.0  # only the server can tell it now
        await asyncio.to_thread(dovecot.append, user, mail(1))
        await all_kept(database, 1)
        await away(dovecot, user, 1)

    assert kept(database) == [mail(1)]
    assert [set(flags) - {"\\Recent"} for _, flags in dovecot.contents(user, "Lavorati")] == [set()]
    assert one.problem is None


async def test_what_somebody_has_read_or_marked_is_kept_too_and_keeps_its_marks(
    database: Database, dovecot: Dovecot, user: str
) -> None:
    dovecot.append(user, mail(1), flags=("\\Seen",))
    dovecot.append(user, mail(2), flags=("\\Seen", "\\Flagged", "\\Answered"))

    async with collecting(collector(database, dovecot, user)):
        await away(dovecot, user, 2)

    assert kept(database) == mails(1, 3)
    flags = [set(flags) - {"\\Recent"} for _, flags in dovecot.contents(user, "Lavorati")]
    assert flags == [{"\\Seen"}, {"\\Seen", "\\Flagged", "\\Answered"}]


async def test_two_hundred_mails_of_five_days_off_come_in_once_and_in_order(
    database: Database, dovecot: Dovecot, user: str
) -> None:
    dovecot.append(user, mail(0))
    async with collecting(collector(database, dovecot, user)):
        await away(dovecot, user, 1)
    dovecot.append(user, *mails(1, 201))

    async with collecting(collector(database, dovecot, user)):
        await away(dovecot, user, 201)

    assert kept(database) == mails(0, 201)


async def test_other_numbers_are_looked_at_anew_and_nothing_is_kept_twice(
    database: Database, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "can_move", False)  # all stay, and are met again
    dovecot.append(user, *mails(0, 20))
    async with collecting(collector(database, dovecot, user)):
        await all_kept(database, 20)
    before = _uidvalidity(dovecot, user)
    while _uidvalidity(dovecot, user) == before:  # it is the second in which the folder was made
        dovecot.renumber(user)
    dovecot.append(user, mail(20))

    async with collecting(collector(database, dovecot, user)):
        await all_kept(database, 21)

    assert _uidvalidity(dovecot, user) != before
    assert sorted(kept(database)) == sorted(mails(0, 21))


def _uidvalidity(dovecot: Dovecot, user: str) -> int:
    with dovecot.box(user) as box:
        return box.folder.status("INBOX", ["UIDVALIDITY"])["UIDVALIDITY"]


@pytest.mark.parametrize("movable", [True, False])
async def test_numbers_that_are_given_again_hide_no_mail(
    database: Database, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch, movable: bool
) -> None:
    if not movable:
        monkeypatch.setattr(Connection, "can_move", False)
    dovecot.append(user, *mails(0, 9))
    async with collecting(collector(database, dovecot, user)):
        await all_kept(database, 9)
    before = _uidvalidity(dovecot, user)
    with dovecot.box(user) as box:
        box.delete(box.uids())
    dovecot.restore(user)
    for first in (9, 11):
        async with collecting(collector(database, dovecot, user)) as one:
            await until(partial(_connected, one), "it looks")
        dovecot.append(user, *mails(first, first + 2))

    async with collecting(collector(database, dovecot, user)):
        await all_kept(database, 13)

    assert _uidvalidity(dovecot, user) == before
    assert kept(database) == mails(0, 13)


def _connected(one: Collector) -> bool:
    return one.last_success is not None


async def test_a_connection_that_is_cut_is_made_anew(database: Database, dovecot: Dovecot, user: str) -> None:
    async with collecting(collector(database, dovecot, user)) as one:
        await until(lambda: one.last_success is not None, "it is connected")
        for number in range(3):
            await asyncio.to_thread(dovecot.hang_up)
            await until(lambda: one.problem is not None, "it sees that it is cut off")
            await asyncio.to_thread(dovecot.append, user, mail(number))
            await all_kept(database, number + 1)
            await until(lambda: one.problem is None, "all is well again")

    assert kept(database) == mails(0, 3)


async def test_a_connection_that_is_dead_and_does_not_say_so_is_noticed(
    database: Database, dovecot: Dovecot, user: str
) -> None:
    one = collector(database, dovecot, user)
    one.poll, one.patience = 1.0, 1.0
    async with collecting(one):
        await until(lambda: one.last_success is not None, "it is connected")
        await asyncio.to_thread(dovecot.freeze)
        await until(lambda: one.problem == "the server does not answer", "it sees that nobody is there")
        await asyncio.to_thread(dovecot.append, user, mail(1))
        await all_kept(database, 1)
        await asyncio.to_thread(dovecot.freeze, frozen=False)


async def test_what_was_kept_by_one_that_died_before_putting_it_away_is_put_away(
    database: Database, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.append(user, *mails(0, 5))
    with monkeypatch.context() as dying:
        dying.setattr(Connection, "can_move", False)
        async with collecting(collector(database, dovecot, user)):
            await all_kept(database, 5)
    assert len(dovecot.contents(user)) == 5

    async with collecting(collector(database, dovecot, user)):
        await away(dovecot, user, 5)

    assert kept(database) == mails(0, 5)


async def test_without_move_only_what_is_kept_is_expunged(database: Database, user: str) -> None:
    """Another mail that somebody has marked as deleted stays: whether it goes is theirs to say."""
    with running_dovecot(more="imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS IDLE") as dovecot:
        dovecot.append(user, mail(0))
        connection = await asyncio.to_thread(Connection, ImapServer.at(dovecot.url(user)))
        dovecot.append(user, mail(1), flags=("\\Deleted",))
        folder = await asyncio.to_thread(connection.make_folder, mailbox.AWAY)
        assert folder is not None
        await asyncio.to_thread(connection.move, [1], folder)
        connection.close()
        left, moved = dovecot.contents(user), dovecot.contents(user, folder)

    assert [content for content, _ in left] == [mail(1)]
    assert [content for content, _ in moved] == [mail(0)]
    assert kept(database) == []


async def test_where_nothing_may_be_moved_it_stays_and_is_kept_once(database: Database, user: str) -> None:
    less = "imap_capability = IMAP4rev1 SASL-IR LITERAL+"
    with running_dovecot(more=less) as dovecot:
        dovecot.append(user, *mails(0, 3))
        one = collector(database, dovecot, user)
        one.poll = 0.1  # there is no IDLE either
        async with collecting(one):
            await all_kept(database, 3)
            await asyncio.to_thread(dovecot.append, user, mail(3))
            await all_kept(database, 4)
        left = [content for content, _ in dovecot.contents(user)]

    assert (kept(database), left) == (mails(0, 4), mails(0, 4))


async def test_too_large_a_mail_is_shown_by_its_head_and_where_it_lies(
    database: Database, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "LARGEST", 2 * 1024 * 1024)
    large = (
        b"Subject: progetto\r\nContent-Type: application/pdf;\r\n name=x\r\nX-Last: y\r\n\r\n" + b"x" * 3 * 1024 * 1024
    )
    dovecot.append(user, mail(0), large, mail(2))

    async with collecting(collector(database, dovecot, user)):
        await away(dovecot, user, 3)

    first, note, last = kept(database)
    head, _, text = note.partition(b"\r\n\r\n")
    assert (first, last) == (mail(0), mail(2))
    assert head.startswith(b"Subject: progetto\r\nX-Last: y\r\nMIME-Version: 1.0\r\n")
    assert f"Questa e-mail pesa 3 MB: troppi per mostrarla qui. Aprila nella casella {user}, cartella Lavorati." in (
        text.decode()
    )


async def test_one_that_the_server_does_not_hand_over_holds_up_nobody(
    database: Database, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    literals = Connection._literals

    def refuses(self: Connection, uids: Any, what: str) -> Any:
        if 2 in uids:
            self._done(what, ("NO", []))
        yield from literals(self, uids, what)

    monkeypatch.setattr(Connection, "_literals", refuses)
    dovecot.append(user, *mails(1, 4))

    async with collecting(collector(database, dovecot, user)):
        await away(dovecot, user, 3)

    first, note, last = kept(database)
    assert (first, last) == (mail(1), mail(3))
    assert "Il server di posta non consegna questa e-mail." in note.decode()


async def test_one_process_collects_and_another_takes_over(database: Database, dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail(0))
    async with collecting(collector(database, dovecot, user, owner="first")) as first:
        await until(lambda: first.last_success is not None, "the first collects")
        async with collecting(collector(database, dovecot, user, owner="second")) as second:
            await until(lambda: second.last_success is not None, "the second sees that it has nothing to do")
            assert second.problem is None
            await asyncio.to_thread(dovecot.append, user, mail(1))
            await all_kept(database, 2)
    async with collecting(collector(database, dovecot, user, owner="second")):
        await asyncio.to_thread(dovecot.append, user, mail(2))
        await all_kept(database, 3)

    assert kept(database) == mails(0, 3)


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
async def test_encrypted_when_the_certificate_is_trusted_and_not_at_all_otherwise(
    database: Database, user: str, scheme: str
) -> None:
    with running_dovecot(tls=True) as dovecot:
        dovecot.append(user, mail(0))
        at = ImapServer.at(dovecot.url(user, scheme))
        async with collecting(collector(database, at)) as stranger:
            await until(lambda: stranger.problem is not None, "the certificate is refused")
        trust = ssl.create_default_context(cafile=str(dovecot.certificate))
        refused, nothing = stranger.problem, kept(database)
        async with collecting(collector(database, replace(at, trust=trust))) as friend:
            await all_kept(database, 1)

    assert refused is not None
    assert refused.startswith("the server's certificate is not trusted")
    assert (nothing, friend.problem) == ([], None)


def _has_problem(one: Collector) -> bool:
    return one.problem is not None


async def test_a_server_without_encryption_never_hears_the_password(
    database: Database, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.append(user, mail(0))
    at = ImapServer.at(dovecot.url(user, "imap+starttls"))
    plain = ImapServer.at(dovecot.url(user))
    monkeypatch.setattr(ImapServer, "in_clear", False)  # as if a network lay between

    for server in (at, plain):
        async with collecting(collector(database, server)) as one:
            await until(partial(_has_problem, one), "it is refused")
        assert one.problem == "the server offers no encryption (STARTTLS), and nothing is sent in clear"

    assert kept(database) == []


async def test_what_check_says_of_a_mailbox(tmp_path: Path, database_url: str, dovecot: Dovecot, user: str) -> None:
    right = dovecot.url(user)
    urls = [right, right.replace("INBOX", "Altra"), right.replace(f":{dovecot.imap}/", ":9/")]
    said = []
    for url in urls:
        settings = Settings.model_construct(
            data_dir=tmp_path / "data", imap_url=SecretStr(url), database_url=SecretStr(database_url)
        )
        said.append(next(found for found in await check_all(settings) if found.name == "IMAP_URL"))

    assert [found.ok for found in said] == [True, False, False]
    assert said[0].detail == "127.0.0.1 answers, and tells of new mail at once"
    assert "there is no folder Altra" in said[1].detail
    assert "connection refused" in said[2].detail


async def test_a_wrong_password_is_said_without_it_and_tried_slowly(
    database: Database, dovecot: Dovecot, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dovecot.append(user, mail(0))
    wrong = replace(ImapServer.at(dovecot.url(user)), password="una-parola-segreta")

    async with collecting(collector(database, wrong)) as one:
        await until(partial(_has_problem, one), "it is refused")

    said = capsys.readouterr()
    assert one.problem is not None
    assert one.problem.startswith("the server refuses user and password")
    assert mailbox.rest(SignInRefused(), 1) >= 30
    assert "segreta" not in one.problem + said.out + said.err + repr(wrong)
    assert kept(database) == []


async def test_what_lies_in_the_certified_mailbox_is_certified_mail(
    database: Database, dovecot: Dovecot, user: str
) -> None:
    dovecot.append(user, mail(0))
    server = ImapServer.at(dovecot.url(user))
    one = Collector(database, server, Channel.PEC, owner="one", clock=lambda: datetime.now(UTC))

    async with collecting(one):
        await away(dovecot, user, 1)

    with database.read() as session:
        row = session.exec(select(Inbox)).one()
    assert (row.kind, row.account, row.payload) == ("pec", user, mail(0))
