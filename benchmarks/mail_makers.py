"""Mails of mixed kinds, each with its number and its accents in it, and what must be found of them afterwards. Pure."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

OFFICE = "ricevuti@example.org"
PDF = 200 * 1024  # bytes
SEED = 20_261_201
KINDS = ("plain", "pdf", "reply", "html", "latin-1")  # in turn


@dataclass(frozen=True, slots=True)
class Made:
    """`sentence` must stand in the message that it becomes; `pdf`: SHA-256 of its file; `question`: whose it is."""

    number: int
    sender: str
    recipient: str
    raw: bytes
    sentence: str
    pdf: str = ""
    question: int | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A question that is open, and the address at which its referent may reply."""

    question: int
    sender: str
    recipient: str


def sentence_of(number: int) -> str:
    return f"È già così, perché no: mail numero {number} — città di prova."


def make_mails(count: int, people: Sequence[str], threads: Sequence[Thread]) -> list[Made]:
    """A fifth of each kind. Replies go to the threads in turn."""
    chance = random.Random(SEED)
    return [_make(number, people, threads, chance) for number in range(count)]


def _make(number: int, people: Sequence[str], threads: Sequence[Thread], chance: random.Random) -> Made:
    kind = KINDS[number % len(KINDS)]
    sender, recipient, question = people[number % len(people)], OFFICE, None
    if kind == "reply":
        thread = threads[number // len(KINDS) % len(threads)]
        sender, recipient, question = thread.sender, thread.recipient, thread.question
    said = sentence_of(number)
    if kind == "latin-1":
        said = said.replace("—", "-")
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Persona Esempio <{sender}>"
    message["To"] = recipient
    message["Subject"] = f"Sopralluogo di venerdì, pratica {number}"
    message["Date"] = "Tue, 24 Nov 2026 10:00:00 +0100"
    message["Message-ID"] = f"<bench-{number}@mittente.example>"
    pdf = _fill(message, kind, said, chance)
    return Made(number, sender, recipient, message.as_bytes(), said, pdf, question)


def _fill(message: EmailMessage, kind: str, said: str, chance: random.Random) -> str:
    body = f"Buongiorno,\n\n{said}\n\nCordiali saluti\n-- \nPersona Esempio\nUfficio tecnico\n"
    if kind == "html":
        message.set_content(f"<html><body><p>Buongiorno,</p><p>{said}</p><p>Saluti</p></body></html>", subtype="html")
    elif kind == "latin-1":
        message.set_content(body, charset="iso-8859-1", cte="8bit")
    elif kind == "reply":
        quoted = "".join(f"> riga {line} di quanto scritto dall'ufficio\n" for line in range(20))
        message.set_content(
            f"{said}\n\nIl giorno 23 nov 2026 alle ore 09:00 Ufficio <{OFFICE}> ha scritto:\n\n{quoted}"
        )
    else:
        message.set_content(body)
    if kind != "pdf":
        return ""
    content = b"%PDF-1.4\n" + chance.randbytes(PDF)
    message.add_attachment(content, maintype="application", subtype="pdf", filename="relazione attività.pdf")
    return hashlib.sha256(content).hexdigest()
