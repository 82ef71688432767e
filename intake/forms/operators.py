"""What literals and operators of an expression become: functions of a scope. Pure. How values compare: `comparing`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from intake.forms.comparing import COMPARISONS, SUMS, Value, equal, number, truth
from intake.forms.instance import Scope

if TYPE_CHECKING:
    from intake.forms.building import Builder, Run

Token = Any  # elementpath's; it is imported only where expressions are read


def _constant(_builder: "Builder", token: Token) -> "Run":
    value: Value = str(token.value) if token.symbol == "(string)" else number(str(token.value))
    return lambda _scope: value


def _chain(token: Token, family: frozenset[str]) -> tuple[Token, list[tuple[str, Token]]]:
    """`a - b + c` → a and [(-, b), (+, c)]: however long it is, it is not deep."""
    rest: list[tuple[str, Token]] = []
    while token.symbol in family and len(token) == 2:
        rest.append((token.symbol, token[1]))
        token = token[0]
    return token, rest[::-1]


def _bracketed(builder: "Builder", token: Token) -> "Run":
    return builder.value(token[0])


def _logical(builder: "Builder", token: Token) -> "Run":
    """`and`, `or`: the rest is not looked at when the first decides."""
    first, rest = _chain(token, frozenset({token.symbol}))
    runs = [builder.value(one) for one in (first, *(operand for _, operand in rest))]
    if token.symbol == "and":
        return lambda scope: all(truth(run(scope)) for run in runs)
    return lambda scope: any(truth(run(scope)) for run in runs)


def _reckoned(builder: "Builder", token: Token) -> "Run":
    if len(token) == 1:
        sign, operand = -1.0 if token.symbol == "-" else 1.0, builder.value(token[0])
        return lambda scope: sign * number(operand(scope), scope.zone)
    first, rest = _chain(token, _SUMS if token.symbol in _SUMS else _PRODUCTS)
    start, steps = builder.value(first), [(SUMS[symbol], builder.value(operand)) for symbol, operand in rest]

    def run(scope: Scope) -> float:
        found = number(start(scope), scope.zone)
        for work, operand in steps:
            found = work(found, number(operand(scope), scope.zone))
        return found

    return run


def _compared(builder: "Builder", token: Token) -> "Run":
    work, one, other = COMPARISONS[token.symbol], builder.value(token[0]), builder.value(token[1])
    return lambda scope: work(number(one(scope), scope.zone), number(other(scope), scope.zone))


def _equal(builder: "Builder", token: Token) -> "Run":
    one, other = builder.value(token[0]), builder.value(token[1])
    if token.symbol == "=":
        return lambda scope: equal(one(scope), other(scope), scope.zone)
    return lambda scope: not equal(one(scope), other(scope), scope.zone)


_SUMS = frozenset({"+", "-"})
_PRODUCTS = frozenset({"*", "div", "mod"})
LITERALS = frozenset({"(string)", "(integer)", "(decimal)", "(float)"})
OPERATORS: "dict[str, Callable[[Builder, Token], Run]]" = {
    **dict.fromkeys(LITERALS, _constant),
    "(": _bracketed,
    **dict.fromkeys(("or", "and"), _logical),
    **dict.fromkeys(SUMS, _reckoned),
    **dict.fromkeys(COMPARISONS, _compared),
    **dict.fromkeys(("=", "!="), _equal),
}
