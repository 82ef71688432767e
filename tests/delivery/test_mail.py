"""Mail by a real SMTP dialogue: headers, both parts, and what each answer means."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from delivery.errors import Blocked, DeliveryError, NeverLeft, Uncertain
from delivery.letter import compose
from delivery.mail import MailSender, Server
from delivery.parcel import Letterhead, Parcel, Thread
from delivery.words import Button, Words
from facts.languages import Language
from storage.tables import Channel, OutboxKind

FROM = "Ufficio esempio <raccordo@example.org>"


@dataclass
class Sink:
    """Takes mail; answers as told. `hang_up` drops the connection once it has the mail."""

    mails: list[EmailMessage] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    rcpt_answer: str = ""
    sender_answer: str = ""
    data_answer: str = "250 OK"
    hang_up: bool = False
    port: int = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender_answer or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_answer:
            return self.rcpt_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.sessions.add(id(session))
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        if self.hang_up:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.data_answer


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    sink = Sink()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(sink), "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    yield sink
    server.close()


@pytest.fixture
async def sender(sink: Sink, now: datetime) -> AsyncIterator[MailSender]:
    sender = MailSender(f"smtp://127.0.0.1:{sink.port}", FROM, "risposte@example.org", timeout=5, clock=lambda: now)
    yield sender
    await sender.close()
    await asyncio.sleep(0)  # lets the transports close before the loop does


def a_parcel(html: str = "Ciao <b>Ada</b> &amp; co,\nuna riga.\n\nUn altro paragrafo.", **other: Any) -> Parcel:
    parcel = Parcel(
        id=7,
        attempt=1,
        kind=OutboxKind.ANSWER,
        channel=Channel.EMAIL,
        address="ada@example.org",
        dedupe_key="answer:7",
        words=Words(html, "Risposta alla domanda 3", ((Button("Risolto", data="q:3:yes"),),)),
        office=Letterhead("Ufficio esempio"),
        personal_url="https://raccordo.example.org/r/key?a=1&b=2",
        language=Language.IT,
    )
    return replace(parcel, **other)


async def test_a_mail_arrives_with_both_parts_and_the_right_headers(
    sink: Sink, sender: MailSender, now: datetime
) -> None:
    message_id = await sender.send(a_parcel())

    (mail,) = sink.mails
    assert mail["Message-ID"] == message_id
    assert mail["From"] == FROM
    assert mail["To"] == "ada@example.org"
    assert mail["Reply-To"] == "risposte@example.org"
    assert mail["Subject"] == "Risposta alla domanda 3"
    assert mail["Date"].datetime == now
    assert mail["Auto-Submitted"] is None
    assert mail["In-Reply-To"] is None
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    said = text.get_content().replace("\r\n", "\n")
    assert said.startswith("Ciao Ada & co,\nuna riga.\n\nUn altro paragrafo.")
    assert "Rispondi o guarda tutto dalla tua pagina: https://raccordo.example.org/r/key?a=1&b=2" in said
    assert "\n-- \nUfficio esempio\n" in said
    html = page.get_content()
    assert '<html lang="it">' in html
    assert "<b>Ada</b> &amp; co,<br>" in html
    assert 'href="https://raccordo.example.org/r/key?a=1&amp;b=2"' in html
    assert "q:3:yes" not in said + html


async def test_the_message_id_is_the_same_on_every_try_and_differs_between_messages(
    sink: Sink, sender: MailSender
) -> None:
    await sender.send(a_parcel())
    await sender.send(a_parcel(attempt=2, possible_duplicate=True))
    await sender.send(a_parcel(id=8, dedupe_key="answer:8"))

    first, again, other = (mail["Message-ID"] for mail in sink.mails)
    assert first == again != other
    assert first.endswith("@example.org>")


async def test_one_connection_serves_many_mails(sink: Sink, sender: MailSender) -> None:
    for number in range(5):
        await sender.send(a_parcel(id=number))

    assert len(sink.mails) == 5
    assert len(sink.sessions) == 1


@pytest.mark.parametrize("kind", [OutboxKind.REMINDER, OutboxKind.NOTICE, OutboxKind.INVITATION])
def test_what_a_machine_wrote_says_so(kind: OutboxKind, now: datetime) -> None:
    assert compose(a_parcel(kind=kind), FROM, "", now)["Auto-Submitted"] == "auto-generated"


def test_a_second_mail_of_a_thread_names_those_before_it(now: datetime) -> None:
    mail = compose(a_parcel(question_id=3, thread=Thread(("<a@x>", "<b@x>"))), FROM, "", now)

    assert mail["In-Reply-To"] == "<b@x>"
    assert mail["References"] == "<a@x> <b@x>"
    assert mail["Subject"] == "Re: Risposta alla domanda 3"


def test_a_subject_is_found_and_holds_one_short_line(now: datetime) -> None:
    mail = compose(a_parcel(words=Words("<b>Titolo</b> " + "x" * 300 + "\nBcc: a@b.it")), FROM, "", now)

    assert mail["Subject"].startswith("Titolo xxx")
    assert len(mail["Subject"]) == 120
    assert mail["Bcc"] is None


def test_buttons_that_open_a_page_are_links_in_a_mail(now: datetime) -> None:
    words = Words("Ciao", "S", ((Button("Apri <qui>", url="https://example.org/?a=1&b=2"),),))

    mail = compose(a_parcel(words=words), FROM, "", now)

    page = mail.get_body(("html",))
    assert page is not None
    assert re.search(r'<a href="https://example.org/\?a=1&amp;b=2"[^<>]*>Apri &lt;qui&gt;</a>', page.get_content())


async def test_a_recipient_refused_for_good_is_unreachable(sink: Sink, sender: MailSender) -> None:
    sink.rcpt_answer = "550 5.1.1 No such user ada@example.org"

    with pytest.raises(Blocked) as refused:
        await sender.send(a_parcel())

    assert "ada" not in refused.value.reason


@pytest.mark.parametrize(
    "answer", ["550 User unknown", "553 no such mailbox here", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"]
)
async def test_the_words_tell_that_nobody_is_there(sink: Sink, sender: MailSender, answer: str) -> None:
    sink.rcpt_answer = answer

    with pytest.raises(Blocked):
        await sender.send(a_parcel())


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.7.1 <ada@example.org>: Relay access denied",
        "554 relay denied",
        "550 relaying denied",
        "550 5.7.1 unknown user policy",
        "550 5.1.8 sender domain does not exist",
        "552 5.2.2 mailbox full",
    ],
)
async def test_a_relay_set_up_badly_makes_nobody_unreachable(sink: Sink, sender: MailSender, answer: str) -> None:
    sink.rcpt_answer = answer

    with pytest.raises(DeliveryError) as refused:
        await sender.send(a_parcel())

    assert refused.value.permanent
    assert not isinstance(refused.value, Blocked)
    assert "ada" not in refused.value.reason


@pytest.mark.parametrize(("rcpt", "data"), [("450 greylisted", "250 OK"), ("", "451 try later")])
async def test_a_temporary_refusal_is_tried_again(sink: Sink, sender: MailSender, rcpt: str, data: str) -> None:
    sink.rcpt_answer, sink.data_answer = rcpt, data

    with pytest.raises(DeliveryError) as later:
        await sender.send(a_parcel())

    assert not later.value.permanent
    assert not isinstance(later.value, Uncertain)


async def test_a_content_refused_for_good_is_dead_but_the_address_is_not(sink: Sink, sender: MailSender) -> None:
    sink.data_answer = "554 looks like spam"

    with pytest.raises(DeliveryError) as refused:
        await sender.send(a_parcel())

    assert refused.value.permanent
    assert not isinstance(refused.value, Blocked)


async def test_a_sender_refused_is_our_fault_and_gives_no_mail_up(sink: Sink, sender: MailSender) -> None:
    sink.sender_answer = "550 you may not send"

    with pytest.raises(NeverLeft):
        await sender.send(a_parcel())


async def test_a_connection_lost_after_the_mail_left_is_uncertain(sink: Sink, sender: MailSender) -> None:
    sink.hang_up = True

    with pytest.raises(Uncertain):
        await sender.send(a_parcel())


async def test_without_a_server_nothing_left(sink: Sink) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(NeverLeft):
        await MailSender(f"smtp://127.0.0.1:{port}", FROM, timeout=5).send(a_parcel())


async def test_an_address_no_mail_can_have_is_dead_at_once(sender: MailSender) -> None:
    with pytest.raises(DeliveryError) as refused:
        await sender.send(a_parcel(address="ada@@example\n.org"))

    assert refused.value.permanent


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("smtp://ada:pw@mail.example.org:587", True),
        ("smtp://ada:pw@127.0.0.1:587", False),
        ("smtp://ada:pw@localhost:587", False),
        ("smtp://ada:pw@[::1]:587", False),
        ("smtps://ada:pw@mail.example.org", False),
        ("smtp://mail.example.org", False),
    ],
)
def test_a_password_needs_encryption_unless_it_stays_on_the_machine(url: str, needed: bool) -> None:
    assert Server.at(url).needs_starttls is needed


async def test_without_starttls_the_password_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        asked.append(mechanism)
        return AuthResult(success=True)

    sink = Sink()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(sink, authenticator=authenticate, auth_require_tls=False), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr("delivery.mail._loopback", lambda host: False)
    sender = MailSender(f"smtp://ada:pw@127.0.0.1:{port}", FROM, timeout=5)

    with pytest.raises(NeverLeft, match="STARTTLS"):
        await sender.send(a_parcel())

    server.close()
    assert (asked, sink.mails) == ([], [])


def test_the_mail_server_is_written_as_a_url_and_its_password_is_not_shown() -> None:
    server = Server.at("smtp://ada%40example.org:p%3Aw@mail.example.org:587")

    assert (server.host, server.port, server.user, server.password) == (
        "mail.example.org",
        587,
        "ada@example.org",
        "p:w",
    )
    assert not server.tls
    assert "p:w" not in repr(server)
    assert Server.at("smtps://mail.example.org").port == 465
    with pytest.raises(ValueError, match="smtp://"):
        Server.at("mail.example.org:25")
