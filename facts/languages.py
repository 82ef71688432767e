"""Says a sentence in Italian or in English. Pure: reads its own catalogues once; never raises for a missing one.

The English sentence in the code is the message id; the Italian lives in `facts/locale/it/<room>.po`. Where an Italian
sentence has an article before a number ("fino al {day}"), it is said as before that number: "fino all'8 dicembre".
"""

import functools
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from markupsafe import Markup, escape

LOCALE = Path(__file__).parent / "locale"
_ELIDED = {"il": "l'", "al": "all'", "dal": "dall'", "del": "dell'", "nel": "nell'", "sul": "sull'"}
ELIDED = _ELIDED | {whole.capitalize(): short.capitalize() for whole, short in _ELIDED.items()}
ARTICLE = re.compile(rf"\b({'|'.join(ELIDED)}) \{{(\w+)\}}")
BEGINS_WITH_A_VOWEL = re.compile(r"0?(?:8\d*|11)(?!\d)")  # otto, undici, ottanta; and no cento, no diciotto


class Language(StrEnum):
    IT = "it"
    EN = "en"


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for a sentence that is translated later
    """Mark a sentence that sits in data, so that it is extracted; say it later with a `Speaker`."""
    return msgid


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says sentences in one language. With `html` the sentence is trusted, values are escaped, the result is Markup.

    Values fill `{name}` placeholders. Without values the text is left as it is, so that a label
    written by staff may hold braces.
    """

    language: Language
    html: bool = False

    def __call__(self, msgid: str, /, **values: object) -> str:
        if not values:
            return _as_it_is(self.language, self.html, msgid)
        return self._say(_italian().get(msgid) if self.language is Language.IT else None, (msgid,), 0, values)

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """One of two sentences, by number; `{n}` is the number itself unless a value says otherwise."""
        forms = _italian().get(singular) if self.language is Language.IT else None
        return self._say(forms, (singular, plural), 0 if n == 1 else 1, {"n": n} | values)

    def _say(
        self, forms: tuple[str, ...] | None, english: tuple[str, ...], which: int, values: dict[str, object]
    ) -> str:
        if forms is not None and which < len(forms):
            try:
                return self._filled(_elided(forms[which], values), values)
            except (KeyError, IndexError, ValueError):
                pass  # a translator's slip in a placeholder must not cost the reader the message
        return self._filled(english[which], values)

    def _filled(self, text: str, values: dict[str, object]) -> str:
        if self.html:
            return Markup(_escaped(text, values))  # noqa: S704 - our own sentence
        return text.format(**values)


@functools.lru_cache(8192)
def _as_it_is(language: Language, html: bool, msgid: str) -> str:
    """A sentence without values. Once: a list says the same few of them hundreds of times."""
    forms = _italian().get(msgid) if language is Language.IT else None
    text = forms[0] if forms else msgid
    return Markup(text) if html else text  # noqa: S704 - our own sentence


def _escaped(text: str, values: dict[str, object]) -> str:
    """As `Markup.format` would, in a fifth of the time: our placeholders are plain names, a message has many."""
    return text.format(**{name: escape(value) for name, value in values.items()})


def speaking(language: Language, *, html: bool = False) -> Speaker:
    """`_ = speaking(Language.IT)`, then `_("You have {count} projects", count=3)`."""
    return Speaker(Language(language), html)


def _elided(text: str, values: dict[str, object]) -> str:
    """`fino al {day}` as `fino all'{day}` when the day is the 8th or the 11th."""
    for article, name in _articles(text):
        if BEGINS_WITH_A_VOWEL.match(str(values.get(name, ""))):
            text = text.replace(f"{article} {{{name}}}", f"{ELIDED[article]}{{{name}}}")
    return text


@functools.cache
def _articles(text: str) -> tuple[tuple[str, str], ...]:
    """Each article that stands before a value, and the value's name. Once a sentence: nearly all have none."""
    return tuple((found[1], found[2]) for found in ARTICLE.finditer(text))


@functools.cache
def _italian() -> dict[str, tuple[str, ...]]:
    """Every finished Italian sentence, by its English (singular) one; unfinished ones are left to English."""
    from babel.messages.pofile import read_po

    sentences: dict[str, tuple[str, ...]] = {}
    for path in sorted((LOCALE / "it").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale="it", charset="utf-8")
        for message in catalogue:
            forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            if message.id and not message.fuzzy and forms and all(forms):
                sentences[message.id if isinstance(message.id, str) else message.id[0]] = forms
    return sentences
