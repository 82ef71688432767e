"""Makes two spellings of one name equal. Pure; for comparing and searching, never for showing."""

import re
import unicodedata


def fold(text: str) -> str:
    """Lower case, no accents, apostrophes and signs as single spaces: `Cassano d’Àdda` is `cassano d adda`."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", bare.casefold()).split())
