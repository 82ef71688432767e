"""What is packed, signed or nested is shown as what it is; archives stay as they are."""

import struct
import zipfile
from io import BytesIO

import pytest
from asn1crypto import cms, core

from intake.mail import read
from tests.intake.reading.letters import a_mail, a_multipart, a_part


def a_tnef(body: str, *files: tuple[str, bytes]) -> bytes:
    """As Outlook packs it (MS-OXTNEF): the signature, a key, then attributes with their checksums."""

    def attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
        return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    result = struct.pack("<IH", 0x223E9F78, 1)
    result += attribute(1, 0x9006, 8, struct.pack("<I", 0x00010000))
    result += attribute(1, 0x800C, 2, body.encode("cp1252") + b"\x00")
    for name, content in files:
        result += attribute(2, 0x9002, 6, bytes(14))
        result += attribute(2, 0x8010, 1, name.encode("cp1252") + b"\x00")
        result += attribute(2, 0x800F, 6, content)
    return result


def a_signed(content: bytes | None) -> bytes:
    """A SignedData without signers: enough to be one."""
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [],
            "encap_content_info": {"content_type": "data", "content": core.OctetString(content) if content else None},
            "signer_infos": [],
        }
    )
    signed: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return signed


def with_file(content: bytes, type_: str, name: str = "") -> bytes:
    import base64

    given = f'; name="{name}"' if name else ""
    return a_multipart(
        a_part("Ecco"), a_part(base64.encodebytes(content), type_ + given, Content_Transfer_Encoding="base64")
    )


def test_winmail_is_opened() -> None:
    packed = a_tnef("Buongiorno, è pronto", ("perizia.pdf", b"%PDF-1"), ("../due.txt", b"due"))

    mail = read(with_file(packed, "application/ms-tnef", "winmail.dat"))

    assert [(file.name, file.content) for file in mail.files] == [("perizia.pdf", b"%PDF-1"), ("due.txt", b"due")]
    assert mail.text == "Ecco"


def test_the_text_of_winmail_where_there_is_no_other() -> None:
    mail = read(a_mail(a_tnef("Buongiorno"), Content_Type="application/ms-tnef", Content_Transfer_Encoding="8bit"))

    assert (mail.text, mail.files) == ("Buongiorno", ())


@pytest.mark.parametrize("content", [b"", b'x\x9f>"', a_tnef("x", ("a", b"b"))[:40], b"nothing of the kind"])
def test_what_is_no_winmail_stays_a_file(content: bytes) -> None:
    (file,) = read(with_file(content, "application/ms-tnef", "winmail.dat")).files

    assert (file.name, file.content) == ("winmail.dat", content)


def test_a_signed_file_says_what_is_in_it() -> None:
    (file,) = read(with_file(a_signed(b"%PDF-"), "application/pkcs7-mime", "perizia.pdf.p7m")).files

    assert (file.name, file.signed, file.inside) == ("perizia.pdf.p7m", True, "perizia.pdf")
    assert file.content == a_signed(b"%PDF-")


def test_a_signed_file_in_base64() -> None:
    import base64

    (file,) = read(
        with_file(base64.encodebytes(a_signed(b"%PDF-")), "application/octet-stream", "perizia.pdf.P7M")
    ).files

    assert (file.signed, file.inside) == (True, "perizia.pdf")


@pytest.mark.parametrize("content", [b"", b"MZ", b"\x30\x80\x06", b"0" * 5000, a_signed(b"x")[:20]])
def test_what_only_calls_itself_signed_is_not(content: bytes) -> None:
    (file,) = read(with_file(content, "application/pkcs7-mime", "perizia.pdf.p7m")).files

    assert (file.signed, file.inside) == (False, "")


def test_a_mail_inside_a_signature_is_read() -> None:
    import base64

    inner = a_part("È firmata.").replace(b"\n", b"\r\n")
    raw = a_mail(
        base64.encodebytes(a_signed(inner)),
        Content_Type='application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"',
        Content_Transfer_Encoding="base64",
    )

    assert read(raw).text == "È firmata."


def test_a_signature_within_a_signature_ends_somewhere() -> None:
    type_ = "application/pkcs7-mime; smime-type=signed-data"
    content = a_part("fondo")
    for _ in range(80):
        content = a_part(a_signed(content), type_, Content_Transfer_Encoding="binary")

    mail = read(content)

    assert mail.text == ""
    assert len(mail.files) == 1


@pytest.mark.parametrize("how", ["7bit", "base64"])
def test_a_mail_inside_a_mail_is_a_file_called_by_its_subject(how: str) -> None:
    import base64

    inner = b"From: Bruno <bruno@example.org>\nSubject: =?utf-8?q?Perch=C3=A9=2Fno?=\n\nCiao"
    content = base64.encodebytes(inner) if how == "base64" else inner

    mail = read(a_multipart(a_part("Guarda"), a_part(content, "message/rfc822", Content_Transfer_Encoding=how)))

    (file,) = mail.files
    assert (file.name, file.inside) == ("Perché-no.eml", "Perché/no · Bruno <bruno@example.org>")
    assert file.content.replace(b"\r\n", b"\n") == inner
    assert mail.text == "Guarda"


def test_the_mails_of_a_digest() -> None:
    mail = read(a_multipart(b"\nSubject: Uno\n\nx", b"\nSubject: Due\n\ny", kind="digest"))

    assert [file.name for file in mail.files] == ["Uno.eml", "Due.eml"]


def test_pictures_in_the_text_are_files_too() -> None:
    mail = read(
        a_multipart(
            a_part('<p>Ecco <img src="cid:1">', "text/html"),
            a_part(b"\x89PNG\r\n\x1a\n", "image/png", Content_ID="<1>"),
            kind="related",
        )
    )

    assert [(file.name, file.inline) for file in mail.files] == [("file.png", True)]
    assert mail.text == "Ecco"


def test_archives_are_not_unpacked() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeri.txt", bytes(10_000_000))

    (file,) = read(with_file(packed.getvalue(), "application/zip", "zeri.zip")).files

    assert file.content == packed.getvalue()
    assert len(file.content) < 20_000


def test_a_text_with_a_name_is_a_file() -> None:
    mail = read(
        a_multipart(a_part("Ecco"), a_part("uno;due", "text/plain", Content_Disposition='inline; filename="a.csv"'))
    )

    assert (mail.text, mail.files[0].name, mail.files[0].inline) == ("Ecco", "a.csv", True)
