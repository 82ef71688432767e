"""What depends on what in a form: worked out once for a version, and kept for everybody who fills it in. Pure.

When an answer changes, only what is below it here is looked at again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from intake.forms.expressions import Expression, Expressions
from intake.forms.nodes import UNASKED, Definition, Group, Node, Path, Question
from intake.forms.others import with_others


class Plan:
    """`order` puts every node behind what its relevance and its value depend on; groups before what is in them."""

    def __init__(self, form: Definition) -> None:
        self.form = form = with_others(form)
        self._expressions = Expressions(form)
        self.relevant: dict[Path, Expression] = {}
        self.value: dict[Path, Expression] = {}  # of a question: its calculation; of a repeat: how often
        self._needs: dict[Path, set[Path]] = {}
        for node in form.walk():
            self._add(node)
        self._below: dict[Path, set[Path]] = defaultdict(set)
        for path, needs in self._needs.items():
            for needed in needs:
                self._below[needed].add(path)
        self.order = self._ordered()
        self._place = {path: number for number, path in enumerate(self.order)}

    def _add(self, node: Node) -> None:
        needs = {node.path[:-1]} if len(node.path) > 1 else set()
        if node.rules.relevant:
            self.relevant[node.path] = found = self.expression(node, node.rules.relevant)
            needs |= found.reads
        value = node.rules.repeat_count if isinstance(node, Group) else node.rules.calculation
        if value:
            self.value[node.path] = found = self.expression(node, value)
            needs |= found.reads
        self._needs[node.path] = (needs & self.form.nodes.keys()) - {node.path}

    def _ordered(self) -> tuple[Path, ...]:
        """As in the sheet, but nothing before what it needs. What goes round in a circle comes last."""
        waiting = {path: set(needs) for path, needs in self._needs.items()}
        ready = [path for path, needs in waiting.items() if not needs]
        found: dict[Path, None] = {}
        while ready:
            path = ready.pop(0)
            found[path] = None
            for below in self._below.get(path, ()):
                waiting[below].discard(path)
                if not waiting[below] and below not in found and below not in ready:
                    ready.append(below)
        return tuple(found | dict.fromkeys(path for path in waiting if path not in found))

    def expression(self, node: Node, source: str, *, filtering: bool = False) -> Expression:
        """Compiled when first asked for. Raises BadExpression."""
        return self._expressions.of(source, node.path, filtering=filtering)

    def below(self, paths: Iterable[Path]) -> list[Path]:
        """All whose relevance or value may be another when these change, themselves included, in order."""
        found, waiting = set[Path](), list(paths)
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting.extend(self._below.get(path, ()))
        return sorted(found, key=self._place.__getitem__)

    @cached_property
    def filtered(self) -> Mapping[Path, frozenset[Path]]:
        """Questions whose list of choices depends on answers, and on which."""
        found = {}
        for question in self.form.questions:
            if question.rules.choice_filter:
                reads = self.expression(question, question.rules.choice_filter, filtering=True).reads
                found[question.path] = reads
        return found


def is_asked(node: Node) -> bool:
    """Whether a person is to answer it: not what is calculated, nor what is only said."""
    return isinstance(node, Question) and node.type not in UNASKED and not node.rules.calculation and not node.read_only
