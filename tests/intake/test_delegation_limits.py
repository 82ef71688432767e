"""A substitute sees their own organisations' projects and no others, whatever the absent one follows."""

from dataclasses import dataclass
from datetime import date

import pytest
from sqlmodel import Session, col, select

from delivery.words import Words, plain_text
from intake.delegation import NotPossible, delegate, end
from registry.memberships import Joining, drop_project, join, part
from storage.delegations import Held, held_by
from storage.lending import staying
from storage.people import own_project, projects_of
from storage.projects import follow
from storage.tables import (
    Audit,
    Channel,
    Draft,
    DraftKind,
    DraftState,
    Following,
    Organization,
    OrganizationKind,
    Outbox,
    Place,
    Project,
    Referent,
    Staff,
)
from tests.cast import Cast

TODAY = date(2026, 11, 24)
UNTIL = date(2026, 12, 8)


@dataclass
class Towns:
    """Ada is a referent of Abbiategrasso and Corsico, Bruno of Abbiategrasso alone, Dario of both. Ada follows all."""

    cast: Cast
    here: Organization
    there: Organization
    market: Project  # of Abbiategrasso
    park: Project  # of Corsico
    path: Project  # implemented by Corsico, in both
    ada: Referent
    bruno: Referent
    dario: Referent
    olga: Staff

    @property
    def session(self) -> Session:
        return self.cast.session

    def gives(self, substitute: Referent | None = None, absent: Referent | None = None) -> Held:
        one, other = absent or self.ada, substitute or self.bruno
        return delegate(self.session, one.id, other.id, UNTIL, today=TODAY, now=self.cast.now)

    def sees(self, referent: Referent) -> list[str]:
        self.session.expire_all()
        return [project.title for project in projects_of(self.session, referent.id)]

    def parts(self, referent: Referent, organization: Organization) -> None:
        part(self.session, referent.id, organization.id, by=self.olga.id, now=self.cast.now)

    def told(self, chat: int) -> list[str]:
        rows = select(Outbox).where(Outbox.address == str(chat)).order_by(col(Outbox.id))
        return [plain_text(row.body["html"]) for row in self.session.exec(rows)]


@pytest.fixture
def towns(cast: Cast) -> Towns:
    here, there = cast.an_organization(), cast.an_organization("Corsico")
    market, park = cast.a_project(here, title="Mercato"), cast.a_project(there, title="Parco")
    path = cast.a_project(there, title="Ciclabile")
    cast.add(Place(project_id=path.id, organization_id=here.id))
    ada = cast.a_referent("Ada Esempio", here, (market, park, path), chat=11)
    bruno, dario = cast.a_referent("Bruno Esempio", here, chat=12), cast.a_referent("Dario Esempio", here, chat=14)
    for one in (ada, dario):
        cast.also_of(one, there)
    return Towns(cast, here, there, market, park, path, ada, bruno, dario, cast.a_staff())


# --- what is handed over


def test_the_projects_of_another_organisation_stay_with_the_absent_one(towns: Towns) -> None:
    towns.gives()

    assert towns.sees(towns.bruno) == ["Ciclabile", "Mercato"], "and not the park: Bruno is not of Corsico"
    assert own_project(towns.session, towns.bruno.id, towns.park.id) is None


def test_a_substitute_of_all_the_organisations_has_everything(towns: Towns) -> None:
    towns.gives(towns.dario)

    assert towns.sees(towns.dario) == ["Ciclabile", "Mercato", "Parco"]


def test_what_stays_is_known_before_and_after(towns: Towns) -> None:
    before = staying(towns.session, towns.ada.id, towns.bruno.id)
    towns.gives()

    assert (before.organizations, before.projects) == (("Corsico",), ("Parco",))
    assert staying(towns.session, towns.ada.id, towns.bruno.id) == before
    assert staying(towns.session, towns.ada.id, towns.dario.id).organizations == ()


def test_what_the_substitute_follows_themselves_does_not_stay(towns: Towns) -> None:
    towns.cast.add(Following(referent_id=towns.bruno.id, project_id=towns.park.id, since=towns.cast.now))

    assert staying(towns.session, towns.ada.id, towns.bruno.id).projects == ()


def test_a_project_of_no_organisation_goes_only_to_who_is_in_all_of_theirs(towns: Towns) -> None:
    lonely = towns.cast.a_project(towns.here, title="Studio", implementing_body_id=None)
    towns.session.delete(towns.session.exec(select(Place).where(Place.project_id == lonely.id)).one())
    towns.session.flush()
    follow(towns.session, towns.ada.id, [lonely.id], towns.cast.now)

    assert staying(towns.session, towns.ada.id, towns.bruno.id).projects == ("Parco", "Studio")
    towns.gives(towns.dario)
    assert "Studio" in towns.sees(towns.dario)


def test_what_an_actor_has_chosen_elsewhere_goes_to_a_colleague_of_that_actor(cast: Cast) -> None:
    actor = cast.an_organization("Consorzio", kind=OrganizationKind.OTHER)
    river = cast.a_project(cast.an_organization("Corsico"), title="Fiume")
    eva, ugo = cast.a_referent("Eva Esempio", actor, (river,)), cast.a_referent("Ugo Esempio", actor, chat=5)

    delegate(cast.session, eva.id, ugo.id, UNTIL, today=TODAY, now=cast.now)

    assert projects_of(cast.session, ugo.id) == [river]


def test_what_the_absent_one_gets_elsewhere_meanwhile_stays_too(towns: Towns) -> None:
    towns.gives()
    pool = towns.cast.a_project(towns.there, title="Piscina")

    follow(towns.session, towns.ada.id, [pool.id], towns.cast.now)

    assert "Piscina" not in towns.sees(towns.bruno)


# --- when the desk changes organisations


def test_who_leaves_the_only_common_organisation_stands_in_no_more_and_both_are_told(towns: Towns) -> None:
    held = towns.gives()

    towns.parts(towns.bruno, towns.here)

    assert towns.sees(towns.bruno) == []
    assert held_by(towns.session, towns.ada.id) is None
    assert towns.told(12)[-1].startswith("Non sostituisci più Ada Esempio")
    assert "perché non siete più nello stesso ente" in towns.told(11)[-1]
    acts = [(act.action, act.actor_id) for act in towns.session.exec(select(Audit)) if act.object_id == held.id]
    assert ("delegation.end", towns.olga.id) in acts


def test_who_leaves_one_of_two_keeps_what_concerns_the_other_and_both_are_told(towns: Towns) -> None:
    towns.gives(towns.dario)
    draft = towns.cast.add(
        Draft(
            kind=DraftKind.UPDATE,
            referent_id=towns.dario.id,
            project_id=towns.market.id,
            channel=Channel.TELEGRAM,
            created_at=towns.cast.now,
            touched_at=towns.cast.now,
        )
    )

    towns.parts(towns.dario, towns.here)

    assert towns.sees(towns.dario) == ["Ciclabile", "Parco"]
    assert held_by(towns.session, towns.ada.id) is not None
    assert "Al posto di Ada Esempio non segui più: Mercato." in towns.told(14)[-1]
    assert "iniziati e non inviati: Mercato." in towns.told(14)[-1]
    assert "Dario Esempio non risponde più al posto tuo per: Mercato." in towns.told(11)[-1]
    towns.session.refresh(draft)
    assert draft.state is DraftState.CANCELLED


def test_when_the_absent_one_leaves_the_organisation_the_substitute_is_told(towns: Towns) -> None:
    towns.gives(towns.dario)
    before = len(towns.told(11))

    towns.parts(towns.ada, towns.there)

    assert towns.sees(towns.dario) == ["Ciclabile", "Mercato"]
    assert "non segui più: Parco." in towns.told(14)[-1]
    assert len(towns.told(11)) == before, "she has lost it herself: nothing comes back to her"


def test_when_the_absent_one_leaves_the_only_common_one_it_ends(towns: Towns) -> None:
    towns.gives()

    towns.parts(towns.ada, towns.here)

    assert towns.sees(towns.bruno) == []
    assert held_by(towns.session, towns.ada.id) is None


def test_a_project_taken_from_the_absent_one_is_told_to_the_substitute(towns: Towns) -> None:
    towns.gives()

    drop_project(towns.session, towns.ada.id, towns.market.id, by=towns.olga.id, now=towns.cast.now)

    assert towns.sees(towns.bruno) == ["Ciclabile"]
    assert "non segui più: Mercato." in towns.told(12)[-1]


def test_who_gets_the_other_organisation_too_has_the_rest_and_both_are_told(towns: Towns) -> None:
    towns.gives()

    joining = Joining(organization="Corsico", cups=[towns.path.cup])
    join(towns.session, towns.bruno.id, joining, by=towns.olga.id, now=towns.cast.now)

    assert towns.sees(towns.bruno) == ["Ciclabile", "Mercato", "Parco"]
    assert "ora segui anche: Parco." in towns.told(12)[-1]
    assert "ora risponde al posto tuo anche per: Parco." in towns.told(11)[-1]


def test_a_change_that_changes_nothing_says_nothing(towns: Towns) -> None:
    towns.gives(towns.dario)
    before = towns.told(11), towns.told(14)

    drop_other = towns.cast.an_organization("Rho")
    towns.cast.also_of(towns.dario, drop_other)
    towns.parts(towns.dario, drop_other)

    assert (towns.told(11), towns.told(14)) == before


# --- who may stand in


def test_who_is_away_may_not_stand_in(towns: Towns) -> None:
    towns.gives(towns.bruno)

    with pytest.raises(NotPossible) as refused:
        towns.gives(towns.ada, absent=towns.bruno)

    assert refused.value.values == {"name": "Ada Esempio", "day": "8 dicembre 2026"}
    assert held_by(towns.session, towns.bruno.id) is None


def test_when_a_substitute_goes_away_the_first_is_told_and_again_when_they_are_back(towns: Towns) -> None:
    towns.gives(towns.bruno)

    second = towns.gives(towns.dario, absent=towns.bruno)
    assert towns.told(11)[-1] == (
        "Bruno Esempio, che ti sostituisce, non c'è fino all'8 dicembre 2026: fino ad allora i promemoria tornano a te."
    )
    end(towns.session, second, towns.cast.now, by=("referent", towns.bruno.id))

    assert towns.told(11)[-1] == "Bruno Esempio è di nuovo qui e ti sostituisce ancora."
    assert held_by(towns.session, towns.ada.id) is not None


def test_choosing_somebody_else_tells_the_first_only_what_is_new(towns: Towns) -> None:
    towns.gives(towns.bruno)
    towns.gives(towns.dario, absent=towns.bruno)
    towns.cast.a_referent("Elio Esempio", towns.here, chat=15)
    elio = towns.session.exec(select(Referent).where(Referent.name == "Elio Esempio")).one()

    towns.gives(elio, absent=towns.bruno)

    assert not any("è di nuovo qui" in text for text in towns.told(11))


def test_who_declines_is_not_told_what_they_have_just_done(towns: Towns) -> None:
    held = towns.gives()
    before = len(towns.told(12))

    assert end(towns.session, held, towns.cast.now, by=("referent", towns.bruno.id))

    assert len(towns.told(12)) == before
    assert towns.told(11)[-1].startswith("Bruno Esempio non può sostituirti")
    row = towns.session.exec(select(Outbox).where(Outbox.address == "11").order_by(col(Outbox.id).desc())).first()
    assert row is not None
    assert [one.data for line in Words.from_json(row.body).buttons for one in line] == ["m:substitute"]
