"""Whether a whole text fits a regular expression, in time that grows with its length alone. Pure.

Python's `re` tries one way after another: with `(a+)+b` thirty letters hold the process up for minutes, and nothing
can stop it. Here the pattern becomes an automaton, so there is none to be afraid of, and no clock is needed.

The language is Java's as far as an automaton goes: no look-around, back references and possessive quantifiers, and no
sets of sets. They are refused by name, and so is what would need too many states.
"""

import re
import unicodedata
from functools import lru_cache

from intake.forms.automaton import EDGE, WORD, Automaton, Condition, Piece, Test, TooManyStates, is_word

LONGEST = 500
DEEPEST = 30  # groups within groups


class BadPattern(ValueError):
    """`found` is what is not understood, or not possible here; empty when the pattern as a whole is too large."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


@lru_cache(64)
def pattern(text: str) -> Automaton:
    """Raises BadPattern. Kept, with what it remembers, as the same few patterns are asked for at every answer."""
    if len(text) > LONGEST:
        raise BadPattern("")
    try:
        return _Reader(text).whole()
    except TooManyStates:
        raise BadPattern("") from None


def _boundary(before: int, after: int) -> bool:
    return (before == WORD) is not (after == WORD)


CONDITIONS: dict[str, Condition] = {
    "^": lambda before, _after: before == EDGE,
    "$": lambda _before, after: after == EDGE,
    "\\b": _boundary,
    "\\B": lambda before, after: not _boundary(before, after),
    "\\A": lambda before, _after: before == EDGE,
    "\\z": lambda _before, after: after == EDGE,
    "\\Z": lambda _before, after: after == EDGE,
}
CLASSES: dict[str, Test] = {
    "d": lambda one: "0" <= one <= "9",
    "w": is_word,
    "s": lambda one: one in " \t\n\x0b\f\r",
}
PROPERTIES: dict[str, Test] = {
    "Alpha": lambda one: one.isascii() and one.isalpha(),
    "Digit": CLASSES["d"],
    "Alnum": lambda one: one.isascii() and one.isalnum(),
    "Upper": lambda one: "A" <= one <= "Z",
    "Lower": lambda one: "a" <= one <= "z",
    "Punct": lambda one: one.isascii() and one.isprintable() and not one.isalnum() and one != " ",
    "Space": CLASSES["s"],
    "IsAlphabetic": str.isalpha,
}
CATEGORIES = {"L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "N", "Nd", "Nl", "No", "P", "S", "Sc", "Z", "Zs"}
CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
QUANTIFIER = re.compile(r"([*+?]|\{([0-9]{1,4})(,?)([0-9]{0,4})\})\??(?![*+?{])")
NAMED = re.compile(r"\?<[A-Za-z][A-Za-z0-9]*>")
PROPERTY = re.compile(r"\{(\w+)\}|(\w)")


class _Reader:
    """Reads a pattern into an automaton. What is repeated is read again for each of its copies."""

    def __init__(self, text: str) -> None:
        self._any_case = text.startswith("(?i)")
        self._text = text.removeprefix("(?i)")
        self._at = 0
        self._depth = 0
        self._machine = Automaton()

    def whole(self) -> Automaton:
        self._machine.ends = self._alternatives()
        if self._at < len(self._text):
            raise BadPattern(self._text[self._at])
        return self._machine

    def _alternatives(self) -> Piece:
        first, last = self._machine.state(), self._machine.state()
        while True:
            one = self._sequence()
            self._machine.join(first, one[0])
            self._machine.join(one[1], last)
            if not self._take("|"):
                return first, last

    def _sequence(self) -> Piece:
        first = last = self._machine.state()
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            one = self._repeated()
            self._machine.join(last, one[0])
            last = one[1]
        return first, last

    def _repeated(self) -> Piece:
        start = self._at
        one = self._atom()
        found = QUANTIFIER.match(self._text, self._at)
        if found is None:
            return one
        sign, least, comma, most = found.groups()
        fewest = int(least or sign == "+")
        limit = int(most) if most else None if comma or sign in "*+" else fewest or int(sign == "?")
        if limit is not None and limit < fewest:
            raise BadPattern(found[0])
        copied = self._copies(start, fewest, limit)
        self._at = found.end()
        return copied

    def _copies(self, start: int, fewest: int, limit: int | None) -> Piece:
        """`fewest` that must be there, then those that may be, each with a way out before it; the last for ever."""
        first = last = self._machine.state()
        end = self._machine.state()
        for n in range(fewest + 1 if limit is None else limit):
            self._at = start
            one = self._atom()
            self._machine.join(last, one[0])
            if n >= fewest:
                self._machine.join(last, end)
            last = one[1]
        if limit is None:
            self._machine.join(last, one[0])
        self._machine.join(last, end)
        return first, end

    def _atom(self) -> Piece:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return self._machine.reading(self._cased(self._set()))
        if character == ".":
            return self._machine.reading(lambda one: one not in "\n\r\x85\u2028\u2029")
        if character in "*+?{})]":
            raise BadPattern(character)
        condition = CONDITIONS.get(self._text[self._at - 1 : self._at + 1] if character == "\\" else character)
        if condition is None:
            return self._machine.reading(self._cased(_test(self._escaped() if character == "\\" else character)))
        self._at += character == "\\"
        first, last = self._machine.state(), self._machine.state()
        self._machine.join(first, last, condition)
        return first, last

    def _group(self) -> Piece:
        if self._text.startswith("?", self._at) and not self._take("?:"):
            named = NAMED.match(self._text, self._at)
            if named is None:
                raise BadPattern("(" + self._text[self._at : self._at + 2])
            self._at = named.end()
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadPattern("")
        found = self._alternatives()
        self._depth -= 1
        if not self._take(")"):
            raise BadPattern("(")
        return found

    def _escaped(self) -> str | Test:
        """What stands after a backslash: one character, or what a class of characters passes."""
        letter = self._next()
        if letter.lower() in CLASSES:
            return _unless(letter.isupper(), CLASSES[letter.lower()])
        if letter in "pP":
            return _unless(letter == "P", self._property())
        if letter in "ux":
            return self._by_number(4 if letter == "u" else 2)
        if letter in CONTROLS:
            return CONTROLS[letter]
        if letter.isalnum():
            raise BadPattern(f"\\{letter}")
        return letter

    def _property(self) -> Test:
        found = PROPERTY.match(self._text, self._at)
        name = (found[1] or found[2]) if found else ""
        category = name.removeprefix("Is")
        if found is None or (name not in PROPERTIES and category not in CATEGORIES):
            raise BadPattern(f"\\p{{{name}}}")
        self._at = found.end()
        return PROPERTIES.get(name) or (lambda one: unicodedata.category(one).startswith(category))

    def _by_number(self, digits: int) -> str:
        shown = self._text[self._at : self._at + digits]
        if len(shown) < digits or not all(one in "0123456789abcdefABCDEF" for one in shown):
            raise BadPattern(f"\\{shown}")
        self._at += digits
        return chr(int(shown, 16))

    def _set(self) -> Test:
        """`[a-z\\d_]`, `[^…]`; not Java's sets of sets."""
        negated = self._take("^")
        tests = [self._member()]
        while not self._take("]"):
            tests.append(self._member())
        return _unless(negated, lambda one: any(test(one) for test in tests))

    def _member(self) -> Test:
        low = self._in_set()
        if self._text.startswith("-]", self._at) or not self._take("-"):
            return _test(low)
        high = self._in_set()
        if not isinstance(low, str) or not isinstance(high, str) or low > high:
            raise BadPattern("-")
        return lambda one: low <= one <= high

    def _in_set(self) -> str | Test:
        character = self._next()
        if character in "[]" or (character == "&" and self._text.startswith("&", self._at)):
            raise BadPattern(character)
        return self._escaped() if character == "\\" else character

    def _cased(self, test: Test) -> Test:
        if not self._any_case:
            return test
        return lambda one: test(one) or (len(one.swapcase()) == 1 and test(one.swapcase()))

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise BadPattern(self._text[-1:])
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, text: str) -> bool:
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True


def _test(found: str | Test) -> Test:
    return (lambda one: one == found) if isinstance(found, str) else found


def _unless(negated: bool, test: Test) -> Test:
    return (lambda one: not test(one)) if negated else test
