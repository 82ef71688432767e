"""When staff write first: drafts of a circular, their text, files and people. Sends nothing.

Anybody who works at the desk may prepare one; who may send it, `answering/circular_sending.py` knows. Each change
names the version its author saw; of two, the second is `Refused`. One person is a circular for one: they get the same
proof, the same preview and the same way to answer as a thousand do, and a question begins only when somebody asks one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from answering.answer import still_chosen
from answering.circular_words import LONGEST_SUBJECT, check_places
from answering.refusal import Refused
from answering.roles import may_act
from facts.languages import N_
from intake.files import StoredFile, add_file
from storage import addressees, attachments, audit, circulars
from storage.circulars import Head
from storage.recipients import Wanted
from storage.tables import Circular, CircularState

LONGEST = 10_000  # characters
MOST_FILES = 10
DRAFT = (CircularState.DRAFT,)
_OVER = (CircularState.SENDING, CircularState.SENT, CircularState.STOPPED)


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody has written. English may be left empty."""

    subject: str = ""
    text: str = ""
    subject_en: str = ""
    text_en: str = ""

    @classmethod
    def of(cls, circular: Circular) -> "Written":
        return cls(circular.subject, circular.text, circular.subject_en, circular.text_en)

    def columns(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Files:
    """What goes along too. `fresh` has just come; `kept`: what its author chose at an earlier try."""

    fresh: Sequence[StoredFile] = ()
    kept: Sequence[int] = ()


def begin(
    session: Session,
    staff_id: int,
    written: Written,
    *,
    now: datetime,
    wanted: Wanted = Wanted(),
    files: Files = Files(),
) -> Circular:
    """A new draft."""
    may_act(session, staff_id)
    written = checked(written)
    circular = Circular(
        **written.columns(), audience=wanted.to_json(), created_by=staff_id, created_at=now, changed_at=now
    )
    session.add(circular)
    session.flush()
    _add_files(session, circular, staff_id, files, now)
    _note(session, "circular.begin", circular.id, staff_id, now)
    return circular


def write(  # noqa: PLR0913 - what it says, by whom, about which version of it
    session: Session,
    circular_id: int,
    staff_id: int,
    written: Written,
    *,
    version: int,
    now: datetime,
    files: Files = Files(),
) -> None:
    """Its texts as they are to be from now on, and files that go along too."""
    circular = _to_be_changed(session, circular_id, staff_id)
    written = checked(written)
    _change(session, circular_id, version, changed_at=now, **written.columns())
    _add_files(session, circular, staff_id, files, now)
    _note(session, "circular.change", circular_id, staff_id, now)


def choose(session: Session, circular_id: int, staff_id: int, wanted: Wanted, *, version: int, now: datetime) -> None:
    """For whom it is from now on."""
    _to_be_changed(session, circular_id, staff_id)
    _change(session, circular_id, version, changed_at=now, audience=wanted.to_json())
    _note(session, "circular.people", circular_id, staff_id, now)


def detach(
    session: Session, circular_id: int, staff_id: int, attachment_id: int, *, version: int, now: datetime
) -> None:
    """This file does not go along after all."""
    _to_be_changed(session, circular_id, staff_id)
    _change(session, circular_id, version, changed_at=now)
    if not circulars.let_go(session, circular_id, attachment_id):
        raise Refused(N_("This file does not go along any more."))
    _note(session, "circular.change", circular_id, staff_id, now)


def discard(session: Session, circular_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """A draft that is not needed. It can be taken back."""
    _to_be_changed(session, circular_id, staff_id)
    _change(session, circular_id, version, state=CircularState.DISCARDED, changed_at=now)
    _note(session, "circular.discard", circular_id, staff_id, now)


def take_back(session: Session, circular_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """A draft that was thrown away, again."""
    may_act(session, staff_id)
    the_circular(session, circular_id)
    values = {"state": CircularState.DRAFT, "changed_at": now}
    if not circulars.change(session, circular_id, version, (CircularState.DISCARDED,), **values):
        raise overtaken(session, circular_id)
    _note(session, "circular.take-back", circular_id, staff_id, now)


def again(session: Session, circular_id: int, staff_id: int, *, now: datetime) -> Circular:
    """A new draft, with the same words and files, for those who were surely not told."""
    may_act(session, staff_id)
    circular = the_circular(session, circular_id)
    if circular.state not in _OVER:
        raise Refused(N_("This communication has not been sent yet."))
    missed = tuple(addressees.not_reached(session, circular_id))
    if not missed:
        raise Refused(N_("There is nobody who was not reached."))
    draft = begin(session, staff_id, Written.of(circular), now=now, wanted=Wanted(added=missed))
    circulars.take_along(session, circular_id, draft.id)
    return draft


def with_person(wanted: Wanted, referent_id: int) -> Wanted:
    """Added by hand, or back among them after they were taken out."""
    out = tuple(one for one in wanted.left_out if one != referent_id)
    return replace(wanted, added=tuple(dict.fromkeys((*wanted.added, referent_id))), left_out=out)


def without_person(wanted: Wanted, referent_id: int) -> Wanted:
    """Taken out by hand, whatever the filter says."""
    added = tuple(one for one in wanted.added if one != referent_id)
    return replace(wanted, added=added, left_out=tuple(dict.fromkeys((*wanted.left_out, referent_id))))


# --- what both halves need


def the_circular(session: Session, circular_id: int) -> Circular:
    circular = circulars.find(session, circular_id)
    if circular is None:
        raise Refused(N_("This communication does not exist."))
    return circular


def checked(written: Written) -> Written:
    """Fit to be kept. `Refused` says what is missing or too long, or which placeholder nobody knows."""
    tidy = Written(*(_tidy(getattr(written, name)) for name in Written.__slots__))
    if not tidy.subject:
        raise Refused(N_("Write the subject, in Italian."))
    if not tidy.text:
        raise Refused(N_("Write the text, in Italian."))
    if bool(tidy.subject_en) != bool(tidy.text_en):
        raise Refused(N_("Write both the subject and the text in English, or neither."))
    if max(len(tidy.subject), len(tidy.subject_en)) > LONGEST_SUBJECT:
        raise Refused(N_("The subject is too long: {most} characters at most."), most=LONGEST_SUBJECT)
    if max(len(tidy.text), len(tidy.text_en)) > LONGEST:
        raise Refused(N_("The text is too long: {most} characters at most."), most=LONGEST)
    for text in tidy.columns().values():
        check_places(text)
    return tidy


def overtaken(session: Session, circular_id: int) -> Refused:
    """Why a change came too late."""
    head = circulars.head(session, circular_id)
    if head is None:
        return Refused(N_("This communication does not exist."))
    if head.circular.state in _OVER:
        return _sent_already(head)
    if head.circular.state is CircularState.DISCARDED:
        return Refused(N_("This draft was thrown away meanwhile. Take it back first."))
    return Refused(N_("A colleague has changed this draft meanwhile. Read it again, then decide."))


def _sent_already(head: Head) -> Refused:
    return Refused(N_("{name} has sent this communication already."), name=head.confirmed_by or head.author)


def _to_be_changed(session: Session, circular_id: int, staff_id: int) -> Circular:
    may_act(session, staff_id)
    circular = the_circular(session, circular_id)
    if circular.state is not CircularState.DRAFT:
        raise overtaken(session, circular_id)
    return circular


def _change(session: Session, circular_id: int, version: int, **values: Any) -> None:
    if not circulars.change(session, circular_id, version, DRAFT, **values):
        raise overtaken(session, circular_id)


def _add_files(session: Session, circular: Circular, staff_id: int, files: Files, now: datetime) -> None:
    kept = still_chosen(session, staff_id, files.kept)
    more = len(kept) + len(files.fresh)
    if more and len(circulars.files_of(session, circular.id)) + more > MOST_FILES:
        raise Refused(N_("At most {n} files go along."), n=MOST_FILES)
    attachments.put_in_circular(session, kept, circular.id)
    for one in files.fresh:
        add_file(session, one, now=now, staff_id=staff_id, circular_id=circular.id)


def _tidy(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


def _note(session: Session, action: str, circular_id: int, staff_id: int, now: datetime) -> None:
    audit.record(session, now, ("staff", staff_id), action, ("circular", circular_id))
