"""Makes of the tokens of an expression a Python function, and notes which answers it will read. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from elementpath import XPathToken

from facts.languages import N_
from intake.forms import places
from intake.forms.bad_expression import BadExpression, likely
from intake.forms.comparing import Value, truth
from intake.forms.functions import FUNCTIONS, REFUSED, Function
from intake.forms.grammar import DEEPEST, Name, not_understood, place_of, too_deep
from intake.forms.instance import Scope
from intake.forms.nodes import Definition, Path, Question, QuestionType
from intake.forms.operators import LITERALS, OPERATORS
from intake.forms.places import Place
from intake.forms.special import SPECIAL

Run = Callable[[Scope], Value]


class Noted:
    """What is found out on the way: paths read, of this time and of last time, whether time is, and how much it is."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.last: set[Path] = set()
        self.clock = False
        self.depth = 0
        self.size = 0


class Builder:
    """`asker` is the path of the node whose expression it is, `at` that of the node a predicate is about.

    `columns`: those of a list of choices, in a choice filter, where a bare name is one of them.
    """

    def __init__(
        self, form: Definition, asker: Path, at: Path, noted: Noted, columns: frozenset[str] | None = None
    ) -> None:
        self.form = form
        self.asker = asker
        self.at = at
        self.noted = noted
        self.columns = columns

    def value(self, token: XPathToken) -> Run:
        """Raises BadExpression."""
        self.noted.size += 1
        self.noted.depth += 1
        if self.noted.depth > DEEPEST:
            raise too_deep()
        try:
            found = self._value(token)
        except BadExpression as error:
            raise _placed(error, token) from None
        self.noted.depth -= 1
        return found

    def several(self, token: XPathToken) -> Callable[[Scope], Sequence[Value]]:
        """The value of each answer that a path speaks of; else the one value there is."""
        place = self.place(token)
        if place is None or place.one is not None:
            run = self.value(token) if place is None else self.read(place)
            return lambda scope: (run(scope),)
        kind = self.note(place)
        return lambda scope: [place.answers(scope).value(key, kind) for key in place.keys(scope)]

    def place(self, token: XPathToken) -> Place | None:
        """What a path speaks of; None for what is none. Raises BadExpression."""
        try:
            return self._place(token)
        except BadExpression as error:
            raise _placed(error, token) from None

    def note(self, place: Place) -> QuestionType | None:
        """That it is read: its type, None for a group."""
        (self.noted.last if place.last else self.noted.paths).update((place.path, *place.repeats))
        return self.kind(place.path)

    def kind(self, path: Path) -> QuestionType | None:
        node = self.form.nodes.get(path)
        return node.type if isinstance(node, Question) else None

    def read(self, place: Place) -> Run:
        """The answer; of several the first, as XPath 1.0 has it."""
        kind, one, key = self.note(place), place.one, place.fixed
        if key is not None and not place.last:
            return lambda scope: scope.answers.value(key, kind)
        if one is not None:
            return lambda scope: place.answers(scope).value(one(scope), kind)
        return lambda scope: next((place.answers(scope).value(key, kind) for key in place.keys(scope)), "")

    def _value(self, token: XPathToken) -> Run:
        operator = OPERATORS.get(token.symbol)
        if operator is not None and (len(token) or token.symbol in LITERALS):
            return operator(self, token)
        if isinstance(token, Name) and token.called and token.value != "current":
            return self._call(token)
        if isinstance(token, Name) and self.columns is not None and not token.value.startswith("$"):
            return self._column(token.value, self.columns)
        place = self.place(token)
        if place is None:
            raise not_understood(str(token.value), place_of(token))
        return self.read(place)

    def _column(self, name: str, columns: frozenset[str]) -> Run:
        if name in columns:
            languages = self.form.languages
            return lambda scope: scope.column(name, languages)
        meant = likely(name, columns)
        if not meant:
            raise BadExpression(N_("The list of choices has no column “{found}”."), {"found": name})
        sentence = N_("The list of choices has no column “{found}”. Did you mean “{likely}”?")
        raise BadExpression(sentence, {"found": name, "likely": meant})

    def _call(self, token: Name) -> Run:
        name, given = token.value, len(token)
        function = FUNCTIONS.get(name) or SPECIAL.get(name)
        if function is None:
            raise _no_function(name)
        if not function.take(given):
            raise function.wanted(name, given)
        return self._plain(function, token) if isinstance(function, Function) else function.build(self, token)

    def _plain(self, function: Function, token: Name) -> Run:
        self.noted.clock |= function.clock
        call = function.call
        if function.own and not len(token):
            return _with((self.read(places.itself(self.at)),), call)
        if function.single is None:
            return _with([self.value(one) for one in token], call)
        first = [self.value(one) for one in token[: function.single]]
        others = [self.several(one) for one in token[function.single :]]
        return lambda scope: call(
            scope, *(run(scope) for run in first), *(value for each in others for value in each(scope))
        )

    def _place(self, token: XPathToken) -> Place | None:
        if token.symbol == ".":
            return places.itself(self.at)
        if token.symbol == "..":
            return places.parent(places.itself(self.at))
        if token.symbol == "/":
            return self._path(token)
        if token.symbol == "[":
            return self._filtered(self._before(token), token[1])
        if not isinstance(token, Name):
            return None
        if token.called:
            return places.who_asks(self.asker) if token.value == "current" and not len(token) else None
        return self._named(token.value)

    def _named(self, name: str) -> Place:
        if name.startswith("$"):
            last, _, rest = name[2:-1].rpartition("#")
            if last.strip() not in {"", "last-saved"}:
                raise places.unknown(name[2:-1], self.form.named)
            return places.named(self.form, rest.strip(), self.at, last=bool(last))
        if (name in FUNCTIONS or name in SPECIAL) and name not in self.form.named:
            raise BadExpression(N_("“{found}” is a function: write {likely}."), {"found": name, "likely": f"{name}()"})
        return places.child(self.form, places.itself(self.at), name, self.at)

    def _path(self, token: XPathToken) -> Place:
        if len(token) == 2:
            before = self._before(token)
            try:
                return self._step(before, token[1])
            except BadExpression as error:
                raise _placed(error, token[1]) from None
        if len(token) == 1 and token[0].value not in {places.ROOT, self.form.key}:
            raise places.unknown(str(token[0].value), (places.ROOT,))
        return places.root()

    def _before(self, token: XPathToken) -> Place:
        found = self.place(token[0])
        if found is None:
            raise not_understood(token.symbol, place_of(token))
        return found

    def _step(self, before: Place, token: XPathToken) -> Place:
        if token.symbol == ".":
            return before
        if token.symbol == "..":
            return places.parent(before)
        if token.symbol == "[":
            return self._filtered(self._step(before, token[0]), token[1])
        if isinstance(token, Name) and not token.called and not token.value.startswith("$"):
            return places.child(self.form, before, token.value, self.at)
        raise not_understood(str(token.value), place_of(token))

    def _filtered(self, before: Place, token: XPathToken) -> Place:
        """`before[…]`: a number means the position."""
        start = self.noted.size
        run = Builder(self.form, self.asker, before.path, self.noted).value(token)
        size = self.noted.size - start

        def keys(scope: Scope) -> list[str]:
            found = before.keys(scope)
            scope.work.spend(len(found) * size)
            return [key for n, key in enumerate(found, 1) if _holds(run(scope.within(key, n)), n)]

        return replace(before, keys=keys, one=None, fixed=None, absolute=False)


def _placed(error: BadExpression, token: XPathToken) -> BadExpression:
    if error.position is None:
        error.position = place_of(token)
    return error


def _no_function(name: str) -> BadExpression:
    if name in REFUSED:
        return BadExpression(REFUSED[name], {"function": name})
    meant = likely(name, (*FUNCTIONS, *SPECIAL))
    if not meant:
        return BadExpression(N_("There is no function {function}()."), {"function": name})
    values = {"function": name, "likely": meant}
    return BadExpression(N_("There is no function {function}(). Did you mean {likely}()?"), values)


def _holds(value: Value, position: int) -> bool:
    return value == position if isinstance(value, float) else truth(value)


def _with(runs: Sequence[Run], call: Callable[..., Value]) -> Run:
    """`call` with what these give."""
    if not runs:
        return call
    first = runs[0]
    if len(runs) == 1:
        return lambda scope: call(scope, first(scope))
    if len(runs) == 2:
        second = runs[1]
        return lambda scope: call(scope, first(scope), second(scope))
    return lambda scope: call(scope, *(run(scope) for run in runs))
