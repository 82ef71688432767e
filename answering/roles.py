"""In which role somebody acts on a question: their account's own, or the one for its category or municipality.

Whoever acts on a question asks here; whoever acts on anything else is asked for the account's own role (`may_act`).
"""

from dataclasses import dataclass

from sqlmodel import Session

from answering.refusal import Denied
from facts.languages import N_
from storage import local_roles
from storage.tables import Question, Role, Staff

APPROVERS = (Role.OFFICER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts on a question, and as what."""

    person: Staff
    role: Role

    @property
    def approves(self) -> bool:
        return self.role in APPROVERS


def role_in(session: Session, person: Staff, question: Question) -> Role:
    """The most specific local role, else the account's own; administrators are that everywhere."""
    found = local_roles.role_of(session, person.id, question.id)
    assert found is not None, "both are there"
    return found


def may_act(session: Session, staff_id: int) -> Staff:
    """The person, when their account is active and may do more than read. Of questions, ask `may_act_on`."""
    person = session.get(Staff, staff_id)
    if person is None or not person.active or person.role is Role.READER:
        raise Denied(N_("Your account can read the questions, not work on them."))
    return person


def may_work(session: Session, staff_id: int) -> Staff:
    """The person, when there may be questions on which they work. Of each of them, ask `may_act_on`."""
    person = session.get(Staff, staff_id)
    if person is not None and person.active and local_roles.works_somewhere(session, staff_id):
        return person
    return may_act(session, staff_id)


def may_act_on(session: Session, staff_id: int, question: Question) -> Acting:
    """The person and their role in this question, when it is more than reading."""
    person = session.get(Staff, staff_id)
    if person is None or not person.active:
        raise Denied(N_("Your account can read the questions, not work on them."))
    acting = Acting(person, role_in(session, person, question))
    if acting.role is not Role.READER:
        return acting
    if person.role is Role.READER:
        raise Denied(N_("Your account can read the questions, not work on them."))
    raise Denied(N_("You can read this question, not work on it: it is entrusted to others."))
