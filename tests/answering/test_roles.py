"""Roles for a category or a group of municipalities: which one counts where, and that every act asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlmodel import Session, select

from answering import answer as answers
from answering import approval, moves
from answering.answer import Said
from answering.categories import categorise
from answering.phoned import Call, write_down
from answering.refusal import Denied, Refused
from answering.roles import role_in
from answering.undo import undo
from storage.local_roles import entrusted_count, everybody
from storage.tables import (
    Category,
    GroupMember,
    LocalRole,
    Message,
    MunicipalityGroup,
    Organization,
    Question,
    Role,
    Staff,
)
from tests.cast import Cast

ROME = "Europe/Rome"


@dataclass
class Town:
    """A category, a group with Abbiategrasso in it; Ada asked there and in that category, Carla elsewhere."""

    category: Category
    group: MunicipalityGroup
    inside: Question
    outside: Question
    place: Organization


@pytest.fixture
def town(cast: Cast) -> Town:
    place, elsewhere = cast.an_organization("Abbiategrasso"), cast.an_organization("Lodi")
    category = cast.add(Category(name="Appalti", created_at=cast.now))
    group = cast.add(MunicipalityGroup(name="Ovest", created_at=cast.now))
    cast.add(GroupMember(group_id=group.id, organization_id=place.id))
    inside = cast.a_question(cast.a_referent("Ada Esempio", place, chat=1), category_id=category.id)
    outside = cast.a_question(cast.a_referent("Carla Esempio", elsewhere, chat=2))
    return Town(category, group, inside, outside, place)


def entrust(cast: Cast, town: Town, person: Staff, role: Role, where: str) -> LocalRole:
    row: LocalRole = cast.add(
        LocalRole(
            staff_id=person.id,
            category_id=town.category.id if "category" in where else None,
            group_id=town.group.id if "group" in where else None,
            role=role,
            created_at=cast.now,
        )
    )
    return row


@pytest.mark.parametrize(
    ("own", "local", "inside"),
    [
        (Role.READER, [], Role.READER),
        (Role.READER, [(Role.VOLUNTEER, "category")], Role.VOLUNTEER),
        (Role.OFFICER, [(Role.READER, "group")], Role.READER),
        (Role.READER, [(Role.OFFICER, "category"), (Role.VOLUNTEER, "category group")], Role.VOLUNTEER),
        (Role.READER, [(Role.OFFICER, "category"), (Role.VOLUNTEER, "group")], Role.OFFICER),
        (Role.VOLUNTEER, [(Role.READER, "category"), (Role.OFFICER, "group")], Role.OFFICER),
        (Role.ADMIN, [(Role.READER, "category group")], Role.ADMIN),
    ],
)
def test_the_most_specific_role_counts_and_of_two_alike_the_stronger(
    session: Session, cast: Cast, town: Town, own: Role, local: list[tuple[Role, str]], inside: Role
) -> None:
    person = cast.a_staff("Vera Esempio", own)
    for role, where in local:
        entrust(cast, town, person, role, where)

    assert role_in(session, person, town.inside) is inside
    assert role_in(session, person, town.outside) is own


def test_a_question_about_a_project_there_is_of_that_group_too(session: Session, cast: Cast, town: Town) -> None:
    person = cast.a_staff("Vera Esempio", Role.READER)
    entrust(cast, town, person, Role.VOLUNTEER, "group")
    before = role_in(session, person, town.outside)

    town.outside.project_id = cast.a_project(town.place).id
    session.flush()

    assert (before, role_in(session, person, town.outside)) == (Role.READER, Role.VOLUNTEER)


Act = Callable[[Session, int, int, datetime], object]

WORK: dict[str, Act] = {
    "take": lambda s, q, p, now: moves.take(s, q, p, version=1, now=now),
    "assign": lambda s, q, p, now: moves.assign(s, q, p, p, version=1, now=now),
    "flag": lambda s, q, p, now: moves.flag(s, q, p, urgent=True, now=now),
    "close": lambda s, q, p, now: moves.close(s, q, p, version=1, now=now),
    "note": lambda s, q, p, now: answers.note(s, q, p, "Una nota", now=now),
    "categorise": lambda s, q, p, now: categorise(s, q, p, None, now=now, zone=ROME),
    "propose": lambda s, q, p, now: approval.propose(s, q, Said(s.get_one(Staff, p), "Sì"), version=1, now=now),
    "must propose": lambda s, q, p, now: approval.must_propose(s, q, p),
}


@pytest.mark.parametrize("act", WORK)
def test_a_reader_with_a_role_somewhere_works_there_and_nowhere_else(
    session: Session, cast: Cast, now: datetime, town: Town, act: str
) -> None:
    vera = cast.a_staff("Vera Esempio", Role.READER)
    entrust(cast, town, vera, Role.VOLUNTEER, "group")

    WORK[act](session, town.inside.id, vera.id, now)

    with pytest.raises(Denied, match="can read the questions"):
        WORK[act](session, town.outside.id, vera.id, now)


@pytest.mark.parametrize("act", WORK)
def test_an_officer_who_only_reads_somewhere_does_not_work_there(
    session: Session, cast: Cast, now: datetime, town: Town, act: str
) -> None:
    olga = cast.a_staff("Olga Esempio")
    entrust(cast, town, olga, Role.READER, "category")

    WORK[act](session, town.outside.id, olga.id, now)

    with pytest.raises(Denied, match="entrusted to others"):
        WORK[act](session, town.inside.id, olga.id, now)


def test_release_reopen_and_withdraw_ask_too(session: Session, cast: Cast, now: datetime, town: Town) -> None:
    olga = cast.a_staff("Olga Esempio")
    moves.take(session, town.inside.id, olga.id, version=1, now=now)
    entrust(cast, town, olga, Role.READER, "category")

    for act in (moves.release, moves.reopen, approval.withdraw):
        with pytest.raises(Denied):
            act(session, town.inside.id, olga.id, version=2, now=now)


def test_who_volunteers_here_proposes_and_who_is_officer_here_approves(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    ugo, vera = cast.a_staff("Ugo Esempio"), cast.a_staff("Vera Esempio", Role.VOLUNTEER)
    entrust(cast, town, ugo, Role.VOLUNTEER, "category")
    entrust(cast, town, vera, Role.OFFICER, "group")
    question = town.inside.id

    with pytest.raises(Denied, match="An officer approves"):
        answers.answer(session, question, ugo.id, "Sì", version=1, now=now)
    approval.propose(session, question, Said(ugo, "Sì"), version=1, now=now)
    with pytest.raises(Denied, match="Officers and administrators"):
        approval.approve(session, question, ugo.id, "Sì", version=2, now=now)
    message = approval.approve(session, question, vera.id, "Sì", version=2, now=now)
    with pytest.raises(Denied, match="or an officer, can stop"):
        undo(session, question, message.id, ugo.id, now=now)

    assert undo(session, question, message.id, vera.id, now=now) is message
    assert answers.answer(session, town.outside.id, ugo.id, "Sì", version=1, now=now).staff_id == ugo.id


def test_a_volunteer_elsewhere_does_not_return_an_answer_here(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    vera, olga = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff("Olga Esempio")
    entrust(cast, town, olga, Role.VOLUNTEER, "category group")
    approval.propose(session, town.inside.id, Said(vera, "Sì"), version=1, now=now)

    with pytest.raises(Denied, match="Officers and administrators"):
        approval.give_back(session, town.inside.id, olga.id, "Cita la circolare", version=2, now=now)


def test_a_question_is_given_only_to_who_may_work_on_it(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    olga, rita = cast.a_staff("Olga Esempio"), cast.a_staff("Rita Esempio", Role.READER)
    ugo = cast.a_staff("Ugo Esempio")
    cast.a_staff("Elio Esempio", active=False)
    entrust(cast, town, rita, Role.VOLUNTEER, "group")
    entrust(cast, town, ugo, Role.READER, "group")

    def working_on(question: Question) -> list[str]:
        return [one.name for one, role in everybody(session, question.id) if role is not Role.READER]

    assert working_on(town.inside) == ["Olga Esempio", "Rita Esempio"]
    assert working_on(town.outside) == ["Olga Esempio", "Ugo Esempio"]
    with pytest.raises(Refused, match="cannot work on questions"):
        moves.assign(session, town.outside.id, olga.id, rita.id, version=1, now=now)
    moves.assign(session, town.inside.id, olga.id, rita.id, version=1, now=now)
    session.refresh(town.inside)
    assert town.inside.taken_by == rita.id


def test_a_call_is_not_added_to_a_question_that_is_not_ones_own_to_work_on(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    olga = cast.a_staff("Olga Esempio")
    entrust(cast, town, olga, Role.READER, "category")
    ada = town.inside.referent_id
    assert ada is not None
    call = Call(ada, "Ha richiamato", question_id=town.inside.id, reply="Sì")

    with pytest.raises(Denied):
        write_down(session, call, olga.id, key="k", now=now, zone=ROME)

    assert session.exec(select(Message).where(Message.staff_id == olga.id)).all() == []


def test_nobody_moves_a_question_to_where_they_may_do_more(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    vera, olga = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff("Olga Esempio")
    entrust(cast, town, vera, Role.OFFICER, "category")
    entrust(cast, town, olga, Role.VOLUNTEER, "category")

    with pytest.raises(Denied, match="more rights"):
        categorise(session, town.outside.id, vera.id, town.category.id, now=now, zone=ROME)
    with pytest.raises(Denied, match="more rights"):
        categorise(session, town.inside.id, olga.id, None, now=now, zone=ROME)


def test_only_an_officer_moves_a_question_to_where_volunteers_answer_alone(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    vera, olga = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff("Olga Esempio")
    free = cast.add(Category(name="Scadenze", free=True, created_at=cast.now))
    question = town.outside

    with pytest.raises(Denied, match="without approval"), session.begin_nested():
        categorise(session, question.id, vera.id, free.id, now=now, zone=ROME)
    categorise(session, question.id, olga.id, free.id, now=now, zone=ROME)
    categorise(session, question.id, vera.id, town.category.id, now=now, zone=ROME)

    session.refresh(question)
    assert question.category_id == town.category.id


def test_what_is_entrusted_to_somebody_is_what_is_open_where_they_have_a_role(
    session: Session, cast: Cast, now: datetime, town: Town
) -> None:
    rita = cast.a_staff("Rita Esempio", Role.READER)
    olga = cast.a_staff("Olga Esempio")
    assert entrusted_count(session, rita.id) == 0
    entrust(cast, town, rita, Role.VOLUNTEER, "category group")
    entrust(cast, town, olga, Role.READER, "group")
    before = (entrusted_count(session, rita.id), entrusted_count(session, olga.id))

    moves.close(session, town.inside.id, rita.id, version=1, now=now)

    assert before == (1, 0)
    assert entrusted_count(session, rita.id) == 0
