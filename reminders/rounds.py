"""One round of the sweep: whom a look at the tables found, and who is left of them. Pure but for the look itself.

A look costs as much as there is due, so it is not made for each person anew; whoever is taken from the round is read
again before anything is decided.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from storage.due import Moment, look
from storage.snoozes import snoozers

MOST_FAILURES = 3  # people in a row: then it is not about them


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person, and the due steps that concern them."""

    referent_id: int
    step_ids: Sequence[int]


@dataclass
class Round:
    """`mixed`: in any order, so that several processes do not all run after the same people. `alone`: one at a time,
    because something failed with several.
    """

    mixed: bool = False
    alone: bool = False
    _left: deque[Waiting] = field(default_factory=deque)
    _taken: list[Waiting] = field(default_factory=list)
    _failed: set[int] = field(default_factory=set)
    _in_a_row: int = 0
    _fruitless: bool = False

    def look(self, session: Session, moment: Moment) -> bool:
        """Whether there is anybody. Not when all of those whom the last look found are with another process."""
        if self._left or self._fruitless:
            return bool(self._left)
        steps = look(session, moment)
        people = ({*steps} | snoozers(session, moment.now)) - self._failed
        found = [Waiting(referent_id, steps.get(referent_id, ())) for referent_id in sorted(people)]
        if self.mixed:
            random.shuffle(found)
        self._left.extend(found)
        self._fruitless = True
        return bool(found)

    def take(self, most: int, most_steps: int) -> Sequence[Waiting]:
        """The next of them: not more than `most`, and whoever has very many steps alone."""
        self._taken, steps = [], 0
        most = 1 if self.alone else most
        while self._left and len(self._taken) < most:
            steps += len(self._left[0].step_ids)
            if self._taken and steps > most_steps:
                break
            self._taken.append(self._left.popleft())
        return self._taken

    def decided(self) -> None:
        """Something was, about those who were taken last."""
        self._fruitless = False
        self._in_a_row = 0

    def goes_on(self) -> bool:
        """Nothing was decided, for an error. From now on they are tried one by one, and who fails alone is passed over.

        False when it is not about them, because the same happens to one after the other.
        """
        if not self.alone:
            self.alone = True
            self._left.extendleft(self._taken)
            return True
        self._failed.update(one.referent_id for one in self._taken)
        self._in_a_row += 1
        return self._in_a_row < MOST_FAILURES
