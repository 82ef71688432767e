"""Exporting: everything that is stored, in three formats, and nothing that a spreadsheet would run."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import Session, select

from facts.languages import Language
from intake.builtin import ensure_builtin_forms
from intake.corrections import Edited, correct_caption
from intake.delegation import delegate
from registry.cells import as_csv, guarded
from registry.export import EXPORTS, FORMATS, export
from storage import audit
from storage.tables import (
    AccessRequest,
    Address,
    Attachment,
    Channel,
    Decision,
    FormVersion,
    Inbox,
    Letter,
    LetterKind,
    LetterState,
    Message,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Reason,
    Receipt,
    Referent,
    SentPart,
    Step,
    Update,
)
from storage.words import ReceiptKind, Standing
from tests.cast import Cast

FORMULA = '=HYPERLINK("http://example.org";"clicca")&1+1'
ANSWERS = {
    "phase": "03005",
    "progress": "45.5",
    "spent": "1234.56",
    "expected_end": "2027-06-30",
    "problems": "yes",
    "problem": FORMULA,
    "notes": FORMULA,
}


@pytest.fixture
def filled(session: Session, cast: Cast, now: datetime) -> Session:
    """One of everything, with a formula wherever somebody could have written one."""
    version = ensure_builtin_forms(session, now)
    town = cast.an_organization(FORMULA, "015002")
    project = cast.a_project(town, cast.a_programme(FORMULA[:40], FORMULA), FORMULA, local_code=FORMULA)
    ada = cast.a_referent(FORMULA, town, (project,), chat=-100200, email=FORMULA)
    cast.add(Address(referent_id=ada.id, channel=Channel.PHONE, value="+39 02", created_at=now))
    an_update(cast, project, ada, version, now)
    question = cast.a_question(ada, FORMULA, project_id=project.id)
    message = session.exec(select(Message).where(Message.question_id == question.id)).one()
    cast.add(Attachment(sha256="0" * 64, size=1, name=FORMULA, message_id=message.id, created_at=now))
    deadline = cast.a_deadline(version, date(2026, 12, 10), FORMULA)
    obligation = cast.an_obligation(deadline, project, date(2026, 12, 10), now + timedelta(days=16))
    obligation.waived_reason = FORMULA
    step = cast.add(Step(obligation_id=obligation.id, rung_id=1, offset_days=-7, due_at=now))
    cast.add(Decision(step_id=step.id, referent_id=ada.id, outcome=Outcome.SENT, reason=Reason.DUE, decided_at=now))
    mail = cast.add(an_inbox_row(now))
    album = cast.add(an_outbox_row(now))
    cast.add(SentPart(outbox_id=album.id, provider_id=FORMULA))
    cast.add(
        Receipt(outbox_id=album.id, kind=ReceiptKind.BOUNCED, standing=Standing.UNVERIFIED, detail=FORMULA, at=now)
    )
    cast.add(a_letter(mail.id, now))
    words: dict[str, Any] = {"name": FORMULA, "organization": FORMULA, "email": FORMULA, "reason": FORMULA}
    cast.add(AccessRequest(chat="44", organization_id=town.id, created_at=now, touched_at=now, **words))
    audit.record(session, now, ("staff", 1), FORMULA, (FORMULA[:20], 1), reason=FORMULA)
    session.flush()
    return session


def an_update(cast: Cast, project: Project, ada: Referent, version: FormVersion, now: datetime) -> None:
    cast.add(
        Update(
            project_id=project.id,
            referent_id=ada.id,
            form_version_id=version.id,
            channel=Channel.WEB,
            answers=ANSWERS,
            received_at=now,
        )
    )


def an_inbox_row(now: datetime) -> Inbox:
    return Inbox(
        kind=FORMULA[:20],
        account=FORMULA,
        provider_id=FORMULA,
        payload_hash="0" * 64,
        payload=FORMULA.encode(),
        lane=FORMULA,
        error=FORMULA,
        received_at=now,
    )


def an_outbox_row(now: datetime) -> Outbox:
    return Outbox(
        kind=OutboxKind.ANSWER,
        channel=Channel.EMAIL,
        address=FORMULA,
        dedupe_key=FORMULA,
        body={"html": FORMULA},
        error=FORMULA,
        provider_id=FORMULA,
        next_at=now,
        created_at=now,
    )


def a_letter(inbox_id: int, now: datetime) -> Letter:
    words: dict[str, Any] = dict.fromkeys(
        ("provider_id", "sender", "sender_name", "subject", "text", "quoted"), FORMULA
    )
    states: dict[str, Any] = {"kind": LetterKind.MESSAGE, "state": LetterState.HELD, "standing": Standing.UNVERIFIED}
    about: dict[str, Any] = {"doubt": FORMULA}
    return Letter(
        inbox_id=inbox_id,
        channel=Channel.EMAIL,
        fingerprint=b"x",  # type: ignore[arg-type]
        about=about,
        received_at=now,
        **words,
        **states,
    )


def exported(session: Session, what: str, format: str, language: Language = Language.IT) -> bytes:
    out = io.BytesIO()
    export(session, what, format, out, language=language)
    return out.getvalue()


def csv_rows(session: Session, what: str, language: Language = Language.IT) -> list[dict[str, str]]:
    text = exported(session, what, "csv", language).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


@pytest.mark.parametrize("what", EXPORTS)
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # reading is the same on both
def test_an_empty_desk_exports_an_empty_table(session: Session, what: str, format: str) -> None:
    content = exported(session, what, format)

    assert content
    if format == "json":
        assert json.loads(content) == []


def test_an_update_is_flattened_into_columns_in_the_order_of_the_form(filled: Session) -> None:
    row = csv_rows(filled, "updates", Language.EN)[0]

    asked = ["Phase", "Physical progress", "Spent to date", "Expected end", "Problems", "Which problem", "Notes"]
    assert list(row)[-7:] == asked
    assert (row["Physical progress"], row["Spent to date"], row["Expected end"]) == ("45,5", "1234,56", "30/06/2027")
    assert (row["Received"], row["Nothing changed"]) == ("24/11/2026 10:00:00", "No")


def test_headers_are_in_the_language_asked_for(filled: Session) -> None:
    assert "Avanzamento fisico" in csv_rows(filled, "updates", Language.IT)[0]
    assert "Ricevuto" in csv_rows(filled, "updates", Language.IT)[0]
    assert "Received" in csv_rows(filled, "updates", Language.EN)[0]


def test_json_holds_what_is_stored_and_nothing_else(filled: Session) -> None:
    update = json.loads(exported(filled, "updates", "json"))[0]
    inbox = json.loads(exported(filled, "inbox", "json"))[0]
    obligation = json.loads(exported(filled, "obligations", "json"))[0]
    referent = json.loads(exported(filled, "referents", "json"))[0]
    outbox = json.loads(exported(filled, "outbox", "json"))[0]

    assert (update["answers"], update["received_at"]) == (ANSWERS, "2026-11-24T09:00:00+00:00")
    assert inbox["payload"] == FORMULA
    letter = json.loads(exported(filled, "letters", "json"))[0]
    assert (letter["sender"], letter["about"], letter["state"]) == (FORMULA, {"doubt": FORMULA}, "held")
    assert [(one["kind"], one["detail"]) for one in outbox["receipts"]] == [("bounced", FORMULA)]
    assert (outbox["provider_id"], outbox["parts"]) == (FORMULA, [FORMULA])
    assert [(one["offset_days"], one["outcome"]) for one in obligation["reminders"]] == [(-7, "sent")]
    assert (referent["telegram"], referent["phone"]) == (["-100200"], ["+39 02"])


def test_files_are_exported_with_their_words_and_what_these_were_edited_to(filled: Session, now: datetime) -> None:
    file = filled.exec(select(Attachment)).one()
    file.name, file.caption = "foto-7.jpg", "fachada"
    filled.flush()
    correct_caption(filled, file, Edited("fachada", "facciata"), now=now, zone="Europe/Rome")

    question = json.loads(exported(filled, "questions", "json"))[0]

    assert question["attachments"] == ["foto-7.jpg: fachada"]
    assert question["corrections"] == ["foto-7.jpg: facciata"]


def test_a_payload_that_is_no_text_is_exported_as_base64(cast: Cast, session: Session, now: datetime) -> None:
    row = an_inbox_row(now)
    row.payload = b"\xff\xfe"
    cast.add(row)

    assert json.loads(exported(session, "inbox", "json"))[0]["payload"] == "base64://4="


@pytest.mark.parametrize("what", EXPORTS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # reading is the same on both
def test_no_csv_cell_begins_like_a_formula(filled: Session, what: str) -> None:
    rows = list(csv.reader(io.StringIO(exported(filled, what, "csv").decode("utf-8-sig"), newline=""), delimiter=";"))

    assert any(FORMULA in cell or FORMULA[:20] in cell for row in rows for cell in row)
    assert [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r")] == []


@pytest.mark.parametrize("what", EXPORTS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # reading is the same on both
def test_every_string_in_excel_stays_a_string(filled: Session, what: str) -> None:
    sheet: Any = load_workbook(io.BytesIO(exported(filled, what, "xlsx"))).active
    cells = [cell for row in sheet.iter_rows() for cell in row]

    assert [cell for cell in cells if isinstance(cell.value, str) and cell.data_type != "s"] == []
    assert [cell.coordinate for cell in cells if cell.data_type in ("f", "e")] == []


def test_numbers_days_and_instants_are_real_ones_in_excel(filled: Session) -> None:
    sheet: Any = load_workbook(io.BytesIO(exported(filled, "updates", "xlsx", Language.EN))).active
    header, row = sheet.iter_rows(values_only=True)
    cells = dict(zip(header, row, strict=True))

    assert (cells["Spent to date"], cells["Physical progress"]) == (1234.56, 45.5)
    assert cells["Expected end"] == datetime(2027, 6, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
    assert cells["Received"] == datetime(2026, 11, 24, 10, 0)  # noqa: DTZ001


def test_control_characters_and_endless_texts_do_not_break_an_excel_file(
    session: Session, cast: Cast, now: datetime
) -> None:
    cast.a_project(cast.an_organization(), title="a\x01b\x0b" + "x" * 40_000)

    sheet: Any = load_workbook(io.BytesIO(exported(session, "projects", "xlsx"))).active

    title = list(sheet.iter_rows(values_only=True))[1][3]
    assert (title[:4], len(title)) == ("a\ufffdb\ufffd", 32_767)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "\n=1", "＝1+1"])
def test_text_that_a_spreadsheet_might_run_gets_a_quote_before(text: str) -> None:
    assert guarded(text) == "'" + text


def test_real_numbers_get_none() -> None:
    assert (as_csv(-5), as_csv(Decimal("-1234.50")), as_csv("1-2"), as_csv("")) == ("-5", "-1234,50", "1-2", "")


def test_a_large_table_is_streamed_in_order(session: Session, cast: Cast, now: datetime) -> None:
    town, programme = cast.an_organization(), cast.a_programme()
    ids = [cast.a_project(town, programme).id for _ in range(1_101)]

    assert [row["id"] for row in json.loads(exported(session, "projects", "json"))] == ids


def test_what_is_lent_is_told_apart_from_what_is_ones_own(session: Session, cast: Cast, now: datetime) -> None:
    town = cast.an_organization()
    market, library = cast.a_project(town), cast.a_project(town)
    ada = cast.a_referent("Ada Esempio", town, (market,), chat=11)
    bruno = cast.a_referent("Bruno Esempio", town, (library,), chat=12)
    delegate(session, ada.id, bruno.id, date(2026, 12, 4), today=date(2026, 11, 24), now=now)

    out = io.BytesIO()
    export(session, "referents", "json", out)

    first, second = json.loads(out.getvalue())
    assert (first["away_until"], first["away_substitute_id"]) == ("2026-12-04", bruno.id)
    assert (first["cups"], first["cups_in_place"]) == ([market.cup], [])
    assert (second["cups"], second["cups_in_place"]) == ([library.cup], [market.cup])
    assert second["away_until"] is None
