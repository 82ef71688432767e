"""Queries about drafts: the conversation of a referent, whatever the channel. Changes them only by compare-and-set.

`scene_at` is asked once for every message of the dialogue, so it is one statement, written in Core. Statements are
built once: building one costs more than running it.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ScalarSelect, Table, Update, and_, bindparam, func, insert, literal_column, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from storage.tables import Channel, Draft, DraftKind, DraftState, FormVersion, Organization, Project

UNFINISHED = (DraftState.OPEN, DraftState.PARKED)

_tables = SQLModel.metadata.tables
_draft: Table = _tables["draft"]
_referent: Table = _tables["referent"]
_address: Table = _tables["address"]
_project: Table = _tables["project"]
_following: Table = _tables["following"]
_update: Table = _tables["update"]
_version: Table = _tables["form_version"]
_album: Table = _tables["album"]
_membership: Table = _tables["membership"]
_organization: Table = _tables["organization"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is writing. `unreachable`: their address was thought not to work; `gathering`: an album of theirs that is."""

    id: int
    name: str
    language: str
    unreachable: bool
    gathering: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """An open draft, as it was read."""

    id: int
    kind: DraftKind
    form_version_id: int | None
    project_id: int | None
    question_id: int | None
    obligation_id: int | None
    answers: dict[str, Any]
    step: str
    memory: dict[str, Any]
    revision: int
    sources: dict[str, Any]
    organization_id: int | None = None
    repetitions: dict[str, Any] = field(default_factory=dict)
    corrects_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an open draft tells of, when it is the person's own, and its last update by the same form.

    Of an organisation only the title is known, and that update.
    """

    title: str
    cup: str
    total_cents: int
    phase: str | None
    progress_tenths: int | None
    spent_cents: int | None
    expected_end: date | None
    last_answers: dict[str, Any] | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Scene:
    person: Person
    work: Work | None
    subject: Subject | None


# written out, not bound: SQLite uses a partial index only for a condition it can read
_is_open = _draft.c.state == literal_column("'open'")
_other = _version.alias("other_version")
_form_of_draft = (
    select_columns(_version.c.form_id)
    .where(_version.c.id == _draft.c.form_version_id)
    .correlate(_draft)
    .scalar_subquery()
)
_same_form = select_columns(_other.c.id).where(_other.c.form_id == _form_of_draft).correlate(_draft)
_earlier = _update.alias("earlier")


def _last(column: str) -> ScalarSelect[Any]:
    """The last update by the same form about the same thing; of a correction, the last one before what it corrects."""
    return (
        select_columns(func.max(_earlier.c.id))
        .where(
            _earlier.c[column] == _draft.c[column],
            _earlier.c.form_version_id.in_(_same_form),
            or_(_draft.c.corrects_id.is_(None), _earlier.c.id < _draft.c.corrects_id),
        )
        .correlate(_draft)
        .scalar_subquery()
    )


_last_update = func.coalesce(_last("project_id"), _last("organization_id"))
_gathering = (
    select_columns(_album.c.id)
    .where(_album.c.referent_id == _referent.c.id, _album.c.closed_at.is_(None))
    .correlate(_referent)
    .scalar_subquery()
)
_WORK = [_draft.c[one.name] for one in fields(Work)]
_SUBJECT = [
    func.coalesce(_project.c.title, _organization.c.name).label("title"),
    func.coalesce(_project.c.cup, "").label("cup"),
    func.coalesce(_project.c.total_cents, 0).label("total_cents"),
    *(_project.c[name] for name in ("phase", "progress_tenths", "spent_cents", "expected_end")),
    _update.c.answers.label("last_answers"),
    _update.c.received_at.label("last_at"),
]
_AFTER_WORK = 5 + len(_WORK)  # the person before it
_SCENE = (
    select_columns(
        _referent.c.id,
        _referent.c.name,
        _referent.c.language,
        _address.c.unreachable_since.is_not(None),
        _gathering,
        *_WORK,
        *_SUBJECT,
    )
    .select_from(
        _address.join(_referent, _referent.c.id == _address.c.referent_id)
        .outerjoin(_draft, and_(_draft.c.referent_id == _referent.c.id, _is_open))
        .outerjoin(
            _following,
            and_(_following.c.referent_id == _referent.c.id, _following.c.project_id == _draft.c.project_id),
        )
        .outerjoin(_project, _project.c.id == _following.c.project_id)
        .outerjoin(
            _membership,
            and_(
                _membership.c.referent_id == _referent.c.id, _membership.c.organization_id == _draft.c.organization_id
            ),
        )
        .outerjoin(_organization, _organization.c.id == _membership.c.organization_id)
        .outerjoin(_update, _update.c.id == _last_update)
    )
    .where(_address.c.channel == bindparam("channel"), _address.c.value == bindparam("value"))
)


def scene_at(session: Session, channel: Channel, value: str) -> Scene | None:
    """Who is reached at an address, what they have begun, on which project; None when it is nobody's address."""
    row = session.connection().execute(_SCENE, {"channel": channel, "value": value}).first()
    if row is None:
        return None
    work = Work(*row[5:_AFTER_WORK]) if row[5] is not None else None
    subject = Subject(*row[_AFTER_WORK:]) if row[_AFTER_WORK] is not None else None
    return Scene(Person(*row[:5]), work, subject)


_INSERT = insert(_draft).returning(_draft.c.id)


def insert_draft(
    session: Session,
    referent_id: int,
    now: datetime,
    work: Work,
    *,
    channel: Channel = Channel.TELEGRAM,
    state: DraftState = DraftState.OPEN,
) -> Work:
    """A draft like `work`, with its own id. OPEN is what the chat is about: the caller has put aside what was.

    What is begun on a page is PARKED from the start: nothing that is written in the chat is an answer to it.
    """
    values = {one.name: getattr(work, one.name) for one in fields(Work) if one.name != "id"}
    fixed = {"channel": channel, "state": state, "created_at": now, "touched_at": now}
    row = session.connection().execute(_INSERT, values | fixed | {"referent_id": referent_id})
    return replace(work, id=row.scalar_one())


@functools.cache
def _change(names: tuple[str, ...]) -> Update:
    """The statement that changes these columns."""
    values = {name: bindparam(f"new_{name}", type_=_draft.c[name].type) for name in names}
    return (
        update(_draft)
        .where(_draft.c.id == bindparam("draft_id"), _draft.c.revision == bindparam("seen"))
        .values(revision=_draft.c.revision + 1, **values)
    )


def change_draft(session: Session, draft_id: int, revision: int, now: datetime, **values: Any) -> bool:
    """Changes a draft as it was at `revision`; False when it has moved on since."""
    values["touched_at"] = now
    given = {f"new_{name}": value for name, value in values.items()} | {"draft_id": draft_id, "seen": revision}
    return session.connection().execute(_change(tuple(values)), given).rowcount == 1


def work_of(draft: Draft) -> Work:
    """A draft, as it was read."""
    return Work(**{one.name: getattr(draft, one.name) for one in fields(Work)})


def find_draft(session: Session, draft_id: int) -> Draft | None:
    """Any draft, whoever's, as it is in the database."""
    return session.get(Draft, draft_id, populate_existing=True)


def recent_drafts(session: Session, referent_id: int, since: datetime) -> Sequence[Draft]:
    """Everything a person has written in lately, in whatever state, the newest first."""
    return session.exec(
        select(Draft)
        .where(Draft.referent_id == referent_id, Draft.touched_at >= since)
        .order_by(col(Draft.id).desc())
        .execution_options(populate_existing=True)
    ).all()


def subject_of(session: Session, draft_id: int) -> Subject | None:
    """What any draft tells of, and the last update by the same form; None while that is not chosen."""
    found = (
        select_columns(*_SUBJECT)
        .select_from(
            _draft.outerjoin(_project, _project.c.id == _draft.c.project_id)
            .outerjoin(_organization, _organization.c.id == _draft.c.organization_id)
            .outerjoin(_update, _update.c.id == _last_update)
        )
        .where(_draft.c.id == draft_id)
    )
    row = session.connection().execute(found).first()
    return None if row is None or row[0] is None else Subject(*row)


_to_be_chosen = and_(
    col(Draft.project_id).is_(None), col(Draft.organization_id).is_(None), col(Draft.state) == DraftState.PARKED
)
_UNFINISHED = (
    select_columns(Draft, func.coalesce(Project.title, Organization.name))
    .outerjoin(
        _following,
        and_(_following.c.project_id == col(Draft.project_id), _following.c.referent_id == col(Draft.referent_id)),
    )
    .outerjoin(Project, col(Project.id) == _following.c.project_id)
    .outerjoin(
        _membership,
        and_(
            _membership.c.organization_id == col(Draft.organization_id),
            _membership.c.referent_id == col(Draft.referent_id),
        ),
    )
    .outerjoin(Organization, col(Organization.id) == _membership.c.organization_id)
    .where(
        col(Draft.referent_id) == bindparam("referent"),
        col(Draft.kind) == DraftKind.UPDATE,
        col(Draft.state).in_(UNFINISHED),
        or_(col(Project.id).is_not(None), col(Organization.id).is_not(None), _to_be_chosen),
    )
    .order_by(col(Draft.touched_at).desc(), col(Draft.id).desc())
    .execution_options(populate_existing=True)
)


def unfinished_updates(session: Session, referent_id: int) -> Sequence[tuple[Draft, str | None]]:
    """Updates begun and not sent, with what they tell of, a project or an organisation of theirs: the newest first.

    None for one that was put aside before that was chosen.
    """
    return [(draft, title) for draft, title in session.execute(_UNFINISHED, {"referent": referent_id})]


_UNSENT_QUESTION = (
    select(Draft)
    .where(
        Draft.referent_id == bindparam("referent"),
        Draft.kind == DraftKind.QUESTION,
        Draft.state == DraftState.PARKED,
    )
    .order_by(col(Draft.touched_at).desc(), col(Draft.id).desc())
    .limit(1)
    .execution_options(populate_existing=True)
)


def unsent_question(session: Session, referent_id: int) -> Draft | None:
    """The newest question that was written, put aside and not sent."""
    return session.exec(_UNSENT_QUESTION, params={"referent": referent_id}).first()


_SENT_LATER = select(Draft.id).where(
    Draft.referent_id == bindparam("referent"),
    Draft.project_id == bindparam("project"),
    Draft.kind == DraftKind.UPDATE,
    Draft.state == DraftState.SENT,
    col(Draft.id) > bindparam("draft"),
)


def sent_later(session: Session, draft: Draft) -> bool:
    """Whether its writer has begun and sent another update of the same project since."""
    given = {"referent": draft.referent_id, "project": draft.project_id, "draft": draft.id}
    return session.exec(_SENT_LATER.limit(1), params=given).first() is not None


_CANCEL_PARKED = (
    update(_draft)
    .where(
        _draft.c.referent_id == bindparam("referent"),
        _draft.c.project_id == bindparam("project"),
        _draft.c.kind == DraftKind.UPDATE,
        _draft.c.state == DraftState.PARKED,
        _draft.c.corrects_id.is_(None),
        _draft.c.form_version_id.in_(select_columns(_version.c.id).where(_version.c.form_id == bindparam("form"))),
    )
    .values(state=DraftState.CANCELLED, revision=_draft.c.revision + 1, touched_at=bindparam("now"))
)


def cancel_parked(session: Session, referent_id: int, project_id: int, form_id: int, now: datetime) -> None:
    """Drops what this person had put aside on a project, by the same form: a newer one has taken its place."""
    given = {"referent": referent_id, "project": project_id, "form": form_id, "now": now}
    session.connection().execute(_CANCEL_PARKED, given)


def rebase(session: Session, draft_id: int, now: datetime) -> None:
    """A correction has taken in what others have corrected until now: only what comes after is news to it."""
    session.connection().execute(update(_draft).where(_draft.c.id == draft_id).values(created_at=now))


_BECAME = update(_draft).where(_draft.c.id == bindparam("draft")).values(question_id=bindparam("question"))


def became_question(session: Session, draft_id: int, question_id: int) -> None:
    """So that a message edited later finds where its words went."""
    session.connection().execute(_BECAME, {"draft": draft_id, "question": question_id})


_OVERTAKEN = (
    select(Draft.id, Draft.referent_id)
    .join(FormVersion, col(FormVersion.id) == col(Draft.form_version_id))
    .where(
        Draft.kind == DraftKind.UPDATE,
        Draft.project_id == bindparam("project"),
        col(Draft.corrects_id).is_(None),
        col(Draft.state).in_(UNFINISHED),
        Draft.referent_id != bindparam("referent"),
        FormVersion.form_id == bindparam("form"),
    )
    .order_by(col(Draft.id))
)


def drafts_overtaken(session: Session, project_id: int, form_id: int, referent_id: int) -> Sequence[tuple[int, int]]:
    """Unfinished drafts of other referents for the same project and form: (draft, referent)."""
    rows = session.exec(_OVERTAKEN, params={"project": project_id, "referent": referent_id, "form": form_id})
    return [(draft, referent) for draft, referent in rows]
