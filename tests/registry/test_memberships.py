"""Organisations and projects added to somebody who is here, and taken away."""

from dataclasses import dataclass

import pytest
from sqlmodel import select

from registry.memberships import Joining, NotThere, drop_project, join, part
from registry.report import RegistryRefused
from storage.memberships import only_there
from storage.people import organizations_of, projects_of
from storage.tables import Audit, Membership, Organization, Place, Project, Referent, Staff
from tests.cast import Cast


@dataclass
class Scene:
    """Ada is in Abbiategrasso, where there are two projects, one of them shared with Corsico."""

    cast: Cast
    abbiategrasso: Organization
    corsico: Organization
    market: Project
    shared: Project
    park: Project
    ada: Referent
    olga: Staff

    def joins(self, **joining: object) -> Organization:
        one = Joining(**joining)  # type: ignore[arg-type]
        return join(self.cast.session, self.ada.id, one, by=self.olga.id, now=self.cast.now)

    @property
    def organizations(self) -> list[str]:
        return [one.name for one in organizations_of(self.cast.session, self.ada.id)]

    @property
    def projects(self) -> list[str]:
        return [one.title for one in projects_of(self.cast.session, self.ada.id)]


@pytest.fixture
def scene(cast: Cast) -> Scene:
    abbiategrasso, corsico = cast.an_organization(), cast.an_organization("Corsico")
    market, shared = cast.a_project(abbiategrasso, title="Mercato"), cast.a_project(abbiategrasso, title="Ciclabile")
    cast.add(Place(project_id=shared.id, organization_id=corsico.id))
    park = cast.a_project(corsico, title="Parco")
    ada = cast.a_referent("Ada Esempio", abbiategrasso, (market, shared))
    return Scene(cast, abbiategrasso, corsico, market, shared, park, ada, cast.a_staff())


def test_one_more_organisation_brings_its_projects(scene: Scene) -> None:
    assert scene.joins(organization="Corsico", role="RUP") == scene.corsico

    assert scene.organizations == ["Abbiategrasso", "Corsico"]
    assert scene.projects == ["Ciclabile", "Mercato", "Parco"]
    assert scene.cast.session.get_one(Membership, (scene.ada.id, scene.corsico.id)).role == "RUP"


def test_projects_may_be_chosen(scene: Scene) -> None:
    scene.joins(organization="Corsico", cups=[scene.shared.cup])

    assert scene.projects == ["Ciclabile", "Mercato"]


def test_more_projects_of_ones_own_organisation_may_be_added(scene: Scene) -> None:
    school = scene.cast.a_project(scene.abbiategrasso, title="Scuola")

    scene.joins(organization="Abbiategrasso", cups=[school.cup])

    assert scene.organizations == ["Abbiategrasso"]
    assert scene.projects == ["Ciclabile", "Mercato", "Scuola"]


def test_a_new_actor_is_registered_on_the_way(scene: Scene) -> None:
    scene.joins(organization="Consorzio", new_actor=True)

    assert scene.organizations == ["Abbiategrasso", "Consorzio"]


def test_an_unknown_organisation_is_refused(scene: Scene) -> None:
    with pytest.raises(RegistryRefused):
        scene.joins(organization="Nonesiste")


def test_nobody_unknown_joins(scene: Scene) -> None:
    with pytest.raises(NotThere):
        join(scene.cast.session, 999, Joining("Corsico"), by=scene.olga.id, now=scene.cast.now)


def test_leaving_an_organisation_leaves_its_projects_but_those_of_another_one(scene: Scene) -> None:
    scene.joins(organization="Corsico")
    assert [one.title for one in only_there(scene.cast.session, scene.ada.id, scene.corsico.id)] == ["Parco"]

    gone = part(scene.cast.session, scene.ada.id, scene.corsico.id, by=scene.olga.id, now=scene.cast.now)

    assert gone == 1
    assert scene.organizations == ["Abbiategrasso"]
    assert scene.projects == ["Ciclabile", "Mercato"]


def test_an_organisation_that_is_not_theirs_is_not_left(scene: Scene) -> None:
    with pytest.raises(NotThere):
        part(scene.cast.session, scene.ada.id, scene.corsico.id, by=scene.olga.id, now=scene.cast.now)

    assert scene.projects == ["Ciclabile", "Mercato"]


def test_one_project_is_taken_away_once(scene: Scene) -> None:
    drop_project(scene.cast.session, scene.ada.id, scene.market.id, by=scene.olga.id, now=scene.cast.now)

    assert scene.projects == ["Ciclabile"]
    with pytest.raises(NotThere):
        drop_project(scene.cast.session, scene.ada.id, scene.market.id, by=scene.olga.id, now=scene.cast.now)


def test_all_of_it_is_written_down(scene: Scene) -> None:
    scene.joins(organization="Corsico")
    drop_project(scene.cast.session, scene.ada.id, scene.park.id, by=scene.olga.id, now=scene.cast.now)
    part(scene.cast.session, scene.ada.id, scene.corsico.id, by=scene.olga.id, now=scene.cast.now)

    acts = scene.cast.session.exec(select(Audit).order_by(Audit.id)).all()  # type: ignore[arg-type]
    assert [(act.action, act.actor_id, act.object_id) for act in acts] == [
        ("referent.join", scene.olga.id, scene.ada.id),
        ("referent.unfollow", scene.olga.id, scene.ada.id),
        ("referent.part", scene.olga.id, scene.ada.id),
    ]
