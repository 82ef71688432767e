"""The mailbox takes mail from a real client."""

from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest

from sandbox.mail import MailSandbox


def a_mail(to: str = "ada@example.org", text: str = "apri https://example.org/r/abc.") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Raccordo <raccordo@example.org>", to
    mail["Subject"], mail["Message-ID"] = "È arrivato l'invito", "<1@example.org>"
    mail.set_content(text)
    return mail


async def send(mailbox: MailSandbox, mail: EmailMessage) -> None:
    await aiosmtplib.send(mail, hostname=mailbox.host, port=mailbox.port)


async def test_a_mail_is_kept_with_its_raw_bytes(mail: MailSandbox) -> None:
    await send(mail, a_mail())

    kept = await mail.wait_for_mail("ADA@example.org", containing="invito")

    assert (kept.subject, kept.recipients, kept.message_id) == (
        "È arrivato l'invito",
        ("ada@example.org",),
        "<1@example.org>",
    )
    assert "https://example.org/r/abc" in kept.text
    assert b"Message-ID: <1@example.org>" in kept.raw


@pytest.mark.parametrize("code", [550, 451])
async def test_an_address_can_be_refused_a_number_of_times(mail: MailSandbox, code: int) -> None:
    mail.reject("ada@example.org", code, times=1)

    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(mail, a_mail())
    await send(mail, a_mail())

    assert refused.value.recipients[0].code == code
    assert len(mail.messages) == 1


@pytest.mark.parametrize(("keep", "kept"), [(True, 1), (False, 0)])
async def test_the_connection_can_drop_after_data(mail: MailSandbox, keep: bool, kept: int) -> None:
    mail.drop_after_data("ada@example.org", keep=keep)

    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(mail, a_mail())

    assert len(mail.messages) == kept


async def test_the_mailbox_page_lists_and_opens_mail_as_text(mail: MailSandbox, web: httpx.AsyncClient) -> None:
    empty = await web.get("/sandbox/mail")
    await send(mail, a_mail(text="<script>x</script> https://t.me/RaccordoEsempioBot?start=abc"))

    listed = await web.get("/sandbox/mail", params={"to": "ada@example.org"})
    opened = await web.get("/sandbox/mail/1")
    source = await web.get("/sandbox/mail/1/source")

    assert "Non è arrivato ancora niente" in empty.text
    assert "È arrivato l&#39;invito" in listed.text
    assert "&lt;script&gt;x&lt;/script&gt;" in opened.text
    assert 'href="/sandbox/chat?start=abc"' in opened.text
    assert source.headers["content-type"].startswith("text/plain")
    assert (await web.get("/sandbox/mail/2")).status_code == 404


async def test_another_process_can_read_the_mail(mail: MailSandbox, web: httpx.AsyncClient) -> None:
    await send(mail, a_mail())

    mails = (await web.get("/sandbox/mail.json", params={"after": 0, "wait": 5})).json()["mails"]

    assert [(kept["number"], kept["subject"]) for kept in mails] == [(1, "È arrivato l'invito")]
