"""How reading what a person wrote can fail. Pure; never chooses among meanings.

ValueError
├── Unreadable(reason)      ask again, saying why
└── Ambiguous(candidates)   ask which one was meant
"""

from typing import Any

from facts.languages import N_

SENTENCES = {
    "empty": N_("There is nothing to read."),
    "not-a-number": N_("This is not a number I can read. Write it like 1234,56."),
    "negative": N_("The number cannot be below zero."),
    "decimals": N_("There are too many decimals."),
    "not-a-percentage": N_("Write a number from 0 to 100, for example 45.5."),
    "one-decimal": N_("One decimal is enough: for example 12.3."),
    "out-of-range": N_("A percentage goes from 0 to 100."),
    "too-large": N_("The amount is too large."),
    "not-a-date": N_("This is not a date I can read. Write it like 10/12/2026."),
    "no-day": N_("The day is missing. Write it like 10/12/2026."),
    "no-such-day": N_("This day does not exist in the calendar."),
    "weekday": N_("The day of the week and the date do not match."),
    "year": N_("The year is not plausible."),
}


class Unreadable(ValueError):
    """The text cannot be read; `reason` is a key of SENTENCES."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def sentence(self) -> str:
        """The message id of the explanation."""
        return SENTENCES[self.reason]


class Ambiguous(ValueError):
    """The text has several meanings; `candidates` are values of the type asked for, the likeliest first."""

    def __init__(self, *candidates: Any) -> None:
        super().__init__("several meanings")
        self.candidates: tuple[Any, ...] = candidates
