"""The gaps of a saved answer (`{nome}`, `{name}`), found and filled. Pure; refuses a text whose braces mean nothing."""

import re
from collections.abc import Mapping, Sequence

from answering.refusal import Refused
from facts.languages import N_, Language

# As staff may write them, in either language.
KNOWN: Mapping[Language, Mapping[str, str]] = {
    Language.IT: {
        "nome": "name",
        "ente": "organization",
        "progetto": "project",
        "numero": "number",
        "ufficio": "office",
    },
    Language.EN: {one: one for one in ("name", "organization", "project", "number", "office")},
}
_MEANING = {word: what for words in KNOWN.values() for word, what in words.items()}
_GAP = re.compile(r"\{([^{}\n]*)\}|[{}]")


def shown(language: Language) -> str:
    """All of them, as a page in this language names them."""
    return ", ".join(f"{{{word}}}" for word in KNOWN[language])


def check_gaps(text: str) -> None:
    """Raises `Refused` with the line of the first brace that is no gap we know how to fill."""
    for found in _GAP.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[1] is None:
            raise Refused(
                N_("Line {line}: a brace without its other half. The placeholders are listed above."), line=line
            )
        if not _meaning(found):
            raise Refused(
                N_("Line {line}: {found} is no placeholder. Those that are, are listed above."),
                line=line,
                found=found[0][:40],
            )


def fill_gaps(text: str, values: Mapping[str, str]) -> str:
    """What is not known (an empty value) stays a gap, so that somebody sees it."""
    return _GAP.sub(lambda found: values.get(_meaning(found)) or found[0], text)


def gaps_in(text: str) -> Sequence[str]:
    """The gaps that are still open, each once, in their order."""
    return list(dict.fromkeys(found[0] for found in _GAP.finditer(text) if _meaning(found)))


def _meaning(found: re.Match[str]) -> str:
    """Empty when it is none of ours."""
    return _MEANING.get((found[1] or "").strip().casefold(), "")
