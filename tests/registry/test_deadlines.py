"""Reading deadlines from a file: frozen values for whoever makes deadlines, or a sentence by row."""

import io
from datetime import date

import pytest
from sqlmodel import Session

from facts.recurrence import ONCE, monthly
from registry.deadlines import DeadlineRow, import_deadlines
from registry.municipalities import load_municipalities
from registry.report import ImportReport, RegistryRefused
from storage.projects import find_organization
from storage.scopes import Line
from storage.tables import DoneWhen, Moved, Programme, Subject, TargetKind
from tests.cast import Cast

HEADER = "titolo;modulo;ricorrenza;data;giorno;fino al;ambito"


def importing(session: Session, made: list[DeadlineRow], *rows: str, dry_run: bool = False) -> ImportReport:
    content = "\r\n".join((HEADER, *rows)).encode("utf-8-sig")
    return import_deadlines(session, io.BytesIO(content), made.append, dry_run=dry_run)


def test_deadlines_are_read_with_their_scope(session: Session, cast: Cast) -> None:
    load_municipalities(session)
    programme: Programme = cast.a_programme("M5C2I2.01.00")
    rho = find_organization(session, "Comune di RHO")
    assert rho is not None
    project = cast.a_project(rho, programme, cup="C47H21001030001")
    made: list[DeadlineRow] = []

    report = importing(
        session,
        made,
        "Monitoraggio mensile;;Mensile;10/12/2026;10;31/12/2027;m5c2i2.01.00, Rho",
        "Relazione finale;final;unica;2026-12-31;;31/12/9999;C47H21001030001",
        "Tutti;;mensile;05/01/2027;;;",
    )

    assert report.errors == []
    assert made == [
        DeadlineRow(
            row=2,
            title="Monitoraggio mensile",
            form_key="project-update",
            subject=Subject.PROJECT,
            rule=monthly(10),
            first_on=date(2026, 12, 10),
            until=date(2027, 12, 31),
            scope=(Line(TargetKind.PROGRAMME, programme.id), Line(TargetKind.ORGANIZATION, rho.id)),
        ),
        DeadlineRow(
            row=3,
            title="Relazione finale",
            form_key="final",
            subject=Subject.PROJECT,
            rule=ONCE,
            first_on=date(2026, 12, 31),
            until=None,
            scope=(Line(TargetKind.PROJECT, project.id),),
        ),
        DeadlineRow(
            row=4,
            title="Tutti",
            form_key="project-update",
            subject=Subject.PROJECT,
            rule=monthly(5),
            first_on=date(2027, 1, 5),
            until=None,
            scope=(),
        ),
    ]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (";;unica;10/12/2026;;;", "titolo"),
        ("T;;giornaliera;10/12/2026;;;", "ricorrenza"),
        ("T;;FREQ=DAILY;10/12/2026;;;", "ricorrenza"),
        ("T;;;10/12/2026;;;", "ricorrenza"),
        ("T;;unica;10/12/2026;;;-Atlantide", "ambito"),
        ("T;;unica;;;;", "data"),
        ("T;;unica;31/02/2026;;;", "data"),
        ("T;;unica;00/01/1900;;;", "data"),
        ("T;;mensile;10/12/2026;32;;", "giorno"),
        ("T;;mensile;10/12/2026;10;10/11/2026;", "fino al"),
        ("T;;unica;10/12/2026;;;Atlantide", "ambito"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # reading is the same on both
def test_a_mistake_is_told_by_row_and_column(session: Session, row: str, column: str) -> None:
    report = importing(session, [], row)

    assert [(error.row, error.column) for error in report.errors] == [(2, column)]


def test_what_the_maker_refuses_is_told_beside_its_row_and_nothing_is_kept(session: Session, cast: Cast) -> None:
    def refuse(row: DeadlineRow) -> None:
        cast.a_programme(f"P{row.row}")
        if row.row == 3:
            raise RegistryRefused("No form has this name.")

    content = f"{HEADER}\nA;;unica;10/12/2026;;;\nB;;unica;10/12/2026;;;".encode()
    report = import_deadlines(session, io.BytesIO(content), refuse)

    assert [(error.row, error.sentence) for error in report.errors] == [(3, "No form has this name.")]
    assert session.get(Programme, 1) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("recurrence", "day", "rule"),
    [
        ("Settimanale", "", "FREQ=WEEKLY;BYDAY=TH"),
        ("bimestrale", "", "FREQ=MONTHLY;BYMONTH=2,4,6,8,10,12;BYMONTHDAY=10"),
        ("trimestrale", "ultimo", "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1"),
        ("semestrale", "31", "FREQ=MONTHLY;BYMONTH=6,12;BYMONTHDAY=-1"),
        ("annuale", "", "FREQ=MONTHLY;BYMONTH=12;BYMONTHDAY=10"),
        ("FREQ=MONTHLY;BYDAY=1MO", "", "FREQ=MONTHLY;BYDAY=1MO"),
    ],
)
def test_a_word_of_how_often_or_a_rule_is_read(session: Session, recurrence: str, day: str, rule: str) -> None:
    made: list[DeadlineRow] = []

    report = importing(session, made, f'T;;"{recurrence}";10/12/2026;{day};;')

    assert report.errors == []
    assert [row.rule for row in made] == [rule]


def test_what_a_file_says_of_holidays_grace_and_exclusions_is_read(session: Session, cast: Cast) -> None:
    programme = cast.a_programme("M5C2I2.01.00")
    project = cast.a_project(cast.an_organization("Melzo"), programme, cup="C47H21001030001")
    header = "titolo;ricorrenza;data;ambito;se festivo;tolleranza;conclusa quando"
    rows = ["A;mensile;10/12/2026;m5c2, -C47H21001030001, - 03006;Successivo;5;accettato", "B;unica;10/12/2026;;;;"]
    made: list[DeadlineRow] = []

    report = import_deadlines(session, io.BytesIO("\n".join([header, *rows]).encode()), made.append)

    assert report.errors == []
    first, plain = made
    assert (first.moved, first.grace_days, first.done_when) == (Moved.NEXT, 5, DoneWhen.ACCEPTED)
    assert first.scope == (
        Line(TargetKind.MEASURE, code="M5C2"),
        Line(TargetKind.PROJECT, project.id, excluded=True),
        Line(TargetKind.PHASE, code="03006", excluded=True),
    )
    assert (plain.moved, plain.grace_days, plain.done_when) == (Moved.NOT, 0, DoneWhen.SENT)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("column", "word"), [("se festivo", "domani"), ("tolleranza", "poca"), ("conclusa quando", "mai")]
)
def test_a_mistake_in_what_is_new_is_told_by_its_column(session: Session, column: str, word: str) -> None:
    content = f"titolo;ricorrenza;data;{column}\nA;unica;10/12/2026;{word}".encode()
    made: list[DeadlineRow] = []

    report = import_deadlines(session, io.BytesIO(content), made.append)

    assert [(error.row, error.column) for error in report.errors] == [(2, column)]
