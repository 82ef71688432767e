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
# what mail programs put above what they quote, where that was not recognised as quoted
_ABOVE_QUOTED = re.compile(
    r".*\b(?:ha scritto|wrote)$|(?:da|inviato|a|cc|oggetto|data|from|sent|to|subject|date) .*"
    r"|(?:messaggio originale|original message)|il giorno .*|on .* wrote"
)
MOST_SIGNED = 8  # short lines below a greeting: name, office, telephone
LONGEST_SIGNED = 80  # characters of one of these


def says_nothing_new(text: str) -> bool:
    """Whether the first line that says anything says so."""
    first = next((one for one in lines_in(text) if not _opens(one)), "")
    return _bare(first) in _NOTHING_NEW


def lines_in(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\u00a0", " ").splitlines() if line.strip(" >\t*_")]


def meant(lines: Iterable[str], ours: str = "") -> list[str]:
    """Without greetings, the name below them, and `ours`, what we had written ourselves."""
    known = fold(ours)
    found: list[str] = []
    waiting = list(lines)
    for at, line in enumerate(waiting):
        bare = _bare(line)
        if not bare or _opens(line) or _hands_over(line) or _ABOVE_QUOTED.fullmatch(bare):
            continue
        if len(bare) > 3 and bare in known:
            continue
        if _CLOSING.fullmatch(bare):
            if _is_signature(waiting[at + 1 :]):
                break
            continue
        found.append(line)
    return found


def without_first(lines: Sequence[str]) -> list[str]:
    """What is said besides "nothing new"."""
    return [line for line in lines if _bare(line) not in _NOTHING_NEW]


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
    return len(left) <= MOST_SIGNED and all(len(line) <= LONGEST_SIGNED and "?" not in line for line in left)


def _bare(text: str) -> str:
    return fold(text)
