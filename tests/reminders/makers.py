"""A deadline as staff would enter it, for the tests of reminders."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from facts.recurrence import monthly
from reminders.deadlines import create_deadline
from storage.scopes import Line
from storage.tables import Deadline, Form, Subject, TargetKind
from tests.cast import Cast


def a_new_deadline(cast: Cast, targets: Iterable[tuple[TargetKind, int] | Line] = (), **other: Any) -> Deadline:
    """A monthly one by the 10th (`day`) from December 2026, as staff would enter it."""
    wanted: dict[str, Any] = {
        "title": "Monitoraggio mensile",
        "subject": Subject.PROJECT,
        "rule": monthly(other.pop("day", 10)),
        "first_on": date(2026, 12, 1),
        "until": None,
        "zone": "Europe/Rome",
        "opens_days_before": 20,
        "created_by": None,
        "now": cast.now,
    } | other
    form_id = wanted.pop("form_id", None) or a_form_for(cast, wanted["subject"])
    return create_deadline(cast.session, form_id=form_id, targets=[Line(*target) for target in targets], **wanted)


def a_form_for(cast: Cast, subject: Subject) -> int:
    """One that tells of projects, or of organisations."""
    key = "project-update" if subject is Subject.PROJECT else "local-need"
    form_id = cast.a_form(key).form_id
    cast.session.get_one(Form, form_id).about = subject.value
    return form_id
