"""Records "nothing has changed" for what a reminder told of, at once. Only what was answered before and would do again.

What it cannot be said of is told, with what to do instead: the first update, answers that were begun otherwise, a form
that asks more by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from facts.languages import N_
from intake.forms.doubts import doubt_about
from intake.forms.filling import Filling, Item
from intake.forms.nodes import About
from intake.forms.outcomes import Sentence
from intake.post.asking import Asked, last_of
from intake.post.filled_drafts import UNCHANGED_STEP, unfinished
from intake.post.reply_case import ReplyCase, Told
from intake.updates import owed, record_update
from storage.tables import Draft, Update


class Why(Enum):
    """Why it was not recorded: what is said of it."""

    SETTLED = N_("{title}: it was covered already, there was nothing more to do.")
    FIRST = N_("{title}: this is the first update here, so a few answers are needed.")
    BEGUN = N_("{title}: you had begun to write something else. Finish that, or throw it away.")


@dataclass(frozen=True)
class Unchanged:
    """`update` when it was recorded, else `why` not; `begun`: what had been begun; `doubts`: what may be wrong now."""

    asked: Asked
    update: Update | None = None
    why: Why | None = None
    begun: Draft | None = None
    filling: Filling | None = None

    @property
    def doubts(self) -> list[tuple[Item, Sentence]]:
        if self.filling is None:
            return []
        found = []
        for one in self.filling.items:
            if isinstance(one, Item):
                value: Any = self.filling.answers.get(one.key)
                found.append((one, doubt_about(self.filling, one, value, self.asked.facts)))
        return [(one, doubt) for one, doubt in found if doubt is not None]


def record_unchanged(case: ReplyCase, told: Told, ids: Sequence[int]) -> list[Unchanged]:
    """One for each of these obligations, in their order."""
    return [_record(case, told.asked[one], is_open=one in told.still_open) for one in ids]


def _record(case: ReplyCase, asked: Asked, *, is_open: bool) -> Unchanged:
    if not is_open:
        return Unchanged(asked, why=Why.SETTLED)
    filling = _repeated(asked)
    today = asked.facts.today
    fitting = owed(case.session, asked.concern, asked.in_use.form_id, case.referent.id, today)
    if filling is None or asked.id not in {obligation.id for obligation, _deadline in fitting}:
        return Unchanged(asked, why=Why.FIRST)
    begun = unfinished(case, asked)
    if begun is not None and begun.answers and begun.step != UNCHANGED_STEP and _differs(begun, filling):
        return Unchanged(asked, why=Why.BEGUN, begun=begun)
    update = record_update(
        case.session,
        referent_id=case.referent.id,
        about=asked.concern,
        form=asked.in_use,
        answers=filling.kept,
        channel=case.letter.channel,
        now=case.now,
        inbox_id=case.letter.inbox_id,
        obligation_id=asked.id,
        unchanged=True,
        zone=asked.owed.deadline.zone,
    )
    return Unchanged(asked, update, filling=filling)


def _repeated(asked: Asked) -> Filling | None:
    """Last time's answers once more; None where there are none that would do as they are."""
    if asked.prior.at is None or asked.in_use.form.about is not About.PROJECT:
        return None
    found = asked.filling.anew(last_of(asked.filling, asked.prior))
    return None if found.missing() else found


def _differs(begun: Draft, filling: Filling) -> bool:
    return any(filling.answers.get(key) != value for key, value in begun.answers.items())
