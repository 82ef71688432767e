"""Somebody leaves and another takes over: what goes, what stays, who is told, and that no way leads back."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from delivery.links import Links
from intake.delegation import delegate
from intake.invitations import NobodyToInvite, invite
from registry.handing_over import InField, NotThere, Taking, hand_over, look
from registry.memberships import Joining, join
from registry.memberships import NotThere as NotJoined
from registry.referents import add_referent
from reminders.deadlines import keep_obligations
from reminders.rounds import Round
from reminders.sweep import remind_some
from storage.delegations import held_by
from storage.desk_people import referents_page, unreached_ids
from storage.handing_over import who_left_chat
from storage.people import (
    new_invitation,
    new_personal_link,
    organizations_of,
    projects_of,
    referent_at,
    referent_with_link,
)
from storage.reply_addresses import About, remember, reply_address
from storage.tables import (
    Address,
    Audience,
    Audit,
    Channel,
    Deadline,
    Decision,
    Draft,
    DraftKind,
    DraftState,
    Message,
    Organization,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Project,
    Question,
    QuestionState,
    Referent,
    Staff,
)
from tests.cast import Cast

LINKS = Links("https://raccordo.example.org", bot="raccordo_esempio_bot")
TODAY = date(2026, 11, 24)


@dataclass
class Town:
    cast: Cast
    place: Organization
    market: Project
    library: Project
    ada: Referent
    bruno: Referent
    olga: Staff

    @property
    def session(self) -> Session:
        return self.cast.session

    def taking(self, **other: object) -> Taking:
        """Bruno takes over everything of Ada's, unless something else is said."""
        values: dict[str, object] = {
            "successor_id": self.bruno.id,
            "name": "",
            "email": "",
            "organization_ids": [self.place.id],
            "project_ids": [self.market.id, self.library.id],
        }
        return Taking(**(values | other))  # type: ignore[arg-type]

    def hand_over(self, **other: object) -> Referent:
        taking = self.taking(**other)
        return hand_over(self.session, self.ada.id, taking, links=LINKS, by=self.olga.id, now=self.cast.now)

    def titles(self, person: Referent) -> list[str]:
        return [one.title for one in projects_of(self.session, person.id)]

    def notes(self, question: Question) -> list[str]:
        these = select(Message).where(Message.question_id == question.id, Message.audience == Audience.STAFF)
        return [one.text for one in self.session.exec(these)]

    def told(self, key: str) -> Outbox:
        return self.session.exec(select(Outbox).where(Outbox.dedupe_key == key)).one()


@pytest.fixture
def town(cast: Cast) -> Town:
    place = cast.an_organization()
    market, library = cast.a_project(place), cast.a_project(place, title="Biblioteca")
    ada = cast.a_referent("Ada Esempio", place, (market, library), chat=11, email="ada@example.org")
    bruno = cast.a_referent("Bruno Esempio", place, (), chat=12, email="bruno@example.org")
    return Town(cast, place, market, library, ada, bruno, cast.a_staff())


def test_what_is_theirs_goes_to_a_colleague_and_what_they_did_stays(town: Town) -> None:
    open_one = town.cast.a_question(town.ada, project_id=town.market.id)
    closed = town.cast.a_question(town.ada, state=QuestionState.CLOSED)

    town.hand_over()

    assert town.titles(town.bruno) == ["Biblioteca", "Ex mercato"]
    assert town.titles(town.ada) == []
    assert [one.name for one in organizations_of(town.session, town.ada.id)] == []
    town.session.refresh(open_one)
    town.session.refresh(closed)
    assert (open_one.referent_id, open_one.version) == (town.bruno.id, 2)
    assert closed.referent_id == town.ada.id
    assert "Ada Esempio non è più un referente" in town.notes(open_one)[0]
    assert town.notes(closed) == []
    asked = town.session.exec(select(Message).where(Message.question_id == open_one.id)).first()
    assert asked is not None
    assert asked.referent_id == town.ada.id  # who wrote it


def test_no_way_leads_back(town: Town, now: datetime) -> None:
    page = new_personal_link(town.session, town.ada.id, now)
    remember(town.session, "t" * 32, town.ada.id, About(), now)
    draft = town.cast.add(
        Draft(
            kind=DraftKind.UPDATE,
            referent_id=town.ada.id,
            project_id=town.market.id,
            channel=Channel.TELEGRAM,
            created_at=now,
            touched_at=now,
        )
    )
    key = new_invitation(town.session, town.ada.id, "ada@example.org", now)
    waiting = town.cast.add(
        Outbox(
            kind=OutboxKind.ANSWER,
            channel=Channel.TELEGRAM,
            address="11",
            referent_id=town.ada.id,
            dedupe_key="answer:1",
            body={},
            next_at=now,
            created_at=now,
        )
    )

    town.hand_over()

    session = town.session
    session.expire_all()
    assert referent_with_link(session, page, now) is None
    assert reply_address(session, "t" * 32) is None
    assert session.exec(select(Address).where(Address.referent_id == town.ada.id)).all() == []
    assert session.get_one(Draft, draft.id).state is DraftState.CANCELLED
    assert session.get_one(Outbox, waiting.id).state is OutboxState.WITHHELD
    with pytest.raises(NobodyToInvite):
        invite(session, town.ada.id, now, LINKS)
    with pytest.raises(NotJoined):
        join(session, town.ada.id, Joining("Abbiategrasso"), by=town.olga.id, now=now)
    assert town.ada.left_at == now
    assert town.ada.successor_id == town.bruno.id
    assert key


def test_both_are_told_and_the_one_who_goes_gets_no_key(town: Town) -> None:
    town.hand_over()

    farewell, welcome = town.told(f"farewell:{town.ada.id}"), town.told(f"takes-over:{town.ada.id}")
    assert (farewell.channel, farewell.address) == (Channel.EMAIL, "ada@example.org")
    assert farewell.referent_id is None  # or its mail would bring a link to a page, and be answered as theirs
    assert "da oggi è Bruno Esempio" in farewell.body["html"]
    assert welcome.referent_id == town.bruno.id
    assert "Subentri a <b>Ada Esempio</b>" in welcome.body["html"]


def test_the_mailbox_is_free_again_and_may_be_the_successors_own(town: Town) -> None:
    new = town.hand_over(successor_id=None, name="Dora Nuova", email="ada@example.org")

    found = referent_at(town.session, Channel.EMAIL, "ada@example.org")
    assert found is not None
    assert found.id == new.id
    assert town.titles(new) == ["Biblioteca", "Ex mercato"]
    invited = town.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.INVITATION)).one()
    assert (invited.referent_id, invited.address) == (new.id, "ada@example.org")


def test_who_was_here_can_be_registered_again(town: Town, now: datetime) -> None:
    town.hand_over()

    again = add_referent(
        town.session, now=now, name="Ada Esempio", email="ada@example.org", organization="Abbiategrasso"
    )

    assert again.id != town.ada.id


def test_only_what_is_chosen_goes_over_and_questions_with_it(town: Town) -> None:
    about_library = town.cast.a_question(town.ada, project_id=town.library.id)
    taking = town.taking(organization_ids=[], project_ids=[town.market.id])

    preview = look(town.session, town.ada.id, taking)
    town.hand_over(organization_ids=[], project_ids=[town.market.id])

    assert preview.left == ("Abbiategrasso", "Biblioteca")
    assert (preview.questions, preview.staying) == ((), (about_library.id,))
    assert town.titles(town.bruno) == ["Ex mercato"]
    town.session.refresh(about_library)
    assert about_library.referent_id == town.ada.id
    assert "nessuno segue questo progetto" in town.notes(about_library)[0]


def a_deadline(town: Town) -> Deadline:
    deadline = town.cast.a_deadline(town.cast.a_form(), TODAY)
    town.cast.an_obligation(deadline, town.market, TODAY, town.cast.now + timedelta(hours=9))
    return deadline


def test_the_preview_counts_what_is_owed(town: Town) -> None:
    a_deadline(town)

    assert look(town.session, town.ada.id, town.taking()).obligations == 1
    assert look(town.session, town.ada.id, town.taking(project_ids=[town.library.id])).obligations == 0


def test_the_successor_is_reminded_and_the_one_who_left_is_not(town: Town, now: datetime) -> None:
    town.cast.a_deadline(town.cast.a_form(), TODAY)
    keep_obligations(town.session, now)
    town.hand_over()

    while remind_some(town.session, now, Round()):
        pass

    sent = set(town.session.exec(select(Decision.referent_id).where(Decision.outcome == Outcome.SENT)))
    assert sent == {town.bruno.id}


def test_who_left_is_not_listed(town: Town, now: datetime) -> None:
    town.hand_over()

    names = [line.name for line in referents_page(town.session, now)[0]]
    assert names == ["Bruno Esempio"]
    assert referents_page(town.session, now, "ada")[1] == 0
    assert town.ada.id not in unreached_ids(town.session)


def test_absences_end_with_one_of_the_two(town: Town, now: datetime) -> None:
    dora = town.cast.a_referent("Dora Esempio", town.place, (), chat=13)
    delegate(town.session, dora.id, town.ada.id, date(2026, 12, 4), today=TODAY, now=now)
    town.bruno.substitute_id = town.ada.id
    dora.substitute_id = town.ada.id

    town.hand_over()

    assert held_by(town.session, dora.id) is None
    town.session.refresh(dora)
    town.session.refresh(town.bruno)
    assert dora.substitute_id == town.bruno.id
    assert town.bruno.substitute_id is None


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"successor_id": None, "name": "", "email": "dora@example.org"}, "name"),
        ({"successor_id": None, "name": "Dora Nuova", "email": "dora"}, "email"),
        ({"successor_id": None, "name": "Dora Nuova", "email": "bruno@example.org"}, "email"),
        ({"organization_ids": [], "project_ids": []}, "what"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(town: Town, other: dict[str, object], field: str) -> None:
    with pytest.raises(InField) as refused:
        town.hand_over(**other)

    assert refused.value.field == field
    assert town.ada.left_at is None


def test_a_stranger_and_foreign_things_are_refused(town: Town) -> None:
    corsico = town.cast.an_organization("Corsico")
    park = town.cast.a_project(corsico, title="Parco")
    carla = town.cast.a_referent("Carla Esempio", corsico, (park,), chat=14)

    with pytest.raises(InField):
        town.hand_over(successor_id=carla.id)
    with pytest.raises(InField):
        town.hand_over(successor_id=town.ada.id)
    with pytest.raises(NotThere):
        town.hand_over(project_ids=[park.id])
    with pytest.raises(NotThere):
        town.hand_over(organization_ids=[corsico.id])


def test_it_happens_once_and_is_in_the_log(town: Town) -> None:
    town.hand_over()

    with pytest.raises(NotThere):
        town.hand_over()
    row = town.session.exec(select(Audit).where(col(Audit.action) == "referent.hand-over")).one()
    assert (row.object_id, row.detail["successor"]) == (town.ada.id, town.bruno.id)


def test_their_old_chat_is_known_as_that(town: Town, now: datetime) -> None:
    town.cast.add(
        Outbox(
            kind=OutboxKind.DIALOGUE,
            channel=Channel.TELEGRAM,
            address="11",
            referent_id=town.ada.id,
            dedupe_key="said:1",
            body={},
            next_at=now,
            created_at=now,
        )
    )
    assert who_left_chat(town.session, "11") is None

    town.hand_over()

    assert who_left_chat(town.session, "11") is not None
    assert who_left_chat(town.session, "12") is None
