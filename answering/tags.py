"""Words on questions, beside their category: officers make them, whoever acts on a question puts them on.

A tag names a thing, never a person. It changes nothing of a question, and stops nobody who is answering.
"""

from datetime import datetime

from sqlmodel import Session

from answering.moves import the_question
from answering.refusal import Denied, Refused
from answering.roles import APPROVERS, may_act, may_act_on
from facts.folding import fold
from facts.languages import N_
from storage import audit, tags
from storage.tables import Tag

LONGEST = 40
MOST = 20  # on one question: more of them say nothing


def add(session: Session, staff_id: int, name: str, *, now: datetime) -> Tag:
    _may_arrange(session, staff_id)
    tag = tags.add(session, _checked(session, name, None), now)
    if tag is None:
        raise Refused(N_("There is a tag of this name already: {name}."), name=name)
    _note(session, "tag.add", tag, staff_id, now)
    return tag


def rename(session: Session, tag_id: int, staff_id: int, name: str, *, now: datetime) -> None:
    """On every question that has it."""
    _may_arrange(session, staff_id)
    tag = _the_tag(session, tag_id)
    tag.name = _checked(session, name, tag)
    session.add(tag)
    _note(session, "tag.rename", tag, staff_id, now)


def set_in_use(session: Session, tag_id: int, staff_id: int, *, active: bool, now: datetime) -> None:
    """A retired one stays where it is, and is offered no more."""
    _may_arrange(session, staff_id)
    tag = _the_tag(session, tag_id)
    tag.active = active
    session.add(tag)
    _note(session, "tag.use" if active else "tag.retire", tag, staff_id, now)


def put_on(session: Session, question_id: int, staff_id: int, name: str, *, now: datetime) -> None:
    """One that is in use, by its name. A new one comes of it when an officer writes it."""
    question = the_question(session, question_id)
    acting = may_act_on(session, staff_id, question)
    tag = tags.with_name(session, name)
    if tag is None:
        if acting.person.role not in APPROVERS:
            raise Refused(N_("There is no tag of this name. Choose one of the list, or ask an officer to add it."))
        tag = add(session, staff_id, name, now=now)
    put(session, question_id, staff_id, tag, now=now)


def put(session: Session, question_id: int, staff_id: int, tag: Tag, *, now: datetime) -> bool:
    """False when it was there already. The caller has asked who may."""
    if not tag.active:
        raise Refused(N_("The tag “{name}” is no longer in use. Choose another one."), name=tag.name)
    here = tags.tags_of(session, [question_id]).get(question_id, [])
    if tag.id not in {one.id for one in here} and len(here) >= MOST:
        raise Refused(N_("A question has {most} tags at most. Take one off first."), most=MOST)
    done = tags.put_on(session, question_id, tag.id)
    if done:
        audit.record(session, now, ("staff", staff_id), "question.tag", ("question", question_id), tag=tag.id)
    return done


def take_off(session: Session, question_id: int, staff_id: int, tag_id: int, *, now: datetime) -> bool:
    """False when it was not there."""
    may_act_on(session, staff_id, the_question(session, question_id))
    done = tags.take_off(session, question_id, tag_id)
    if done:
        audit.record(session, now, ("staff", staff_id), "question.untag", ("question", question_id), tag=tag_id)
    return done


def _checked(session: Session, name: str, now: Tag | None) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not fold(name):
        raise Refused(N_("Write the name of the tag."))
    if len(name) > LONGEST:
        raise Refused(N_("The name is too long: {most} characters at most."), most=LONGEST)
    same = tags.with_name(session, name)
    if same is not None and (now is None or same.id != now.id):
        raise Refused(N_("There is a tag of this name already: {name}."), name=same.name)
    return name


def _may_arrange(session: Session, staff_id: int) -> None:
    if may_act(session, staff_id).role not in APPROVERS:
        raise Denied(N_("Officers and administrators arrange the tags."))


def _the_tag(session: Session, tag_id: int) -> Tag:
    tag = session.get(Tag, tag_id)
    if tag is None:
        raise Refused(N_("This tag does not exist."))
    return tag


def _note(session: Session, action: str, tag: Tag, staff_id: int, now: datetime) -> None:
    audit.record(session, now, ("staff", staff_id), action, ("tag", tag.id))
