"""A message whose way was closed and the mail that went instead, seen as one. Only looks; changes nothing."""

from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from storage.tables import Outbox, OutboxState

_outbox: Table = SQLModel.metadata.tables["outbox"]
COPY = aliased(Outbox)


def is_copy() -> ColumnElement[bool]:
    """Joins the mail (`COPY`) to the message it went instead of."""
    return and_(col(Outbox.state) == OutboxState.MOVED, col(COPY.dedupe_key) == col(Outbox.dedupe_key) + ":email")


def what_became() -> tuple[Any, Any]:
    """State and instant of sending: of the message, or of the mail where there is one."""
    return (
        func.coalesce(COPY.state, Outbox.state, type_=_outbox.c.state.type),
        func.coalesce(COPY.sent_at, Outbox.sent_at, type_=_outbox.c.sent_at.type),
    )
