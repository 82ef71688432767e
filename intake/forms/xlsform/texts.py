"""Texts in several languages, none without its first language; tells what is missing in the others. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from facts.languages import N_, Language
from intake.forms.nodes import Texts
from intake.forms.xlsform.columns import Headed
from intake.forms.xlsform.findings import Findings, Place
from intake.forms.xlsform.tables import Row

MISSING = N_("This text is missing in {language}: another language is shown there. Rows: {rows}.")
WITHOUT_LANGUAGE = N_(
    "The columns without a language are taken for {language}. If they are not, say so in the sheet “settings”, column "
    "“default_language”."
)
NO_SUCH_LANGUAGE = N_("No column is in the language “{language}”: it should be one of {known}.")
MANY_LANGUAGES = N_("The texts are in more than {most} languages.")
MOST_LANGUAGES = 20
MOST_ROWS_TOLD = 12

_CODE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*")


@dataclass
class Translations:
    """Completes texts, and gathers by sheet, column and language where one is missing."""

    languages: tuple[str, ...]
    missing: dict[tuple[Place, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def of(self, sheet: Headed, row: Row, name: str) -> Texts:
        """The texts of a row; {} when there is none in any language."""
        texts = dict(sheet.texts(row, name))
        if not texts:
            return {}
        for language in self.languages:
            if language not in texts:
                self.missing[sheet.place(0, name, language), language].append(row.number)
        texts.setdefault(self.languages[0], next(iter(texts.values())))
        return texts

    def tell(self, found: Findings) -> None:
        """One warning for each column and language."""
        for (place, language), rows in self.missing.items():
            told = ", ".join(map(str, rows[:MOST_ROWS_TOLD])) + (" …" if len(rows) > MOST_ROWS_TOLD else "")
            found.warn(Place(place.sheet, rows[0], place.column), MISSING, language=language_name(language), rows=told)


def languages_of(
    sheets: tuple[Headed, ...], chosen: str, place: Place, found: Findings, *, otherwise: str
) -> tuple[str, ...]:
    """The form's languages, the default first. `chosen`: what `default_language` says. Raises Enough."""
    seen = dict.fromkeys(language for sheet in sheets for language in sheet.languages())
    named = [language for language in seen if language]
    if len(named) > MOST_LANGUAGES:
        found.problem(Place("survey", 1), MANY_LANGUAGES, most=MOST_LANGUAGES)
        named = named[:MOST_LANGUAGES]
    if chosen and (chosen in seen or "" in seen or not named):
        return (chosen, *(one for one in named if one != chosen))
    if chosen:
        found.problem(place, NO_SUCH_LANGUAGE, language=chosen, known=", ".join(named))
    if not named:
        return (otherwise,)
    plain = named[0]
    if any(sheet.is_mixed for sheet in sheets):
        plain = next((str(one) for one in (otherwise, *Language) if one not in named), named[0])
    if "" in seen and {plain} != set(named):
        found.warn(Place("survey", 1), WITHOUT_LANGUAGE, language=language_name(plain))
    return (plain, *(one for one in named if one != plain))


def language_name(code: str) -> Callable[[Language], str]:
    """`it` → "Italian" or "italiano"; the code itself when it is none."""

    def say(language: Language) -> str:
        from babel import Locale, UnknownLocaleError

        if not _CODE.fullmatch(code):
            return code
        try:
            return Locale.parse(code.replace("-", "_")).get_display_name(language) or code
        except (UnknownLocaleError, ValueError):
            return code

    return say
