"""Who acts on the question of this address, and as what. A page that is about one question asks here who may.

`ActorHere` and `ManagerHere` are the signed-in person with the role they have in this question; `Worker` is whoever
works on questions, all of them or a part. Other pages go by the account's own role (`desk/pages.py`). Decides nothing:
the rule is `answering/roles.py`, and each act asks it again.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends
from sqlmodel import Session

from answering.roles import role_in
from desk.pages import House, Id, Reader
from desk.security import NotAllowed, SignedIn
from storage import local_roles
from storage.tables import Question, Role, Staff


def in_question(session: Session, signed: SignedIn, question: Question) -> SignedIn:
    return replace(signed, role=role_in(session, session.get_one(Staff, signed.staff_id), question))


def _here(house: House, signed: Reader, question_id: Id) -> SignedIn:
    """Of a question that is not there: whoever may work on any is told so, and whoever may on none is refused."""
    with house.database.read() as session:
        question = session.get(Question, question_id)
        if question is not None:
            return in_question(session, signed, question)
        if not signed.may_act and local_roles.works_somewhere(session, signed.staff_id):
            return replace(signed, role=Role.VOLUNTEER)
    return signed


def _actor_here(signed: Annotated[SignedIn, Depends(_here)]) -> SignedIn:
    if not signed.may_act:
        raise NotAllowed
    return signed


def _manager_here(signed: Annotated[SignedIn, Depends(_here)]) -> SignedIn:
    if not signed.may_manage:
        raise NotAllowed
    return signed


def works(session: Session, signed: SignedIn) -> bool:
    """Whether they work on questions, all of them or a part."""
    return signed.may_act or local_roles.works_somewhere(session, signed.staff_id)


def _worker(house: House, signed: Reader) -> SignedIn:
    with house.database.read() as session:
        if not works(session, signed):
            raise NotAllowed
    return signed


ActorHere = Annotated[SignedIn, Depends(_actor_here)]
ManagerHere = Annotated[SignedIn, Depends(_manager_here)]
Worker = Annotated[SignedIn, Depends(_worker)]
