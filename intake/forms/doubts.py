"""What makes an allowed answer implausible beside what is known of the project, so that it is asked back. Pure.

Hangs on what the answer is bound to (`raccordo::field`), never on the form: a form knows no project.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from facts.languages import N_, Language
from facts.numbers import show_cents
from intake.forms.filling import Filling, Item
from intake.forms.nodes import Bound
from intake.forms.outcomes import Answered, Doubt, Sentence
from intake.forms.values import fits, show

FAR = timedelta(days=5 * 365 + 1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer is compared with. `last`: answers of last time, by key; `total_cents` is 0 when unknown."""

    today: date
    total_cents: int = 0
    last: Mapping[str, Any] = field(default_factory=dict)


def consider(filling: Filling, item: Item, value: Any, facts: Facts) -> Answered | Doubt:
    """An allowed answer, doubted when it is implausible."""
    sentence = doubt_about(filling, item, value, facts)
    return Answered(value) if sentence is None else Doubt(sentence, (value,))


def doubt_about(filling: Filling, item: Item, value: Any, facts: Facts) -> Sentence | None:
    """What would be asked back, None when nothing."""
    bound = item.question.bound
    form = filling.plan.form
    if bound is None or not fits(form, item.question, value):
        return None
    last = facts.last.get(item.key)
    seen = _Seen(filling, item, value, last if fits(form, item.question, last) else None, facts)
    return next((found for check in _CHECKS.get(bound, ()) if (found := check(seen)) is not None), None)


@dataclass(frozen=True, slots=True)
class _Seen:
    filling: Filling
    item: Item
    value: Any
    last: Any
    facts: Facts

    def shown(self, value: Any) -> Callable[[Language], str]:
        return lambda language: show(self.filling.plan.form, self.item.question, value, language)


def _never_falls(seen: _Seen) -> Sentence | None:
    if seen.last is None or Decimal(seen.value) >= Decimal(seen.last):
        return None
    values = {"value": seen.shown(seen.value), "last": seen.shown(seen.last)}
    return Sentence(N_("Before it was {last}, now {value}: it has gone down. Is that right?"), values)


def _within_total(seen: _Seen) -> Sentence | None:
    total = seen.facts.total_cents
    if not total or Decimal(seen.value) * 100 <= total:
        return None
    values = {"value": seen.shown(seen.value), "total": lambda language: show_cents(total, language)}
    return Sentence(N_("{value} is more than the whole funding of the project ({total}). Is that right?"), values)


def _not_past(seen: _Seen) -> Sentence | None:
    if date.fromisoformat(seen.value) >= seen.facts.today:
        return None
    values = {"value": seen.shown(seen.value)}
    return Sentence(N_("{value}: this date has already passed. Is that right?"), values)


def _near_last(seen: _Seen) -> Sentence | None:
    """More than five years from last time's date; from today when there is none."""
    day, last = date.fromisoformat(seen.value), seen.last
    if abs(day - (date.fromisoformat(last) if last else seen.facts.today)) <= FAR:
        return None
    values = {"value": seen.shown(seen.value)}
    if last is None:
        return Sentence(N_("{value}: this is more than five years away. Is that right?"), values)
    values["last"] = seen.shown(last)
    return Sentence(N_("Before it was {last}, now {value}: more than five years apart. Is that right?"), values)


_CHECKS: dict[Bound, tuple[Callable[[_Seen], Sentence | None], ...]] = {
    Bound.PROGRESS: (_never_falls,),
    Bound.SPENT: (_never_falls, _within_total),
    Bound.EXPECTED_END: (_not_past, _near_last),
}
