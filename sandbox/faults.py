"""What can go wrong on Telegram's side, on demand: which calls, how often, and how. Knows no method.

In process `telegram.faults` is any function of method and parameters; `FaultRules` is the one that is also JSON.
docs/sandbox.md lists every fault, these and those that people and groups cause.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.updates import OTHER_POLLER
from sandbox.wire import Json, Refusal

WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: OTHER_POLLER,
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Drop(StrEnum):
    BEFORE = "before"  # the call never happened
    AFTER = "after"  # the call happened, its answer got lost (of a download: half of it)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call: first `delay` (seconds), then an error answer, or a dropped connection."""

    status: int = 0
    description: str = ""
    retry_after: int | None = None
    parameters: Json | None = None
    drop: Drop | None = None
    delay: float = 0.0

    def refusal(self) -> Refusal:
        parameters = {} if self.retry_after is None else {"retry_after": self.retry_after}
        words = WORDS.get(self.status, "Internal Server Error")
        if self.status == 429:
            words = f"Too Many Requests: retry after {self.retry_after}"
        return Refusal(self.status, self.description or words, parameters | (self.parameters or {}))


Faults = Callable[[str, Json], Fault | None]


@dataclass(slots=True)
class FaultRule:
    """A fault for calls of one method ("" = any) and one chat (None = any).

    It strikes every `every`-th call, `times` times at most, and for `seconds` at most after it was set.
    """

    fault: Fault
    method: str = ""
    chat_id: int | None = None
    times: int | None = None
    every: int = 1
    seconds: float | None = None
    seen: int = 0

    def strikes(self, method: str, params: Json, age: float) -> bool:
        if self.method not in {"", method} or self.times == 0:
            return False
        if self.chat_id is not None and str(params.get("chat_id")) != str(self.chat_id):
            return False
        if self.seconds is not None and age >= self.seconds:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class FaultRules:
    """Rules in order, the first that strikes wins; to be set as `telegram.faults`."""

    rules: list[FaultRule] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    since: float = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.clock()

    def __call__(self, method: str, params: Json) -> Fault | None:
        age = self.clock() - self.since
        return next((rule.fault for rule in self.rules if rule.strikes(method, params, age)), None)


def read_rule(given: Json) -> FaultRule:
    """A rule from JSON: the names of FaultRule and Fault in one flat object."""
    when = {name: given[name] for name in ("method", "chat_id", "times", "every", "seconds") if name in given}
    names = ("status", "description", "retry_after", "parameters", "delay")
    what = {name: given[name] for name in names if name in given}
    return FaultRule(Fault(**what, drop=Drop(given["drop"]) if given.get("drop") else None), **when)
