"""How sure it is who wrote: a table. A From line alone is never enough."""

import pytest

from intake.incoming import PecKind, Writer
from intake.post.standing import standing_of
from storage.tables import Standing
from tests.post import ADA, a_mail, certified

CERTIFIED, UNTRUSTED, UNVERIFIED = Standing.CERTIFIED, Standing.UNTRUSTED, Standing.UNVERIFIED
DMARC, REPLY = Standing.DMARC, Standing.REPLY
HERE = "comune.example.org"
ANOMALY = certified(UNVERIFIED, PecKind.ANOMALY)

TABLE = [
    # dmarc, pec, token fits, what follows
    ("", None, False, UNVERIFIED),
    ("", None, True, REPLY),
    (HERE, None, False, DMARC),
    ("COMUNE.example.org", None, False, DMARC),
    (HERE, None, True, REPLY),
    ("example.org", None, False, UNVERIFIED),
    ("evil.example.net", None, False, UNVERIFIED),
    ("", certified(), False, CERTIFIED),
    ("", certified(), True, CERTIFIED),
    ("", certified(UNTRUSTED), False, UNTRUSTED),
    ("", certified(UNTRUSTED), True, REPLY),
    (HERE, certified(UNTRUSTED), False, UNTRUSTED),
    ("", certified(UNVERIFIED), False, UNVERIFIED),
    (HERE, certified(UNVERIFIED), False, UNVERIFIED),
    ("", ANOMALY, False, UNVERIFIED),
    (HERE, ANOMALY, False, UNVERIFIED),
    ("", ANOMALY, True, REPLY),
    ("", certified(CERTIFIED, PecKind.ANOMALY), False, UNVERIFIED),
]


@pytest.mark.parametrize(("dmarc", "pec", "token_fits", "expected"), TABLE)
def test_what_proves_who_wrote(dmarc: str, pec: object, token_fits: bool, expected: Standing) -> None:
    mail = a_mail(ADA, dmarc=dmarc, pec=pec)

    assert standing_of(mail, token_fits=token_fits) is expected


@pytest.mark.parametrize("pec", [None, certified(), ANOMALY])
def test_a_mail_that_names_nobody_for_sure_proves_nothing(pec: object) -> None:
    assert standing_of(a_mail(None, dmarc=HERE, pec=pec), token_fits=False) is UNVERIFIED


@pytest.mark.parametrize("pec", [None, certified(), ANOMALY])
def test_a_doubtful_sender_is_not_believed_with_any_proof(pec: object) -> None:
    mail = a_mail(ADA, doubt="The name of its sender looks like another address.", dmarc=HERE, pec=pec)

    assert standing_of(mail, token_fits=True) is UNVERIFIED


def test_the_name_before_the_address_proves_nothing() -> None:
    mail = a_mail(sender=None, dmarc="evil.example.net")
    tricked = a_mail("x@evil.example.net", dmarc=HERE)

    assert standing_of(mail, token_fits=False) is UNVERIFIED
    assert standing_of(tricked, token_fits=False) is UNVERIFIED
    assert tricked.sender == Writer("x@evil.example.net", "Qualcuno")
