"""The functions of expressions that need more than values: answers, their places, lists of choices. Pure.

Each gets the builder and the token of its call, and makes the function that is evaluated. As in JavaRosa.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facts.languages import N_
from intake.forms import places
from intake.forms.automaton import Automaton, TooMuchWork
from intake.forms.bad_expression import BadExpression
from intake.forms.comparing import Value, number, text, truth
from intake.forms.functions import Arguments, as_index
from intake.forms.instance import Scope, too_much
from intake.forms.nodes import Path, Question, say
from intake.forms.patterns import BadPattern, pattern
from intake.forms.places import Place

if TYPE_CHECKING:
    from intake.forms.building import Builder, Run

Token = Any  # elementpath's, which is imported only where expressions are read


@dataclass(frozen=True, slots=True)
class Special(Arguments):
    build: "Callable[[Builder, Token], Run]"


def _if(builder: "Builder", token: Token) -> "Run":
    condition, yes, no = map(builder.value, token)
    return lambda scope: yes(scope) if truth(condition(scope)) else no(scope)


def _coalesce(builder: "Builder", token: Token) -> "Run":
    """The first that is not empty, and not NaN."""
    *runs, otherwise = map(builder.value, token)

    def run(scope: Scope) -> Value:
        for one in runs:
            value = one(scope)
            if value != "" and value == value:  # noqa: PLR0124 - NaN is unlike itself
                return value
        return otherwise(scope)

    return run


def _once(builder: "Builder", token: Token) -> "Run":
    """What is there already, else the value. It reads its own answer without depending on it."""
    own, kind, fresh = places.itself(builder.at).one, builder.kind(builder.at), builder.value(token[0])
    assert own is not None

    def run(scope: Scope) -> Value:
        there = scope.answers.value(own(scope), kind)
        return fresh(scope) if there == "" else there

    return run


def _count(builder: "Builder", token: Token) -> "Run":
    place = _place(builder, token, token[0])
    builder.note(place)
    return lambda scope: float(len(place.keys(scope)))


def _count_non_empty(builder: "Builder", token: Token) -> "Run":
    """A group is not empty."""
    place = _place(builder, token, token[0])
    kind = builder.note(place)
    if kind is None:
        return lambda scope: float(len(place.keys(scope)))
    return lambda scope: float(sum(place.answers(scope).value(key, kind) != "" for key in place.keys(scope)))


def _position(builder: "Builder", token: Token) -> "Run":
    """Which repetition a node is, 0 when there is none; without a node, that of a predicate or of who asks."""
    if not len(token):
        return lambda scope: float(scope.position or places.repetition(scope.at))
    place = _place(builder, token, token[0])
    return lambda scope: next((float(places.repetition(key)) for key in place.keys(scope)), 0.0)


def _index(_builder: "Builder", _token: Token) -> "Run":
    """Which repetition of the innermost repeat it is; 0 outside."""
    return lambda scope: float(scope.asker.rpartition("[")[2].partition("]")[0]) if "[" in scope.asker else 0.0


def _indexed_repeat(builder: "Builder", token: Token) -> "Run":
    """`indexed-repeat(${cost}, ${works}, 2)`; what is below 1 is the first, as in JavaRosa."""
    target = _everywhere(builder, token, token[0])
    chosen: dict[Path, Run] = {}
    for n in range(1, len(token), 2):
        repeat = _everywhere(builder, token, token[n]).path
        if repeat not in builder.form.repeats or target.path[: len(repeat)] != repeat:
            sentence = N_("{function}() wants as its value number {number} a repeat that the question is in.")
            raise BadExpression(sentence, {"function": token.value, "number": n + 1})
        chosen[repeat] = builder.value(token[n + 1])
    kind = builder.note(target)
    steps = [(path[-1], _repetition(builder, path, chosen)) for path in _ways(target.path)]

    def run(scope: Scope) -> Value:
        return scope.answers.value("/".join(f"{name}{numbered(scope)}" for name, numbered in steps), kind)

    return run


def _repetition(builder: "Builder", path: Path, chosen: Mapping[Path, "Run"]) -> Callable[[Scope], str]:
    """The number behind a step: the one that was chosen, else that of who asks, else the first."""
    if path not in builder.form.repeats:
        return lambda _scope: ""
    if path in chosen:
        run = chosen[path]
        return lambda scope: f"[{max(1, as_index(number(run(scope), scope.zone)))}]"
    if path == builder.at[: len(path)]:
        return lambda scope: f"[{places.repetition(scope.around(len(path)))}]"
    return lambda _scope: "[1]"


def _choice_name(builder: "Builder", token: Token) -> "Run":
    """`jr:choice-name(${phase}, '${phase}')`: what is chosen, in the language of who asks."""
    chosen, question = builder.value(token[0]), _quoted(builder, token[1])
    labels = {one.name: one.label for one in builder.form.lists.get(question.choices, ())}
    return lambda scope: say(labels.get(text(chosen(scope)), {}), scope.language, builder.form.languages)


def _quoted(builder: "Builder", token: Token) -> Question:
    """The question whose name or path is in a text."""
    if token.symbol != "(string)":
        sentence = N_("{function}() wants the name of a question between quotation marks, like {example}.")
        raise BadExpression(sentence, {"function": "jr:choice-name", "example": "'${name}'"})
    written = str(token.value).strip()
    if written.startswith("${") and written.endswith("}"):
        path = places.named(builder.form, written[2:-1].strip(), builder.at).path
    else:
        path = tuple(written.split("/")[2:])
    node = builder.form.nodes.get(path)
    if not isinstance(node, Question):
        raise places.unknown(written, builder.form.named)
    return node


def _regex(builder: "Builder", token: Token) -> "Run":
    """The whole text has to fit: see `patterns`."""
    value = builder.value(token[0])
    if token[1].symbol == "(string)":
        automaton = _automaton(str(token[1].value))
        return lambda scope: _fits(scope, automaton, text(value(scope)))
    wanted = builder.value(token[1])
    return lambda scope: _fits(scope, _automaton(text(wanted(scope))), text(value(scope)))


def _automaton(written: str) -> Automaton:
    try:
        return pattern(written)
    except BadPattern as error:
        if not error.found:
            raise BadExpression(N_("The pattern of regex() is too large: make it shorter.")) from None
        sentence = N_("The pattern of regex() has “{found}”, which is not understood or not possible here.")
        raise BadExpression(sentence, {"found": error.found}) from None


def _fits(scope: Scope, automaton: Automaton, written: str) -> bool:
    try:
        found = automaton.fits(written)
    except TooMuchWork:
        raise too_much() from None
    scope.work.spend(automaton.work // 10)
    return found


def _place(builder: "Builder", call: Token, argument: Token) -> Place:
    place = builder.place(argument)
    if place is None:
        sentence = N_("{function}() wants a question or a repeat in its brackets, like {example}.")
        raise BadExpression(sentence, {"function": call.value, "example": "${name}"})
    return place


def _everywhere(builder: "Builder", call: Token, argument: Token) -> Place:
    """In whatever repetition it is."""
    name = str(argument.value)
    if argument.symbol == "(name)" and name.startswith("${"):
        return places.named(builder.form, name[2:-1].strip(), (), everywhere=True)
    return _place(builder, call, argument)


def _ways(path: Path) -> list[Path]:
    """(a, b, c) → (a), (a, b), (a, b, c)."""
    return [path[:n] for n in range(1, len(path) + 1)]


SPECIAL: dict[str, Special] = {
    "if": Special(_if, least=3, most=3),
    "coalesce": Special(_coalesce, least=2, most=None),
    "once": Special(_once),
    "count": Special(_count),
    "count-non-empty": Special(_count_non_empty),
    "position": Special(_position, least=0),
    "index": Special(_index, least=0, most=0),
    "indexed-repeat": Special(_indexed_repeat, least=3, most=11, step=2),
    "jr:choice-name": Special(_choice_name, least=2, most=2),
    "regex": Special(_regex, least=2, most=2),
}
