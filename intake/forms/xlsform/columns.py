"""What the headers of the sheets mean, in which language their texts are. Pure: knows headers, no questions."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from facts.languages import N_
from intake.forms.nodes import Texts
from intake.forms.xlsform.findings import Findings, Place
from intake.forms.xlsform.tables import Row, Sheet

OURS = "raccordo"
OUR_COLUMNS = {"survey": ("field", "ask", "private", "title"), "choices": (), "settings": ("title", "about")}

UNKNOWN = N_("This column is not known. If you mean “{likely}”, rename it; if it is a note of yours, begin it with _.")
UNKNOWN_OURS = N_("This column is not known. Columns of Raccordo in this sheet: {known}.")
IGNORED = N_("This column is not known: what stands in it is left out.")
SAME = N_("The columns “{one}” and “{other}” mean the same. Leave one of them.")
LEFT_OUT = N_("Raccordo does not do what this column says: it is left out.")

TRANSLATED = frozenset({"label", "hint", "constraint_message", "required_message", f"{OURS}::title"})
_READ = {
    "survey": {
        "type", "name", "label", "hint", "required", "required_message", "relevant", "constraint", "constraint_message",
        "calculation", "default", "choice_filter", "appearance", "parameters", "read_only", "repeat_count", "disabled",
    },
    "choices": {"list_name", "name", "label"},
    "settings": {
        "form_title", "form_id", "version", "default_language", "allow_choice_duplicates",
    },
}  # fmt: skip
_MEDIA = {"image", "big-image", "audio", "video", "media"}
_LEFT_OUT = {  # it would have done something
    "survey": {"guidance_hint", "trigger", "save_to", "bind", "intent", "query", *_MEDIA},
    "choices": _MEDIA,
    "settings": {"public_key", "submission_url", "auto_send", "auto_delete"},
}
_QUIET = {  # nothing is lost without it
    "survey": {
        "body", "control", "instance", "rows", "autoplay", "compact_tag", "noapperrorstring", "no_app_error_string",
        "hxl", "sms_field", "sms_option", "sms_separator", "sms_allow_media", "sms_date_format", "sms_datetime_format",
        "sms_response",
    },
    "choices": {"order"},
    "settings": {
        "style", "name", "instance_name", "instance_id", "clean_text_values", "omit_instanceid", "client_editable",
        "sms_keyword", "prefix", "delimiter", "flat", "namespaces", "attribute", "add_none_option", "entity_version",
        "allow_duplicates", "id",
    },
}  # fmt: skip
_ALIASES = {
    "survey": {
        "caption": "label", "command": "type", "tag": "name", "value": "name", "relevance": "relevant",
        "readonly": "read_only", "calculate": "calculation", "count": "repeat_count", "jr:count": "repeat_count",
        "constraining_message": "constraint_message", "requiredmsg": "required_message",
        "bind::relevant": "relevant", "bind::required": "required", "bind::constraint": "constraint",
        "bind::calculate": "calculation", "bind::readonly": "read_only", "control::appearance": "appearance",
        "body::appearance": "appearance", "bind::jr:constraintmsg": "constraint_message",
        "bind::jr:requiredmsg": "required_message",
    },
    "choices": {"caption": "label", "value": "name"},
    "settings": {
        "title": "form_title", "set_form_title": "form_title", "id_string": "form_id", "set_form_id": "form_id",
    },
}  # fmt: skip
# Languages written without a code.
_LANGUAGES = {
    "italiano": "it", "italian": "it", "english": "en", "inglese": "en", "français": "fr", "french": "fr",
    "francese": "fr", "deutsch": "de", "german": "de", "tedesco": "de", "español": "es", "spanish": "es",
    "spagnolo": "es",
}  # fmt: skip
_CODE = re.compile(r"\(([a-z]{2,8}(?:[-_][a-z0-9]{1,8})*)\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """`language` "" for a text without one and for what is no text."""

    name: str
    language: str = ""


@dataclass(frozen=True)
class Headed:
    """A sheet whose headers are understood. `others`: the columns of `choices` that a choice_filter may look at."""

    sheet: Sheet
    columns: Mapping[Column, str]  # → the header as it is written
    others: tuple[str, ...] = ()
    plain: str = field(default="", compare=False)  # the language of texts without one, once it is known

    def cell(self, row: Row, name: str) -> str:
        return row.cells.get(self.columns.get(Column(name), ""), "")

    def texts(self, row: Row, name: str) -> Texts:
        """By language; the column with a language goes before the one without."""
        there = [(column.language, header) for column, header in self.columns.items() if column.name == name]
        there.sort(key=lambda one: one[0] != "")
        return {language or self.plain: row.cells[header] for language, header in there if header in row.cells}

    def place(self, row: int, name: str = "", language: str = "") -> Place:
        header = self.columns.get(Column(name, language)) or self.columns.get(Column(name)) or name
        return Place(self.sheet.name, row, header)

    def languages(self) -> tuple[str, ...]:
        """In the order of the columns; "" among them when there are texts without a language."""
        return tuple(dict.fromkeys(column.language for column in self.columns if column.name in TRANSLATED))

    @property
    def is_mixed(self) -> bool:
        """Whether one kind of text is there with and without a language: then the latter is a language of its own."""
        return any(column.language and Column(column.name) in self.columns for column in self.columns)


def understand(sheet: Sheet, found: Findings) -> Headed:
    """The columns of a sheet, and what is wrong with its headers. Raises Enough."""
    double = any("::" in header for header in sheet.headers)
    columns: dict[Column, str] = {}
    others = []
    for header in sheet.headers:
        column = _column(sheet.name, header, double=double)
        place = Place(sheet.name, 1, header)
        if column is None:
            others += [header] if _is_other(sheet, header, place, found) else []
        elif column in columns:
            found.problem(place, SAME, one=columns[column], other=header)
        else:
            columns[column] = header
    return Headed(sheet, columns, tuple(others))


def language_code(name: str) -> str:
    """`Italiano (it)` → "it"; a language without a code is called by its name."""
    name = " ".join(name.split())
    code = _CODE.search(name)
    if code:
        return code[1].lower()
    return _LANGUAGES.get(name.casefold(), name.casefold())


def near(text: str, known: Iterable[str], *, cutoff: float = 0.8) -> str:
    """The known word that is probably meant; "" when none is like it."""
    found = difflib.get_close_matches(text.casefold(), list(known), n=1, cutoff=cutoff) if len(text) <= 40 else []
    return found[0] if found else ""


def _column(sheet: str, header: str, *, double: bool) -> Column | None:
    """None: not one of those that are read."""
    parts = [part.strip() for part in (header.split("::") if double else re.split(r"(?<!jr):", header))]
    head = _snake(parts[0])
    if len(parts) > 1 and head in {OURS, "bind", "control", "body"}:
        head, parts = f"{head}::{_snake(parts[1])}", parts[1:]
    name = _ALIASES[sheet].get(head, head)
    ours = name.removeprefix(f"{OURS}::")
    if name not in _READ[sheet] and not (ours != name and ours in OUR_COLUMNS[sheet]):
        return None
    if len(parts) > 1 and name not in TRANSLATED:
        return None
    return Column(name, language_code(parts[1]) if len(parts) > 1 else "")


def _is_other(sheet: Sheet, header: str, place: Place, found: Findings) -> bool:
    """Whether a header that is not ours may be a column for choice_filter; says what is wrong with it."""
    name = _snake(re.split(":+", header)[0])
    if name == OURS:
        found.problem(place, UNKNOWN_OURS, known=", ".join(f"{OURS}::{one}" for one in OUR_COLUMNS[sheet.name]) or "—")
    elif name in _QUIET[sheet.name] or header.startswith(("_", "$", "kobo--")):
        return sheet.name == "choices" and not header.startswith(("$", "kobo--"))
    elif name in _LEFT_OUT[sheet.name]:
        first = next((row.number for row in sheet.rows if header in row.cells), 0)
        if first:
            found.warn(Place(sheet.name, first, header), LEFT_OUT)
    else:
        return _is_unknown(sheet, header, name, place, found)
    return False


def _is_unknown(sheet: Sheet, header: str, name: str, place: Place, found: Findings) -> bool:
    known = {*_READ[sheet.name], *_ALIASES[sheet.name], *_LEFT_OUT[sheet.name]}
    likely = "" if name in known else near(name, sorted(known))
    if likely and not (sheet.name == "choices" and _is_full(sheet, header)):
        found.problem(place, UNKNOWN, likely=likely)
    elif sheet.name == "choices":
        return True
    else:
        found.warn(place, IGNORED)
    return False


def _is_full(sheet: Sheet, header: str) -> bool:
    """Whether a column like `names` may be meant as it is: the one it resembles is there as well."""
    likely = near(_snake(header), sorted(_READ[sheet.name]))
    return "::" not in header and any(_snake(one).startswith(likely) for one in sheet.headers if one != header)


def _snake(text: str) -> str:
    return "_".join(text.split()).casefold()
