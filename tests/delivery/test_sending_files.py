"""Files of the staff on their way: grouped as Telegram shows them, one mail with everything, and what may go wrong."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import update

from delivery.errors import Blocked, DeliveryError, NotAPhoto
from delivery.letter import LARGEST, compose
from delivery.outbox import message_at, queue
from delivery.parcel import Enclosure
from delivery.telegram import TelegramSender
from delivery.verdicts import judge
from delivery.words import Words
from intake.files import add_file, store_file
from sandbox.pictures import plain_png
from sandbox.telegram import Fault
from storage.database import Database
from storage.files import Files
from storage.tables import Channel, Outbox, OutboxKind, OutboxState
from tests.cast import Cast
from tests.delivery.conftest import ADA, World
from tests.delivery.test_telegram import a_parcel
from tests.delivery.wiring import Bench, Clock

PDF = b"%PDF-1.7\nun esempio\n%%EOF\n"


def a_picture(number: int) -> bytes:
    return plain_png(40 + number, 30)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def kept(files: Files, name: str, content: bytes) -> Enclosure:
    stored = store_file(files, name, "", io.BytesIO(content))
    return Enclosure(stored.name, stored.sha256, stored.size, stored.type_seen)


def sender(world: World, files: Files) -> TelegramSender:
    return TelegramSender(world.bot, files)


async def test_one_document_arrives_whole_with_its_name(world: World, files: Files) -> None:
    large = PDF + bytes(3 * 1024 * 1024)
    parcel = a_parcel("Risposta <b>n. 5</b>", files=(kept(files, "piano è.pdf", large),))

    message_id = await sender(world, files).send(parcel)

    assert isinstance(message_id, str)
    message = world.sandbox.people[ADA].by_id[int(message_id)]
    assert message.raw["document"]["file_name"] == "piano è.pdf"
    assert message.raw["caption"] == "Risposta n. 5"
    assert message.content == large


async def test_photos_are_an_album_with_the_words_below_the_first(world: World, files: Files) -> None:
    photos = tuple(kept(files, f"foto{n}.png", a_picture(n)) for n in range(3))

    ids = await sender(world, files).send(a_parcel("Le foto", files=photos))

    sent = world.sandbox.people[ADA].from_bot
    assert [message.raw.get("caption") for message in sent] == ["Le foto", None, None]
    assert len({message.raw["media_group_id"] for message in sent}) == 1
    assert ids == tuple(str(message.id) for message in sent)


async def test_a_picture_refused_as_a_photo_is_sent_once_more_as_a_document(world: World, files: Files) -> None:
    world.sandbox.faults = lambda method, _: (
        Fault(400, "Bad Request: PHOTO_INVALID_DIMENSIONS") if method == "sendPhoto" else None
    )
    parcel = a_parcel("La mappa", files=(kept(files, "mappa.png", a_picture(1)),))

    with pytest.raises(NotAPhoto) as refused:
        await sender(world, files).send(parcel)
    verdict = judge(refused.value, 1, frozenset(), parcel.claimed_at or _any_time())
    await sender(world, files).send(replace(parcel, body={"documents": True}))

    assert (verdict.state, verdict.flag) == (OutboxState.RETRY, "documents")
    assert judge(refused.value, 2, frozenset({"documents"}), _any_time()).state is OutboxState.DEAD
    assert "document" in world.sandbox.people[ADA].last.raw


async def test_a_file_that_is_not_there_is_a_failure_of_ours_and_final(world: World, files: Files) -> None:
    gone = Enclosure("via.pdf", "0" * 64, 5, "application/pdf")

    with pytest.raises(DeliveryError) as lost:
        await sender(world, files).send(a_parcel(files=(gone,)))

    assert lost.value.permanent
    assert world.sandbox.ledger.calls("sendDocument") == []


def a_queued_answer(database: Database, files: Files, clock: Clock, channel: Channel, **names: bytes) -> None:
    with database.write() as session:
        ids = [
            add_file(session, store_file(files, name.replace("_", "."), "", io.BytesIO(content)), now=clock.now).id
            for name, content in names.items()
        ]
        queue(
            session,
            Words("Ecco tutto.", "Risposta alla domanda n. 5", files=tuple(ids)),
            kind=OutboxKind.ANSWER,
            channel=channel,
            address="100" if channel is Channel.TELEGRAM else "ada@example.org",
            now=clock.now,
            dedupe_key="answer:5",
        )


async def test_on_telegram_the_files_follow_the_text_grouped_by_kind(
    database: Database, files: Files, now: datetime
) -> None:
    bench = Bench(database, Clock(now))
    a_queued_answer(database, files, bench.clock, Channel.TELEGRAM, a_png=a_picture(1), b_pdf=PDF, c_png=a_picture(2))

    await bench.drain()

    sent = [(parcel.words.html, [one.name for one in parcel.files]) for parcel in bench.telegram.sent]
    assert sent == [
        ("Ecco tutto.", []),
        ("Risposta alla domanda n. 5", ["a.png", "c.png"]),
        ("Risposta alla domanda n. 5", ["b.pdf"]),
    ]


async def test_every_part_of_an_album_is_known_again(database: Database, files: Files, now: datetime) -> None:
    bench = Bench(database, Clock(now))
    a_queued_answer(database, files, bench.clock, Channel.TELEGRAM, a_png=a_picture(1), b_png=a_picture(2))

    await bench.drain()

    with database.read() as session:
        found = [message_at(session, Channel.TELEGRAM, "100", part) for part in ("p2", "p2-2", "p2-3")]
        assert [one and one.dedupe_key for one in found] == ["answer:5:files-1", "answer:5:files-1", None]
        assert message_at(session, Channel.TELEGRAM, "101", "p2-2") is None, "in another chat it is another message"


async def test_a_mail_carries_everything(database: Database, files: Files, now: datetime) -> None:
    bench = Bench(database, Clock(now))
    a_queued_answer(database, files, bench.clock, Channel.EMAIL, piano_pdf=PDF, foto_png=a_picture(1))

    await bench.drain()

    [parcel] = bench.mail.sent
    content = {}
    for one in parcel.files:
        with files.open(one.kept) as file:
            content[one.kept] = file.read()
    mail = message_from_bytes(compose(parcel, "Ufficio <u@example.org>", "", now, content).as_bytes(), policy=default)
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert attached == {"piano.pdf": PDF, "foto.png": a_picture(1)}


async def test_when_the_chat_is_closed_the_files_go_by_mail_too(
    database: Database, files: Files, now: datetime
) -> None:
    bench = Bench(database, Clock(now))
    with database.write() as session:
        ada = Cast(session, now).a_referent("Ada", chat=100, email="ada@example.org").id
    bench.telegram.always = lambda _: Blocked("403 blocked")
    a_queued_answer(database, files, bench.clock, Channel.TELEGRAM, piano_pdf=PDF)
    with database.write() as session:
        session.execute(update(Outbox).values(referent_id=ada))

    await bench.drain()

    assert sorted(one.name for parcel in bench.mail.sent for one in parcel.files) == ["piano.pdf"]


def test_what_no_mailbox_takes_is_named_with_the_way_to_the_page() -> None:
    large = Enclosure("rilievo.zip", "a" * 64, LARGEST + 1, "application/zip")
    parcel = a_parcel("Ecco", channel=Channel.EMAIL, address="ada@example.org", files=(large,))

    mail = compose(replace(parcel, personal_url="https://x.example/r/k"), "u@example.org", "", _any_time(), {})

    body = mail.get_body(("plain",))
    assert body is not None
    assert "Troppo grandi per un'e-mail, li trovi sulla tua pagina: rilievo.zip" in body.get_content()


def _any_time() -> datetime:
    return datetime(2026, 11, 24, 9, tzinfo=UTC)
