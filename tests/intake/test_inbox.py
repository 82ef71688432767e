"""What arrives is kept once, as it came."""

from datetime import datetime

from sqlmodel import Session, col, select

from intake.inbox import Arrival, receive, receive_many
from storage.tables import Inbox, InboxState


def _arrival(number: int, payload: bytes | None = None, account: str = "999") -> Arrival:
    return Arrival("telegram", account, str(number), payload or b'{"update_id":%d}' % number, "telegram:1")


def _payloads(session: Session) -> list[bytes]:
    return list(session.exec(select(Inbox.payload).order_by(col(Inbox.id))).all())


def test_an_arrival_is_kept_as_it_came(session: Session, now: datetime) -> None:
    raw = b'{"odd":"\\ud83d","nul":"\\u0000"}\x00\xff'

    inbox_id = receive(session, kind="mail", account="office", provider_id="<1@x>", payload=raw, lane="mail:1", now=now)

    row = session.get(Inbox, inbox_id)
    assert row is not None
    assert (row.payload, row.state, row.attempts, row.received_at) == (raw, InboxState.NEW, 0, now)


def test_the_same_thing_again_is_not_kept_twice(session: Session, now: datetime) -> None:
    again = {"kind": "telegram", "account": "999", "provider_id": "7", "payload": b"{}", "lane": "telegram:1"}

    first = receive(session, **again, now=now)  # type: ignore[arg-type]
    second = receive(session, **again, now=now)  # type: ignore[arg-type]

    assert first is not None
    assert second is None


def test_the_same_number_with_other_content_is_new(session: Session, now: datetime) -> None:
    assert receive_many(session, [_arrival(7, b"before the quiet week")], now) == 1
    assert receive_many(session, [_arrival(7, b"after the quiet week")], now) == 1

    assert _payloads(session) == [b"before the quiet week", b"after the quiet week"]


def test_the_same_number_for_another_bot_is_new(session: Session, now: datetime) -> None:
    assert receive_many(session, [_arrival(7), _arrival(7, account="998")], now) == 2


def test_a_batch_is_kept_in_its_order_without_what_is_here(session: Session, now: datetime) -> None:
    receive_many(session, [_arrival(n) for n in (3, 1)], now)

    added = receive_many(session, [_arrival(n) for n in (3, 9, 1, 5, 9, 2)], now)

    assert added == 3
    assert _payloads(session) == [b'{"update_id":%d}' % n for n in (3, 1, 9, 5, 2)]


def test_an_empty_batch_is_nothing(session: Session, now: datetime) -> None:
    assert receive_many(session, [], now) == 0
