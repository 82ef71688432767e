"""Reads the file of a form: an XLSForm in Excel, or the same tables in Markdown. Pure: no network, no database.

Any bytes may come: the outcome is a form with what is to be remarked, or problems that say where and what to do.
"""

from dataclasses import dataclass, replace

from intake.forms.nodes import Definition, Texts
from intake.forms.xlsform.checking import tell_expressions
from intake.forms.xlsform.choices import read_lists
from intake.forms.xlsform.columns import understand
from intake.forms.xlsform.files import open_tables
from intake.forms.xlsform.findings import Enough, Finding, Findings
from intake.forms.xlsform.pyxform_says import ask_pyxform
from intake.forms.xlsform.question import Source
from intake.forms.xlsform.settings import Settings, read_settings
from intake.forms.xlsform.slips import tell_slips
from intake.forms.xlsform.survey import read_survey
from intake.forms.xlsform.tables import SHEETS, Tables
from intake.forms.xlsform.texts import Translations, languages_of


@dataclass(frozen=True, slots=True)
class Reading:
    """Either a form, or problems; warnings with both."""

    form: Definition | None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def read_xlsform(content: bytes, name: str, *, language: str = "it", ours: bool = False) -> Reading:
    """The form in a file. `name`: of the file; `language`: of texts that do not say theirs. Never raises.

    `ours`: it came along, and pyxform has read it in the tests: loading that takes a second at the first start.
    """
    found = Findings()
    form = None
    try:
        tables = open_tables(content, name, found)
        if tables is not None and not found.problems:
            form = _read(tables, name, language, found, ours=ours)
    except Enough:
        pass
    if found.problems:
        form = None
    return Reading(form, found.all_problems(), found.all_warnings())


def _read(tables: Tables, name: str, language: str, found: Findings, *, ours: bool) -> Definition:
    survey, choices, settings = (understand(tables.sheet(one), found) for one in SHEETS)
    said = read_settings(settings, name, found)
    place = settings.place(2, "default_language")
    languages = languages_of((survey, choices, settings), said.language, place, found, otherwise=language)
    survey, choices = replace(survey, plain=languages[0]), replace(choices, plain=languages[0])
    texts = Translations(languages)
    lists = read_lists(choices, texts, duplicates=said.duplicates, found=found)
    source = Source(survey, texts, lists, found)
    form = Definition(
        key=said.key,
        title=_title(said, languages),
        languages=languages,
        children=read_survey(source),
        lists=lists,
        version=said.version,
        about=said.about,
    )
    tell_slips(form, source, choices)
    texts.tell(found)
    tell_expressions(form, source)
    if not found.problems and not ours:
        ask_pyxform(survey, choices, settings, frozenset(node.name for node in form.walk()), found)
    return form


def _title(said: Settings, languages: tuple[str, ...]) -> Texts:
    return {language: text for language, text in said.titles.items() if language} | {languages[0]: said.title}
