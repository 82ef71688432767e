"""The sheet `settings`: what a form is called. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from facts.languages import N_
from intake.forms.nodes import About, Texts
from intake.forms.xlsform.columns import OURS, Headed, language_code
from intake.forms.xlsform.findings import Findings
from intake.forms.xlsform.tables import Row

LONGEST_KEY = 60
LONGEST_TITLE = 200
YES = frozenset({"yes", "true", "true()", "1"})
NO = frozenset({"no", "false", "false()", "0"})

KEY_CHANGED = N_("A form_id has letters, digits, - and _ only, at most {most}. This form is called “{key}”.")
BAD_ABOUT = N_("This must be one of: {known}.")
SECOND_ROW = N_("Only the first row of the sheet “settings” is read.")
LONG_TITLE = N_("The title has {length} characters: {most} at most.")


@dataclass(frozen=True, slots=True)
class Settings:
    """`titles` beside the one in the default language. `language` "": not said."""

    key: str
    title: str
    titles: Texts
    version: str
    language: str
    duplicates: bool
    about: About


def read_settings(sheet: Headed, file_name: str, found: Findings) -> Settings:
    """What is not in the sheet is taken from the file's name. Raises Enough."""
    rows = sheet.sheet.rows
    row = rows[0] if rows else Row(2, {})
    if len(rows) > 1:
        found.warn(sheet.place(rows[1].number), SECOND_ROW)
    stem = PurePath(file_name.replace("\\", "/")).stem
    given, title = sheet.cell(row, "form_id"), sheet.cell(row, "form_title")
    key = as_key(given or stem)
    if given and given != key:
        found.warn(sheet.place(row.number, "form_id"), KEY_CHANGED, most=LONGEST_KEY, key=key)
    if len(title) > LONGEST_TITLE:
        found.problem(sheet.place(row.number, "form_title"), LONG_TITLE, length=len(title), most=LONGEST_TITLE)
    chosen = sheet.cell(row, "default_language")
    return Settings(
        key=key,
        title=title or given or stem or key,
        titles=sheet.texts(row, f"{OURS}::title"),
        version=sheet.cell(row, "version"),
        language="" if chosen.casefold() == "default" else language_code(chosen),
        duplicates=sheet.cell(row, "allow_choice_duplicates").casefold() in YES,
        about=_about(sheet, row, found),
    )


def _about(sheet: Headed, row: Row, found: Findings) -> About:
    header = f"{OURS}::about"
    given = sheet.cell(row, header).casefold()
    if given and given not in set(About):
        found.problem(sheet.place(row.number, header), BAD_ABOUT, known=", ".join(About))
        return About.PROJECT
    return About(given) if given else About.PROJECT


def as_key(text: str) -> str:
    """`Scheda progetto (2026)` → "Scheda-progetto-2026"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:LONGEST_KEY].strip("-") or "form"
