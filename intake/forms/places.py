"""Which answers an expression speaks of: `${name}`, `.`, `..` and paths; found in the form once, in answers each time.

`${name}` is resolved as pyxform does it: within the repetition that both are in, else wherever it is. From `works/note`
`${cost}` is the cost of the same works, from outside it is all costs; `${works}` is all works, from inside too. So are
`/data/works/cost` and `/data/works`, as JavaRosa gives an absolute path the repetitions of who asks. Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from facts.languages import N_
from intake.forms.bad_expression import BadExpression, likely
from intake.forms.instance import Instance, Scope
from intake.forms.nodes import Definition, Path

ROOT = "data"  # what pyxform calls the outermost node

Keys = Callable[[Scope], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Nodes of one path. `one` says the key when there is just one, `fixed` is it when it is always the same.

    `repeats` are those whose number of repetitions matters. `last`: among last time's answers. `absolute`: by a path
    from the root, without predicates.
    """

    path: Path
    keys: Keys
    one: Callable[[Scope], str] | None = None
    fixed: str | None = None
    repeats: tuple[Path, ...] = ()
    last: bool = False
    absolute: bool = False

    def answers(self, scope: Scope) -> Instance:
        return scope.last if self.last else scope.answers


def itself(path: Path) -> Place:
    """`.`"""
    return _single(path, lambda scope: scope.at)


def who_asks(path: Path) -> Place:
    """`current()`"""
    return _single(path, lambda scope: scope.asker)


def root() -> Place:
    """`/data`"""
    return replace(_from(0, (), last=False), absolute=True)


def named(form: Definition, name: str, at: Path, *, last: bool = False, everywhere: bool = False) -> Place:
    """`${name}` in an expression of the node at a path. `everywhere`: in any repetition. Raises BadExpression."""
    path = _only(form, name)
    shared = 0 if everywhere else _shared(form, path, at)
    repeated = next((n for n in range(shared + 1, len(path) + 1) if path[:n] in form.repeats), len(path) + 1)
    place = _from(shared, path[: repeated - 1], last)
    for step in path[repeated - 1 :]:
        place = _down(form, place, step)
    return place


def child(form: Definition, place: Place, name: str, at: Path) -> Place:
    """`place/name` in an expression of the node at a path. Raises BadExpression."""
    depth, paths = len(place.path), form.named.get(name, ())
    if (*place.path, name) in paths:
        shared = place.absolute and place.path in form.repeats and place.path == at[:depth]
        return _down(form, replace(_from(depth, place.path, last=False), absolute=True) if shared else place, name)
    if paths:
        sentence = N_("“{found}” must be written {likely} in an expression.")
        raise BadExpression(sentence, {"found": name, "likely": f"${{{name}}}"})
    beside = [path[-1] for path in form.nodes if path[:-1] == place.path]
    raise unknown(name, (*beside, *(f"${{{each}}}" for each in form.named if each not in beside)))


def parent(place: Place) -> Place:
    """`place/..`. Raises BadExpression above the form."""
    if not place.path:
        raise BadExpression(N_("“..” leads out of the form here."))
    one, keys = place.one, place.keys
    return replace(
        place,
        path=place.path[:-1],
        keys=lambda scope: list(dict.fromkeys(_above(key) for key in keys(scope))),
        one=None if one is None else lambda scope: _above(one(scope)),
        fixed=None if place.fixed is None else _above(place.fixed),
    )


def unknown(name: str, known: Iterable[str]) -> BadExpression:
    meant = likely(name, known)
    if meant:
        sentence = N_("There is no question “{found}”. Did you mean “{likely}”?")
        return BadExpression(sentence, {"found": name, "likely": meant})
    return BadExpression(N_("There is no question “{found}”."), {"found": name})


def repetition(key: str) -> int:
    """`works[2]` → 2; 1 for what is not repeated."""
    return int(key[key.rindex("[") + 1 : -1]) if key.endswith("]") else 1


def _only(form: Definition, name: str) -> Path:
    paths = form.named.get(name, ())
    if len(paths) == 1:
        return paths[0]
    if not paths:
        raise unknown(name, form.named)
    raise BadExpression(N_("Several questions are called “{found}”: give them different names."), {"found": name})


def _shared(form: Definition, path: Path, at: Path) -> int:
    """How many steps lead to the innermost repeat that both are in."""
    together = (n for n in range(len(path) - 1, 0, -1) if path[:n] == at[:n] and path[:n] in form.repeats)
    return next(together, 0)


def _from(depth: int, path: Path, last: bool) -> Place:
    """Down from the repetition that is so many steps above who asks, without further repeats."""
    rest = "/".join(path[depth:])
    if not depth:
        return Place(path, lambda _scope: (rest,), lambda _scope: rest, rest, last=last)
    if not rest:
        return replace(_single(path, lambda scope: scope.around(depth)), last=last)
    return replace(_single(path, lambda scope: f"{scope.around(depth)}/{rest}"), last=last)


def _single(path: Path, one: Callable[[Scope], str]) -> Place:
    return Place(path, lambda scope: (one(scope),), one)


def _down(form: Definition, place: Place, name: str) -> Place:
    path, one, keys = (*place.path, name), place.one, place.keys
    if path in form.repeats:
        return replace(
            place,
            path=path,
            keys=lambda scope: _each(place, scope, name),
            one=None,
            fixed=None,
            repeats=(*place.repeats, path),
        )
    return replace(
        place,
        path=path,
        keys=lambda scope: [_below(key, name) for key in keys(scope)],
        one=None if one is None else lambda scope: _below(one(scope), name),
        fixed=None if place.fixed is None else _below(place.fixed, name),
    )


def _each(place: Place, scope: Scope, name: str) -> list[str]:
    found: list[str] = []
    for key in place.keys(scope):
        below = _below(key, name)
        number = place.answers(scope).repetitions(below)
        scope.work.spend(number)
        found += [f"{below}[{n}]" for n in range(1, number + 1)]
    return found


def _below(key: str, name: str) -> str:
    return f"{key}/{name}" if key else name


def _above(key: str) -> str:
    return key.rpartition("/")[0]
