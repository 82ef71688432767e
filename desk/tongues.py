"""In which language somebody is spoken to whom we do not know. Pure: reads a request, remembers nothing, sets nothing.

One rule for all pages of strangers: what the address says (`?lang=en`), else what this browser chose (a cookie), else
what it prefers (Accept-Language, RFC 9110 §12.5.4). In doubt, Italian. Whoever is signed in, or holds a key, keeps
their own.
"""

import re
from functools import lru_cache

from starlette.requests import HTTPConnection

from facts.languages import Language

CHOICE = "lang"  # the name of the cookie, and of what the address says
NAMES = {Language.IT: "Italiano", Language.EN: "English"}
VARIES = "Accept-Language, Cookie"
MOST_READ = 500  # characters of the header: nobody prefers that many languages
# A language as browsers say it (`en-GB`, `*`), and how much it is wanted.
WANTED = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*[qQ]=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?")


def language_for(request: HTTPConnection) -> Language:
    """By the address, the choice, the browser's preferences; the first that says something."""
    said = request.query_params.get(CHOICE, ""), request.cookies.get(CHOICE, "")
    chosen = next((Language(one) for one in said if one in NAMES), None)
    return chosen or preferred(request.headers.get("Accept-Language", "")[:MOST_READ])


@lru_cache(256)
def preferred(header: str) -> Language:
    """English where it is wanted more than Italian; what cannot be read is passed over."""
    wanted: dict[str, float] = {}
    for one in header.split(","):
        if read := WANTED.fullmatch(one):
            tongue, weight = read[1].lower(), float(read[2] or 1)
            wanted[tongue] = max(weight, wanted.get(tongue, 0.0))
    any_other = wanted.get("*", 0.0)
    return Language.EN if wanted.get("en", any_other) > wanted.get("it", any_other) else Language.IT


def the_other(language: Language) -> Language:
    return Language.IT if language is Language.EN else Language.EN


def inside(back: str) -> str:
    """A path of ours to go back to; what leads elsewhere leads to the first page."""
    plain = back.startswith("/") and "//" not in back and "\\" not in back and back.isascii() and back.isprintable()
    return back if plain and not back.startswith("/language") else "/"
