"""Files are kept as they came, known by their content, and the dangerous ones refused."""

import io
import os
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlmodel import Session, select

from intake.file_names import safe_name
from intake.files import MIB, FileRefused, arriving, keep_file, open_file
from storage.files import Files
from storage.sealing import Keyring
from storage.tables import Attachment, Audit

PDF = b"%PDF-1.7\n%an example\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def archive(*names: str, first: tuple[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        if first:
            file.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name in names:
            file.writestr(name, f"{name} " * 50)
    return buffer.getvalue()


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"


@pytest.fixture
def files(tmp_path: Path, keys: Keyring) -> Files:
    return Files(tmp_path / "files", keys)


def keep(session: Session, files: Files, content: bytes, now: datetime, name: str = "verbale.pdf") -> Attachment:
    return keep_file(session, files, name, "application/pdf", io.BytesIO(content), now=now)


def _left_in(files: Files) -> list[str]:
    return sorted(path.name for path in files.folder.rglob("*") if path.is_file())


def test_a_file_is_kept_once_and_read_back(session: Session, files: Files, now: datetime) -> None:
    content = PDF + os.urandom(700_000)

    first = keep(session, files, content, now)
    second = keep(session, files, content, now, name="copia.pdf")

    assert (first.size, first.type_seen) == (len(content), "application/pdf")
    assert first.id != second.id
    assert _left_in(files) == [first.sha256]
    with open_file(files, second) as file:
        assert (file.size, file.read()) == (len(content), content)
    assert session.exec(select(Audit.action)).all() == ["file.keep", "file.keep"]


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"GIF89a" + bytes(20), "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (archive("foto/una.jpg"), "application/zip"),
        (archive("[Content_Types].xml", "word/document.xml"), DOCX),
        (archive("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        (archive("content.xml", first=("mimetype", ODT)), ODT),
        ("Perché no? Sì.\n".encode(), "text/plain"),
        ("Perché no? Sì.\n".encode("cp1252"), "text/plain"),
        ("Perché no?".encode("utf-16"), "text/plain"),
        (b"a;b\r\n1;2\r\n", "text/plain"),
        (b"0\x82\x01\x00" + bytes(range(256)), "application/octet-stream"),
    ],
)
def test_the_type_is_read_from_the_content(
    session: Session, files: Files, now: datetime, content: bytes, seen: str
) -> None:
    attachment = keep(session, files, content, now, name="qualcosa.bin")

    assert attachment.type_seen == seen
    assert attachment.type_claimed == "application/pdf"


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00\x03",
        b"\x7fELF\x02\x01",
        b"\xcf\xfa\xed\xfe\x07",
        b"#!/bin/sh\nrm -rf ~\n",
        b"<!DOCTYPE html><p>ciao",
        b"\xef\xbb\xbf \n<HTML><script>alert(1)</script>",
        b"<!-- nothing to see -->\n" * 20 + b"<script src=x>",
        "<html><script>".encode("utf-16"),
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
        b"<?php system($_GET[0]);",
        archive("META-INF/MANIFEST.MF", "Main.class"),
    ],
)
def test_programs_scripts_and_pages_are_refused_whatever_their_name(
    session: Session, files: Files, now: datetime, content: bytes
) -> None:
    with pytest.raises(FileRefused, match="programs, scripts or web pages"):
        keep(session, files, content, now, name="verbale.pdf")

    assert _left_in(files) == []


@pytest.mark.parametrize(
    "name", ["a.exe", "a.pdf.EXE", "a.exe. . ", "a.js", "a.html", "a.svg", "a.lnk", "\u202efdp.exe", "a.e\u200bxe"]
)
def test_names_that_open_as_programs_are_refused(session: Session, files: Files, now: datetime, name: str) -> None:
    with pytest.raises(FileRefused):
        keep(session, files, PDF, now, name=name)


def test_an_empty_file_is_refused(session: Session, files: Files, now: datetime) -> None:
    with pytest.raises(FileRefused, match="empty"):
        keep(session, files, b"", now)

    assert _left_in(files) == []


class Endless(io.RawIOBase):
    """Gives bytes for ever, and counts them."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += size
        return b"x" * size


def test_a_file_that_is_too_large_is_refused_while_it_is_read(session: Session, files: Files, now: datetime) -> None:
    endless = Endless()

    with pytest.raises(FileRefused) as refused:
        keep_file(session, files, "grande.txt", "", endless, now=now)  # type: ignore[arg-type]

    assert refused.value.values == {"limit": 20}
    assert endless.given <= 21 * MIB
    assert _left_in(files) == []


def test_exactly_the_limit_is_kept(session: Session, files: Files, now: datetime) -> None:
    attachment = keep_file(session, files, "a.txt", "", io.BytesIO(b"x" * 1000), now=now, limit=1000)

    assert attachment.size == 1000


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\verbale.pdf", "verbale.pdf"),
        ("con\r\nSet-Cookie: x.pdf", "conSet-Cookie: x.pdf"),
        ("", "file"),
        ("...", "file"),
        ("   ", "file"),
        ("perché sì.pdf", "perché sì.pdf"),
        ("a" * 200 + ".pdf", "a" * 116 + ".pdf"),
    ],
)
def test_names_are_shown_without_folders_and_control_characters(given_name: str, shown: str) -> None:
    assert safe_name(given_name) == shown


@given(name=some.text(max_size=400))
def test_any_name_becomes_a_harmless_one(name: str) -> None:
    shown = safe_name(name)

    assert 0 < len(shown) <= 120
    assert "/" not in shown
    assert shown.isprintable()
    assert shown not in {".", ".."}


def test_a_file_can_come_piece_by_piece(files: Files) -> None:
    with arriving(files, "relazione.pdf", "application/pdf") as file:
        for piece in (b"%PD", b"F-1.7\n", b"x" * 100_000):
            file.write(piece)
        stored = file.settle()

    assert (stored.name, stored.size, stored.type_seen) == ("relazione.pdf", 100_009, "application/pdf")
    with files.open(stored.sha256) as kept:
        assert kept.read() == b"%PDF-1.7\n" + b"x" * 100_000


def test_a_file_that_stops_coming_leaves_nothing(files: Files) -> None:
    with pytest.raises(ConnectionError), arriving(files, "relazione.pdf", "") as file:
        file.write(PDF)
        raise ConnectionError

    assert _left_in(files) == []
