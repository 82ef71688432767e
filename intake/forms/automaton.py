"""A machine that reads a text once, in all the states it could be in at the same time. Pure.

What is remembered of the sets of states it met makes it quick; nothing it reads can make it slow (Thompson, 1968).
"""

from collections.abc import Callable

MOST_STATES = 4000
MOST_WORK = 1_000_000  # states looked at for one text: a quarter of a second
MOST_REMEMBERED = 20_000  # states in all the sets that are kept
EDGE, WORD, OTHER = range(3)  # what is beside a place in the text

Test = Callable[[str], bool]
Condition = Callable[[int, int], bool]  # what is before, what is after
Piece = tuple[int, int]  # the first and the last state of a part


class TooManyStates(Exception):
    """It would be too large."""


class TooMuchWork(Exception):
    """The text was not read to its end."""


class Automaton:
    """From each state on by reading a character that passes a test, or freely under a condition."""

    def __init__(self) -> None:
        self._tests: list[tuple[Test, int] | None] = []
        self._free: list[list[tuple[Condition | None, int]]] = []
        self._closed: dict[tuple[frozenset[int], int, int], frozenset[int]] = {}
        self._stepped: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self.work = 0  # states looked at for the last text; what is remembered costs nothing
        self._kept = 0  # both are shared by threads: at worst one text is allowed a little more
        self.ends: Piece = (0, 0)

    def fits(self, text: str) -> bool:
        """The whole text, as JavaRosa has it, not some part. Raises TooMuchWork."""
        states, before, self.work = frozenset({self.ends[0]}), EDGE, 0
        for character in text:
            if self.work > MOST_WORK:
                raise TooMuchWork
            after = WORD if is_word(character) else OTHER
            states = self._step(self._close(states, before, after), character)
            if not states:
                return False
            before = after
        return self.ends[1] in self._close(states, before, EDGE)

    def state(self) -> int:
        """A new one. Raises TooManyStates."""
        if len(self._tests) >= MOST_STATES:
            raise TooManyStates
        self._tests.append(None)
        self._free.append([])
        return len(self._tests) - 1

    def join(self, one: int, other: int, condition: Condition | None = None) -> None:
        self._free[one].append((condition, other))

    def reading(self, test: Test) -> Piece:
        first, last = self.state(), self.state()
        self._tests[first] = (test, last)
        return first, last

    def _close(self, states: frozenset[int], before: int, after: int) -> frozenset[int]:
        key = (states, before, after)
        known = self._closed.get(key)
        if known is not None:
            return known
        found, waiting = set(states), list(states)
        while waiting:
            for condition, state in self._free[waiting.pop()]:
                if state not in found and (condition is None or condition(before, after)):
                    found.add(state)
                    waiting.append(state)
        closed = frozenset(found)
        self._spend(len(closed))
        self._closed[key] = closed
        return closed

    def _step(self, states: frozenset[int], character: str) -> frozenset[int]:
        key = (states, character)
        known = self._stepped.get(key)
        if known is not None:
            return known
        tests = (self._tests[state] for state in states)
        stepped = frozenset(one[1] for one in tests if one is not None and one[0](character))
        self._spend(len(states))
        self._stepped[key] = stepped
        return stepped

    def _spend(self, states: int) -> None:
        self.work += states
        self._kept += states
        if self._kept > MOST_REMEMBERED:
            self._closed.clear()
            self._stepped.clear()
            self._kept = 0


def is_word(character: str) -> bool:
    """A letter of ASCII, a digit or `_`: `\\w` in Java."""
    return character.isascii() and (character.isalnum() or character == "_")
