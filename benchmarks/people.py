"""People who walk the update dialogue for ever, each answering as soon as the bot has. Refuses an answer that misleads.

They live in the sandbox's process, so that the bot's process does the bot's work and nothing else.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.people import Message, Person
from sandbox.telegram import TelegramSandbox

FIRST_PERSON = 5001


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Press:
    data: re.Pattern[str]


# The whole update: project, phase, progress, spent, end, problems, notes, summary, receipt.
WALK: tuple[Say | Press, ...] = (
    Say("/aggiorna"),
    Press(re.compile(r":project-")),
    Press(re.compile(r":(same|choose-)")),
    Say("50"),
    Say("100000"),
    Say("30/06/2028"),
    Press(re.compile(r":(same|choose-1)$")),
    Press(re.compile(r":skip$")),
    Press(re.compile(r":send$")),
)


class LedAstray(Exception):
    """The bot answered something after which the walk cannot go on."""


@dataclass
class Crowd:
    """What all of them measured. Latencies (seconds) and steps count only while `measuring`.

    `pause`: seconds that each of them thinks before answering.
    """

    pause: float = 0.0
    latencies: list[float] = field(default_factory=list)
    walks: int = 0
    measuring: bool = False
    walking: bool = True
    failure: str = ""


class Walker(Person):
    """One person. A step is one message of theirs and the answer to it."""

    def enter(self, crowd: Crowd) -> None:
        self.crowd, self.at, self.asked = crowd, 0, 0.0

    def add(self, raw: dict[str, Any], *, from_bot: bool) -> Message:
        message = super().add(raw, from_bot=from_bot)
        if from_bot:
            if self.crowd.measuring:
                self.crowd.latencies.append(time.perf_counter() - self.asked)
            self.at = (self.at + 1) % len(WALK)
            self.crowd.walks += self.at == 0
            asyncio.get_running_loop().call_later(self.crowd.pause, self.go_on, message)
            if len(self.chat) > 40:
                self._forget()
        return message

    def go_on(self, shown: Message | None) -> None:
        if not self.crowd.walking:
            return
        step = WALK[self.at]
        self.asked = time.perf_counter()
        if isinstance(step, Say):
            self.sends(step.text)
            return
        buttons = shown.buttons if shown else []
        data = next((one["callback_data"] for one in buttons if step.data.search(one.get("callback_data", ""))), None)
        if shown is None or data is None:
            text = shown.text if shown else ""
            self.crowd.failure = f"step {self.at} wants {step.data.pattern}, but was shown: {text!r} {buttons}"
            self.crowd.walking = False
            return
        self.presses(shown.id, data)

    def _forget(self) -> None:
        """A chat that remembers for ever would make the sandbox slower and slower."""
        del self.chat[:-8]
        self.by_id = {message.id: message for message in self.chat}
        del self.presses_made[:-4]


def enter(telegram: TelegramSandbox, number: int, crowd: Crowd) -> list[Walker]:
    """People who have written to the bot before."""
    found = []
    for user_id in range(FIRST_PERSON, FIRST_PERSON + number):
        walker = Walker(telegram.world, user_id, f"Persona{user_id}", language_code="it")
        walker.started = True
        walker.enter(crowd)
        telegram.people[user_id] = walker
        found.append(walker)
    return found
