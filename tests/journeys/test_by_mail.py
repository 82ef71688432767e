"""The whole of it by mail: a question is asked, answered at the desk, and talked about, through real mail servers."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import aiosmtplib
import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from storage.tables import Channel, Message, Standing
from tests.cast import Cast
from tests.journeys.conftest import House, free_port, running_house
from tests.journeys.dovecot import Dovecot, running_dovecot
from tests.journeys.postfix import running_exchange
from tests.journeys.test_mailbox import until

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

ADA = "ada@example.org"


async def test_a_question_by_mail_is_answered_and_the_reply_joins_its_thread(database_url: str, tmp_path: Path) -> None:
    """By both doors at once: Postfix hands over what Ada writes first, and puts her reply into a mailbox we fetch."""
    door = free_port()
    with running_dovecot() as dovecot:
        more = {
            "lmtp_listen": f"127.0.0.1:{door}",
            "imap_url": SecretStr(dovecot.url("desk@example.org")),
            "mail_reply_to": "desk@example.org",
        }
        async with (
            running_exchange(door, dovecot.lmtp) as exchange,
            running_house(database_url, tmp_path, smtp_port=exchange.port, more=more) as house,
        ):
            await house.database.run(lambda session: _ada_lives_here(session, house))
            await _send(exchange.port, "raccordo@example.org", "Ribasso", "È possibile usare il ribasso d'asta?")
            await until(lambda: _said(house), "it is a question")
            first = _said(house)
            page = f"/desk/questions/{first[0].question_id}"
            shown = (await house.desk.get(page)).text

            await house.answers(first[0].question_id, "Sì, con una variante approvata.")
            answer = await _letter(dovecot, ADA, "con una variante approvata")
            reply_to = str(answer["Reply-To"].addresses[0].addr_spec)
            await _send(exchange.port, reply_to, "Re: Ribasso", "Grazie, e per il cortile?", answer)
            await until(lambda: len(_said(house)) == 2, "the reply has come")
            again, shown_at_last = _said(house)[1], (await house.desk.get(page)).text
            await until(lambda: not dovecot.contents("desk@example.org"), "what was fetched is put away")

    assert "mittente non verificato" in shown.lower()
    assert reply_to.startswith("desk+")
    assert reply_to.endswith("@example.org")
    assert again.question_id == first[0].question_id
    assert (first[0].standing, again.standing) == (Standing.UNVERIFIED, Standing.REPLY)
    assert again.channel is Channel.EMAIL
    words = ["ribasso d&#39;asta", "con una variante approvata", "e per il cortile?"]
    places = [shown_at_last.find(word) for word in words]
    assert -1 not in places
    assert places == sorted(places)


def _ada_lives_here(session: Session, house: House) -> None:
    cast = Cast(session, house.clock())
    organization = cast.an_organization("Ente di prova")
    cast.a_referent("Ada Esempio", organization, (cast.a_project(organization),), email=ADA)


async def _send(port: int, to: str, subject: str, text: str, answered: EmailMessage | None = None) -> None:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = f"Ada Esempio <{ADA}>", to, subject
    mail["Message-ID"] = f"<{abs(hash(text))}@posta.example.org>"
    if answered is not None:
        mail["In-Reply-To"] = mail["References"] = str(answered["Message-ID"])
        text += f"\n\nIl giorno 24 nov 2026, Raccordo ha scritto:\n> {answered['Subject']}\n"
    mail.set_content(text)
    await aiosmtplib.send(mail, sender=ADA, recipients=[to], hostname="127.0.0.1", port=port)


async def _letter(dovecot: Dovecot, user: str, words: str) -> EmailMessage:
    """The mail in somebody's inbox that says this, as their mail program gets it."""
    found: list[EmailMessage] = []

    def look() -> bool:
        for content, _ in dovecot.contents(user):
            message = BytesParser(policy=policy.default).parsebytes(content)
            body = message.get_body(("plain",))
            if body is not None and words in body.get_content():
                found.append(message)
        return bool(found)

    await until(look, f"{user} has the answer")
    return found[0]


def _said(house: House) -> list[Message]:
    """By referents, oldest first."""
    with house.database.read() as session:
        return list(session.exec(select(Message).where(Message.referent_id != None).order_by("id")))  # noqa: E711
