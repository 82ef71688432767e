import pytest

from facts.mail_addresses import is_free_mail, looks_certified, read_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Ada.Esempio@Comune.Esempio.IT ", "ada.esempio@comune.esempio.it"),
        ("ufficio+tecnico@example.org", "ufficio+tecnico@example.org"),
        ("ada@example", None),
        ("ada", None),
        ("", None),
        ("ada@@example.org", None),
        ("ada@example..org", None),
        ("ada@example.org, bruno@example.org", None),
        ("Ada <ada@example.org>", None),
        ("ada@example.org\nBcc: tutti@example.org", None),
        ("a" * 65 + "@example.org", None),
        ("ada@" + "e" * 250 + ".org", None),
    ],
)
def test_an_address_has_its_form_or_is_none(typed: str, address: str | None) -> None:
    assert read_address(typed) == address


def test_a_mailbox_that_anybody_may_open_is_told_apart() -> None:
    assert is_free_mail("ada@gmail.com")
    assert not is_free_mail("gmail.com@comune.esempio.it")


@pytest.mark.parametrize("domain", ["pec.it", "pec.comune.esempio.it", "legalmail.it", "cert.esempio.it"])
def test_a_certified_mailbox_is_guessed_by_its_domain(domain: str) -> None:
    assert looks_certified(f"protocollo@{domain}")
    assert not looks_certified("pec@comune.specchio.it")
