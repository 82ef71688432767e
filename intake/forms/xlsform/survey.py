"""The sheet `survey`: its rows as questions in groups. Pure. What cannot be asked is named, never dropped unsaid."""

import re
from dataclasses import dataclass, field

from facts.languages import N_
from intake.forms.nodes import CHOOSING, UNASKED, Group, Node, Path, Question, QuestionType, Rules
from intake.forms.xlsform.columns import OURS, near
from intake.forms.xlsform.findings import Place
from intake.forms.xlsform.kinds import Kind, Step, kind_of
from intake.forms.xlsform.question import Source, is_private, read_question, read_rules
from intake.forms.xlsform.settings import YES
from intake.forms.xlsform.tables import Row

DEEPEST = 16  # groups inside groups
LONGEST_NAME = 100

NO_COLUMN = N_("The column “{column}” is missing: a question has type, name and label.")
NO_TYPE = N_("This row has no type: a question has type, name and label.")
NOTE_ROW = N_("This row has neither type nor name nor label: it is left out.")
NO_NAME = N_("This row has no name. The name is what the answer is kept under.")
BAD_NAME = N_("The name “{name}” cannot be used: begin with a letter, then letters, digits, _ or -, {most} at most.")
SAME_NAME = N_("The name “{name}” is there already, in row {row}. Give each question its own.")
LIKE_NAME = N_("The name “{name}” differs from the one in row {row} only in capital letters.")
OTHER_NAME = N_("“{name}” is where the answer to “other” of row {row} is kept. Give this question another name.")
UNKNOWN_TYPE = N_("The type “{type}” is not known.")
LIKELY_TYPE = N_("The type “{type}” is not known. Do you mean “{likely}”?")
NO_LIST = N_("The type “{type}” needs the name of a list: “{type} colours”.")
UNKNOWN_LIST = N_("There is no list “{list}” in the sheet “choices”.")
LIKELY_LIST = N_("There is no list “{list}” in the sheet “choices”. Do you mean “{likely}”?")
OTHER_FILTERED = N_("A question with or_other cannot have a choice_filter. Put “other” among the choices.")
END_OF_NOTHING = N_("This row ends a {kind} that is not open here. What begins last ends first.")
NEVER_ENDED = N_("This {kind} has no end: a row with “end_{kind}” is missing.")
TOO_DEEP = N_("Groups are inside one another {most} times at most.")
NO_QUESTIONS = N_("The form asks nothing: there is no question in it.")
LEFT_OUT = N_("“{type}” is filled in by a device, not by a person: it is left out.")
STOOD_IN = N_("“{type}” is filled in by a device. As other rows use it, it is there with the value Raccordo knows.")
ONLY_QUESTIONS = N_("Only a question can have {column}, not a group.")
NO_GROUP_LABEL = N_("This repeat has no label: people would not know what they are asked for again.")

_NAME = re.compile(rf"[^\W\d][\w.-]{{0,{LONGEST_NAME - 1}}}")
_REFERENCE = re.compile(r"\$\{(?:last-saved#)?([^}\s]{1,100})\}")


@dataclass
class _Open:
    """A group whose end is still to come; the first one is the form."""

    path: Path = ()
    row: Row = field(default_factory=lambda: Row(0, {}))
    repeats: bool = False
    private: bool = False
    children: list[Node] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)  # → row
    folded: dict[str, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "repeat" if self.repeats else "group"


def read_survey(one: Source) -> tuple[Node, ...]:
    """Raises Enough."""
    absent = [name for name in ("type", "name") if not any(column.name == name for column in one.sheet.columns)]
    for name in absent:
        one.found.problem(Place(one.sheet.sheet.name, 1), NO_COLUMN, column=name)
    if absent:
        return ()
    used = {name for row in one.sheet.sheet.rows for text in row.cells.values() for name in _REFERENCE.findall(text)}
    opened = [_Open()]
    for row in one.sheet.sheet.rows:
        if one.sheet.cell(row, "disabled").casefold() in YES:
            continue
        text = one.sheet.cell(row, "type")
        if text:
            _read_row(one, row, kind_of(text), opened, used)
        else:
            _tell_untyped(one, row)
    while len(opened) > 1:  # what is in it is read all the same, so that nothing in it is told to be missing
        left = opened.pop()
        one.found.problem(one.sheet.place(left.row.number, "type"), NEVER_ENDED, kind=left.kind)
        opened[-1].children.append(_group(one, left))
    _tell_other_names(one, opened[0])
    if not one.found.problems and not any(_asks(node) for node in opened[0].children):
        one.found.problem(Place(one.sheet.sheet.name), NO_QUESTIONS)
    return tuple(opened[0].children)


def _read_row(one: Source, row: Row, kind: Kind, opened: list[_Open], used: set[str]) -> None:
    place = one.sheet.place(row.number, "type")
    text = one.sheet.cell(row, "type")
    match kind.step:
        case Step.QUESTION:
            _question(one, row, kind, opened[-1])
        case Step.BEGIN:
            _begin(one, row, kind, opened)
        case Step.END:
            _end(one, row, kind, opened)
        case Step.AUTOMATIC:
            _automatic(one, row, kind, opened[-1], used)
        case Step.UNASKED:
            one.found.problem(place, kind.advice, type=text[:40])
        case Step.UNKNOWN if kind.likely:
            one.found.problem(place, LIKELY_TYPE, type=text[:40], likely=kind.likely)
        case Step.UNKNOWN:
            one.found.problem(place, UNKNOWN_TYPE, type=text[:40])


def _tell_untyped(one: Source, row: Row) -> None:
    if any(one.sheet.cell(row, name) for name in ("name", "relevant")) or one.sheet.texts(row, "label"):
        one.found.problem(one.sheet.place(row.number, "type"), NO_TYPE)
    else:
        one.found.warn(one.sheet.place(row.number), NOTE_ROW)


def _question(one: Source, row: Row, kind: Kind, around: _Open) -> None:
    name = one.sheet.cell(row, "name")
    if not name and kind.type is QuestionType.NOTE:
        name = f"note_{row.number}"  # nobody answers it, and many forms give it none
    if not _is_usable(one, row, name, around):
        return
    _tell_list(one, row, kind)
    around.children.append(read_question(one, row, kind, (*around.path, name), private=around.private))


def _tell_list(one: Source, row: Row, kind: Kind) -> None:
    place = one.sheet.place(row.number, "type")
    if kind.type not in CHOOSING:
        return
    if not kind.list:
        one.found.problem(place, NO_LIST, type=str(kind.type))
    elif kind.list not in one.lists:
        likely = near(kind.list, tuple(one.lists)[:200], cutoff=0.7)
        one.found.problem(place, LIKELY_LIST if likely else UNKNOWN_LIST, list=kind.list[:60], likely=likely)
    if kind.other and one.sheet.cell(row, "choice_filter"):
        one.found.problem(one.sheet.place(row.number, "choice_filter"), OTHER_FILTERED)


def _begin(one: Source, row: Row, kind: Kind, opened: list[_Open]) -> None:
    around = opened[-1]
    name = one.sheet.cell(row, "name")
    _is_usable(one, row, name, around)
    for column in ("field", "ask"):
        if one.sheet.cell(row, f"{OURS}::{column}"):
            place = one.sheet.place(row.number, f"{OURS}::{column}")
            one.found.problem(place, ONLY_QUESTIONS, column=f"{OURS}::{column}")
    if len(opened) == DEEPEST + 1:
        one.found.problem(one.sheet.place(row.number, "type"), TOO_DEEP, most=DEEPEST)
    private = around.private or is_private(one, row)
    opened.append(_Open((*around.path, name), row, kind.repeats, private))


def _end(one: Source, row: Row, kind: Kind, opened: list[_Open]) -> None:
    kind_name = "repeat" if kind.repeats else "group"
    if len(opened) == 1 or opened[-1].repeats != kind.repeats:
        one.found.problem(one.sheet.place(row.number, "type"), END_OF_NOTHING, kind=kind_name)
    if len(opened) == 1:
        return
    ended = opened.pop()
    _tell_other_names(one, ended)
    opened[-1].children.append(_group(one, ended))


def _group(one: Source, ended: _Open) -> Group:
    row = ended.row
    label = one.texts.of(one.sheet, row, "label")
    if ended.repeats and not label:
        one.found.warn(one.sheet.place(row.number, "label"), NO_GROUP_LABEL)
    read = read_rules(one.sheet, row)
    return Group(
        name=ended.path[-1],
        path=ended.path,
        label=label,
        rules=Rules(relevant=read.relevant, repeat_count=read.repeat_count if ended.repeats else ""),
        appearance=one.sheet.cell(row, "appearance"),
        row=row.number,
        children=tuple(ended.children),
        repeats=ended.repeats,
    )


def _automatic(one: Source, row: Row, kind: Kind, around: _Open, used: set[str]) -> None:
    """Left out, unless an expression or a text names it: then something has to stand there."""
    place = one.sheet.place(row.number, "type")
    text, name = one.sheet.cell(row, "type"), one.sheet.cell(row, "name")
    if name not in used:
        one.found.warn(place, LEFT_OUT, type=text)
        return
    if not _is_usable(one, row, name, around):
        return
    one.found.warn(place, STOOD_IN, type=text)
    type_ = QuestionType.CALCULATE if kind.stands_for else QuestionType.HIDDEN
    rules = Rules(calculation=kind.stands_for)
    around.children.append(Question(name, (*around.path, name), {}, rules, row=row.number, type=type_))


def _is_usable(one: Source, row: Row, name: str, around: _Open) -> bool:
    """Whether a name can be part of a key, and is the only one of its kind where it stands."""
    place = one.sheet.place(row.number, "name")
    if not name:
        one.found.problem(place, NO_NAME)
        return False
    if not _NAME.fullmatch(name) or name == "meta":
        one.found.problem(place, BAD_NAME, name=name[:40], most=LONGEST_NAME)
        return False
    if name in around.names:
        one.found.problem(place, SAME_NAME, name=name, row=around.names[name])
        return False
    if name.casefold() in around.folded:
        one.found.warn(place, LIKE_NAME, name=name, row=around.folded[name.casefold()])
    around.names[name] = around.folded[name.casefold()] = row.number
    return True


def _tell_other_names(one: Source, ended: _Open) -> None:
    for node in ended.children:
        taken = ended.names.get(f"{node.name}_other", 0) if isinstance(node, Question) and node.other else 0
        if taken:
            place = one.sheet.place(taken, "name")
            one.found.problem(place, OTHER_NAME, name=f"{node.name}_other", row=node.row)


def _asks(node: Node) -> bool:
    if isinstance(node, Group):
        return any(_asks(one) for one in node.children)
    return isinstance(node, Question) and node.type not in UNASKED
