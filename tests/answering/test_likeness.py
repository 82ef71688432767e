"""Which published answers are offered for a text, and for which nothing is."""

import pytest

from answering.likeness import Known, same_word, similar, words_of

CUP, REGIS, DAY, PEC, PHOTOS, FACILITIES = range(1, 7)
KNOWN = [
    Known(
        CUP,
        "Che cos'è il CUP e dove lo trovo?",
        "Il Codice unico di progetto è scritto nella delibera e in ogni fattura.",
    ),
    Known(
        REGIS,
        "Devo inserire i dati anche in ReGiS, dopo averli mandati qui?",
        "Sì: questo aggiornamento non sostituisce la rendicontazione in ReGiS, che spetta al soggetto attuatore.",
    ),
    Known(
        DAY,
        "Entro quale giorno va inviato l'aggiornamento mensile?",
        "Entro il 10 di ogni mese. Se il 10 è festivo, entro il primo giorno lavorativo successivo.",
    ),
    Known(PEC, "Posso mandare la documentazione con la PEC?", "Sì. L'indirizzo PEC è in fondo a questa pagina."),
    Known(PHOTOS, "Quante foto del cantiere servono?", "Ne bastano tre, una dell'insieme e due dei dettagli."),
    Known(
        FACILITIES,
        "Possiamo usare il ribasso d'asta?",
        "Sì, previa autorizzazione della Città metropolitana e dopo il collaudo.",
    ),
]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Cos'è il CUP?", CUP),
        ("cup dove si trova", CUP),
        ("Buongiorno, vorrei sapere se i dati vanno inseriti di nuovo su REGIS o se basta averli mandati a voi", REGIS),
        ("entro che giorno devo inviare l’aggiornamento di novembre?", DAY),
        ("Salve! La documentazione possiamo mandarvela via pec? Grazie", PEC),
        ("Quante fotografie del cantiere dobbiamo mandare?", PHOTOS),
        ("È possibile utilizzare il ribasso d'asta per gli arredi della biblioteca?", FACILITIES),
    ],
)
def test_a_question_that_is_answered_already_finds_its_answer_first(text: str, first: int) -> None:
    assert similar(text, KNOWN)[:1] == [first]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "???",
        "Ciao",
        "Grazie mille, buona giornata",
        "12345",
        "Chi è il nuovo responsabile del settore?",
        "Il nostro progetto è in ritardo perché l'impresa è fallita: che cosa dobbiamo fare?",
        "Abbiamo sbagliato a scrivere il CUP in tre fatture elettroniche già liquidate: come si correggono?",
        "Quando riceveremo il saldo del finanziamento?",
        "La riunione di mercoledì è confermata?",
        "Il Comune ha cambiato il tesoriere: a chi comunichiamo il nuovo conto?",
        "Servono informazioni sul progetto del comune",
        "x" * 8000,
    ],
)
def test_a_question_about_something_else_finds_nothing(text: str) -> None:
    assert similar(text, KNOWN) == []


def test_at_most_three_are_found() -> None:
    many = [Known(number, "Dove trovo il codice CUP?", "Nella delibera.") for number in range(9)]

    assert similar("Dove trovo il codice CUP?", many) == [0, 1, 2]


def test_with_nothing_published_nothing_is_found() -> None:
    assert similar("Che cos'è il CUP?", []) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("rendicontare", "rendicontazione", True),
        ("foto", "fotografie", False),
        ("inviato", "inviare", True),
        ("progetto", "progettista", True),
        ("pec", "peccato", False),
        ("aggiornamento", "aggiornamenti", True),
        ("usare", "utilizzare", False),
        ("scadenza", "scadenze", True),
        ("conto", "contratto", False),
    ],
)
def test_words_are_the_same_when_they_begin_alike_for_most_of_their_length(one: str, other: str, same: bool) -> None:
    assert same_word(one, other) is same


def test_what_a_text_is_about_are_its_long_words_once_and_folded() -> None:
    assert words_of("Qual è la Scadenza? La scadenza, perché 2026!") == ["scadenza"]
