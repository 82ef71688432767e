"""Hands out forms as files, to be changed in Excel and uploaded again, and the files that were uploaded. Reads none."""

from enum import StrEnum
from urllib.parse import quote

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from desk.pages import House, Id, Reader, Refuse
from intake.forms.builtin import KEYS, builtin_file, builtin_form
from intake.forms.document import from_document
from intake.forms.nodes import Definition
from intake.forms.xlsform.writing import to_markdown, to_xlsx
from storage.forms import proposal, version_numbered

router = APIRouter()


class FileFormat(StrEnum):
    XLSX = "xlsx"
    MARKDOWN = "md"


@router.get("/desk/forms/beginnings/{key}.{kind}")
def beginning(signed: Reader, key: str, kind: FileFormat) -> Response:
    """One of the forms that come with Raccordo, as it came."""
    if key not in KEYS:
        raise Refuse(404)
    content = builtin_file(key) if kind is FileFormat.MARKDOWN else to_xlsx(builtin_form(key))
    return to_be_saved(content, f"{key}.{kind}")


@router.get("/desk/forms/{form_id}/versions/{number}/file.{kind}")
def version_file(house: House, signed: Reader, form_id: Id, number: Id, kind: FileFormat) -> Response:
    with house.database.read() as session:
        form = _definition(session, form_id, number)
    return to_be_saved(_written(form, kind), f"{form.key}-{number}.{kind}")


@router.get("/desk/forms/proposals/{proposal_id}/file")
def uploaded(house: House, signed: Reader, proposal_id: Id) -> Response:
    """As it came, whatever it is."""
    with house.database.read() as session:
        found = proposal(session, proposal_id)
        if found is None:
            raise Refuse(404)
        return to_be_saved(found.content, found.name)


def to_be_saved(content: bytes, name: str) -> Response:
    """Whatever it is, the browser saves it: nothing inside is ever shown as a page of ours."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        },
    )


def _written(form: Definition, kind: FileFormat) -> bytes:
    return to_xlsx(form) if kind is FileFormat.XLSX else to_markdown(form).encode()


def _definition(session: Session, form_id: int, number: int) -> Definition:
    found = version_numbered(session, form_id, number)
    if found is None:
        raise Refuse(404)
    return from_document(found.definition)
