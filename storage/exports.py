"""Everything that is stored, as plain rows for a table or a file. Streams: never holds a whole table in memory."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import Session, SQLModel, col

from storage.projects import project_places
from storage.receipts import receipts_of
from storage.tables import (
    AccessRequest,
    Address,
    Attachment,
    Audit,
    Correction,
    Deadline,
    Decision,
    Delegation,
    Following,
    Form,
    FormVersion,
    Inbox,
    Letter,
    Membership,
    Message,
    Obligation,
    Organization,
    Outbox,
    Programme,
    Project,
    Question,
    Referent,
    SentPart,
    Staff,
    Step,
    Update,
)
from storage.tags import tags_of

BATCH = 500
MAILS = 10  # at once: one may have 25 MB

Row = dict[str, Any]
Enrich = Callable[[Session, list[Row]], None]


def update_rows(session: Session) -> Iterator[Row]:
    """Every update, oldest first. `answers` is the stored document, `form_id` the form it answers."""
    return _stream(
        session,
        select(
            *_all(Update),
            col(FormVersion.form_id).label("form_id"),
            col(FormVersion.number).label("form_number"),
            *_project_columns(),
            col(Organization.name).label("organization"),
            col(Form.title).label("form"),
            col(Referent.name).label("referent"),
        )
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .join(Form, col(Form.id) == col(FormVersion.form_id))
        .outerjoin(Project, col(Project.id) == col(Update.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Update.organization_id))
        .outerjoin(Referent, col(Referent.id) == col(Update.referent_id))
        .order_by(col(Update.id)),
        _with_what_came_along(col(Attachment.update_id), col(Correction.update_id)),
    )


def form_definitions(session: Session, usual: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Form id, title and definition of every version of the forms that were filled in, newest first within a form.

    The usual form, by its key, is always there and comes first, without a title.
    """
    filled_in = (
        select(col(FormVersion.form_id))
        .join(Update, col(Update.form_version_id) == col(FormVersion.id))
        .distinct()
        .scalar_subquery()
    )
    is_usual = col(Form.key) == usual
    rows = session.execute(
        select(col(Form.id), case((is_usual, ""), else_=col(Form.title)), col(FormVersion.definition))
        .join(FormVersion, col(FormVersion.form_id) == col(Form.id))
        .where(or_(is_usual, col(Form.id).in_(filled_in)))
        .order_by(case((is_usual, 0), else_=1), col(Form.id), col(FormVersion.number).desc())
    )
    return [(form_id, title, definition) for form_id, title, definition in rows]


def message_rows(session: Session) -> Iterator[Row]:
    """Every message of every question, in the order of the threads, each with its question."""
    return _stream(
        session,
        select(
            *_all(Message),
            col(Question.state).label("state"),
            col(Question.solved).label("solved"),
            col(Question.created_at).label("asked_at"),
            col(Question.due_at).label("due_at"),
            col(Question.closed_at).label("closed_at"),
            col(Question.taken_by).label("taken_by"),
            col(Question.referent_id).label("asked_by_id"),
            col(Referent.name).label("asked_by"),
            col(Staff.name).label("answered_by"),
            *_project_columns(),
        )
        .join(Question, col(Question.id) == col(Message.question_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Staff, col(Staff.id) == col(Message.staff_id))
        .order_by(col(Message.question_id), col(Message.id)),
        _both(_with_what_came_along(col(Attachment.message_id), col(Correction.message_id)), _with_tags),
    )


def project_rows(session: Session) -> Iterator[Row]:
    """Every project with its programme, implementing body and places."""
    return _stream(
        session,
        select(
            *_all(Project),
            col(Programme.code).label("programme_code"),
            col(Programme.name).label("programme"),
            col(Organization.name).label("implementing_body"),
        )
        .join(Programme, col(Programme.id) == col(Project.programme_id))
        .outerjoin(Organization, col(Organization.id) == col(Project.implementing_body_id))
        .order_by(col(Project.id)),
        _with_places,
    )


def referent_rows(session: Session) -> Iterator[Row]:
    """Every referent with addresses, organisations, roles, the CUPs they follow, and who answers in their place."""
    return _stream(session, select(*_all(Referent)).order_by(col(Referent.id)), _with_contacts)


def request_rows(session: Session) -> Iterator[Row]:
    """Every request for access, with the organisation that was asked for and who decided."""
    return _stream(
        session,
        select(*_all(AccessRequest), col(Organization.name).label("chosen"), col(Staff.name).label("decided_by_name"))
        .outerjoin(Organization, col(Organization.id) == col(AccessRequest.organization_id))
        .outerjoin(Staff, col(Staff.id) == col(AccessRequest.decided_by))
        .order_by(col(AccessRequest.id)),
    )


def obligation_rows(session: Session) -> Iterator[Row]:
    """Every obligation with its deadline, its subject and every decision about reminding of it."""
    return _stream(
        session,
        select(
            *_all(Obligation),
            col(Deadline.title).label("deadline"),
            col(Form.key).label("form"),
            *_project_columns(),
            col(Organization.name).label("organization"),
        )
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .join(Form, col(Form.id) == col(Deadline.form_id))
        .outerjoin(Project, col(Project.id) == col(Obligation.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
        .order_by(col(Obligation.id)),
        _with_decisions,
    )


def inbox_rows(session: Session) -> Iterator[Row]:
    return _stream(session, select(*_all(Inbox)).order_by(col(Inbox.id)), batch=MAILS)


def letter_rows(session: Session) -> Iterator[Row]:
    """Every mail that came in and could be read, with what became of it and who decided."""
    return _stream(
        session,
        select(*_all(Letter), col(Staff.name).label("decided_by_name"))
        .outerjoin(Staff, col(Staff.id) == col(Letter.decided_by))
        .order_by(col(Letter.id)),
        batch=MAILS,
    )


def outbox_rows(session: Session) -> Iterator[Row]:
    """`parts`: what the provider calls the further messages of an album; `receipts`: what is known of a mail since."""
    return _stream(session, select(*_all(Outbox)).order_by(col(Outbox.id)), _with_parts)


def audit_rows(session: Session) -> Iterator[Row]:
    return _stream(session, select(*_all(Audit)).order_by(col(Audit.id)))


def _all(table: type[SQLModel]) -> Sequence[InstrumentedAttribute[Any]]:
    return [getattr(table, name) for name in table.model_fields]


def _project_columns() -> Sequence[Any]:
    return (
        col(Project.cup).label("cup"),
        col(Project.local_code).label("local_code"),
        col(Project.title).label("project"),
    )


def _stream(
    session: Session, query: Select[*tuple[Any, ...]], enrich: Enrich | None = None, *, batch: int = BATCH
) -> Iterator[Row]:
    found = session.execute(query, execution_options={"yield_per": batch}).mappings()
    for part in found.partitions():
        rows = [dict(row) for row in part]
        if enrich is not None:
            enrich(session, rows)
        yield from rows


def _ids(rows: Collection[Row]) -> list[int]:
    return [row["id"] for row in rows]


def _gathered(session: Session, query: Select[*tuple[Any, ...]]) -> dict[int, list[Any]]:
    """The second column's values under the first's (rows of more columns: the rest as a tuple)."""
    found: dict[int, list[Any]] = defaultdict(list)
    for key, *rest in session.execute(query):
        found[key].append(rest[0] if len(rest) == 1 else tuple(rest))
    return found


def _with_what_came_along(attached_to: Any, corrected: Any) -> Enrich:
    """Files with the words below them, and what was corrected afterwards, of rows that these two columns refer to."""

    def enrich(session: Session, rows: list[Row]) -> None:
        ids = _ids(rows)
        files = (
            select(attached_to, col(Attachment.name), col(Attachment.caption))
            .where(attached_to.in_(ids))
            .order_by(col(Attachment.id))
        )
        edits = (
            select(corrected, col(Attachment.name), col(Correction.after))
            .outerjoin(Attachment, col(Attachment.id) == col(Correction.attachment_id))
            .where(corrected.in_(ids))
            .order_by(col(Correction.id))
        )
        found, afterwards = _gathered(session, files), _gathered(session, edits)
        for row in rows:
            row["attachments"] = [f"{name}: {words}" if words else name for name, words in found[row["id"]]]
            row["corrections"] = [f"{name}: {words}" if name else words for name, words in afterwards[row["id"]]]

    return enrich


def _both(first: Enrich, second: Enrich) -> Enrich:
    def enrich(session: Session, rows: list[Row]) -> None:
        first(session, rows)
        second(session, rows)

    return enrich


def _with_tags(session: Session, rows: list[Row]) -> None:
    found = tags_of(session, list({row["question_id"] for row in rows}))
    for row in rows:
        row["tags"] = [tag.name for tag in found.get(row["question_id"], ())]


def _with_parts(session: Session, rows: list[Row]) -> None:
    these = col(SentPart.outbox_id).in_(_ids(rows))
    parts = _gathered(session, select(col(SentPart.outbox_id), col(SentPart.provider_id)).where(these))
    known = receipts_of(session, _ids(rows))
    for row in rows:
        row["parts"] = parts[row["id"]]
        row["receipts"] = [one.model_dump(exclude={"outbox_id"}) for one in known.get(row["id"], ())]


def _with_places(session: Session, rows: list[Row]) -> None:
    places = project_places(session, _ids(rows))
    for row in rows:
        row["places"] = places[row["id"]]


def _with_contacts(session: Session, rows: list[Row]) -> None:
    ids = _ids(rows)
    addresses = _gathered(
        session,
        select(col(Address.referent_id), col(Address.channel), col(Address.value), col(Address.unreachable_since))
        .where(col(Address.referent_id).in_(ids))
        .order_by(col(Address.id)),
    )
    memberships = _gathered(
        session,
        select(col(Membership.referent_id), col(Organization.name), col(Membership.role))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(col(Membership.referent_id).in_(ids))
        .order_by(col(Organization.name)),
    )
    followed = (
        select(col(Following.referent_id), col(Project.cup))
        .join(Project, col(Project.id) == col(Following.project_id))
        .where(col(Following.referent_id).in_(ids))
        .order_by(col(Project.cup))
    )
    cups = _gathered(session, followed.where(col(Following.delegation_id).is_(None)))
    lent = _gathered(session, followed.where(col(Following.delegation_id).is_not(None)))
    away = _gathered(
        session,
        select(col(Delegation.referent_id), col(Delegation.until), col(Delegation.substitute_id)).where(
            col(Delegation.referent_id).in_(ids), col(Delegation.ended_at).is_(None)
        ),
    )
    for row in rows:
        mine = addresses[row["id"]]
        for channel in ("email", "pec", "telegram", "phone"):
            row[channel] = [value for kind, value, _ in mine if kind == channel]
        row["unreachable"] = [value for _, value, since in mine if since is not None]
        row["organizations"] = [name for name, _ in memberships[row["id"]]]
        row["roles"] = [role for _, role in memberships[row["id"]]]
        row["cups"] = cups[row["id"]]
        row["cups_in_place"] = lent[row["id"]]
        row["away_until"], row["away_substitute_id"] = next(iter(away[row["id"]]), (None, None))


def _with_decisions(session: Session, rows: list[Row]) -> None:
    decisions = _gathered(
        session,
        select(
            col(Step.obligation_id),
            col(Step.offset_days),
            col(Decision.referent_id),
            col(Decision.outcome),
            col(Decision.reason),
            col(Decision.outbox_id),
            col(Decision.decided_at),
        )
        .join(Decision, col(Decision.step_id) == col(Step.id))
        .where(col(Step.obligation_id).in_(_ids(rows)))
        .order_by(col(Decision.id)),
    )
    names = ("offset_days", "referent_id", "outcome", "reason", "outbox_id", "decided_at")
    for row in rows:
        row["reminders"] = [dict(zip(names, decision, strict=True)) for decision in decisions[row["id"]]]
