"""From the reminder as it leaves, through programs that quote it, to what was filled in: nothing is made by hand."""

import re
import textwrap
from email.message import EmailMessage
from html import unescape

import pytest
from sqlmodel import col, select

from delivery.letter import compose
from delivery.parcel import Letterhead, Parcel, Thread
from delivery.words import Words
from intake.mail import read
from storage.tables import Question
from tests.cast import Cast
from tests.intake.replying import ADA, LAST, Correspondence, a_correspondence, changed

OFFICE = "Raccordo <ricevuti@ufficio.example.org>"


def as_it_left(ada: Correspondence) -> EmailMessage:
    row = ada.reminder
    parcel = Parcel(
        id=row.id,
        attempt=1,
        kind=row.kind,
        channel=row.channel,
        address=row.address,
        dedupe_key=row.dedupe_key,
        words=Words.from_json(row.body),
        referent_id=ada.ada.id,
        office=Letterhead("Ufficio Esempio"),
        personal_url="https://raccordo.example.org/r/abc",
    )
    return compose(parcel, OFFICE, "", ada.now)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content()).replace("\r\n", "\n")


def a_reply(said: str, page: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Ada <{ADA}>"
    mail["To"] = OFFICE
    mail["Subject"] = "Re: Promemoria"
    mail["Date"] = "Tue, 24 Nov 2026 12:00:00 +0100"
    mail["Message-ID"] = f"<{abs(hash((said, page)))}@comune.example.org>"
    if page:
        mail.set_content(page, subtype="html")
    else:
        mail.set_content(said)
    return mail.as_bytes()


def arrives(ada: Correspondence, raw: bytes) -> bool:
    found = read(raw)
    return ada.replies(found.text, found.quoted)


def wrapped(text: str, width: int = 70) -> str:
    """As programs break long lines, each with its mark."""
    broken = [textwrap.wrap(line, width, break_long_words=False) or [""] for line in text.split("\n")]
    return "\n".join(f"> {line}".rstrip() for lines in broken for line in lines)


def by_gmail(mail: EmailMessage, *changes: tuple[str, str], above: str = "") -> bytes:
    quoted = wrapped(changed(part(mail, "plain"), *changes))
    return a_reply(f"{above}\n\nIl giorno mar 24 nov 2026 alle ore 10:00 {OFFICE} ha\nscritto:\n\n{quoted}\n")


def by_gmail_as_a_page(mail: EmailMessage, *changes: tuple[str, str], above: str = "") -> bytes:
    page = changed(unescape(part(mail, "html")), *changes)
    heading = '<div class="gmail_attr">Il giorno mar 24 nov 2026 alle ore 10:00 Raccordo ha scritto:<br></div>'
    return a_reply("", f'<div>{above}</div><div class="gmail_quote">{heading}<blockquote>{page}</blockquote></div>')


def by_outlook(mail: EmailMessage, *changes: tuple[str, str], above: str = "") -> bytes:
    page = changed(unescape(part(mail, "html")), *changes)
    said = ("Da:</b> Raccordo", "Inviato:</b> martedì 24 novembre 2026 10:00", "A:</b> Ada", "Oggetto:</b> Promemoria")
    heading = "<br>".join(f"<b>{one}" for one in said)
    return a_reply("", f'<p class="MsoNormal">{above}</p><div><hr><p>{heading}</p></div>{page}')


def by_thunderbird(mail: EmailMessage, *changes: tuple[str, str], above: str = "") -> bytes:
    quoted = "\n".join(f">{line}" for line in changed(part(mail, "plain"), *changes).split("\n"))
    return a_reply(f"On 24/11/26 10:00, Raccordo wrote:\n{quoted}\n{above}")


def above_it(mail: EmailMessage, *changes: tuple[str, str], above: str = "") -> bytes:
    """The block copied into their own text, with the mail quoted below as it was."""
    found = re.search(r"^--- .* ---\n(?:.*\n)*?---$", part(mail, "plain"), re.MULTILINE)
    assert found is not None
    block = changed(found[0], *changes)
    return a_reply(f"{above}\n{block}\n\nIl 24/11/2026 10:00, Raccordo ha scritto:\n{wrapped(part(mail, 'plain'))}")


PROGRAMS = [by_gmail, by_gmail_as_a_page, by_outlook, by_thunderbird, above_it]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_filled_in_comes_through_every_program(cast: Cast, program: object) -> None:
    ada = a_correspondence(cast)
    mail = as_it_left(ada)
    assert callable(program)

    assert arrives(ada, program(mail, ("(%): 45", "(%): 52,5"), ("30/06/2027", "fine anno")))

    (draft,) = ada.drafts
    left = {key: value for key, value in LAST.items() if key != "expected_end"}
    assert draft.answers == {**left, "progress": "52.5"}
    assert "Fine prevista: hai scritto «fine anno»." in ada.said
    assert cast.session.exec(select(Question)).all() == []


@pytest.mark.parametrize("program", PROGRAMS[:4])
def test_a_question_above_what_is_quoted_stays_a_question(cast: Cast, program: object) -> None:
    ada = a_correspondence(cast)
    assert callable(program)

    assert not arrives(ada, program(as_it_left(ada), above="Dove trovo il CUP?"))

    assert (ada.drafts, ada.updates, ada.summaries) == ([], [], [])


@pytest.mark.parametrize("program", PROGRAMS[:3])
def test_nothing_new_comes_through_every_program(cast: Cast, program: object) -> None:
    ada = a_correspondence(cast, ("Ex mercato", "Asilo"))
    assert callable(program)

    assert arrives(ada, program(as_it_left(ada), above="Nessuna novità"))

    assert len(ada.updates) == 2


@pytest.mark.parametrize("subject", ["R: Promemoria: manca", "Re: Re: Promemoria: manca", "Promemoria: manca"])
def test_our_answer_stands_in_the_same_thread(cast: Cast, subject: str) -> None:
    ada = a_correspondence(cast)
    ada.replies("Nessuna novità", subject=subject)
    (row,) = ada.summaries

    mail = compose(
        Parcel(
            id=row.id,
            attempt=1,
            kind=row.kind,
            channel=row.channel,
            address=row.address,
            dedupe_key=row.dedupe_key,
            words=Words.from_json(row.body),
            thread=Thread(("<1@comune.example.org>",), in_answer=True),
        ),
        OFFICE,
        "",
        ada.now,
    )

    assert mail["Subject"] == "Re: Promemoria: manca"
    assert mail["In-Reply-To"] == "<1@comune.example.org>"
    assert mail["Auto-Submitted"] == "auto-replied"


def test_the_block_stands_in_both_parts_line_by_line(cast: Cast) -> None:
    ada = a_correspondence(cast)
    mail = as_it_left(ada)

    plain, page = part(mail, "plain"), unescape(part(mail, "html"))

    for line in ("Fase: Esecuzione dei lavori", "Avanzamento fisico (%): 45", "Speso finora (€): 120.000,00"):
        assert f"\n{line}\n" in plain
        assert f"{line}<br>" in page
    assert cast.session.exec(select(Question).order_by(col(Question.id))).all() == []
