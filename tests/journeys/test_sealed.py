"""Who carries off the disk reads nothing that a person wrote: neither in the database nor in DATA_DIR."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from registry.export import export
from storage.database import Database
from storage.people import new_personal_link
from tests.journeys.conftest import House, ada_of, hidden_fields
from tests.journeys.talk import presses, says

pytestmark = pytest.mark.journey

# None of them stands in any sentence of ours.
FILE = b"%PDF-1.7\n" + b"fenicottero " * 20_000
SAID = ("ornitorinco", "barbabietola", "pipistrello", "zafferano", "cormorano", "rabarbaro", "fenicottero")


async def test_no_word_that_a_person_wrote_lies_on_the_disk(house: House, database_url: str, tmp_path: Path) -> None:
    await write_everywhere(house)
    await house.all_sent()

    shown = exported(house)
    lying = [*on_disk(tmp_path), *in_rows(database_url)]

    assert [word for word in SAID if word not in shown] == [], "the house itself reads them"
    assert sum(len(content) for _, content in lying) > len(FILE), "there is nothing to look at"
    assert any(b"Ex mercato coperto" in content for _, content in lying), "what is not sealed is found"
    assert [(place, word) for place, content in lying for word in SAID if word.encode() in content] == []


async def write_everywhere(house: House) -> None:
    """An update with a note, a question, its answer and a file; an update begun and a word searched."""
    ada = ada_of(house)
    await says(ada, "/aggiorna", "A che punto è il progetto?")
    await presses(ada, "Esecuzione dei lavori", "Quanto dei lavori")
    await says(ada, "45,5", "Quanto avete speso")
    await says(ada, "250.000,00", "Quando pensate di finire?")
    await says(ada, "30 giugno 2027", "C'è qualche problema")
    await presses(ada, "Sì", "")
    await says(ada, "Manca lo ornitorinco", "Vuoi aggiungere una nota?")
    await says(ada, "Serve la barbabietola", "È tutto giusto?")
    await presses(ada, "Invia", "ricevuto")
    await says(ada, "/domanda", "Scrivi qui la tua domanda")
    await says(ada, "Dove va il pipistrello?", "Di quale progetto")
    await presses(ada, "Ex mercato coperto", "inviata")
    await leave_a_file(house, "Ecco lo zafferano")
    after = ada.chat[-1].id
    await house.post("/desk/questions/1", "/desk/questions/1/note", text="Secondo me il rabarbaro")
    await house.answers(1, "Sul rabarbaro")
    await ada.wait_for_message("rabarbaro", after=after, timeout=60)
    await says(ada, "/domanda", "Scrivi qui la tua domanda")
    await says(ada, "E questo cormorano?", "Di quale progetto")


async def leave_a_file(house: House, words: str) -> None:
    with house.database.write() as session:
        token = new_personal_link(session, 1, house.clock())
    page = f"/r/{token}/ask"
    shown = (await house.public.get(page)).raise_for_status().text
    sent = await house.public.post(
        page,
        data=hidden_fields(shown, page) | {"text": words},
        files={"file": ("fenicottero.pdf", FILE, "application/pdf")},
    )
    assert sent.status_code == 303


def exported(house: House) -> str:
    """What staff get when they ask for everything."""
    out = io.BytesIO()
    with house.database.read() as session:
        for what in ("updates", "questions", "inbox", "outbox"):
            export(session, what, "json", out)
    return out.getvalue().decode()


def on_disk(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the house: SQLite's, its log, DATA_DIR. The keys lie beside it and tell nothing either."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


def in_rows(database_url: str) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, as the database hands it out to whoever asks."""
    database = Database(database_url)
    with database.read() as session:
        for name in SQLModel.metadata.tables:
            for row in session.execute(text(f'SELECT * FROM "{name}"')):
                yield (
                    name,
                    b" ".join(bytes(it) if isinstance(it, bytes | memoryview) else str(it).encode() for it in row),
                )
    database.close()
