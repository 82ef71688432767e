"""What a form may hold though nobody meant it: found when all of it is read. Pure."""

from collections import Counter

from facts.languages import N_
from facts.phases import PHASES, find_phase
from intake.forms.nodes import CHOOSING, Bound, Definition, Question, QuestionType
from intake.forms.xlsform.columns import OURS, Headed
from intake.forms.xlsform.findings import Findings
from intake.forms.xlsform.question import Source

UNUSED_LIST = N_("No question uses the list “{list}”.")
SPACED = N_("The name “{name}” has a space: where several choices can be made, names are told apart by spaces.")
WRONG_TYPE = N_("“{field}” is kept from a question of type {types}, not from {type}.")
IN_REPEAT = N_("“{field}” is one value of the project: it cannot be asked in a repeat.")
BOUND_TWICE = N_("“{field}” is asked in row {row} already.")
NO_PHASE = N_("“{name}” in the list “{list}” is not a phase. The phases are: {phases}.")

_NUMBERS = frozenset({QuestionType.DECIMAL, QuestionType.INTEGER, QuestionType.RANGE, QuestionType.CALCULATE})
_TEXTS = frozenset({QuestionType.TEXT, QuestionType.CALCULATE, QuestionType.HIDDEN})
_KEPT_FROM = {
    Bound.PHASE: frozenset({QuestionType.SELECT_ONE}),
    Bound.PROGRESS: _NUMBERS,
    Bound.SPENT: _NUMBERS - {QuestionType.RANGE},
    Bound.EXPECTED_END: frozenset({QuestionType.DATE, QuestionType.CALCULATE}),
    Bound.CUP: _TEXTS,
    Bound.CIG: _TEXTS,
}
_SEPARATED = frozenset({QuestionType.SELECT_MULTIPLE, QuestionType.RANK})


def tell_slips(form: Definition, one: Source, choices: Headed) -> None:
    """Raises Enough."""
    _tell_lists(form, choices, one.found)
    bound: dict[Bound, Question] = {}
    for question in form.questions:
        if question.bound is not None:
            _tell_bound(form, question, question.bound, bound.get(question.bound), one)
            bound.setdefault(question.bound, question)


def _tell_lists(form: Definition, choices: Headed, found: Findings) -> None:
    used = Counter(question.choices for question in form.questions)
    used.update(question.parameters.get("tick_labelset", "") for question in form.questions)
    several = {question.choices for question in form.questions if question.type in _SEPARATED}
    told = set()
    for row in choices.sheet.rows:
        name, choice = choices.cell(row, "list_name"), choices.cell(row, "name")
        if name in several and len(choice.split()) > 1:
            found.problem(choices.place(row.number, "name"), SPACED, name=choice)
        if name and not used[name] and name not in told:
            told.add(name)
            found.warn(choices.place(row.number, "list_name"), UNUSED_LIST, list=name)


def _tell_bound(form: Definition, question: Question, field: Bound, earlier: Question | None, one: Source) -> None:
    place = one.sheet.place(question.row, f"{OURS}::field")
    allowed = _KEPT_FROM[field]
    if question.type not in allowed:
        types = ", ".join(sorted(allowed))
        one.found.problem(place, WRONG_TYPE, field=field, types=types, type=question.type)
    if any(question.path[:length] in form.repeats for length in range(1, len(question.path))):
        one.found.problem(place, IN_REPEAT, field=field)
    if earlier is not None:
        one.found.problem(place, BOUND_TWICE, field=field, row=earlier.row)
    if field is Bound.PHASE and question.type in CHOOSING:
        unknown = next((each.name for each in form.lists.get(question.choices, ()) if not find_phase(each.name)), "")
        if unknown:
            phases = ", ".join(phase.code for phase in PHASES)
            one.found.problem(place, NO_PHASE, name=unknown, list=question.choices, phases=phases)
