"""How a mail looks: one button, nothing Outlook does not know, nothing fetched, the same in plain text."""

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from delivery.letter import compose
from delivery.parcel import Letterhead, Parcel, Thread
from delivery.words import Button, Words
from facts.languages import Language
from storage.tables import Channel, OutboxKind

FROM = "Ufficio esempio <raccordo@example.org>"
PAGE = "https://raccordo.example.org/r/key"
OFFICE = Letterhead("Ufficio <PNRR>", "Città metropolitana di Esempio", "lun-ven 9-12", "02 0000", "pnrr@example.org")
HTML = (
    "Ciao <b>Ada</b>,\nuna riga.\n\nScrivi:\n<pre>Fase: lavori\nNote:</pre>\n\n"
    '<blockquote>La domanda\n\nlunga</blockquote>\nVedi <a href="https://example.org/?a=1&amp;b=2">qui</a>.'
)
# What Outlook for Windows draws wrongly or not at all.
UNKNOWN_TO_OUTLOOK = re.compile(
    r"display:\s*(flex|grid)|position:|float:|background-image|url\(|calc\(|var\(|@media|rem\b|box-shadow"
)


class Seen(HTMLParser):
    """The tags with their attributes, and those left open."""

    VOID = frozenset({"meta", "br", "hr", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def a_parcel(**other: Any) -> Parcel:
    values: dict[str, Any] = {
        "id": 7,
        "attempt": 1,
        "kind": OutboxKind.ANSWER,
        "channel": Channel.EMAIL,
        "address": "ada@example.org",
        "dedupe_key": "answer:7",
        "words": Words(HTML, "Risposta", ((Button("Ha <risolto>", url="https://example.org/s"),),)),
        "office": OFFICE,
        "personal_url": PAGE,
        "referent_id": 1,
    }
    return Parcel(**(values | other))


def both_parts(parcel: Parcel, now: datetime) -> tuple[str, str]:
    mail = compose(parcel, FROM, "", now)
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    return plain.get_content().replace("\r\n", "\n"), page.get_content().replace("\r\n", "\n")


def seen(html: str) -> Seen:
    reader = Seen()
    reader.feed(re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL))
    assert reader.opened == []
    return reader


def test_the_page_holds_only_what_outlook_draws_and_nothing_from_elsewhere(now: datetime) -> None:
    _, html = both_parts(a_parcel(), now)

    tags = seen(html).tags
    assert UNKNOWN_TO_OUTLOOK.search(html) is None
    assert {name for name, _ in tags} <= {
        *("html", "head", "meta", "title", "body", "table", "tr", "td", "p", "div", "a", "b", "br")
    }
    assert all(attributes.get("role") == "presentation" for name, attributes in tags if name == "table")
    assert not [attributes for _, attributes in tags if {"src", "class", "background"} & attributes.keys()]
    assert tags[0] == ("html", {"lang": "it"})
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 2


def test_text_is_large_enough_for_a_phone_and_no_box_wider_than_it(now: datetime) -> None:
    _, html = both_parts(a_parcel(), now)

    on_phones = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    assert {int(size) for size in re.findall(r"font-size:(\d+)px", html)} == {14, 16, 20}
    assert set(re.findall(r'(?<![-\w])width="([^"]*)"', on_phones)) == {"100%"}


def test_there_is_one_button_and_the_page_is_it_when_there_is_no_other(now: datetime) -> None:
    _, with_button = both_parts(a_parcel(), now)
    _, without = both_parts(a_parcel(words=Words(HTML, "Risposta")), now)

    button = re.compile(r'bgcolor="#0066cc" style="border-radius[^>]*><a href="([^"]*)"[^>]*>([^<]*)<')
    assert button.findall(with_button) == [("https://example.org/s", "Ha &lt;risolto&gt;")]
    assert f'<a href="{PAGE}" style="color:#0066cc">Apri la tua pagina</a>' in with_button
    assert button.findall(without) == [(PAGE, "Apri la tua pagina")]


def test_quotations_and_preformatted_text_are_boxes_and_keep_their_lines(now: datetime) -> None:
    text, html = both_parts(a_parcel(), now)

    assert ">Fase: lavori<br>\nNote:</div>" in html
    assert "border-left:4px solid #0066cc" in html
    assert "Scrivi:\nFase: lavori\nNote:\n" in text
    assert "> La domanda\n> \n> lunga\n" in text
    assert '<a style="color:#0066cc" href="https://example.org/?a=1&amp;b=2">qui</a>' in html


def test_both_parts_name_the_office_and_how_to_reach_it(now: datetime) -> None:
    text, html = both_parts(a_parcel(), now)

    signed = text.partition("\n-- \n")[2]
    for line in ("Ufficio <PNRR>", OFFICE.authority, "Telefono: 02 0000 (lun-ven 9-12)", "E-mail: pnrr@example.org"):
        assert line in signed
        assert line.replace("<", "&lt;").replace(">", "&gt;") in html
    assert f"{PAGE}/preferences" in signed
    assert f'href="{PAGE}/preferences"' in html


def test_a_referent_is_told_that_they_may_reply_and_a_colleague_is_not(now: datetime) -> None:
    said = "Puoi anche rispondere direttamente a questa e-mail."

    assert all(said in part for part in both_parts(a_parcel(), now))
    assert not any(said in part for part in both_parts(a_parcel(referent_id=None, personal_url=""), now))


def test_the_page_and_its_sentences_are_in_the_language_of_the_person(now: datetime) -> None:
    text, html = both_parts(a_parcel(language=Language.EN), now)

    assert '<html lang="en">' in html
    assert "You can also simply reply to this e-mail." in text
    assert compose(a_parcel(language=Language.EN), FROM, "", now)["Content-Language"] == "en"


@pytest.mark.parametrize("kind", [OutboxKind.REMINDER, OutboxKind.RECALL])
def test_a_reminder_says_where_to_choose_how_to_be_reached(now: datetime, kind: OutboxKind) -> None:
    page = f"https://raccordo.example.org/r/{'k' * 90}"

    content = compose(a_parcel(kind=kind, personal_url=page), FROM, "", now).as_bytes()

    assert f"\r\nList-Unsubscribe: <{page}/preferences>\r\n".encode() in content
    assert b"List-Unsubscribe-Post" not in content  # nothing is switched off by a programme


def test_only_reminders_do(now: datetime) -> None:
    assert compose(a_parcel(), FROM, "", now)["List-Unsubscribe"] is None
    assert compose(a_parcel(kind=OutboxKind.REMINDER, personal_url=""), FROM, "", now)["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("kind", "in_answer", "said"),
    [
        (OutboxKind.ANSWER, True, None),
        (OutboxKind.ANSWER, False, None),
        (OutboxKind.AUTO_REPLY, False, "auto-replied"),
        (OutboxKind.DIALOGUE, True, "auto-replied"),
        (OutboxKind.DIALOGUE, False, "auto-generated"),
        (OutboxKind.RECALL, False, "auto-generated"),
        (OutboxKind.NOTICE, False, "auto-generated"),
    ],
)
def test_what_no_person_wrote_says_so(now: datetime, kind: OutboxKind, in_answer: bool, said: str | None) -> None:
    mail = compose(a_parcel(kind=kind, thread=Thread(in_answer=in_answer)), FROM, "", now)

    assert mail["Auto-Submitted"] == said
    assert mail["Precedence"] is None
