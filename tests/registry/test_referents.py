"""Registering referents, one by one and from a file."""

import io
from datetime import datetime

import pytest
from sqlmodel import Session, select

from registry.municipalities import load_municipalities
from registry.referents import add_referent, import_referents
from registry.report import ImportReport, RegistryRefused
from storage import people
from storage.tables import Address, Channel, Following, Membership, Organization, Project, Referent
from tests.cast import Cast

HEADER = "nome;email;pec;telefono;ente;ruolo;cup;lingua;altro attore"
ADA = "Ada Esempio;Ada@Example.org;;;Abbiategrasso;RUP;;;"


@pytest.fixture
def projects(session: Session, cast: Cast) -> list[Project]:
    """Two of Abbiategrasso, one of Rho."""
    load_municipalities(session)
    organizations = {row.name: row for row in session.exec(select(Organization))}
    programme = cast.a_programme()
    return [cast.a_project(organizations[name], programme) for name in ("Abbiategrasso", "Abbiategrasso", "Rho")]


def importing(session: Session, now: datetime, *rows: str, dry_run: bool = False) -> ImportReport:
    content = "\r\n".join((HEADER, *rows)).encode("utf-8-sig")
    return import_referents(session, io.BytesIO(content), now=now, dry_run=dry_run)


def followed(session: Session) -> set[int]:
    return set(session.exec(select(Following.project_id)))


def test_a_referent_without_cup_follows_every_project_of_the_organisation(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    report = importing(session, now, ADA)

    assert (report.errors, report.created) == ([], 1)
    ada = people.referent_at(session, Channel.EMAIL, "ada@example.org")
    assert ada is not None
    assert (ada.name, ada.language) == ("Ada Esempio", "it")
    assert followed(session) == {projects[0].id, projects[1].id}
    assert session.exec(select(Membership)).one().role == "RUP"


def test_a_referent_with_cups_follows_just_those(session: Session, now: datetime, projects: list[Project]) -> None:
    row = f"Ada Esempio;ada@example.org;pec@example.org;02 123.456;15002;RUP; {projects[1].cup.lower()},;en;"

    report = importing(session, now, row)

    assert (report.errors, followed(session)) == ([], {projects[1].id})
    assert session.exec(select(Address.value).where(Address.channel == Channel.PHONE)).one() == "02123456"
    assert session.exec(select(Organization.pec).where(Organization.name == "Abbiategrasso")).one() == "pec@example.org"


@pytest.mark.parametrize(
    ("row", "column", "suggestion"),
    [
        ("Ada;ada@example.org;;;Abiategrasso;;;;", "ente", "Abbiategrasso"),
        ("Ada;ada@example.org;;;Atlantide;;;;", "ente", None),
        ("Ada;ada@example;;;Rho;;;;", "email", None),
        ("Ada;;;;Rho;;;;", "email", None),
        (";ada@example.org;;;Rho;;;;", "nome", None),
        ("Ada;ada@example.org;;;Rho;;C47H21001030001;;", "cup", None),
        ("Ada;ada@example.org;;;Rho;;C47H2I001030001;;", "cup", "C47H21001030001"),
        ("Ada;ada@example.org;;;Rho;;;tedesco;", "lingua", None),
        ("Ada;ada@example.org;;call me;Rho;;;;", "telefono", None),
        ("Ada;ada@example.org;nopec;;Rho;;;;", "pec", None),
        ("Altra Persona;bruno@example.org;;;Rho;;;;", "email", None),
        ("Bruno Esempio;BRUNO@example.org;;;Abbiategrasso;;;;", "email", None),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # reading is the same on both
def test_a_mistake_is_told_and_nobody_is_registered(
    session: Session, now: datetime, projects: list[Project], row: str, column: str, suggestion: str | None
) -> None:
    report = importing(session, now, "Bruno Esempio;bruno@example.org;;;Abbiategrasso;;;;", row)

    assert [(error.row, error.column) for error in report.errors] == [(3, column)]
    assert report.errors[0].values.get("suggestion") == suggestion
    assert session.exec(select(Referent)).all() == []


def test_a_project_of_another_municipality_is_not_theirs(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    report = importing(session, now, f"Carla Esempio;carla@example.org;;;Rho;;{projects[0].cup};;")

    assert [error.column for error in report.errors] == ["cup"]
    assert report.errors[0].values["organization"] == "Rho"


def test_one_person_may_be_in_two_organisations_and_a_second_import_changes_nothing(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    rows = (ADA, ADA.replace("Abbiategrasso", "Rho"))
    first = importing(session, now, *rows)

    second = importing(session, now, *rows)

    assert (first.created, first.changed) == (1, 1)
    assert (second.created, second.changed, second.unchanged) == (0, 0, 2)
    assert followed(session) == {project.id for project in projects}


def test_a_new_actor_is_made_only_when_the_file_says_so(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    report = importing(session, now, f"Ada Esempio;ada@example.org;;;Cooperativa Esempio;;{projects[0].cup};;sì")

    assert (report.errors, followed(session)) == ([], {projects[0].id})


def test_a_dry_run_registers_nobody(session: Session, now: datetime, projects: list[Project]) -> None:
    report = importing(session, now, ADA, dry_run=True)

    assert (report.ok, report.created, followed(session)) == (True, 1, set())
    assert session.exec(select(Referent)).all() == []


def test_a_shared_phone_is_left_out_with_a_note(session: Session, now: datetime, projects: list[Project]) -> None:
    bruno = "Bruno Esempio;bruno@example.org;;02123;Rho;;;;"

    report = importing(session, now, ADA.replace(";;;Abb", ";;02123;Abb"), bruno)

    assert (report.ok, [note.values for note in report.notes]) == (True, [{"row": 3}])


def test_an_excel_file_is_read_like_a_csv_one(session: Session, now: datetime, projects: list[Project]) -> None:
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    book.active.append(["Nome", "E-mail", "Ente"])
    book.active.append(["Ada Esempio", "ada@example.org", 15002])
    content = io.BytesIO()
    book.save(content)

    report = import_referents(session, content, now=now)

    assert (report.errors, report.created) == ([], 1)


def test_adding_a_referent_twice_is_refused_with_a_sentence(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    ada = add_referent(session, name="Ada Esempio", email="ada@example.org", organization="Rho", now=now)

    with pytest.raises(RegistryRefused) as refused:
        add_referent(session, name="Ada Esempio", email="ADA@example.org", organization="Rho", now=now)

    assert refused.value.values == {"email": "ada@example.org", "name": "Ada Esempio"}
    assert [project.id for project in people.projects_of(session, ada.id)] == [projects[2].id]


def test_adding_a_referent_of_an_unknown_organisation_suggests_the_likely_one(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    with pytest.raises(RegistryRefused) as refused:
        add_referent(session, name="Ada Esempio", email="ada@example.org", organization="comune di Roh", now=now)

    assert str(refused.value) == "No organisation is called comune di Roh. Perhaps Rho?"


def with_own_pec(session: Session, now: datetime, *rows: tuple[str, str]) -> ImportReport:
    """Rows of name and own certified mailbox."""
    lines = [f"{name};{name.split()[0].lower()}@example.org;Abbiategrasso;{pec}" for name, pec in rows]
    content = "\r\n".join(("nome;email;ente;PEC del referente", *lines)).encode()
    return import_referents(session, io.BytesIO(content), now=now)


def test_their_own_certified_mailbox_is_an_address_of_theirs_and_not_of_the_organisation(
    session: Session, now: datetime, projects: list[Project]
) -> None:
    first = with_own_pec(session, now, ("Ada Esempio", "Ada@pec.example.org"))
    again = with_own_pec(session, now, ("Ada Esempio", "ada@pec.example.org"))

    ada = people.referent_at(session, Channel.PEC, "ada@pec.example.org")
    assert ada is not None
    assert ada.name == "Ada Esempio"
    assert (first.created, again.unchanged, again.changed) == (1, 1, 0)
    assert session.exec(select(Organization.pec).where(Organization.name == "Abbiategrasso")).one() is None


def test_it_may_be_added_to_somebody_who_is_here(session: Session, now: datetime, projects: list[Project]) -> None:
    importing(session, now, ADA)

    report = with_own_pec(session, now, ("Ada Esempio", "ada@pec.example.org"))

    assert (report.errors, report.changed) == ([], 1)


@pytest.mark.parametrize("pec", ["nopec", "bruno@pec.example.org"])
def test_one_that_is_none_or_somebody_elses_is_told(
    session: Session, now: datetime, projects: list[Project], pec: str
) -> None:
    with_own_pec(session, now, ("Bruno Esempio", "bruno@pec.example.org"))

    report = with_own_pec(session, now, ("Ada Esempio", pec))

    assert [(error.row, error.column) for error in report.errors] == [(2, "pec del referente")]
    assert people.referent_at(session, Channel.EMAIL, "ada@example.org") is None
