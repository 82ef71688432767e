"""People of the simulation write to the office: new, in reply, certified, automatic, returned; by LMTP, as bytes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx
import pytest
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.correspondence import Correspondence, Correspondent, Kind, Office
from sandbox.letters import Written, quotation, reply_to
from sandbox.mail import MailSandbox
from sandbox.pages import sandbox_app
from sandbox.telegram import TelegramSandbox
from tests.sandbox.test_mail import a_mail, send

ADA = Correspondent("Ada Esempio", "ada@example.org", "ada@pec.example.org")
BRUNO = Correspondent("Bruno Esempio", "bruno@example.org")
OFFICE = Office("raccordo@example.org", "raccordo@pec.example.org")
WRITE = "/sandbox/mail/write"


@dataclass
class Door:
    """Takes what the office's mail server would hand over."""

    said: str = "250 2.0.0 Kept"
    taken: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    bytes: list[bytes] = field(default_factory=list)
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.said.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.bytes.append(envelope.content)
            self.taken.append((envelope.mail_from or "", envelope.rcpt_tos[0], mail))
            self.arrived.set()
        return self.said

    def last(self) -> EmailMessage:
        return self.taken[-1][2]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LMTP(door, loop=loop), "127.0.0.1", 0)
    door.port = server.sockets[0].getsockname()[1]
    yield door
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
def post(mail: MailSandbox, door: Door) -> Correspondence:
    return Correspondence(mail, OFFICE, (ADA, BRUNO), lambda: ("127.0.0.1", door.port))


@pytest.fixture
async def web(telegram: TelegramSandbox, mail: MailSandbox, post: Correspondence) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = sandbox_app(telegram, mail, post=post)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as client:
        yield client


def a_form(**other: Any) -> dict[str, Any]:
    return {
        "who": ADA.email,
        "to": OFFICE.email,
        "subject": "Perché?",
        "text": "Buongiorno,\r\nè possibile?",
        "kind": "ordinaria",
    } | other


async def received(mail: MailSandbox) -> int:
    """A mail of the office for Ada; its number."""
    written = a_mail()
    written["Reply-To"] = "Raccordo <raccordo+abc234@example.org>"
    written["References"] = "<0@example.org>"
    await send(mail, written)
    return mail.messages[-1].number


async def test_a_person_writes_to_the_office_with_a_file(web: httpx.AsyncClient, door: Door) -> None:
    sent = await web.post(WRITE, data=a_form(), files={"files": ("relazione à.pdf", b"%PDF-1.7", "application/pdf")})

    assert (sent.status_code, sent.headers["location"]) == (303, "/sandbox/mail?sent=1")
    sender, to, mail = door.taken[0]
    assert (sender, to) == (ADA.email, OFFICE.email)
    assert mail["From"] == "Ada Esempio <ada@example.org>"
    assert mail["Subject"] == "Perché?"
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().split() == ["Buongiorno,", "è", "possibile?"]
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("relazione à.pdf", b"%PDF-1.7")
    assert mail["Authentication-Results"] == "posta.example.org; dmarc=pass header.from=example.org"
    assert "Perché?" in (await web.get("/sandbox/mail")).text


async def test_who_only_pretends_has_not_passed_the_check(web: httpx.AsyncClient, door: Door) -> None:
    await web.post(WRITE, data=a_form(forged="1"))

    assert door.last()["From"] == "Ada Esempio <ada@example.org>"
    assert door.last()["Authentication-Results"] is None


async def test_a_stranger_writes(web: httpx.AsyncClient, door: Door) -> None:
    await web.post(WRITE, data=a_form(who="altri", name="Dario Esempio", address="Dario@Example.org"))

    assert door.last()["From"] == "Dario Esempio <dario@example.org>"


async def test_a_reply_goes_where_the_mail_says_and_quotes_it(
    web: httpx.AsyncClient, mail: MailSandbox, door: Door
) -> None:
    number = await received(mail)
    form = (await web.get(f"{WRITE}?reply={number}")).text

    sent = await web.post(
        f"{WRITE}?reply={number}",
        data=a_form(
            to=reply_to(mail.messages[0]), subject="Re: È arrivato l'invito", quoted=quotation(mail.messages[0])
        ),
    )

    assert 'value="raccordo+abc234@example.org"' in form
    assert 'value="Re: È arrivato l&#39;invito"' in form
    assert "&gt; apri https://example.org/r/abc." in form
    assert sent.status_code == 303
    reply = door.last()
    assert reply["To"] == "raccordo+abc234@example.org"
    assert reply["In-Reply-To"] == "<1@example.org>"
    assert reply["References"] == "<0@example.org> <1@example.org>"
    text = reply.get_body(("plain",))
    assert text is not None
    first, _, quoted = text.get_content().replace("\r\n", "\n").partition("\n\n")
    assert first == "Buongiorno,\nè possibile?"
    assert quoted.startswith("Il giorno ")
    assert quoted.endswith("\n\n> apri https://example.org/r/abc.\n")


async def test_a_certified_mail_is_signed_and_reaches_the_door_byte_for_byte(
    web: httpx.AsyncClient, door: Door, post: Correspondence
) -> None:
    await web.post(WRITE, data=a_form(to=OFFICE.pec, kind="pec"))

    mail = door.last()
    assert mail["X-Trasporto"] == "posta-certificata"
    assert mail["From"] == f'"Per conto di: {ADA.pec}" <{post.provider.address}>'
    assert mail.get_content_type() == "multipart/signed"
    assert mail["Authentication-Results"] is None
    signed = door.bytes[-1].split(b"--fuori\r\n")[1].removesuffix(b"\r\n")
    inner = mail.get_payload()[1]  # type: ignore[index]
    assert len(inner.get_payload(decode=True)) > 200  # type: ignore[union-attr]
    assert b"postacert.eml" in signed


async def test_an_ordinary_mail_to_the_certified_address_comes_as_an_anomaly(
    web: httpx.AsyncClient, door: Door
) -> None:
    await web.post(WRITE, data=a_form(to=OFFICE.pec))

    assert door.last()["X-Trasporto"] == "errore"


async def test_an_absence_answers_by_itself(web: httpx.AsyncClient, mail: MailSandbox, door: Door) -> None:
    number = await received(mail)

    await web.post(f"{WRITE}?reply={number}", data=a_form(kind="assenza", subject="Risposta automatica"))

    assert door.last()["Auto-Submitted"] == "auto-replied"
    assert door.last()["In-Reply-To"] == "<1@example.org>"


@pytest.mark.parametrize("status", ["5.1.1", "5.2.2"])
async def test_a_mail_comes_back(web: httpx.AsyncClient, mail: MailSandbox, door: Door, status: str) -> None:
    number = await received(mail)

    await web.post(f"{WRITE}?reply={number}", data=a_form(kind="respinta", status=status, text=""))

    sender, _, returned = door.taken[0]
    assert sender == "<>"  # as the library has the empty one
    assert returned.get_content_type() == "multipart/report"
    _, told, head = returned.iter_parts()
    assert told.get_content_type() == "message/delivery-status"
    assert f"Status: {status}" in str(told)
    assert "Final-Recipient: rfc822; ada@example.org" in str(told)
    assert "Message-ID: <1@example.org>" in str(head)


async def test_what_leaves_from_the_certified_address_is_answered_with_receipts(
    mail: MailSandbox, door: Door, post: Correspondence
) -> None:
    await send_as(mail, OFFICE.pec, ADA.pec)

    await asyncio.wait_for(asyncio.gather(*post._tasks), 30)

    assert [one["X-Ricevuta"] for _, _, one in door.taken] == ["accettazione", "avvenuta-consegna"]
    assert {one["X-Riferimento-Message-ID"] for _, _, one in door.taken} == {"<1@example.org>"}
    assert {to for _, to, _ in door.taken} == {OFFICE.pec}


async def test_ordinary_mail_of_the_office_has_no_receipts(mail: MailSandbox, post: Correspondence) -> None:
    await send_as(mail, OFFICE.email, ADA.email)

    assert not post._tasks


async def send_as(mailbox: MailSandbox, sender: str, to: str) -> None:
    written = a_mail(to)
    del written["From"]
    written["From"] = sender
    await send(mailbox, written)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"who": ""}, "Scegli chi scrive."),
        ({"who": "nessuno@example.org"}, "Scegli chi scrive."),
        ({"who": "altri", "address": "dario"}, "Scrivi un indirizzo"),
        ({"who": "altri", "address": "dario@example.org\r\nBcc: x@example.org"}, "Scrivi un indirizzo"),
        ({"to": "raccordo"}, "Scrivi l&#39;indirizzo a cui mandarla."),
        ({"who": BRUNO.email, "kind": "pec"}, "Questa persona non ha una PEC"),
        ({"kind": "assenza"}, "Questo nasce solo da una mail ricevuta"),
        ({"kind": "respinta"}, "Questo nasce solo da una mail ricevuta"),
        ({"kind": "piccione"}, "Scegli come mandarla."),
        ({"subject": " "}, "Scrivi l&#39;oggetto."),
        ({"text": ""}, "Scrivi il testo."),
    ],
)
async def test_what_cannot_be_sent_is_said_beside_the_field(
    web: httpx.AsyncClient, door: Door, wrong: dict[str, str], said: str
) -> None:
    refused = await web.post(WRITE, data=a_form(**wrong))

    assert refused.status_code == 422
    assert said in refused.text
    assert door.taken == []


async def test_a_door_that_takes_nothing_is_shown_and_what_was_written_stays(
    web: httpx.AsyncClient, door: Door
) -> None:
    door.said = "451 4.3.0 Not kept"

    refused = await web.post(WRITE, data=a_form())

    assert refused.status_code == 502
    assert "451 4.3.0 Not kept" in refused.text
    assert "Buongiorno," in refused.text


async def test_a_door_that_is_shut_is_shown(web: httpx.AsyncClient, post: Correspondence) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    post.door = lambda: ("127.0.0.1", port)

    refused = await web.post(WRITE, data=a_form())

    assert "La porta LMTP non risponde" in refused.text
    assert "non presa" in (await web.get("/sandbox/mail")).text


async def test_a_page_elsewhere_sends_nothing(web: httpx.AsyncClient, door: Door) -> None:
    refused = await web.post(WRITE, data=a_form(), headers={"sec-fetch-site": "cross-site"})

    assert refused.status_code == 403
    assert door.taken == []


@pytest.mark.parametrize("number", ["99", "x", "-1", "99999999999999"])
async def test_there_is_no_reply_to_a_mail_that_is_not_there(web: httpx.AsyncClient, number: str) -> None:
    assert (await web.get(f"{WRITE}?reply={number}")).status_code == 404


async def test_a_mail_is_drawn_without_scripts_and_fetches_nothing(web: httpx.AsyncClient, mail: MailSandbox) -> None:
    written = a_mail()
    written.add_alternative("<p>Ciao<script>alert(1)</script></p>", subtype="html")
    await send(mail, written)

    drawn = await web.get("/sandbox/mail/1/page")

    assert "<p>Ciao" in drawn.text
    assert drawn.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in drawn.headers["content-security-policy"]
    assert "allow-scripts" not in drawn.headers["content-security-policy"]


async def test_without_a_door_nobody_is_invited_to_write(telegram: TelegramSandbox, mail: MailSandbox) -> None:
    await send(mail, a_mail())
    app: Any = sandbox_app(telegram, mail)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as web:
        assert "Scrivi come" not in (await web.get("/sandbox/mail")).text
        assert "Rispondi" not in (await web.get("/sandbox/mail/1")).text
        assert (await web.get(WRITE)).status_code == 404


def test_the_same_kinds_are_offered_as_there_are() -> None:
    assert {kind.value for kind in Kind} == {"ordinaria", "pec", "assenza", "respinta"}


def test_an_unsafe_subject_becomes_one_line() -> None:
    from datetime import UTC, datetime

    from sandbox.letters import letter

    raw = letter(
        Written("Ada", "ada@example.org", "raccordo@example.org", "a\r\nBcc: x@example.org", "t"), datetime.now(UTC)
    )

    assert b"\r\nBcc:" not in raw
