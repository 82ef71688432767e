"""Says a sentence in Italian or in English. Pure: reads its own catalogues once; never raises for a missing one.

The English sentence in the code is the message id; the Italian lives in `facts/locale/it/<room>.po`.
"""

import functools
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from markupsafe import Markup, escape

LOCALE = Path(__file__).parent / "locale"


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
                return self._filled(forms[which], values)
            except (KeyError, IndexError, ValueError):
                pass  # a translator's slip in a placeholder must not cost the reader the message
        return self._filled(english[which], values)

    def _filled(self, text: str, values: dict[str, object]) -> str:
        if self.html:
            return Markup(_escaped(text, values) if values else text)  # noqa: S704 - our own sentence
        return text.format(**values) if values else text


def _escaped(text: str, values: dict[str, object]) -> str:
    """As `Markup.format` would, in a fifth of the time: our placeholders are plain names, a message has many."""
    return text.format(**{name: escape(value) for name, value in values.items()})


def speaking(language: Language, *, html: bool = False) -> Speaker:
    """`_ = speaking(Language.IT)`, then `_("You have {count} projects", count=3)`."""
    return Speaker(Language(language), html)


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
