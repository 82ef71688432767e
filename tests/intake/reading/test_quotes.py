"""What was written now is shown, what is repeated and the signature are folded, and nothing is dropped."""

import pytest

from intake.mail import read
from intake.reading.quotes import fold
from tests.intake.reading.letters import a_mail, a_multipart, a_part

OLD = "Avete novità sul progetto?\nAvanzamento fisico (%): 40"
MARKED = "\n".join(f"> {line}" for line in OLD.split("\n"))

TOP_POSTED = {
    "gmail": f"Il giorno mar 24 nov 2026 alle ore 10:03 Ufficio PNRR <ufficio@example.net> ha scritto:\n\n{MARKED}",
    "gmail, wrapped": "Il giorno mar 24 nov 2026 alle ore 10:03 Ufficio PNRR della Città\nmetropolitana <"
    f"ufficio@example.net> ha\nscritto:\n\n{MARKED}",
    "gmail, English": f"On Tue, Nov 24, 2026 at 10:03 AM Office <ufficio@example.net> wrote:\n\n{MARKED}",
    "apple": f"Il giorno 24 nov 2026, alle ore 10:03, Ufficio PNRR <ufficio@example.net> ha scritto:\n\n{MARKED}",
    "iphone": f"Inviato da iPhone\n\nIl giorno 24 nov 2026, alle ore 10:03, A <u@example.net> ha scritto:\n\n{MARKED}",
    "iphone, unmarked": f"Inviato da iPhone\n\nIl giorno 24 nov 2026, alle ore 10:03, Ufficio ha scritto:\n\n{OLD}",
    "thunderbird": f"Il 24/11/2026 10:03, Ufficio PNRR ha scritto:\n{MARKED}",
    "roundcube": f"Il 2026-11-24 10:03 Ufficio PNRR ha scritto:\n{MARKED}",
    "yahoo": f"Il martedì 24 novembre 2026 alle ore 10:03:00 CET, Ufficio <u@example.net> ha scritto:\n\n{OLD}",
    "outlook": "Da: Ufficio PNRR <ufficio@example.net>\nInviato: martedì 24 novembre 2026 10:03\nA: Ada\n"
    f"Oggetto: Scadenza\n\n{OLD}",
    "outlook, English": "From: Office <ufficio@example.net>\nSent: Tuesday, November 24, 2026 10:03 AM\nTo: Ada\n"
    f"Subject: Deadline\n\n{OLD}",
    "outlook on the web": "________________________________\nDa: Ufficio <ufficio@example.net>\n"
    f"Inviato: martedì 24 novembre 2026 10:03\nA: Ada <ada@example.org>\nOggetto: Scadenza\n\n{OLD}",
    "outlook express": f"-----Messaggio originale-----\nDa: Ufficio\nInviato: martedì\nA: Ada\nOggetto: x\n\n{OLD}",
    "original message": f"-----Original Message-----\nFrom: Office\nSent: Tuesday\nTo: Ada\n\n{OLD}",
    "bold headings": f"*Da:* Ufficio <u@example.net>\n*Inviato:* martedì\n*A:* Ada\n*Oggetto:* Scadenza\n\n{OLD}",
    "zimbra": f'Da: "Ufficio" <u@example.net>\nA: "Ada" <ada@example.org>\nInviato: Martedì, 24 novembre 2026\n\n{OLD}',
    "webmail": f"---------- Messaggio originale ----------\nDa: Ufficio\nA: Ada\nData: 24/11/2026\n\n{OLD}",
    "bare marks": MARKED,
    "name only": f"Ufficio PNRR ha scritto:\n{MARKED}",
    "signature": f"-- \nAda Esempio\nComune di Esempio\n\nIl 24/11/2026 10:03, Ufficio ha scritto:\n{MARKED}",
    "android": f"Inviato dal mio dispositivo Android\n\n{MARKED}",
    "outlook for ios": f"Scarica Outlook per iOS (https://aka.ms/o0ukef)\n________________________________\n"
    f"Da: Ufficio <u@example.net>\nInviato: martedì\nA: Ada\nOggetto: x\n\n{OLD}",
}


@pytest.mark.parametrize("below", TOP_POSTED.values(), ids=list(TOP_POSTED))
def test_what_stands_above_is_shown_and_the_rest_is_folded(below: str) -> None:
    text, quoted = fold(f"Sì, confermo.\nA presto\n\n{below}\n")

    assert text == "Sì, confermo.\nA presto"
    assert quoted.split() == below.split()


@pytest.mark.parametrize("opening", ["Il 24/11/2026 10:03, Ufficio ha scritto:\n", "", "Ufficio ha scritto:\n\n"])
def test_an_answer_below_stays(opening: str) -> None:
    text, quoted = fold(f"{opening}{MARKED}\n\nSì, confermo.\n-- \nAda")

    assert text == "Sì, confermo."
    assert quoted.split() == f"{opening}{MARKED} -- Ada".split()


def test_answers_inside_stay_in_their_order() -> None:
    text, quoted = fold(
        "Ecco:\n\nIl 24/11 alle 10:03 Bruno ha scritto:\n> Quando?\n\nDomani.\n\n> E quanto?\nMille.\n> Ciao"
    )

    assert text == "Ecco:\n\nDomani.\n\nMille."
    assert quoted == "Il 24/11 alle 10:03 Bruno ha scritto:\n> Quando?\n> E quanto?\n> Ciao"


@pytest.mark.parametrize(
    "text",
    [
        "Da: lunedì il cantiere riapre.\nA: martedì no.",
        "Come dice Bruno: il sindaco ha scritto.\nNon rispondo.",
        "Il tecnico ha scritto: va bene.\nProcediamo?",
        "Elenco:\n- uno\n- due\n--\n" + "\n".join(f"riga {n}" for n in range(20)),
        "Se 3 > 2 allora sì",
        "L'ho inviato da casa di Bruno. Poi sono uscita.\nA presto",
        "Il 24 novembre ha scritto la ditta:\nnon so cosa fare",
    ],
)
def test_what_only_looks_like_a_quotation_stays(text: str) -> None:
    assert fold(text) == (text, "")


@pytest.mark.parametrize("opening", ["---------- Forwarded message ---------\n", "Inizio messaggio inoltrato:\n\n", ""])
def test_a_mail_that_is_only_passed_on_is_shown(opening: str) -> None:
    whole = f"{opening}Da: Bruno <b@example.org>\nData: ieri\nOggetto: Perizia\nA: Ada\n\nEcco la perizia."

    assert fold(whole) == (whole, "")


def test_nothing_but_a_quotation_is_nothing_new() -> None:
    assert fold(MARKED) == ("", MARKED)


def test_a_page_with_a_quotation() -> None:
    page = """<div dir="ltr">Sì, confermo.</div><br><div class="gmail_quote"><div class="gmail_attr">Il giorno mar 24
    nov 2026 alle ore 10:03 Ufficio &lt;<a href="mailto:u@example.net">u@example.net</a>&gt; ha scritto:<br></div>
    <blockquote><div>Avete novità?</div><blockquote>di prima</blockquote></blockquote></div>"""

    mail = read(a_mail(page, Content_Type="text/html; charset=utf-8"))

    assert mail.text == "Sì, confermo."
    assert "> Avete novità?" in mail.quoted
    assert ">> di prima" in mail.quoted


def test_every_line_is_somewhere() -> None:
    body = "\n".join(f"Sì.\n{one}" for one in TOP_POSTED.values())

    mail = read(a_multipart(a_part(body), kind="alternative"))

    assert sorted(f"{mail.text}\n{mail.quoted}".split()) == sorted(body.split())


def test_a_million_marked_lines() -> None:
    text, quoted = fold("Sì\n" + "> no\n" * 100_000)

    assert text == "Sì"
    assert quoted.count("\n") == 99_999
