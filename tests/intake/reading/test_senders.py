"""Who wrote is believed only where nothing is odd; and only our own server's word is taken for it."""

import pytest

from intake.incoming import Incoming, Writer
from intake.mail import read
from intake.reading import addresses
from tests.intake.reading.letters import a_mail

OURS = "mx.example.net"
PASSED = f"{OURS}; spf=pass smtp.mailfrom=ada@example.org; dmarc=pass (p=REJECT) header.from=example.org"


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        ("ada@example.org", "ada@example.org", ""),
        ("<ADA@Example.ORG>", "ada@example.org", ""),
        ("Ada Esempio <ada@example.org>", "ada@example.org", "Ada Esempio"),
        ('"Esempio, Ada" <ada@example.org>', "ada@example.org", "Esempio, Ada"),
        ('"Esempio \\"Ada\\"" <ada@example.org>', "ada@example.org", 'Esempio "Ada"'),
        ("=?utf-8?q?Citt=C3=A0=2C_ufficio?= <ada@example.org>", "ada@example.org", "Città, ufficio"),
        ("ada@example.org (Ada (RUP) Esempio)", "ada@example.org", "Ada (RUP) Esempio"),
        ('"ada@example.org" <ada@example.org>', "ada@example.org", "ada@example.org"),
        ("Ada\r\n Esempio\r\n <ada@example.org>", "ada@example.org", "Ada Esempio"),
        ("Città di Esempio <ada@example.org>", "ada@example.org", "Città di Esempio"),
    ],
)
def test_one_address_is_believed_to_be_written_there(written: str, address: str, name: str) -> None:
    mail = read(a_mail(From=written))

    assert (mail.sender, mail.doubt) == (Writer(address, name), "")


@pytest.mark.parametrize(
    ("written", "doubt"),
    [
        ("", addresses.NOBODY),
        (None, addresses.NOBODY),
        ("undisclosed-recipients:;", addresses.NOBODY),
        ("Ada Esempio", addresses.UNREADABLE),
        ("ada@", addresses.UNREADABLE),
        ("ada@example.org, bruno@example.org", addresses.SEVERAL),
        ("Ada <ada@example.org>, Bruno <bruno@example.org>", addresses.SEVERAL),
        ("ada@example.org bruno@example.org", addresses.UNREADABLE),
        ("ada@example.org\r\nFrom: bruno@example.org", addresses.SEVERAL),
        ("ada@exa mple.org", addresses.UNREADABLE),
    ],
)
def test_who_cannot_be_told_is_nobody(written: str | None, doubt: str) -> None:
    mail = read(a_mail(From=written))

    assert (mail.sender, mail.doubt) == (None, doubt)


@pytest.mark.parametrize(
    ("written", "doubt"),
    [
        ("sindaco@comune.example.org <x@evil.example.org>", addresses.LOOKS_LIKE_ANOTHER),
        ('"sindaco@comune.example.org" <x@evil.example.org>', addresses.LOOKS_LIKE_ANOTHER),
        ("=?utf-8?q?sindaco=40comune=2Eexample=2Eorg?= <x@evil.example.org>", addresses.LOOKS_LIKE_ANOTHER),
        ("sindaco＠comune.example.org <x@evil.example.org>", addresses.LOOKS_LIKE_ANOTHER),
        ("Ada @ Esempio <x@evil.example.org>", addresses.LOOKS_LIKE_ANOTHER),
        ("Ada <x@evil.example.org> altro", addresses.UNREADABLE),
        ("Ada <ada@example.org> <x@evil.example.org>", addresses.UNREADABLE),
        ('Ada" <x@evil.example.org>', addresses.UNREADABLE),
        ("Ada (senza fine <x@evil.example.org>", None),
    ],
)
def test_what_is_odd_is_never_verified(written: str, doubt: str | None) -> None:
    mail = read(
        a_mail(From=written, Authentication_Results=f"{OURS}; dmarc=pass header.from=evil.example.org"),
        authserv_id=OURS,
    )

    assert mail.doubt == doubt if doubt else mail.doubt
    assert mail.dmarc == ""


def with_results(*results: str, sender: str = "ada@example.org") -> Incoming:
    top = "".join(f"Authentication-Results: {one}\r\n" for one in results).encode()
    return read(top + a_mail(From=sender), authserv_id=OURS)


@pytest.mark.parametrize(
    "result",
    [
        PASSED,
        f"{OURS} 1; dmarc=pass header.from=example.org",
        f"{OURS.upper()};dmarc=PASS header.from=EXAMPLE.org",
        f"{OURS}; dkim=pass header.d=other.example; dmarc = pass (because (I) say; so) header.from = example.org",
        f'(hello) {OURS} (a;b); dmarc=pass\r\n reason="a ; b"\r\n header.from=example.org',
        f"{OURS}; dmarc=pass action=none header.from=example.org;",
    ],
)
def test_the_word_of_our_own_server_is_taken(result: str) -> None:
    assert with_results(result).dmarc == "example.org"


@pytest.mark.parametrize(
    "results",
    [
        (f"{OURS}; dmarc=fail header.from=example.org", PASSED),  # ours is on top, the other came with the mail
        (f"{OURS}; none", PASSED),
        ("mx.evil.example; dmarc=pass header.from=example.org",),
        (f"evil.{OURS}; dmarc=pass header.from=example.org",),
        (f"mx.evil.example ({OURS}); dmarc=pass header.from=example.org",),
        (f"mx.evil.example; {OURS}; dmarc=pass header.from=example.org",),
        (f"{OURS}; dmarc=pass header.from=evil.example",),
        (f"{OURS}; dmarc=pass header.from=sub.example.org",),
        (f"{OURS}; dmarc=pass",),
        (f"{OURS}; (dmarc=pass header.from=example.org)",),
        (f'{OURS}; spf=fail reason="; dmarc=pass header.from=example.org"',),
        (f"{OURS}; dmarc=fail header.from=example.org; dmarc=pass header.from=example.org",),
        (f"{OURS}; dmarc=pass header.from=evil.example header.from=example.org",),
        (f"{OURS}; xdmarc=pass header.from=example.org",),
        ("",),
        (";",),
    ],
)
def test_nobody_elses_word_is_taken(results: tuple[str, ...]) -> None:
    assert with_results(*results).dmarc == ""


def test_a_server_of_another_name_above_ours_changes_nothing() -> None:
    assert with_results("mx.other.example; dmarc=fail header.from=example.org", PASSED).dmarc == "example.org"


def test_without_a_server_to_believe_nothing_is_believed() -> None:
    assert read(a_mail(Authentication_Results=PASSED)).dmarc == ""
    assert read(a_mail(Authentication_Results="; dmarc=pass header.from=example.org")).dmarc == ""


def test_every_address_it_may_have_come_to() -> None:
    mail = read(
        a_mail(
            Delivered_To="ricevuti+ABC@example.net",
            X_Original_To="ufficio@example.net",
            To='"Ufficio, PNRR" <Ufficio@Example.net>, altri: bruno@example.org;',
            Cc="carla@example.org",
            X_Raccordo_Token="finto",
        )
    )

    assert mail.delivered_to == (
        "ricevuti+abc@example.net",
        "ufficio@example.net",
        "bruno@example.org",
        "carla@example.org",
    )


def test_of_ours_only_when_ours_are_known() -> None:
    raw = a_mail(To="ufficio+t0ken@example.net, bruno@example.org")

    assert read(raw, own=frozenset(("ufficio@example.net",))).delivered_to == ("ufficio+t0ken@example.net",)


def test_answers_to_and_threads() -> None:
    mail = read(
        a_mail(
            Reply_To="Bruno <bruno@example.org>",
            References="<a@x>\r\n <b@x> rotto <c@x>",
            In_Reply_To="Message of today <b@x>",
        )
    )

    assert mail.reply_to == (Writer("bruno@example.org", "Bruno"),)
    assert mail.references == ("<a@x>", "<c@x>", "<b@x>")
    assert mail.message_id == "<uno@example.org>"
    assert mail.date == "2026-11-24T10:00:00+01:00"


@pytest.mark.parametrize("written", ["boh", "", "Tue, 99 Nov 2026 10:00:00 +0100", "1 Jan 99999 10:00 +9999", None])
def test_a_date_that_is_none(written: str | None) -> None:
    assert read(a_mail(Date=written)).date == ""


def test_the_null_sender() -> None:
    assert read(a_mail(Return_Path="<>")).null_sender
    assert not read(a_mail()).null_sender
