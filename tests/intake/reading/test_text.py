"""Whatever charset, encoding or form a mail comes in, its words are those that were written."""

import pytest

from intake.mail import read
from intake.reading.webtext import text_of_page
from tests.intake.reading.letters import a_mail, a_multipart, a_part

ITALIAN = "Perché no? Così è già più chiaro: 1.250,00 €, l’opera è “ultimata”."


def text_of(raw: bytes) -> str:
    return read(raw).text


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("utf-8", "utf-8"),
        ("UTF8", "utf-8"),
        ("iso-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("windows-1252", "cp1252"),
        ("", "utf-8"),
        ("", "cp1252"),
        ("x-unknown", "utf-8"),
        ("x-unknown", "cp1252"),
        ("utf-8", "cp1252"),
        ("iso-8859-15; format=fixed", "iso8859-15"),
        ("utf-16", "utf-16"),
        ("macintosh", "mac-roman"),
    ],
)
def test_words_arrive_whatever_the_label_says(label: str, codec: str) -> None:
    words = ITALIAN if codec != "iso8859-15" else "Perché no? 12 €"
    type_ = f"text/plain; charset={label}" if label else "text/plain"

    assert text_of(a_mail(words.encode(codec), Content_Type=type_) if codec != "utf-16" else sixteen(words)) == words


def sixteen(words: str) -> bytes:
    import base64

    return a_mail(
        base64.b64encode(words.encode("utf-16")),
        Content_Type="text/plain; charset=utf-16",
        Content_Transfer_Encoding="base64",
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("=?utf-8?Q?Perch=C3=A9_no=3F?=", "Perché no?"),
        ("=?UTF-8?B?UGVyY2jDqSBubz8=?=", "Perché no?"),
        ("=?iso-8859-1?q?12_=80?=", "12 €"),
        ("R: =?utf-8?q?Citt=C3=A0?= =?utf-8?q?_metropolitana?=", "R: Città metropolitana"),
        ("=?utf-8?q?Perch=C3?=\r\n =?utf-8?q?=A9?=", "Perché"),  # a letter cut in two
        ("=?utf-8?q?Perch=C3=A9?==?utf-8?q?_no?=", "Perché no"),  # nothing between
        ("=?utf-8?Q?Perché no?=", "Perché no"),  # blanks and 8-bit letters inside
        ("=?utf-8*it?q?Citt=C3=A0?=", "Città"),
        ("=?x-boh?q?Citt=C3=A0?=", "Città"),
        ("=?utf-8?B?UGVyY2jDqQ?=", "Perché"),  # padding forgotten
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("=?utf-8?q?senza fine", "=?utf-8?q?senza fine"),
        ("Perché\r\n no", "Perché no"),
    ],
)
def test_subjects_are_read_as_people_mean_them(written: str, shown: str) -> None:
    assert read(a_mail(Subject=written)).subject == shown


def test_headers_in_eight_bits_without_a_word_of_their_charset() -> None:
    raw = a_mail().replace(b"Ribasso d'asta", "Città è".encode("cp1252"))

    assert read(raw).subject == "Città è"


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ('Content-Disposition: attachment; filename="perizia.pdf"', "perizia.pdf"),
        ("Content-Disposition: attachment; filename*=utf-8''perch%C3%A9%20no.pdf", "perché no.pdf"),
        (
            "Content-Disposition: attachment;\n filename*0*=iso-8859-1'it'perch%E9;\n filename*1=\" no\";\n"
            ' filename*2=".pdf"',
            "perché no.pdf",
        ),
        ('Content-Disposition: attachment; filename="=?utf-8?q?perch=C3=A9?=.pdf"', "perché.pdf"),
        ('Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        (r'Content-Disposition: attachment; filename="C:\\Utenti\\ada\\perizia.pdf"', "perizia.pdf"),
        ("Content-Disposition: attachment; filename=perizia finale.pdf", "perizia finale.pdf"),
        ('Content-Disposition: attachment; filename="a;b.pdf"', "a;b.pdf"),
        ("Content-Disposition: attachment; filename=..", "file"),
        ("Content-Disposition: attachment", "file.pdf"),
        ("Content-Disposition: attachment; filename*=utf-8''fdp%E2%80%AE.exe.pdf", "fdp.exe.pdf"),
    ],
)
def test_files_are_called_as_their_sender_meant_but_safely(headers: str, shown: str) -> None:
    part = f"Content-Type: application/pdf\n{headers}\n\n%PDF-".encode()

    (file,) = read(a_multipart(a_part("Ecco"), part)).files

    assert file.name == shown


def test_the_name_may_stand_with_the_type() -> None:
    (file,) = read(a_multipart(a_part("x"), a_part("%PDF-", 'application/pdf; name="perizia.pdf"'))).files

    assert (file.name, file.type, file.content) == ("perizia.pdf", "application/pdf", b"%PDF-")


def test_of_two_forms_the_plain_one_is_taken() -> None:
    mail = read(a_multipart(a_part("Chiaro"), a_part("<p>Bello", "text/html"), kind="alternative"))

    assert (mail.text, mail.files) == ("Chiaro", ())


def test_an_empty_plain_form_is_no_form() -> None:
    mail = read(a_multipart(a_part(" \n"), a_part("<p>Bello", "text/html"), kind="alternative"))

    assert mail.text == "Bello"


def test_texts_between_files_are_all_read() -> None:
    mail = read(
        a_multipart(
            a_part("Sopra"), a_part("%PDF-", 'application/pdf; name="a.pdf"'), a_part("<b>Sotto</b>", "text/html")
        )
    )

    assert mail.text == "Sopra\n\nSotto"
    assert [file.name for file in mail.files] == ["a.pdf"]


def test_a_page_is_read_as_text_with_its_links() -> None:
    page = """<html><head><title>No</title><style>p {}</style></head><body><p>Gentile&nbsp;ufficio,<br>ecco:</p>
    <ul><li>il <a href="https://example.org/sal">SAL</a></li><li><b>due</b> righe</li></ul>
    <table><tr><td>CUP</td><td>C47H</td></tr></table><script>alert(1)</script>
    <a href="mailto:ada@example.org">ada@example.org</a> <a href="javascript:x()">no</a>
    <img alt="Logo" src="https://example.org/x.png">
    <blockquote>di prima</blockquote></body></html>"""

    assert read(a_mail(page, Content_Type="text/html; charset=utf-8")).text.split("\n") == [
        "Gentile ufficio,",
        "ecco:",
        "",
        "- il SAL (https://example.org/sal)",
        "- due righe",
        "",
        "CUP C47H",
        "",
        "ada@example.org no [Logo]",
    ]


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<p>uno</p>" + "<div>" * 20_000 + "due &egrave; qui", "uno\n\ndue è qui"),
        ("a < b e c>d & così", "a < b e c>d & così"),
        ("<p class=l'altro>uno <b title='>'>due</b>", "uno due"),
        ("uno<!-- no --> due<!-- senza fine", "uno due senza fine"),
        ("<style>no</style>uno<script>if (a < b) {</script><style>senza fine", "unosenza fine"),
        ("<!DOCTYPE html><?xml x?>uno</ p>due", "unodue"),
        ("<a href='https://example.org/a?b=1&amp;c=2'>qui</a>", "qui (https://example.org/a?b=1&c=2)"),
        ("<a href=https://example.org>example.org</a>", "example.org"),
        ("<a href='https://example.org'>uno<p>due", "uno\n\ndue (https://example.org)"),
        ("<pre>a  b\n  c</pre>d", "a  b\n  c\nd"),
        ("uno<hr>due", "uno\n____________________\ndue"),
        (f'<img src="data:image/png;base64,{"A" * 3_000_000}">uno', "uno"),
        ("<p", ""),
    ],
)
def test_pages_of_any_making(page: str, shown: str) -> None:
    assert text_of_page(page) == shown


def test_soft_line_ends_are_joined() -> None:
    body = "Questa riga \ncontinua.\n-- \nAda\n> citata \n> anche\n"

    mail = read(a_mail(body, Content_Type="text/plain; format=flowed"))

    assert mail.text == "Questa riga continua."
    assert "> citata anche" in mail.quoted


def test_soft_line_ends_may_be_without_blanks() -> None:
    mail = read(a_mail("spezza \nta\n", Content_Type="text/plain; format=flowed; delsp=yes"))

    assert mail.text == "spezzata"


def test_nul_and_halves_of_letters_are_gone() -> None:
    mail = read(a_mail(b"a\x00b", Subject="=?utf-16?b?2AA=?="))

    assert mail.text == "ab"
    mail.subject.encode()


@pytest.mark.parametrize("how", ["base64", "quoted-printable", "x-uuencode", "8bit", "BASE64"])
def test_content_is_the_same_however_it_travelled(how: str) -> None:
    import base64
    import binascii
    import quopri

    content = bytes(range(256)) * 3
    travelling = {
        "base64": base64.encodebytes(content),
        "quoted-printable": quopri.encodestring(content),
        "8bit": content,
        "x-uuencode": b"begin 644 x\n"
        + b"".join(binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45))
        + b"end\n",
    }[how.lower()]
    part = a_part(
        travelling, "application/octet-stream", Content_Transfer_Encoding=how, Content_Disposition="attachment"
    )
    raw = b"Content-Type: multipart/mixed; boundary=confine\n\n--confine\n" + part + b"\n--confine--\n"

    assert read(raw).files[0].content == content


def test_without_its_boundary_a_mail_is_read_as_the_text_it_is() -> None:
    assert "Ciao" in read(a_mail("--altro\n\nCiao\n", Content_Type="multipart/mixed; boundary=confine")).text
    assert read(a_mail("Ciao", Content_Type="multipart/mixed")).text == "Ciao"


def test_without_its_end_the_last_part_is_read() -> None:
    raw = a_multipart(a_part("Uno"), a_part("Due")).rpartition(b"--confine--")[0]

    assert read(raw).text == "Uno\n\nDue"
