"""What is said in a reply beside its blocks: "nothing new", a greeting, or words that mean something. Pure."""

import re
from collections.abc import Iterable, Sequence

from facts.folding import fold

_NOTHING_NEW = frozenset(
    {
        "nessuna novita",
        "nessuna novita per ora",
        "nessuna novita da segnalare",
        "nessuna novita rispetto alla volta scorsa",
        "non ci sono novita",
        "niente di nuovo",
        "nulla di nuovo",
        "niente novita",
        "nessuna variazione",
        "nessun cambiamento",
        "nessun aggiornamento",
        "tutto invariato",
        "invariato",
        "non e cambiato nulla",
        "non e cambiato niente",
        "nulla e cambiato",
        "niente e cambiato",
        "no news",
        "nothing new",
        "nothing has changed",
        "nothing changed",
        "no change",
        "no changes",
        "unchanged",
    }
)
_YES = frozenset(
    {
        "si",
        "ok",
        "va bene",
        "confermo",
        "confermo tutto",
        "si confermo",
        "ok confermo",
        "conferma",
        "confermato",
        "tutto giusto",
        "tutto corretto",
        "e tutto giusto",
        "e tutto corretto",
        "corretto",
        "yes",
        "i confirm",
        "confirmed",
        "all right",
        "correct",
    }
)
_OPENING = re.compile(
    r"(?:buon ?giorno|buona ?sera|buon pomeriggio|salve|ciao|gentil[ei]|egregi[oa]?|spett|spettabile|car[oaie]"
    r"|alla cortese|hello|hi|dear|good (?:morning|afternoon|evening))\b"
)
_CLOSING = re.compile(
    r"(?:(?:i |con i |un )?(?:piu )?(?:cordiali|distinti|migliori|cari) saluti|(?:un )?(?:cordiale )?saluto|saluti"
    r"|cordialmente|cordialita|grazie(?: mille| tante| e .*| per .*| a .*| della .*| dell .*)?|ringrazi\w+.*"
    r"|buona? (?:giornata|serata|lavoro|weekend)|a presto|in fede|(?:resto|restiamo|rimango) a disposizione.*"
    r"|(?:kind |best |warm )?regards|best wishes|thanks?(?: you)?(?: .*)?|yours .*|sincerely|cheers"
    r"|inviato da .*|sent from .*|get outlook .*|scarica outlook .*)"
)
# words that only hand the block over
_HANDING_OVER = re.compile(
    r"(?:ecco|invio|inviamo|trasmetto|trasmettiamo|si (?:invia|trasmette)|di seguito|qui sotto|vedi sotto"
    r"|in allegato|allego|alleghiamo|come (?:richiesto|da richiesta)|in risposta|con riferimento"
    r"|here (?:is|are)|please find|see below|attached|as requested)\b.*"
)
MOST_HANDING_OVER = 12  # words
MOST_GOODBYE = 10  # words
# What mail programs put above what they quote. Where nobody has written anything above it, it may not have been told
# apart from what they wrote.
_ABOVE_QUOTED = re.compile(r"(?:.* )?(?:ha scritto|scritto|wrote|messaggio originale|original message)")
_FROM = re.compile(r"(?:da|from) .+")
_HEADING = re.compile(r"(?:inviato|a|cc|oggetto|data|per|sent|to|subject|date) .+")
_POSTSCRIPT = re.compile(r"p ?s\b.*")
MOST_SIGNED = 8  # short lines below a greeting: name, office, telephone
LONGEST_SIGNED = 80  # characters of one of these


def says_nothing_new(text: str) -> bool:
    """Whether the first line that says anything says so."""
    first = next((one for one in lines_in(text) if not _opens(one)), "")
    return _bare(first) in _NOTHING_NEW


def says_yes(text: str) -> bool:
    """Whether it agrees, and says nothing else."""
    said = meant(lines_in(text))
    return len(said) == 1 and _bare(said[0]) in _YES


def lines_in(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\u00a0", " ").splitlines() if line.strip(" >\t*_")]


def meant(lines: Iterable[str], ours: str = "") -> list[str]:
    """Without greetings, the name below them, and `ours`, what we had written ourselves."""
    known = fold(ours)
    found: list[str] = []
    waiting = list(lines)
    for at, line in enumerate(waiting):
        bare = _bare(line)
        if _is_above_quoted(waiting[at : at + 6]):
            break
        if not bare or _opens(line) or _hands_over(line):
            continue
        if len(bare) > 3 and bare in known:
            continue
        if closes(line):
            if _is_signature(waiting[at + 1 :]):
                break
            continue
        found.append(line)
    return found


def without_first(lines: Sequence[str]) -> list[str]:
    """What is said besides "nothing new"."""
    return [line for line in lines if _bare(line) not in _NOTHING_NEW]


def closes(line: str) -> bool:
    """A goodbye."""
    bare = _bare(line)
    return _CLOSING.fullmatch(bare) is not None and len(bare.split()) <= MOST_GOODBYE and "?" not in line


def _is_above_quoted(lines: Sequence[str]) -> bool:
    """Who wrote what is quoted, perhaps on two lines; or its headings."""
    two = _bare(" ".join(lines[:2])) if "@" in lines[0] else ""
    return any(_ABOVE_QUOTED.fullmatch(one) for one in (_bare(lines[0]), two)) or _is_heading(lines)


def _is_heading(lines: Sequence[str]) -> bool:
    """Da, Inviato, A, Oggetto."""
    bare = [_bare(line) for line in lines]
    return bool(bare) and bool(_FROM.fullmatch(bare[0])) and sum(bool(_HEADING.fullmatch(one)) for one in bare[1:]) > 1


def _opens(line: str) -> bool:
    """A greeting: short, and nothing but that."""
    bare = _bare(line)
    return bool(_OPENING.match(bare)) and len(bare.split()) <= 6 and "?" not in line


def _hands_over(line: str) -> bool:
    """Says that the data follow, and nothing else."""
    bare = _bare(line)
    return bool(_HANDING_OVER.fullmatch(bare)) and len(bare.split()) <= MOST_HANDING_OVER and "?" not in line


def _is_signature(lines: Sequence[str]) -> bool:
    left = [line for line in lines if line.strip()]
    short = all(len(line) <= LONGEST_SIGNED and "?" not in line for line in left)
    return len(left) <= MOST_SIGNED and short and not any(_POSTSCRIPT.fullmatch(_bare(line)) for line in left)


def _bare(text: str) -> str:
    return fold(text)
