"""What is handed over while somebody is away, and what goes back, when two or three of them meet."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, select

from delivery.words import plain_text
from intake.delegation import delegate, end, end_one
from storage.delegations import Held, lent_projects
from storage.memberships import unfollow
from storage.people import projects_of
from storage.projects import follow
from storage.tables import (
    Channel,
    Draft,
    DraftKind,
    DraftState,
    Following,
    Organization,
    Outbox,
    OutboxKind,
    Project,
    Referent,
)
from tests.cast import Cast

TODAY = date(2026, 11, 24)


@dataclass
class Town:
    """Ada follows market and library, Bruno the market, Dario nothing."""

    cast: Cast
    place: Organization
    market: Project
    library: Project
    ada: Referent
    bruno: Referent
    dario: Referent

    def gives(self, absent: Referent, substitute: Referent, until: date = date(2026, 12, 4)) -> Held:
        return delegate(self.cast.session, absent.id, substitute.id, until, today=TODAY, now=self.cast.now)

    def ends(self, held: Held) -> bool:
        return end(self.cast.session, held, self.cast.now, by=("referent", held.referent_id))

    def follows(self, referent: Referent) -> list[str]:
        self.cast.session.expire_all()
        return [project.title for project in projects_of(self.cast.session, referent.id)]

    def notices(self) -> list[Outbox]:
        rows = select(Outbox).where(Outbox.kind == OutboxKind.NOTICE).order_by(col(Outbox.id))
        return list(self.cast.session.exec(rows))


@pytest.fixture
def town(cast: Cast) -> Town:
    place = cast.an_organization()
    market, library = cast.a_project(place, title="Mercato"), cast.a_project(place, title="Biblioteca")
    ada = cast.a_referent("Ada Esempio", place, (market, library), chat=11)
    bruno = cast.a_referent("Bruno Esempio", place, (market,), chat=12)
    dario = cast.a_referent("Dario Esempio", place, chat=14)
    return Town(cast, place, market, library, ada, bruno, dario)


def test_what_comes_from_two_stays_until_both_are_back(town: Town) -> None:
    first, second = town.gives(town.ada, town.dario), town.gives(town.bruno, town.dario)

    town.ends(first)
    assert town.follows(town.dario) == ["Mercato"]
    assert lent_projects(town.cast.session, town.dario.id)[town.market.id].id == second.id
    town.ends(second)

    assert town.follows(town.dario) == []


def test_what_the_absent_one_gets_meanwhile_is_handed_over_too(town: Town) -> None:
    held = town.gives(town.ada, town.bruno)
    school = town.cast.a_project(town.place, title="Scuola")

    assert follow(town.cast.session, town.ada.id, [school.id], town.cast.now) == 1

    assert "Scuola" in town.follows(town.bruno)
    town.ends(held)
    assert "Scuola" not in town.follows(town.bruno)
    assert "Scuola" in town.follows(town.ada)


def test_what_the_absent_one_loses_meanwhile_the_substitute_loses_too(town: Town) -> None:
    town.gives(town.ada, town.bruno)

    unfollow(town.cast.session, town.ada.id, [town.library.id])

    assert town.follows(town.bruno) == ["Mercato"]


def test_what_the_substitute_is_given_for_themselves_stays_and_counts_as_new(town: Town) -> None:
    held = town.gives(town.ada, town.bruno)

    assert follow(town.cast.session, town.bruno.id, [town.library.id], town.cast.now) == 1
    town.ends(held)

    assert town.follows(town.bruno) == ["Biblioteca", "Mercato"]


def test_what_the_substitute_loses_for_themselves_they_have_in_place_of_the_absent_one(town: Town) -> None:
    held = town.gives(town.ada, town.bruno)

    assert unfollow(town.cast.session, town.bruno.id, [town.market.id]) == 1

    assert town.follows(town.bruno) == ["Biblioteca", "Mercato"]
    assert town.cast.session.get_one(Following, (town.bruno.id, town.market.id)).delegation_id == held.id
    town.ends(held)
    assert town.follows(town.bruno) == []


def test_the_substitute_is_told_what_of_theirs_was_dropped(town: Town) -> None:
    held = town.gives(town.ada, town.bruno)
    drafts = [
        town.cast.add(
            Draft(
                kind=DraftKind.UPDATE,
                referent_id=town.bruno.id,
                project_id=project.id,
                channel=Channel.TELEGRAM,
                state=DraftState.PARKED,
                created_at=town.cast.now,
                touched_at=town.cast.now,
            )
        )
        for project in (town.market, town.library)
    ]

    town.ends(held)

    town.cast.session.expire_all()
    assert [draft.state for draft in drafts] == [DraftState.PARKED, DraftState.CANCELLED]
    assert "iniziati e non inviati: Biblioteca." in plain_text(town.notices()[-1].body["html"])


def test_nothing_is_said_of_drafts_when_there_were_none(town: Town) -> None:
    town.ends(town.gives(town.ada, town.bruno))

    assert "non inviato" not in town.notices()[-1].body["html"]


def test_nobody_is_woken_when_it_ends_by_itself(town: Town) -> None:
    town.gives(town.ada, town.bruno, date(2026, 11, 27))
    midnight = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)  # Saturday begins in Rome

    assert end_one(town.cast.session, date(2026, 11, 28), midnight)

    monday = datetime(2026, 11, 30, 7, 30, tzinfo=UTC)
    assert [(row.address, row.next_at) for row in town.notices()[1:]] == [("12", monday), ("11", monday)]


def test_who_ends_it_is_heard_at_once(town: Town) -> None:
    town.ends(town.gives(town.ada, town.bruno))

    assert town.notices()[-1].next_at == town.cast.now
