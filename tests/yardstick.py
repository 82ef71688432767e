"""How much work something is, told in a work that is always the same: a busy or slow machine slows both alike.

For tests that something does not explode (quadratic, backtracking): their limits are wide, an explosion is not.
"""

import time
from collections.abc import Callable


def _reference() -> int:
    """A few milliseconds of plain Python."""
    return sum(number * number % 7 for number in range(50_000))


def effort(work: Callable[[], object]) -> float:
    """The processor time of `work`, in references; measured beside it, before and after."""
    before = _took(_reference)
    mine = _took(work)
    return mine / max(before, _took(_reference), 0.001)


def _took(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
