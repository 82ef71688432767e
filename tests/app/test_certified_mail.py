"""Certified mail through the whole house: the settings, a real SMTP dialogue, the provider's receipts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from app.checks import Finding, check_all
from app.service import build
from app.settings import Settings
from app.sweep import Sweeper, sweep_once
from delivery.links import Links
from delivery.outbox import queue_to
from delivery.words import Words
from intake.mail import read
from intake.post.receipts import note_receipt
from sandbox.certified import CertifiedProvider
from sandbox.mail import MailSandbox
from storage.database import Database
from storage.receipts import receipts_of
from storage.tables import Address, Channel, Outbox, OutboxKind, OutboxState
from storage.words import ReceiptKind, Standing
from tests import pec
from tests.cast import Cast

ADA = "ada@pec.comune.example.org"


@pytest.fixture
async def smtp() -> AsyncIterator[MailSandbox]:
    """Stands for the provider's server."""
    server = MailSandbox()
    await server.start()
    yield server
    await server.stop()


def settings(folder: Path, database_url: str, **other: object) -> Settings:
    values: dict[str, object] = {
        "data_dir": folder / "data",
        "database_url": SecretStr(database_url),
        "secret_key": SecretStr("k" * 32),
        "pec_from": "Ufficio di prova <ufficio@pec.citta.example.org>",
    }
    return Settings.model_validate(values | other)


async def checked(name: str, chosen: Settings) -> Finding:
    return next(each for each in await check_all(chosen) if each.name == name)


async def test_an_answer_by_certified_mail_leaves_and_is_known_to_have_arrived(
    database_url: str, tmp_path: Path, smtp: MailSandbox
) -> None:
    service = await build(settings(tmp_path, database_url, pec_smtp_url=SecretStr(smtp.url)), without=["web"])
    dispatcher = service.rooms.dispatcher(service.clock, "one")
    now = service.clock()
    with service.rooms.database.write() as session:
        ada = Cast(session, now).a_referent("Ada Esempio")
        session.add(Address(referent_id=ada.id, channel=Channel.PEC, value=ADA, created_at=now))
        session.flush()
        key = "answer:1"
        number = queue_to(session, ada.id, Words("Sì."), kind=OutboxKind.ANSWER, now=now, dedupe_key=key)
    assert number is not None

    for parcel in (await dispatcher.one_pass()).parcels:
        await dispatcher._send(parcel)
    await dispatcher.one_pass()

    (mail,) = smtp.messages
    assert (mail.mail_from, mail.recipients) == ("ufficio@pec.citta.example.org", (ADA,))
    assert mail.message["Reply-To"] == mail.message["From"], "few providers take an address with a +"
    provider = CertifiedProvider(now=datetime.now(UTC))
    trusted = pec.pem_file(tmp_path, provider)
    with service.rooms.database.write() as session:
        for kind in ("accettazione", "avvenuta-consegna"):
            for raw in provider.receipts(kind, mail.raw, "ufficio@pec.citta.example.org", [ADA]):
                note_receipt(session, read(raw, trust=str(trusted)), None, now)
        row = session.get_one(Outbox, number)
        assert row.state is OutboxState.SENT
        heard = receipts_of(session, [number])[number]
        assert [(one.kind, one.standing) for one in heard] == [
            (ReceiptKind.ACCEPTED, Standing.CERTIFIED),
            (ReceiptKind.DELIVERED, Standing.CERTIFIED),
        ]
    await service.rooms.close()
    if service.lock is not None:
        service.lock.close()


@pytest.mark.parametrize(
    ("without", "channels"), [([], {Channel.PEC}), (["mail"], set()), (["telegram"], {Channel.PEC})]
)
async def test_certified_mail_is_a_part_of_the_mail(
    tmp_path: Path, database_url: str, without: list[str], channels: set[Channel]
) -> None:
    chosen = settings(tmp_path, database_url, pec_smtp_url=SecretStr("smtp://127.0.0.1:9"))

    service = await build(chosen, without=["web", *without])

    assert set(service.rooms.senders) == channels
    assert ("dispatch" in service.loops) is bool(channels), "who cannot send it does not send for all"
    await service.rooms.close()
    if service.lock is not None:
        service.lock.close()


async def test_check_says_of_certified_mail_what_to_do(tmp_path: Path, smtp: MailSandbox) -> None:
    folder = tmp_path / "gestori"
    folder.mkdir()
    chosen = settings(tmp_path, "")
    off = [(await checked(name, chosen)).ok for name in ("PEC_SMTP_URL", "PEC_FROM", "PEC_TRUST")]

    chosen.pec_smtp_url = SecretStr(smtp.url)
    untrusting = await checked("PEC_TRUST", chosen)
    chosen.pec_trust = str(folder)
    empty = await checked("PEC_TRUST", chosen)
    (folder / "broken.pem").write_text("none")
    broken = await checked("PEC_TRUST", chosen)
    (folder / "broken.pem").unlink()
    pec.pem_file(folder)
    well = [await checked(name, chosen) for name in ("PEC_SMTP_URL", "PEC_FROM", "PEC_TRUST")]
    chosen.pec_from, chosen.pec_smtp_url = "nobody", SecretStr("smtp://127.0.0.1:9")
    wrong = [(await checked(name, chosen)).ok for name in ("PEC_SMTP_URL", "PEC_FROM")]

    assert off == [True, True, True]
    assert (untrusting.ok, empty.ok, broken.ok) == (False, False, False)
    assert "broken.pem" in broken.detail
    assert [one.ok for one in well] == [True, True, True]
    assert wrong == [False, False]


@pytest.mark.parametrize("by", ["the clock", "the command"])
async def test_a_day_of_silence_is_noticed_and_staff_get_one_mail(database: Database, now: datetime, by: str) -> None:
    links, later = Links("https://raccordo.example.org"), now + timedelta(hours=25)
    with database.write() as session:
        cast = Cast(session, now)
        cast.a_staff("Olga", email="olga@example.org")
        values: dict[str, object] = {
            "kind": OutboxKind.ANSWER,
            "channel": Channel.PEC,
            "address": ADA,
            "body": {"html": "Sì."},
        }
        values |= {"state": OutboxState.SENT, "sent_at": now, "next_at": now, "created_at": now, "dedupe_key": "a:1"}
        number = cast.add(Outbox.model_validate(values)).id

    for _ in range(2):
        if by == "the clock":
            await Sweeper(database, lambda: later, links, "Europe/Rome")()
        else:
            sweep_once(database, later, links)

    with database.read() as session:
        assert session.get_one(Outbox, number).state is OutboxState.UNCERTAIN
        (notice,) = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.NOTICE)).all()
    assert notice.address == "olga@example.org"
    assert "non è arrivato" in notice.body["html"] or "did not arrive" in notice.body["html"]
