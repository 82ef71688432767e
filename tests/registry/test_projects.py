"""Importing projects: the real file, the real headers, and everything a file can get wrong."""

import io
from datetime import datetime

import pytest
from sqlmodel import Session, select

from registry.municipalities import load_municipalities
from registry.projects import CMMI_PROJECTS, import_projects
from registry.report import ImportReport
from storage.projects import project_places
from storage.tables import Audit, Organization, OrganizationKind, Place, Programme, Project
from tests.cast import Cast

HEADER = (
    "CUP;Codice Locale Progetto;Codice Univoco Submisura;Descrizione Submisura;Codice ISTAT;Comune;Indirizzo;"
    "Finanziamento Totale;Finanziamento PNRR;Pagamenti Totali"
)
ROW = "C47H21001030001;L1;M5C2I2.01.00;Rigenerazione;015002;Abbiategrasso;;150000,00;71070,11;1,5"


def a_file(*rows: str, header: str = HEADER) -> io.BytesIO:
    return io.BytesIO("\r\n".join((header, *rows)).encode("utf-8-sig"))


def importing(session: Session, now: datetime, *rows: str, header: str = HEADER, dry_run: bool = False) -> ImportReport:
    load_municipalities(session)
    return import_projects(session, a_file(*rows, header=header), now=now, dry_run=dry_run)


def errors(report: ImportReport) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in report.errors]


def the_project(session: Session) -> Project:
    return session.exec(select(Project)).one()


def test_the_real_file_gives_282_projects_in_75_municipalities(session: Session, now: datetime) -> None:
    load_municipalities(session)

    report = import_projects(session, CMMI_PROJECTS, now=now)

    assert (report.ok, report.rows, report.created) == (True, 312, 282)
    places = project_places(session, session.exec(select(Project.id)).all())
    assert len({name for names in places.values() for name in names}) == 75
    assert sum(len(names) for names in places.values()) == 312
    assert len({project.title for project in session.exec(select(Project))}) == 282
    assert session.exec(select(Audit)).one().detail == {"created": 282, "changed": 0, "unchanged": 0}


def test_importing_twice_changes_nothing(session: Session, now: datetime) -> None:
    load_municipalities(session)
    import_projects(session, CMMI_PROJECTS, now=now)

    report = import_projects(session, CMMI_PROJECTS, now=now)

    assert (report.created, report.changed, report.unchanged) == (0, 0, 282)
    assert len(session.exec(select(Place)).all()) == 312


def test_municipalities_are_loaded_once(session: Session) -> None:
    assert load_municipalities(session) == 133
    assert load_municipalities(session) == 0
    assert len(session.exec(select(Organization)).all()) == 133


def test_a_project_is_kept_in_cents_with_a_working_title(session: Session, now: datetime) -> None:
    importing(session, now, ROW)

    project = the_project(session)
    assert (project.title, project.title_is_working) == ("Rigenerazione urbana, Abbiategrasso", True)
    assert (project.total_cents, project.pnrr_cents, project.paid_cents) == (15_000_000, 7_107_011, 150)
    assert project.implementing_body_id is None


def test_a_second_import_updates_but_never_what_referents_reported(session: Session, now: datetime) -> None:
    importing(session, now, ROW)
    project = the_project(session)
    project.phase, project.progress_tenths, project.spent_cents = "00313", 455, 9_900
    session.add(project)
    session.flush()

    report = importing(session, now, ROW.replace("150000,00", "160000,00"))

    session.refresh(project)
    assert (report.created, report.changed, project.total_cents) == (0, 1, 16_000_000)
    assert (project.phase, project.progress_tenths, project.spent_cents) == ("00313", 455, 9_900)


def test_an_empty_amount_leaves_the_one_we_know(session: Session, now: datetime) -> None:
    importing(session, now, ROW)

    report = importing(session, now, ROW.replace("150000,00", "#"))

    assert (report.unchanged, the_project(session).total_cents) == (1, 15_000_000)


def test_several_rows_of_a_project_are_several_places(session: Session, now: datetime) -> None:
    importing(session, now, ROW, ROW.replace("015002;Abbiategrasso", "15005;Albairate"))

    project = the_project(session)
    assert project_places(session, [project.id]) == {project.id: ["Abbiategrasso", "Albairate"]}
    assert project.title == "Rigenerazione urbana, Abbiategrasso e un altro Comune"


def test_a_dry_run_counts_and_writes_nothing(session: Session, now: datetime) -> None:
    report = importing(session, now, ROW, dry_run=True)

    assert (report.created, report.ok, report.dry_run) == (1, True, True)
    assert session.exec(select(Project)).all() == []
    assert session.exec(select(Audit)).all() == []
    assert importing(session, now, ROW).created == 1


@pytest.mark.parametrize(
    ("right", "wrong", "column"),
    [
        ("C47H21001030001", "C47H2100103000", "CUP"),
        ("C47H21001030001", "C47H2I001030001", "CUP"),
        (";L1;", ";;", "Codice Locale Progetto"),
        ("M5C2I2.01.00", "", "Codice Univoco Submisura"),
        ("015002;Abbiategrasso", "015999;Abbiategrasso", "Codice ISTAT"),
        ("015002;Abbiategrasso", "abc;Abbiategrasso", "Codice ISTAT"),
        ("015002;Abbiategrasso", "015005;Abbiategrasso", "Codice ISTAT"),
        ("015002;Abbiategrasso", ";Abiategrasso", "Comune"),
        ("150000,00", "150000.00", "Finanziamento Totale"),
        ("150000,00", "-150000,00", "Finanziamento Totale"),
        ("150000,00", "1.50000,00", "Finanziamento Totale"),
        ("71070,11", "71070,111", "Finanziamento PNRR"),
        ("1,5", "1,5;extra", ""),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # reading is the same on both
def test_a_mistake_is_told_by_row_and_column_and_nothing_is_kept(
    session: Session, now: datetime, right: str, wrong: str, column: str
) -> None:
    good = ROW.replace("C47H21001030001;L1", "C47H21001030002;L2")

    report = importing(session, now, good, "", ROW.replace(right, wrong))

    assert errors(report) == [(4, column)]
    assert not report.ok
    assert session.exec(select(Project)).all() == []


def test_a_likely_municipality_and_a_likely_code_are_suggested(session: Session, now: datetime) -> None:
    report = importing(
        session,
        now,
        ROW.replace("015002;Abbiategrasso", ";Abiategraso"),
        ROW.replace("C47H21001030001", "C47H2I001030001"),
    )

    assert [error.values["suggestion"] for error in report.errors] == ["Abbiategrasso", "C47H21001030001"]


def test_two_rows_of_one_project_that_disagree_are_told(session: Session, now: datetime) -> None:
    report = importing(session, now, ROW, ROW.replace("150000,00", "160000,00"))

    assert errors(report) == [(3, "Finanziamento Totale")]
    assert report.errors[0].values == {"first": 2}


def test_a_missing_column_is_told_and_unknown_ones_are_noted(session: Session, now: datetime) -> None:
    header = HEADER.replace("CUP;", "Colore;")

    report = importing(session, now, ROW, header=header)

    assert errors(report) == [(1, "CUP")]
    assert report.notes[0].values["columns"] == "Colore"


def test_headers_are_read_in_any_case_order_and_spacing(session: Session, now: datetime) -> None:
    header = "  codice univoco  SUBMISURA ,CLP, cup,soggetto attuatore"

    report = importing(session, now, "M5C2I2.03.01,L1,cup: c47h 2100 1030 001,COMUNE DI RHO", header=header)

    assert report.errors == []
    project = the_project(session)
    body = session.get(Organization, project.implementing_body_id)
    assert body is not None
    assert (project.cup, body.name) == ("C47H21001030001", "Rho")


def test_the_national_files_bring_only_what_is_ours(session: Session, now: datetime) -> None:
    header = "CUP;Codice Locale Progetto;Codice Univoco Submisura;Provincia;Comune;Descrizione Comune;Indirizzo"
    rows = (
        "C47H21001030001;L1;M5C2I2.01.00;15;2;ABBIATEGRASSO;VIA VERDI",
        "C47H21001030001;L1;M5C2I2.01.00;058;091;ROMA;",
        "nonsense;L2;M5C2I2.01.00;058;091;ROMA;",
        "C47H21001030003;L3;M5C2I2.01.00;015;000;#;#",
    )

    report = importing(session, now, *rows, header=header)

    assert (report.errors, report.created, report.elsewhere) == ([], 2, 2)


def test_the_projects_file_brings_titles_and_bodies_to_projects_we_know(session: Session, now: datetime) -> None:
    importing(session, now, ROW)
    header = "CUP;Codice Locale Progetto;Codice Univoco Submisura;Titolo Progetto;Soggetto Attuatore;Programma"
    ours = "C47H21001030001;L1;M5C2I2.01.00;Ex mercato coperto;ASSOCIAZIONE ESEMPIO;PNRR"
    theirs = "C47H21001030009;L9;M5C2I2.01.00;Altrove;COMUNE DI ROMA;PNRR"

    report = importing(session, now, ours, theirs, header=header)

    project = the_project(session)
    body = session.get(Organization, project.implementing_body_id)
    assert body is not None
    assert (report.changed, report.elsewhere) == (1, 1)
    assert (project.title, project.title_is_working) == ("Ex mercato coperto", False)
    assert (body.name, body.kind) == ("ASSOCIAZIONE ESEMPIO", OrganizationKind.OTHER)
    assert report.notes[0].values["columns"].startswith("Descrizione Submisura")


def test_progress_is_told_every_thousand_rows(session: Session, now: datetime) -> None:
    load_municipalities(session)
    told: list[int] = []

    import_projects(session, a_file(*[ROW] * 2_500), now=now, progress=told.append)

    assert told == [1_000, 2_000]


def test_a_file_that_is_no_table_is_refused_with_a_sentence(session: Session, now: datetime) -> None:
    load_municipalities(session)

    for content in (b"", b"PK\x03\x04 no zip", b"CUP;\xff\xfe\xe8"):
        report = import_projects(session, io.BytesIO(content), now=now)
        assert not report.ok


def test_without_municipalities_nothing_is_imported(session: Session, now: datetime) -> None:
    assert errors(import_projects(session, CMMI_PROJECTS, now=now)) == [(1, "")]


def test_programmes_have_the_names_the_office_uses(session: Session, now: datetime, cast: Cast) -> None:
    importing(session, now, ROW, "C47H21001030002;L2;X9;Una misura nuova;015002;Abbiategrasso;;1,00;;")

    names = {row.code: row.name for row in session.exec(select(Programme))}
    assert names == {"M5C2I2.01.00": "Rigenerazione urbana (M5C2 2.1)", "X9": "Una misura nuova"}
