"""Expressions of forms: compiled once for a form and the node that asks, evaluated as often as an answer changes. Pure.

elementpath reads the text (`grammar`), `building` makes of each token a Python function of a `Scope`. Which answers an
expression reads is known before it is ever evaluated; nothing of it is ever run as Python. It means what it means in
ODK, which is not XPath 1.0: see `comparing`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from intake.forms.bad_expression import BadExpression
from intake.forms.comparing import Value, number, text, truth
from intake.forms.instance import MOST_WORK, Instance, Scope
from intake.forms.nodes import Definition, Path, Question

__all__ = ["BadExpression", "Expression", "Expressions", "Instance", "Scope", "Value", "compile"]


@dataclass(frozen=True, slots=True)
class Expression:
    """`reads` are the paths of the questions whose answers it looks at, and of the repeats whose number it depends on.

    `last` are those among last time's answers. `clock`: it asks for today or now.
    """

    source: str
    reads: frozenset[Path]
    last: frozenset[Path]
    clock: bool
    run: Callable[[Scope], Value] = field(repr=False, compare=False)

    def evaluate(self, scope: Scope) -> Value:
        """Raises BadExpression for too much to calculate, and for a pattern that is itself an answer and is none."""
        scope.work.left = MOST_WORK
        return self.run(scope)

    def truth(self, scope: Scope) -> bool:
        return truth(self.evaluate(scope))

    def text(self, scope: Scope) -> str:
        """As it is kept as an answer; nothing where there is no number."""
        found = self.evaluate(scope)
        return "" if found != found else text(found)  # noqa: PLR0124 - NaN is unlike itself

    def number(self, scope: Scope) -> float:
        return number(self.evaluate(scope), scope.zone)


def compile(source: str, form: Definition, at: Path, *, filtering: bool = False) -> Expression:
    """For the node at a path. `filtering`: of its list of choices, whose columns are then bare names.

    Raises BadExpression.
    """
    from intake.forms.building import Builder, Noted
    from intake.forms.grammar import read

    noted = Noted()
    run = Builder(form, at, at, noted, _columns(form, at) if filtering else None).value(read(source))
    return Expression(source, frozenset(noted.paths), frozenset(noted.last), noted.clock, run)


class Expressions:
    """Those of one version of a form, each compiled when it is first asked for."""

    def __init__(self, form: Definition) -> None:
        self.form = form
        self._kept: dict[tuple[str, Path, bool], Expression] = {}

    def of(self, source: str, at: Path, *, filtering: bool = False) -> Expression:
        """Raises BadExpression."""
        key = (source, at, filtering)
        if key not in self._kept:
            self._kept[key] = compile(source, self.form, at, filtering=filtering)
        return self._kept[key]


def _columns(form: Definition, at: Path) -> frozenset[str]:
    node = form.nodes.get(at)
    choices = form.lists.get(node.choices, ()) if isinstance(node, Question) else ()
    return frozenset({"name", "label"}.union(*(one.more for one in choices)))
