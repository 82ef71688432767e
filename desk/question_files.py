"""The files that go along with an answer, as they are chosen: kept for an answer, or for the next try. Sends nothing.

A page that comes back with a form cannot give a browser its files again. So they stay here, without a home, for
whoever chose them, and the form brings their numbers (`keep`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import UploadFile
from sqlmodel import Session

from answering.refusal import Refused
from delivery.letter import LARGEST
from desk.house import DeskHouse
from facts.languages import N_
from intake.files import LIMIT, MIB, FileRefused, StoredFile, add_file, store_file
from storage import attachments
from storage.proposals import Proposed
from storage.tables import Attachment

MOST_FILES = 10
MAIL_MB, FILE_MB = LARGEST // MIB, LIMIT // MIB


@dataclass(frozen=True, slots=True)
class Going:
    """A file beside the box: whether it goes along."""

    file: Attachment
    ticked: bool


def stored(house: DeskHouse, uploads: Sequence[UploadFile], kept: int = 0) -> list[StoredFile]:
    """On disk before any transaction; one that is refused refuses the whole answer, and nothing leaves.

    `kept`: how many go along already.
    """
    chosen = [one for one in uploads if one.filename]
    if len(chosen) + kept > MOST_FILES:
        raise _too_many()
    try:
        return [_store(house, one) for one in chosen]
    except FileRefused as no:
        raise Refused(no.sentence, **no.values) from no


def hold(house: DeskHouse, staff_id: int, uploads: Sequence[UploadFile], kept: Sequence[int] = ()) -> "Held":
    """Keeps for its next try what somebody chose. What cannot be kept is said, and the others stay."""
    chosen = [one for one in uploads if one.filename]
    why = _too_many() if len(chosen) + len(kept) > MOST_FILES else None
    good: list[StoredFile] = []
    for one in chosen[: max(0, MOST_FILES - len(kept))]:
        try:
            good.append(_store(house, one))
        except FileRefused as no:
            why = why or Refused(no.sentence, **no.values)
    if not good:
        return Held(tuple(kept), why)
    with house.database.write() as session:
        rows = [add_file(session, one, now=house.clock(), staff_id=staff_id).id for one in good]
    return Held((*kept, *rows), why)


@dataclass(frozen=True, slots=True)
class Held:
    """Numbers of the files that go along; `why`: what was not kept, if anything."""

    kept: tuple[int, ...]
    why: Refused | None


def going_along(
    session: Session, staff_id: int, came_back: Proposed | None, kept: Sequence[int] | None
) -> Sequence[Going]:
    """What came back with an earlier try, and what was kept since. `kept` None: nobody has chosen among them yet."""
    returned = came_back.files if came_back is not None else ()
    loose = attachments.loose_of(session, staff_id, kept or ())
    return [Going(one, kept is None or one.id in kept) for one in returned] + [Going(one, True) for one in loose]


def _store(house: DeskHouse, one: UploadFile) -> StoredFile:
    one.file.seek(0)  # a first try may have read it
    return store_file(house.files, one.filename or "", one.content_type or "", one.file)


def _too_many() -> Refused:
    return Refused(N_("At most {n} files at a time."), n=MOST_FILES)
