"""Deadlines that come up again and again, filled in beforehand: a beginning for the form, never a rule."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from desk.deadline_wish import Wish
from facts.languages import N_, Speaker

WORKS_UNDER_WAY = "03005"


@dataclass(frozen=True, slots=True)
class Template:
    """`sentence` says what it means. `values`: fields of a Wish."""

    key: str
    title: str
    sentence: str
    values: dict[str, Any]


TEMPLATES = (
    Template(
        "monthly",
        N_("Monthly monitoring"),
        N_("Every month by the 10th: progress and spending of the month before, as ReGiS asks of implementing bodies."),
        {"often": "monthly", "on": "day", "day": "10", "moved": "next", "opens": "9"},
    ),
    Template(
        "cohesion",
        N_("Two-monthly monitoring of cohesion"),
        N_("Every two months by the 10th, from January: the two months before, for projects of cohesion."),
        {"often": "two-monthly", "on": "day", "day": "10", "month": "1", "moved": "next", "opens": "9"},
    ),
    Template(
        "quarterly",
        N_("Quarterly monitoring"),
        N_("By the last working day of March, June, September and December: how the works stand."),
        {"often": "quarterly", "on": "last-working", "month": "3", "opens": "20"},
    ),
    Template(
        "payment",
        N_("Payment request"),
        N_("On the last working day of May and November: the expenses to be asked back, accepted by us."),
        {"often": "half-yearly", "on": "last-working", "month": "5", "opens": "30", "done_when": "accepted"},
    ),
    Template(
        "end-of-works",
        N_("End of works"),
        N_("On the first working day of each month, for works under way: whether they are finished, or by when."),
        {
            "often": "monthly",
            "on": "first-working",
            "opens": "7",
            "scope": "some",
            "phase": [WORKS_UNDER_WAY],
        },
    ),
    Template(
        "retention",
        N_("Check of the documents kept"),
        N_("Once a year, by the end of January, with ten days of grace: that every document of the project is kept."),
        {"often": "yearly", "on": "last", "month": "1", "moved": "previous", "opens": "31", "grace": "10"},
    ),
)


def begun_with(key: str, _: Speaker, zone: str, today: date) -> Wish:
    """The form as a template fills it in; as it is without one."""
    plain = Wish(zone=zone, first_on=today.isoformat())
    for template in TEMPLATES:
        if template.key == key:
            return plain.model_copy(update={**template.values, "title": _(template.title)})
    return plain
