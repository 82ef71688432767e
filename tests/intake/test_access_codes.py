"""The six digits: worked out, never kept; only for the mail and the request they were made for."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from delivery.words import with_secret
from facts.languages import Language
from intake import access
from intake.access_codes import code_of, hash_of, read_code, word_code
from intake.refusal import NotTaken
from storage.tables import AccessRequest, AccessState, Audit, Channel, Outbox, OutboxKind
from tests.cast import Cast

KEY = b"a key of the tests, 32 bytes long"


@pytest.fixture
def request_(session: Session, cast: Cast, now: datetime) -> AccessRequest:
    """Everything answered, ready for a code."""
    request = access.begin(session, "44", Language.IT, now)
    request = access.take_name(session, request, "Dario Esempio", now)
    request = access.take_organization(session, request, cast.an_organization(), now)
    return access.take_email(session, request, "dario@example.org", now)


def the_mail(session: Session) -> Outbox:
    return session.exec(select(Outbox).where(Outbox.kind == OutboxKind.CODE)).one()


def test_the_mail_carries_the_code_of_its_request(session: Session, request_: AccessRequest, now: datetime) -> None:
    request = access.send_code(session, request_, now, KEY)
    row = the_mail(session)

    words = word_code(KEY)(session, row, now + timedelta(seconds=5))

    assert words is not None
    assert (row.channel, row.address, row.referent_id) == (Channel.EMAIL, "dario@example.org", None)
    digits = code_of(request.id, "dario@example.org", now, KEY)
    assert f"<b>{digits[:3]} {digits[3:]}</b>" in with_secret(words).html
    assert digits[:3] not in str(words.to_json())
    assert access.confirm(session, request, digits, now, KEY).state is AccessState.WAITING


def test_the_same_mail_tried_again_carries_the_same_code(
    session: Session, request_: AccessRequest, now: datetime
) -> None:
    access.send_code(session, request_, now, KEY)
    row = the_mail(session)

    first, again = (word_code(KEY)(session, row, now + timedelta(minutes=n)) for n in (0, 20))

    assert first is not None
    assert first == again


def test_a_code_that_nobody_awaits_any_more_is_not_sent(
    session: Session, request_: AccessRequest, now: datetime
) -> None:
    request = access.send_code(session, request_, now, KEY)
    row = the_mail(session)
    word = word_code(KEY)

    assert word(session, row, now + timedelta(minutes=30)) is None
    corrected = access.forget(session, request, access.Asked.EMAIL, now)
    assert word(session, row, now) is None
    access.cancel(session, corrected, now)
    assert word(session, row, now) is None


def test_an_earlier_mail_does_not_carry_a_later_code(session: Session, request_: AccessRequest, now: datetime) -> None:
    request = access.send_code(session, request_, now, KEY)
    row = the_mail(session)

    access.send_code(session, request, now + timedelta(minutes=1), KEY)

    assert word_code(KEY)(session, row, now + timedelta(minutes=2)) is None


def test_what_is_kept_of_a_code_depends_on_key_and_request(now: datetime) -> None:
    hashes = {hash_of("123456", 1, KEY), hash_of("123456", 2, KEY), hash_of("123456", 1, b"another"), "123456"}

    assert len(hashes) == 4
    assert len(code_of(1, "a@example.org", now, KEY)) == 6
    others = {code_of(1, f"{name}@example.org", now, KEY) for name in "abcdefgh"}
    assert len(others) == 8


def test_codes_lie_all_over(now: datetime) -> None:
    firsts = {code_of(number, "a@example.org", now, KEY)[0] for number in range(300)}

    assert firsts == set("0123456789")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("012345", "012345"),
        (" 012 345 ", "012345"),
        ("012-345", "012345"),
        ("12345", None),
        ("1234567", None),
        ("١٢٣٤٥٦", None),
        ("il codice è 012345", None),
        ("", None),
    ],
)
def test_a_code_is_read_as_it_is_written(typed: str, code: str | None) -> None:
    assert read_code(typed) == code


def test_sending_and_asking_are_written_down_without_names(
    session: Session, request_: AccessRequest, now: datetime
) -> None:
    request = access.send_code(session, request_, now, KEY)
    access.confirm(session, request, code_of(request.id, request.email, now, KEY), now, KEY)

    acts = session.exec(select(Audit).order_by(Audit.id)).all()  # type: ignore[arg-type]

    assert [(act.action, act.actor_kind, act.object_id, act.detail) for act in acts] == [
        ("access.code", "stranger", request.id, {}),
        ("access.ask", "stranger", request.id, {}),
    ]


def test_a_request_that_moved_meanwhile_is_not_overwritten(
    session: Session, request_: AccessRequest, now: datetime
) -> None:
    session.expunge(request_)
    access.forget(session, request_, access.Asked.NAME, now)

    with pytest.raises(access.RequestMoved):
        access.take_email(session, request_, "altro@example.org", now)


def test_a_code_is_confirmed_once(session: Session, request_: AccessRequest, now: datetime) -> None:
    request = access.send_code(session, request_, now, KEY)
    code = code_of(request.id, request.email, now, KEY)
    waiting = access.confirm(session, request, code, now, KEY)

    with pytest.raises(NotTaken):
        access.confirm(session, waiting, code, now, KEY)
