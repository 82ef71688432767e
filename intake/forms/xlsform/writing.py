"""Writes a form as an XLSForm, in Excel or in Markdown; reading it again gives the same form. Pure.

Only columns in which something stands are written, but for the labels: those are there in every language of the form.
"""

import functools
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from intake.forms.nodes import About, Ask, Choice, Definition, Group, Node, Question, Texts
from intake.forms.xlsform.columns import OURS
from intake.forms.xlsform.kinds import type_cell
from intake.forms.xlsform.markdown import write_markdown
from intake.forms.xlsform.tables import clean, letter

WIDEST = 60  # characters
NARROWEST = 10
TEXT_FORMAT = "@"

Cells = dict[str, str]
Tables = Mapping[str, list[list[str]]]
Languages = tuple[str, ...]


def to_xlsx(form: Definition) -> bytes:
    """Every cell is text, so that nothing is ever a formula and `03001` keeps its zero when somebody edits it."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in to_tables(form).items():
        _fill(book.create_sheet(name), rows)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def to_markdown(form: Definition) -> str:
    """The same form, but that line breaks inside texts become spaces, and blank rows go."""
    return write_markdown(to_tables(form))


def to_tables(form: Definition) -> Tables:
    """The three sheets, the headers first."""
    languages = form.languages
    survey = _placed(row for node in form.children for row in _rows(node, languages))
    choices = [_choice(name, one, languages) for name, chosen in form.lists.items() for one in chosen]
    return {
        "survey": _table(["type", "name", *_headers("label", languages).values()], survey, _survey_order(languages)),
        "choices": _table(["list_name", "name", *_headers("label", languages).values()], choices, []),
        "settings": _table(["form_title", "form_id", "version", "default_language"], [_settings(form)], []),
    }


def _headers(name: str, languages: Languages) -> dict[str, str]:
    """By language. A form in one language has plain headers, as people expect them."""
    if len(languages) == 1:
        return {languages[0]: name}
    return {language: f"{name}::{_written(language)}" for language in languages}


@functools.cache
def _written(language: str) -> str:
    """`it` → "Italiano (it)"; a language that is called by its name stays so."""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(language.replace("-", "_")).get_display_name()
    except (UnknownLocaleError, ValueError):
        return language
    return f"{name[:1].upper()}{name[1:]} ({language})" if name else language


def _survey_order(languages: Languages) -> list[str]:
    return [
        *_headers("hint", languages).values(),
        "required",
        *_headers("required_message", languages).values(),
        "relevant",
        "constraint",
        *_headers("constraint_message", languages).values(),
        "calculation",
        "default",
        "choice_filter",
        "appearance",
        "parameters",
        "read_only",
        "repeat_count",
        f"{OURS}::field",
        f"{OURS}::ask",
        f"{OURS}::private",
        *_headers(f"{OURS}::title", languages).values(),
    ]


def _table(always: list[str], rows: list[Cells], order: list[str]) -> list[list[str]]:
    """Headers in `order`, others after them as they come."""
    used = dict.fromkeys(header for row in rows for header, text in row.items() if text)
    known = [*always, *(header for header in order if header in used)]
    headers = [*known, *(header for header in used if header not in known)]
    return [headers, *([clean(row.get(header, "")) for header in headers] for row in rows)]


def _placed(rows: Iterable[tuple[int, Cells]]) -> list[Cells]:
    """In the rows where they stood, with blank ones between, so that a remark on row 12 is one on row 12 again."""
    placed: list[Cells] = []
    for number, cells in rows:
        placed += [{} for _ in range(number - 2 - len(placed))]
        placed.append(cells)
    return placed


def _rows(node: Node, languages: Languages) -> Iterator[tuple[int, Cells]]:
    """Each with the number of its row, 0 where any will do."""
    cells: Cells = {"name": node.name, "relevant": node.rules.relevant, "appearance": node.appearance}
    cells |= _texts("label", node.label, languages)
    if isinstance(node, Question):
        yield node.row, cells | _question(node, languages)
    elif isinstance(node, Group):
        kind = "repeat" if node.repeats else "group"
        yield node.row, cells | {"type": f"begin_{kind}", "repeat_count": node.rules.repeat_count}
        for one in node.children:
            yield from _rows(one, languages)
        yield 0, {"type": f"end_{kind}"}


def _question(one: Question, languages: Languages) -> Cells:
    rules = one.rules
    return {
        "type": type_cell(one.type, one.choices, other=one.other),
        **_texts("hint", one.hint, languages),
        **_texts("required_message", one.required_message, languages),
        **_texts("constraint_message", one.constraint_message, languages),
        **_texts(f"{OURS}::title", one.title, languages),
        "required": "yes" if rules.required == "true()" else rules.required,
        "constraint": rules.constraint,
        "calculation": rules.calculation,
        "choice_filter": rules.choice_filter,
        "default": rules.default,
        "parameters": " ".join(f"{name}={value}" for name, value in one.parameters.items()),
        "read_only": "yes" if one.read_only else "",
        f"{OURS}::field": one.bound or "",
        f"{OURS}::ask": "" if one.ask is Ask.ALWAYS else one.ask,
        f"{OURS}::private": "yes" if one.private else "",
    }


def _choice(name: str, one: Choice, languages: Languages) -> Cells:
    return {"list_name": name, "name": one.name, **_texts("label", one.label, languages), **one.more}


def _settings(form: Definition) -> Cells:
    first = form.languages[0]
    titles = {
        f"{OURS}::title::{_written(language)}": text for language, text in form.title.items() if language != first
    }
    several = any(len({one.name for one in chosen}) < len(chosen) for chosen in form.lists.values())
    return {
        "form_title": form.title[first],
        "form_id": form.key,
        "version": form.version,
        "default_language": _written(first),
        **titles,
        "allow_choice_duplicates": "yes" if several else "",
        f"{OURS}::about": "" if form.about is About.PROJECT else form.about,
    }


def _texts(name: str, texts: Texts, languages: Languages) -> Cells:
    headers = _headers(name, languages)
    return {headers[language]: text for language, text in texts.items() if language in headers}


def _fill(sheet: Any, rows: list[list[str]]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.freeze_panes = "A2"
    wrapped, bold = Alignment(wrap_text=True, vertical="top"), Font(bold=True)
    for column, width in enumerate(_widths(rows), start=1):
        dimension = sheet.column_dimensions[letter(column)]
        dimension.width, dimension.number_format = width, TEXT_FORMAT
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            if not text:
                continue
            cell = sheet.cell(number, column)
            cell.value = text
            cell.data_type = "s"  # openpyxl takes "=1+1" for a formula and "#N/A" for an error
            cell.number_format, cell.alignment = TEXT_FORMAT, wrapped
            if number == 1:
                cell.font = bold


def _widths(rows: list[list[str]]) -> Iterator[int]:
    for column in zip(*rows, strict=True):
        longest = max(len(line) for text in column for line in (text.split("\n") or [""]))
        yield min(max(longest + 2, NARROWEST), WIDEST)
