"""What the desk, the figures and a start look at in the inbox does not grow with the mails that lie there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from storage.inbox import arrivals, dead_letters
from storage.tables import Inbox, InboxState

STATES = [InboxState.NEW, InboxState.RETRY, InboxState.UNREAD, InboxState.DROPPED] + [InboxState.DEAD] * 2


@pytest.fixture
def filled(session: Session, now: datetime) -> Session:
    for number, state in enumerate([*STATES, *[InboxState.DONE] * 5]):
        values: dict[str, Any] = {"kind": "mail", "account": "x", "lane": "mail:x", "received_at": now}
        row = Inbox(provider_id=f"{number}", payload_hash=b"x", payload=b"A mail", state=state, **values)  # type: ignore[arg-type]
        session.add(row)
    session.flush()
    session.expunge_all()
    return session


def test_the_figures_count_every_state(filled: Session) -> None:
    counts = arrivals(filled)

    assert {state: number for state, number in counts.items() if number} == {
        InboxState.NEW: 1,
        InboxState.RETRY: 1,
        InboxState.UNREAD: 1,
        InboxState.DROPPED: 1,
        InboxState.DEAD: 2,
        InboxState.DONE: 5,
    }


@pytest.mark.parametrize("look", [arrivals, dead_letters])
def test_mails_themselves_are_not_looked_at(filled: Session, look: Callable[[Session], Any]) -> None:
    statements: list[tuple[str, Any]] = []
    connection = filled.connection()
    event.listen(connection, "before_cursor_execute", lambda *given: statements.append((given[2], given[3])))

    look(filled)

    assert statements
    assert not [one for one, _ in statements if "payload" in one.partition("FROM")[0].replace("payload_hash", "")]
    if connection.dialect.name == "sqlite":
        for statement, values in list(statements):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert all("USING" in line[3] and "INDEX" in line[3] for line in plan if "inbox" in line[3]), plan


def test_dead_letters_are_the_newest_first(filled: Session) -> None:
    found = dead_letters(filled, most=5)

    assert [one.state for one in found] == [InboxState.DEAD] * 2
    assert found[0].id > found[1].id
    assert found[0].payload == b"A mail"
