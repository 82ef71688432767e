"""Writing down who stands in for a referent: one by one, from a file, and in the export."""

import io
import json
from datetime import datetime

import pytest
from sqlmodel import Session, select

from registry.export import export
from registry.referents import Person, add_referent, import_referents
from registry.report import ImportReport, RegistryRefused
from storage.people import referent_at
from storage.tables import Channel, Referent
from tests.cast import Cast

HEADER = "nome;email;ente;sostituto"
BRUNO = Person(name="Bruno Esempio", email="bruno@example.org", organization="Abbiategrasso")


def ada(substitute: str = "") -> Person:
    return Person(name="Ada Esempio", email="ada@example.org", organization="Abbiategrasso", substitute=substitute)


@pytest.fixture(autouse=True)
def organization(cast: Cast) -> None:
    cast.a_project(cast.an_organization("Abbiategrasso"))


def importing(session: Session, now: datetime, *rows: str) -> ImportReport:
    return import_referents(session, io.BytesIO("\r\n".join((HEADER, *rows)).encode()), now=now)


def the_referent(session: Session, email: str) -> Referent:
    found = referent_at(session, Channel.EMAIL, email)
    assert found is not None
    return found


def test_a_new_referent_names_a_substitute_by_address(session: Session, now: datetime) -> None:
    bruno = add_referent(session, now=now, **BRUNO)

    person = add_referent(session, now=now, **ada(" Bruno@Example.org "))

    assert person.substitute_id == bruno.id


@pytest.mark.parametrize(
    ("substitute", "says"), [("carla@example.org", "carla@example.org"), ("ADA@example.org", "own"), ("carla", "carla")]
)
def test_nobody_oneself_and_no_address_are_refused_and_nothing_stays(
    session: Session, now: datetime, substitute: str, says: str
) -> None:
    with pytest.raises(RegistryRefused, match=says):
        add_referent(session, now=now, **ada(substitute))

    assert session.exec(select(Referent)).all() == []


def test_the_substitute_may_stand_further_down_in_the_file(session: Session, now: datetime) -> None:
    report = importing(
        session,
        now,
        "Ada Esempio;ada@example.org;Abbiategrasso;bruno@example.org",
        "Bruno Esempio;bruno@example.org;Abbiategrasso;",
    )

    assert (report.errors, report.created) == ([], 2)
    assert the_referent(session, "ada@example.org").substitute_id == the_referent(session, "bruno@example.org").id


@pytest.mark.parametrize("substitute", ["carla@example.org", "ada@example.org", "carla"])
def test_a_substitute_who_cannot_be_is_an_error_of_the_row(session: Session, now: datetime, substitute: str) -> None:
    report = importing(session, now, f"Ada Esempio;ada@example.org;Abbiategrasso;{substitute}")

    assert [(error.row, error.column) for error in report.errors] == [(2, "sostituto")]
    assert session.exec(select(Referent)).all() == []


def test_a_second_file_may_add_a_substitute_and_an_empty_cell_keeps_them(session: Session, now: datetime) -> None:
    bruno = add_referent(session, now=now, **BRUNO)
    add_referent(session, now=now, **ada())

    added = importing(session, now, "Ada Esempio;ada@example.org;Abbiategrasso;bruno@example.org")
    again = importing(session, now, "Ada Esempio;ada@example.org;Abbiategrasso;")

    assert (added.changed, added.unchanged, again.changed, again.unchanged) == (1, 0, 0, 1)
    assert the_referent(session, "ada@example.org").substitute_id == bruno.id


def test_the_export_shows_the_substitute(session: Session, now: datetime) -> None:
    bruno = add_referent(session, now=now, **BRUNO)
    add_referent(session, now=now, **ada("bruno@example.org"))
    out = io.BytesIO()

    export(session, "referents", "json", out)

    rows = {row["name"]: row["substitute_id"] for row in json.loads(out.getvalue())}
    assert rows == {"Ada Esempio": bruno.id, "Bruno Esempio": None}
