"""Queries on files: where they belong, which wait to be fetched, which albums gather. Decides nothing.

A file belongs to a draft until that is sent, then to an update or to a message of a thread. The parts of an album go
where the first of them went.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, func, update
from sqlmodel import Session, SQLModel, col, select

from storage.tables import (
    Album,
    Attachment,
    Draft,
    DraftKind,
    DraftState,
    FileKind,
    FileState,
    FormVersion,
    Message,
    Project,
    Update,
)
from storage.touched import touch

_attachment = SQLModel.metadata.tables["attachment"]


# --- where they belong


def put_in_draft(session: Session, ids: Collection[int], draft_id: int) -> None:
    _change(session, col(Attachment.id).in_(ids), draft_id=draft_id)


def put_in_message(session: Session, ids: Collection[int], message_id: int) -> None:
    _change(session, col(Attachment.id).in_(ids), message_id=message_id, proposal_id=None)


def put_in_proposal(session: Session, ids: Collection[int], proposal_id: int) -> None:
    """Also what went along with an answer that was taken back."""
    _change(session, col(Attachment.id).in_(ids), proposal_id=proposal_id, message_id=None)


def put_in_circular(session: Session, ids: Collection[int], circular_id: int) -> None:
    _change(session, col(Attachment.id).in_(ids), circular_id=circular_id)


def loose() -> list[Any]:
    """What a file fulfils that goes along with nothing."""
    return [
        column.is_(None)
        for column in (
            col(Attachment.draft_id),
            col(Attachment.message_id),
            col(Attachment.update_id),
            col(Attachment.letter_id),
            col(Attachment.proposal_id),
            col(Attachment.circular_id),
        )
    ]


def loose_of(session: Session, staff_id: int, ids: Collection[int], *, to_send: bool = False) -> Sequence[Attachment]:
    """Those of these that this colleague chose, and that go along with nothing yet.

    `to_send`: held until the transaction ends, so that nobody takes them away meanwhile.
    """
    these = select(Attachment).where(col(Attachment.id).in_(ids), Attachment.staff_id == staff_id, *loose())
    if to_send:
        these = these.with_for_update()
    return session.exec(these.order_by(col(Attachment.id))).all() if ids else []


def all_there(session: Session, ids: Collection[int]) -> bool:
    """Whether none of these was taken away."""
    return set(session.exec(select(Attachment.id).where(col(Attachment.id).in_(ids)))) >= set(ids)


def of_message(session: Session, message_id: int) -> Sequence[int]:
    return session.exec(select(Attachment.id).where(Attachment.message_id == message_id)).all()


def put_in_update(session: Session, ids: Collection[int], update_id: int) -> None:
    _change(session, col(Attachment.id).in_(ids), update_id=update_id)


def take_place(session: Session, new_id: int, old: Attachment) -> None:
    """Goes along with a draft, as part of the same album, in place of another, which belongs to nothing from now on."""
    _change(session, col(Attachment.id) == new_id, draft_id=old.draft_id, album_id=old.album_id)
    _change(session, col(Attachment.id) == old.id, draft_id=None, album_id=None)


def has_home(session: Session, attachment_id: int) -> bool:
    """Whether a file goes, or went, along with something."""
    home = col(Attachment.draft_id).is_not(None) | _sent()
    return session.exec(select(Attachment.id).where(Attachment.id == attachment_id, home)).first() is not None


def versions(session: Session, referent_id: int, provider_id: str) -> int:
    """How many files came with one message of a chat, which is edited to bring another."""
    these = select(func.count()).where(Attachment.referent_id == referent_id, Attachment.provider_id == provider_id)
    return session.exec(these).one()


def of_draft(session: Session, draft_id: int) -> Sequence[Attachment]:
    """What goes along when a draft is sent, in the order in which it came."""
    return session.exec(
        select(Attachment).where(_unsent(draft_id)).order_by(col(Attachment.id)).execution_options(**FRESH)
    ).all()


def counts_in_drafts(session: Session, draft_ids: Collection[int]) -> Mapping[int, int]:
    """How many files would go along with each of these drafts, those that have any."""
    rows = session.execute(
        select(Attachment.draft_id, func.count())
        .where(col(Attachment.draft_id).in_(draft_ids), ~_sent())
        .group_by(col(Attachment.draft_id))
    )
    return {draft_id: count for draft_id, count in rows if draft_id is not None}


def move_draft(session: Session, old_draft_id: int, new_draft_id: int) -> None:
    """What was left with one draft goes along with another."""
    _change(session, _unsent(old_draft_id), draft_id=new_draft_id)


def move_parked(session: Session, referent_id: int, project_id: int, form_id: int, draft_id: int) -> int:
    """What was left with the updates of a project, by the same form, that this person had put aside; how many."""
    parked = select(Draft.id).where(
        Draft.referent_id == referent_id,
        Draft.project_id == project_id,
        Draft.kind == DraftKind.UPDATE,
        Draft.state == DraftState.PARKED,
        col(Draft.corrects_id).is_(None),
        col(Draft.form_version_id).in_(select(FormVersion.id).where(FormVersion.form_id == form_id)),
    )
    return _change(session, col(Attachment.draft_id).in_(parked) & ~_sent(), draft_id=draft_id)


def leave_draft(session: Session, draft_id: int) -> int:
    """They do not go along after all; how many. They stay in the house, and belong to nothing."""
    return _change(session, _unsent(draft_id), draft_id=None)


def let_go(session: Session, ids: Collection[int], draft_id: int) -> int:
    """These of a draft do not go along after all; how many."""
    return _change(session, col(Attachment.id).in_(ids) & _unsent(draft_id), draft_id=None)


def hand_over(session: Session, draft_id: int, *, message_id: int | None = None, update_id: int | None = None) -> None:
    """The draft is sent: its files go with the message, or with the update, that it became."""
    _change(session, _unsent(draft_id), message_id=message_id, update_id=update_id)


def of_update(session: Session, update_id: int) -> Sequence[Attachment]:
    return session.exec(select(Attachment).where(Attachment.update_id == update_id).order_by(col(Attachment.id))).all()


def kept(session: Session, ids: Collection[int]) -> Sequence[Attachment]:
    """Those of these whose bytes are in the house."""
    here = col(Attachment.id).in_(ids) & col(Attachment.sha256).is_not(None)
    return session.exec(select(Attachment).where(here)).all()


def of_chat_message(session: Session, referent_id: int, provider_id: str) -> Attachment | None:
    """The file that came with one message of a referent's chat."""
    return session.exec(
        select(Attachment)
        .where(Attachment.referent_id == referent_id, Attachment.provider_id == provider_id)
        .order_by(col(Attachment.id).desc())
        .execution_options(**FRESH)
    ).first()


def sent_photos_before(session: Session, referent_id: int, attachment_id: int) -> bool:
    """Whether this person had sent a photo before this one."""
    theirs = (Attachment.referent_id == referent_id, Attachment.kind == FileKind.PHOTO)
    return session.exec(select(Attachment.id).where(*theirs, Attachment.id < attachment_id)).first() is not None


def set_caption(session: Session, attachment_id: int, caption: str) -> None:
    _change(session, col(Attachment.id) == attachment_id, caption=caption)
    touch(session, Attachment, [attachment_id])


@dataclass(frozen=True, slots=True)
class Where:
    """What a file belongs to, for its owner: a question, or the title of a project that an update is about."""

    question_id: int | None = None
    project: str | None = None


def place_of(session: Session, file: Attachment) -> Where:
    if file.message_id is not None:
        return Where(session.get_one(Message, file.message_id).question_id)
    project_id = None
    if file.update_id is not None:
        project_id = session.get_one(Update, file.update_id).project_id
    elif file.draft_id is not None:
        project_id = session.get_one(Draft, file.draft_id).project_id
    project = session.get(Project, project_id) if project_id is not None else None
    return Where(project=None if project is None else project.title)


FRESH = {"populate_existing": True}


def _sent() -> Any:
    return col(Attachment.message_id).is_not(None) | col(Attachment.update_id).is_not(None)


def _unsent(draft_id: int) -> Any:
    return (col(Attachment.draft_id) == draft_id) & ~_sent()


def _change(session: Session, which: Any, **values: Any) -> int:
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Attachment).where(which).values(**values).execution_options(synchronize_session=False)
    )
    touch(session, Message, [values.get("message_id")])
    touch(session, Update, [values.get("update_id")])
    return changed.rowcount


# --- albums


def hold_album(session: Session, chat: str, group_id: str) -> Album | None:
    """The album as it is now; on PostgreSQL held until our transaction ends.

    Its timer rings in a lane of its own: without the hold it closed the album beside a part that was just being added,
    and that part belonged nowhere.
    """
    these = select(Album).where(Album.chat == chat, Album.group_id == group_id)
    return session.exec(these.with_for_update().execution_options(**FRESH)).first()


def open_album(session: Session, album_id: int) -> Album | None:
    """The album while it still gathers."""
    return session.exec(
        select(Album).where(Album.id == album_id, col(Album.closed_at).is_(None)).execution_options(**FRESH)
    ).first()


def close_album(session: Session, album_id: int, now: datetime) -> bool:
    """True for whoever comes first: the timer, or the next message of the chat."""
    closed: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Album)
        .where(col(Album.id) == album_id, col(Album.closed_at).is_(None))
        .values(closed_at=now)
        .execution_options(synchronize_session=False)
    )
    return closed.rowcount == 1


def caption_album(session: Session, album_id: int, caption: str, provider_id: str) -> None:
    """The first words of an album are those of all of it, and the message that brought them stands for all of it."""
    bare = update(Album).where(col(Album.id) == album_id, col(Album.caption) == "")
    session.execute(bare.values(caption=caption, provider_id=provider_id))


def parts_of(session: Session, album_id: int) -> Sequence[Attachment]:
    return session.exec(
        select(Attachment)
        .where(Attachment.album_id == album_id)
        .order_by(col(Attachment.id))
        .execution_options(**FRESH)
    ).all()


def follow(session: Session, attachment_id: int, first: Attachment) -> bool:
    """Puts a late part where another part is; False when that belongs to nothing."""
    place = {name: getattr(first, name) for name in ("draft_id", "message_id", "update_id")}
    if not any(place.values()):
        return False
    _change(session, col(Attachment.id) == attachment_id, **place)
    return True


# --- fetching


def claim_fetch(session: Session, now: datetime, lease_until: datetime) -> Attachment | None:
    """The file that has waited longest, as it is with this try counted; ours until `lease_until`. None: none is due."""
    due = (
        select(Attachment.id)
        .where(Attachment.state == FileState.WAITING, col(Attachment.next_at) <= now)
        .order_by(col(Attachment.next_at), col(Attachment.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = session.exec(due).first()
    if found is None:
        return None
    still = (col(Attachment.id) == found) & (col(Attachment.next_at) <= now)
    if not _change(session, still, next_at=lease_until, attempts=col(Attachment.attempts) + 1):
        return None
    return session.get(Attachment, found, populate_existing=True)


def wait_again(session: Session, attachment_id: int, error: str, now: datetime) -> bool:
    """A missing file waits as if it had just come; False when it is not missing for this reason."""
    missing = (
        (col(Attachment.id) == attachment_id)
        & (col(Attachment.state) == FileState.MISSING)
        & (col(Attachment.error) == error)
    )
    return _change(session, missing, state=FileState.WAITING, error=None, next_at=now, attempts=0) == 1


def take_back(session: Session, now: datetime) -> None:
    """Everything that waits is due now: nobody else is fetching."""
    _change(session, (col(Attachment.state) == FileState.WAITING) & (col(Attachment.next_at) > now), next_at=now)


def any_to_fetch(session: Session, now: datetime) -> bool:
    due = select(Attachment.id).where(Attachment.state == FileState.WAITING, col(Attachment.next_at) <= now)
    return session.exec(due.limit(1)).first() is not None


def settle_fetch(session: Session, attachment_id: int, attempt: int, **values: Any) -> bool:
    """Writes what became of one try; False when another has begun since, or the file came by another way."""
    ours = (
        (col(Attachment.id) == attachment_id)
        & (col(Attachment.attempts) == attempt)
        & (col(Attachment.state) == FileState.WAITING)
    )
    touch(session, Attachment, [attachment_id])  # it may be called otherwise now
    return _change(session, ours, **values) == 1


def fill_missing(session: Session, attachment_id: int, **values: Any) -> bool:
    """The file that could not be had has come by another way; False when it was there already."""
    missing = (col(Attachment.id) == attachment_id) & (col(Attachment.state) != FileState.KEPT)
    touch(session, Attachment, [attachment_id])  # it may be called otherwise now
    return _change(session, missing, **values) == 1
