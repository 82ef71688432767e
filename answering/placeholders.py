"""The gaps of a saved answer (`{name}`), found and filled. Pure; refuses a text whose braces mean nothing."""

import re
from collections.abc import Mapping, Sequence

from answering.refusal import Refused
from facts.languages import N_

KNOWN = ("name", "organization", "project", "number", "office")
SHOWN = ", ".join(f"{{{one}}}" for one in KNOWN)
_GAP = re.compile(r"\{([^{}\n]*)\}|[{}]")
_KNOWN_GAP = re.compile(r"\{(" + "|".join(KNOWN) + r")\}")


def check_gaps(text: str) -> None:
    """Raises `Refused` with the line of the first brace that is no gap we know how to fill."""
    for found in _GAP.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[1] is None:
            raise Refused(
                N_("Line {line}: a brace without its other half. Placeholders are {known}."), line=line, known=SHOWN
            )
        if found[1] not in KNOWN:
            raise Refused(
                N_("Line {line}: {found} is no placeholder. Those that are: {known}."),
                line=line,
                found=found[0][:40],
                known=SHOWN,
            )


def fill_gaps(text: str, values: Mapping[str, str]) -> str:
    """What is not known (an empty value) stays a gap, so that somebody sees it."""
    return _KNOWN_GAP.sub(lambda found: values.get(found[1]) or found[0], text)


def gaps_in(text: str) -> Sequence[str]:
    """The gaps that are still open, each once, in their order."""
    return list(dict.fromkeys(found[0] for found in _KNOWN_GAP.finditer(text)))
