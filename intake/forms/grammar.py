"""Reads the text of an expression into a tree of tokens. Pure: knows no form, evaluates nothing.

The grammar is XPath 1.0 as ODK cuts it (https://getodk.github.io/xforms-spec/#xpath-expressions), by elementpath's
parser with other tokens: no axes, attributes, namespaces and variables; a name before a bracket is a call, whatever
its name; `${name}` is a name too, so that places in the text stay those of its author; and comparisons, which
elementpath allows one of, follow each other as in XPath (`3 < 4 < 5`, `-3 < 3 = 6 >= 6`).
"""

import re
import threading
from functools import lru_cache

from elementpath import ElementPathError, XPath1Parser, XPathToken
from elementpath.tdop import Parser

from facts.languages import N_
from intake.forms.bad_expression import BadExpression

LONGEST = 4000  # characters of an expression; Python reads no number of more than 4300 digits
DEEPEST = 80  # brackets within brackets; also what an expression may be deep once it is read

_NAME = r"[^\d\W][\w.\-]*"
_KEPT = (
    *("(start)", "(end)", "(invalid)", "(unknown)", "(string)", "(float)", "(decimal)", "(integer)"),
    *(",", ")", "]", "or", "and", "+", "-", "*", "div", "mod", "/", "[", "(", ".", ".."),
)


class Name(XPathToken):
    """A step, `${name}`, or with `called` a function: then its items are the arguments."""

    symbol = lookup_name = "(name)"
    label = "name"
    called = False
    value: str

    def nud(self) -> "Name":
        if self.parser.next_token.symbol != "(":
            return self
        self.called = True
        self.parser.advance("(")
        if self.parser.next_token.symbol != ")":
            self.append(self.parser.expression(5))
        while self.parser.next_token.symbol == ",":
            self.parser.advance(",")
            self.append(self.parser.expression(5))
        self.parser.advance(")")
        return self


class _Parser(XPath1Parser):
    name_pattern = re.compile(rf"\$\{{[^{{}}]*\}}|{_NAME}(?::{_NAME})?")
    symbol_table = {symbol: XPath1Parser.symbol_table[symbol] for symbol in _KEPT} | {"(name)": Name}


for _symbol, _binding in {"=": 30, "!=": 30, "<": 33, "<=": 33, ">": 33, ">=": 33}.items():
    _Parser.infix(_symbol, _binding)

_parser = _Parser()
_one_at_a_time = threading.Lock()  # the parser keeps where it is in itself


@lru_cache(512)
def read(text: str) -> XPathToken:
    """The token at the root. Raises BadExpression."""
    _check(text)
    with _one_at_a_time:
        try:
            return Parser.parse(_parser, text)  # XPath1Parser's own would also evaluate what it can
        except ElementPathError as error:
            token = error.token
        except RecursionError:
            raise too_deep() from None
    if token is None or token.symbol == "(end)":
        raise BadExpression(N_("The expression stops too early: something is missing at the end."), None, len(text))
    raise not_understood(text[slice(*token.span)], token.span[0] + 1)


def place_of(token: XPathToken) -> int:
    """Where a token begins, counted from 1."""
    return token.span[0] + 1


def too_deep() -> BadExpression:
    return BadExpression(N_("The expression is nested too deeply: put parts of it into calculations of their own."))


def not_understood(found: str, position: int) -> BadExpression:
    values = {"found": found, "position": position}
    return BadExpression(N_("I do not understand “{found}” at character {position}."), values, position)


_PIECES = re.compile(r"""'[^']*'|"[^"]*"|\$\{[^{}'"]*\}|\$\{|['"‘’“”„«»`´]|[()\[\]]""")
_CLOSING = {"(": ")", "[": "]"}
_NOT_CLOSED = N_("The bracket {found} at character {position} is not closed.")
_ODD = {
    "${": N_("The name after {found} at character {position} is not closed by a curly bracket."),
    **dict.fromkeys("'\"", N_("The quotation mark {found} at character {position} is not closed.")),
    **dict.fromkeys(
        "‘’“”„«»`´",
        N_("{found} at character {position} is no quotation mark here: write ' before and after the text."),
    ),
}


def _check(text: str) -> None:
    """Length, quotation marks and brackets: what the parser could only call a syntax error."""
    if len(text) > LONGEST:
        values = {"limit": LONGEST, "length": len(text)}
        raise BadExpression(N_("The expression has {length} characters: {limit} at most."), values)
    if not text.strip():
        raise BadExpression(N_("There is nothing to calculate here."))
    opened: list[tuple[str, int]] = []
    for piece in _PIECES.finditer(text):
        _follow(piece[0], piece.start() + 1, opened)
    if opened:
        raise _unbalanced(_NOT_CLOSED, *opened[-1])


def _follow(piece: str, position: int, opened: list[tuple[str, int]]) -> None:
    """`opened` are the brackets so far that wait to be closed."""
    if piece in _ODD:
        raise _unbalanced(_ODD[piece], piece, position)
    if piece in _CLOSING:
        opened.append((piece, position))
        if len(opened) > DEEPEST:
            raise too_deep()
    elif piece in _CLOSING.values():
        if not opened:
            raise _unbalanced(N_("The bracket {found} at character {position} was never opened."), piece, position)
        bracket, place = opened.pop()
        if _CLOSING[bracket] != piece:
            raise _unbalanced(_NOT_CLOSED, bracket, place)


def _unbalanced(msgid: str, found: str, position: int) -> BadExpression:
    return BadExpression(msgid, {"found": found, "position": position}, position)
