"""Whether the expressions of a form can be evaluated, each told where it stands; and whether they go round in circles.

Pure. A circle is one of values: what is asked or calculated because of itself. A constraint may look at its own answer,
and two choice_filters at one another.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from facts.languages import N_
from intake.forms.expressions import BadExpression, Expression, Expressions
from intake.forms.nodes import Definition, Node, Path, Question, Rules, Texts
from intake.forms.xlsform.findings import Place
from intake.forms.xlsform.pyxform_says import BAD_REFERENCE
from intake.forms.xlsform.question import Source

CIRCLE = N_("This goes round in a circle: {names}.")

# What makes an answer be there, or be what it is.
_MAKING = frozenset({"relevant", "calculation", "repeat_count"})
_REFERENCE = re.compile(r"\$\{[^}]{0,200}\}")

Edges = Mapping[Path, Mapping[Path, str]]  # → what it depends on → by which column


def tell_expressions(form: Definition, one: Source) -> None:
    """Raises Enough."""
    known = Expressions(form)
    edges: dict[Path, dict[Path, str]] = {}
    for node in form.walk():
        edges[node.path] = {node.path[:-1]: ""} if len(node.path) > 1 else {}
        for column, text in _rules(node):
            found = _compiled(known, node, column, text, one)
            if found is not None and column in _MAKING:
                edges[node.path] |= dict.fromkeys(found.reads, column)
        for place, text in _references(node, one):
            _compiled(known, node, "", text, one, place)
    for circle in _circles(edges):
        _tell_circle(form, circle, edges, one)


def _rules(node: Node) -> Iterator[tuple[str, str]]:
    """The columns of a row that hold expressions."""
    for each in fields(Rules):
        text = getattr(node.rules, each.name)
        if text and (each.name != "default" or (isinstance(node, Question) and node.default_is_expression)):
            yield each.name, text


def _references(node: Node, one: Source) -> Iterator[tuple[Place, str]]:
    """The answers that texts repeat: `Are there really ${workers}?`. Raises Enough."""
    texts: dict[str, Texts] = {"label": node.label}
    if isinstance(node, Question):
        texts |= {"hint": node.hint, "required_message": node.required_message}
        texts |= {"constraint_message": node.constraint_message}
    for name, said in texts.items():
        for language, text in said.items():
            place, found = one.sheet.place(node.row, name, language), _REFERENCE.findall(text)
            if text.count("${") != len(found):
                one.found.problem(place, BAD_REFERENCE, example="${name}")
            for reference in dict.fromkeys(found):
                yield place, reference


def _compiled(
    known: Expressions, node: Node, column: str, text: str, one: Source, place: Place | None = None
) -> Expression | None:
    try:
        return known.of(text, node.path, filtering=column == "choice_filter")
    except BadExpression as error:
        values = {name: str(value) for name, value in error.values.items()}
        one.found.problem(place or one.sheet.place(node.row, column), error.msgid, **values)
    return None


def _circles(edges: Edges) -> Iterator[list[Path]]:
    """Each way that leads back to where it began, from the first row on; a row that is in one is in no second."""
    done: set[Path] = set()
    for start in edges:
        way: dict[Path, None] = {}
        waiting: list[Iterator[Path]] = [iter([start])]
        while waiting:
            path = next(waiting[-1], None)
            if path is None:
                waiting.pop()
                if way:
                    done.add(way.popitem()[0])
            elif path in way:
                steps = list(way)
                yield steps[steps.index(path) :]
                done.update(steps)
            elif path not in done and path in edges:
                way[path] = None
                waiting.append(iter(edges[path]))


def _tell_circle(form: Definition, circle: list[Path], edges: Edges, one: Source) -> None:
    """At its first row that has an expression."""
    steps = list(zip(circle, [*circle[1:], circle[0]], strict=True))
    ruled = [(form.nodes[path].row, path, edges[path][to]) for path, to in steps if edges[path][to]]
    row, path, column = min(ruled)
    begin = circle.index(path)
    names = _names([*circle[begin:], *circle[:begin], path])
    one.found.problem(one.sheet.place(row, column), CIRCLE, names=names)


def _names(paths: Iterable[Path]) -> str:
    shown = [path[-1] for path in paths]
    return " → ".join(shown if len(shown) <= 12 else [*shown[:6], "…", *shown[-5:]])
