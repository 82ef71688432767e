"""Makes forms: from tables, from the files in `data`, at random, and a large one like a stranger's."""

from pathlib import Path

from hypothesis import strategies as st

from facts.languages import Language, speaking
from intake.forms.nodes import About, Ask, Choice, Definition, Group, Node, Question, QuestionType, Rules
from intake.forms.nodes import Path as Key
from intake.forms.xlsform.findings import Finding
from intake.forms.xlsform.reading import Reading, read_xlsform
from intake.forms.xlsform.tables import clean

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("*.md"))
CHOICES = """
    | choices |
    | | list_name | name | label |
    | | colours | red | Rosso |
    | | colours | blue | Blu |
"""


def read(tables: str, name: str = "modulo.md") -> Reading:
    return read_xlsform(tables.encode(), name)


def form_of(tables: str) -> Definition:
    reading = read(tables)
    assert reading.form is not None, problems(reading)
    return reading.form


def data_form(name: str) -> Definition:
    return form_of((DATA / f"{name}.md").read_text(encoding="utf-8"))


def question(row: str, columns: str = "type | name | label", more: str = CHOICES) -> Question:
    """The only one of a form with one row."""
    [found] = form_of(f"| survey |\n| | {columns} |\n| | {row} |\n{more}").questions
    return found


def said(row: str, columns: str = "type | name | label", more: str = CHOICES) -> list[str]:
    """The problems of a form with one row."""
    return problems(read(f"| survey |\n| | {columns} |\n| | {row} |\n{more}"))


def problems(reading: Reading, language: Language = Language.EN) -> list[str]:
    return _said(reading.problems, language)


def warnings(reading: Reading, language: Language = Language.EN) -> list[str]:
    return _said(reading.warnings, language)


def _said(found: tuple[Finding, ...], language: Language) -> list[str]:
    """Whatever a test looks for, each sentence is there in both languages."""
    for one in found:
        assert one.sentence.say(speaking(Language.IT)) != one.sentence.say(speaking(Language.EN))
    return [one.say(speaking(language)) for one in found]


def large_form(questions: int = 300, expressions: int = 200) -> str:
    """A stranger's form: groups, a repeat, choices, in two languages, `expressions` of its cells not empty."""
    kinds = ("text", "integer", "decimal", "select_one quality", "date", "select_multiple services", "note")
    lines = [
        "| survey |",
        "| | type | name | label::Italiano (it) | label::English (en) | hint::Italiano (it) | hint::English (en) "
        "| required | relevant | constraint | constraint_message::Italiano (it) | constraint_message::English (en) |",
    ]
    left = expressions
    for number in range(questions):
        if number % 20 == 0:
            kind = "repeat" if number == 40 else "group"
            lines.append(f"| | begin_{kind} | part_{number} | Parte {number} | Part {number} | | | | | | | |")
        type_ = kinds[number % len(kinds)]
        relevant = constraint = ""
        if left and number % 20 and type_ != "note":
            constraint, left = (". != 'x'" if type_ != "integer" else ". >= 0 and . < 1000"), left - 1
        if left and number % 20 > 2 and number % 3:
            relevant, left = f"${{q{number - 1}}} != '' or ${{q{number - 2}}} = 'no'", left - 1
        message = "Non va | Wrong" if constraint else " | "
        required = "yes" if number % 2 and type_ != "note" else ""
        lines.append(
            f"| | {type_} | q{number} | Domanda numero {number}? | Question number {number}? | Un aiuto | A hint "
            f"| {required} | {relevant} | {constraint} | {message} |"
        )
        if number % 20 == 19:
            lines.append(f"| | end_{'repeat' if number // 20 == 2 else 'group'} |")
    assert left == 0
    lines += ["| choices |", "| | list_name | name | label::Italiano (it) | label::English (en) |"]
    lines += [
        f"| | {name} | c{number} | Scelta {number} | Choice {number} |"
        for name in ("quality", "services")
        for number in range(25)
    ]
    lines += ["| settings |", "| | form_title | form_id | default_language |", "| | Grande | large | Italiano (it) |"]
    return "\n".join(lines)


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="$"), max_size=30).map(clean)
NAMES = st.from_regex(r"[a-z_][a-z0-9_.-]{0,8}", fullmatch=True).filter(lambda name: name != "meta")
LANGUAGES = st.lists(st.sampled_from(["it", "en", "fr", "pt-br", "lombardo"]), min_size=1, max_size=3, unique=True)
PLAIN = (QuestionType.TEXT, QuestionType.GEOPOINT, QuestionType.IMAGE, QuestionType.FILE, QuestionType.TIME)
DEFAULTS = {QuestionType.INTEGER: "-12", QuestionType.DECIMAL: "0.5", QuestionType.DATE: "2026-12-31"}
UNLABELLED = (QuestionType.CALCULATE, QuestionType.HIDDEN)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Any form that can be written in a file; rows as in one without blank rows."""
    languages = tuple(draw(LANGUAGES))
    lists = draw(st.dictionaries(NAMES, _choices(languages), max_size=3))
    names = draw(st.lists(NAMES, min_size=2, max_size=12, unique_by=str.casefold))
    names = [name for name in names if not name.endswith("_other")] or ["only"]
    children, _ = _nodes(draw, names, (), tuple(lists), languages, 2)
    title = {languages[0]: draw(WORDS.filter(bool))} | {
        language: draw(WORDS.filter(bool)) for language in languages[1:] if draw(st.booleans())
    }
    return Definition("a-form", title, languages, children, lists, draw(WORDS), draw(st.sampled_from(About)))


def _nodes(
    draw: st.DrawFn, names: list[str], around: Key, lists: tuple[str, ...], languages: tuple[str, ...], row: int
) -> tuple[tuple[Node, ...], int]:
    """The nodes of these names, some of them in groups; the row after them."""
    made: list[Node] = []
    while names:
        name = names.pop(0)
        path = (*around, name)
        if names and len(around) < 3 and draw(st.integers(0, 4)) == 0:
            inner = [names.pop(0) for _ in range(draw(st.integers(1, len(names))))]
            label, repeats = draw(_texts(languages)), draw(st.booleans())
            rules = Rules(draw(_conditions()), repeat_count="3" if repeats and draw(st.booleans()) else "")
            children, after = _nodes(draw, inner, path, lists, languages, row + 1)
            made.append(Group(name, path, label, rules, draw(_words_or_none()), row, children, repeats))
            row = after + 1
        else:
            made.append(draw(_questions(path, lists, languages, row)))
            row += 1
    if not around:
        label = {languages[0]: "Sempre"}
        made.append(Question("always_asked", ("always_asked",), label, row=row))
    return tuple(made), row


@st.composite
def _questions(draw: st.DrawFn, path: Key, lists: tuple[str, ...], languages: tuple[str, ...], row: int) -> Question:
    types = [*PLAIN, *DEFAULTS, *UNLABELLED, QuestionType.NOTE, QuestionType.ACKNOWLEDGE, QuestionType.RANGE]
    type_ = draw(st.sampled_from([*types, QuestionType.SELECT_ONE] if lists else types))
    asked = type_ not in UNLABELLED
    is_expression = draw(st.booleans()) and type_ is QuestionType.TEXT
    default = "concat('a', 'b')" if is_expression else draw(st.sampled_from(["", DEFAULTS.get(type_, "")]))
    parameters = {"start": "0", "end": "10", "step": "0.5"} if type_ is QuestionType.RANGE else {}
    return Question(
        name=path[-1],
        path=path,
        label=draw(_texts(languages).filter(lambda texts: bool(texts) or not asked)),
        rules=Rules(
            relevant=draw(_conditions()),
            required=draw(st.sampled_from(["", "true()", "1 = 1"])),
            constraint=draw(_expressions()),
            calculation="1 + 1" if type_ is QuestionType.CALCULATE else "",
            default=default,
        ),
        appearance=draw(_words_or_none()),
        row=row,
        type=type_,
        title=draw(_texts(languages)),
        hint=draw(_texts(languages)) if asked else {},
        required_message=draw(_texts(languages)),
        constraint_message=draw(_texts(languages)),
        choices=draw(st.sampled_from(lists)) if type_ is QuestionType.SELECT_ONE else "",
        other=draw(st.booleans()) if type_ is QuestionType.SELECT_ONE else False,
        read_only=draw(st.booleans()),
        default_is_expression=is_expression,
        parameters=parameters,
        ask=draw(st.sampled_from(Ask)),
        private=draw(st.booleans()),
    )


def _choices(languages: tuple[str, ...]) -> st.SearchStrategy[tuple[Choice, ...]]:
    label = _texts(languages).filter(bool)
    more = st.dictionaries(st.sampled_from(["region", "town"]), WORDS.filter(bool))
    choice = st.builds(Choice, NAMES, label, more)
    return st.lists(choice, min_size=1, max_size=4, unique_by=lambda one: one.name).map(tuple)


def _texts(languages: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    """Nothing, or at least the first language."""
    others = st.dictionaries(st.sampled_from(languages), WORDS.filter(bool))
    return st.tuples(WORDS, others).map(lambda drawn: {**drawn[1], languages[0]: drawn[0]} if drawn[0] else {})


def _conditions() -> st.SearchStrategy[str]:
    return st.sampled_from(["", "1 = 1 and 2 > 1", "string-length('a') < 3", "true()", "${always_asked} != ''"])


def _expressions() -> st.SearchStrategy[str]:
    return st.sampled_from(["", ". != 'x'", "regex(., '^[a-z]+$')", "true()", ". = ${always_asked}"])


def _words_or_none() -> st.SearchStrategy[str]:
    return st.sampled_from(["", "multiline", "w2 minimal"])
