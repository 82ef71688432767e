"""Views of the queue that people keep under a name, for themselves or for all. Shows nobody more than they may see.

Whoever signs in keeps their own; officers share them with all, and arrange those that are shared.
"""

from datetime import datetime

from sqlmodel import Session

from answering.refusal import Denied, Refused
from answering.roles import APPROVERS
from facts.languages import N_
from storage import audit, filters
from storage.tables import SavedFilter, Staff

LONGEST = 60
LONGEST_QUERY = 500
MOST = 30  # of one person


def save(session: Session, staff_id: int, name: str, query: str, *, shared: bool, now: datetime) -> SavedFilter:
    """`query`: of the queue's address, as `desk/narrowing.py` writes it."""
    person = session.get_one(Staff, staff_id)
    _may_share(person, shared=shared)
    if len(query) > LONGEST_QUERY:
        raise Refused(N_("This filter is too long to be kept."))
    if filters.count_own(session, staff_id) >= MOST:
        raise Refused(N_("You keep {most} filters already. Delete one first."), most=MOST)
    kept = SavedFilter(staff_id=staff_id, name=_checked(name), query=query, shared=shared, created_at=now)
    if not filters.keep(session, kept):
        raise _same_name(kept.name)
    audit.record(session, now, ("staff", staff_id), "filter.save", ("filter", kept.id), shared=shared)
    return kept


def change(session: Session, filter_id: int, staff_id: int, name: str, *, shared: bool, now: datetime) -> None:
    kept = _the_filter(session, filter_id, staff_id)
    if shared is not kept.shared:
        _may_share(session.get_one(Staff, staff_id), shared=shared)
    name = _checked(name)
    if not filters.rename(session, filter_id, name=name, shared=shared):
        raise _same_name(name)
    audit.record(session, now, ("staff", staff_id), "filter.change", ("filter", filter_id), shared=shared)


def delete(session: Session, filter_id: int, staff_id: int, *, now: datetime) -> SavedFilter:
    """What was deleted: to be kept again, if it was a mistake."""
    kept = _the_filter(session, filter_id, staff_id)
    session.expunge(kept)
    if filters.forget(session, filter_id):
        audit.record(session, now, ("staff", staff_id), "filter.delete", ("filter", filter_id))
    return kept


def may_change(person: Staff, kept: SavedFilter) -> bool:
    return kept.staff_id == person.id or (kept.shared and person.role in APPROVERS)


def _the_filter(session: Session, filter_id: int, staff_id: int) -> SavedFilter:
    kept, person = session.get(SavedFilter, filter_id), session.get_one(Staff, staff_id)
    if kept is None or not (kept.shared or kept.staff_id == staff_id):
        raise Refused(N_("This filter does not exist any more."))
    if not may_change(person, kept):
        raise Denied(N_("Only its owner, or an officer, changes this filter."))
    return kept


def _may_share(person: Staff, *, shared: bool) -> None:
    if shared and person.role not in APPROVERS:
        raise Denied(N_("Officers and administrators share filters with all."))


def _checked(name: str) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise Refused(N_("Write a name for this filter."))
    if len(name) > LONGEST:
        raise Refused(N_("The name is too long: {most} characters at most."), most=LONGEST)
    return name


def _same_name(name: str) -> Refused:
    return Refused(N_("There is a filter “{name}” already. Choose another name."), name=name)
