"""A draft on its owner's page: opened with all that its form needs, saved only as it was when it was opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from sqlmodel import Session

from desk.fill_controls import Raw
from desk.fill_page import Besides, FormPage, Unread, page_of
from desk.fill_reading import is_unread, read
from desk.house import DeskHouse
from desk.pages import Refuse
from facts.calendar import local_date
from facts.languages import Language
from intake.catalogue import InUse
from intake.drafting import PAGE_NOTES, Prior, facts_about, filling_of, prior_of
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item
from intake.forms.nodes import say
from storage.attachments import of_draft, of_update
from storage.begun import Begun, own_begun
from storage.drafts import Subject, Work, change_draft, subject_of, work_of
from storage.reviews import open_remarks
from storage.tables import Attachment, Referent

MEMORY = PAGE_NOTES


@dataclass(frozen=True)
class Notes:
    """What the page remembers of a draft beside its answers.

    `unread`: what stands in controls and is no answer, by key. `sure`: doubted answers that were confirmed, by key.
    `before` and `dropped`: the last change by which answers fell away, and those answers: to take it back.
    """

    unread: Mapping[str, Raw] = field(default_factory=dict)
    sure: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    dropped: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, memory: Mapping[str, Any]) -> Self:
        kept = memory.get(MEMORY) or {}
        unread = {key: tuple(raw) for key, raw in kept.get("unread", {}).items()}
        return cls(unread, *(kept.get(name, {}) for name in ("sure", "before", "dropped")))

    def to_memory(self) -> dict[str, Any]:
        """Empty when there is nothing to remember."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name)}
        if "unread" in kept:
            kept["unread"] = {key: list(raw) for key, raw in self.unread.items()}
        return {MEMORY: kept} if kept else {}


@dataclass(frozen=True)
class Opened:
    """A draft of `me`, as it was read."""

    me: Referent
    begun: Begun
    work: Work
    in_use: InUse
    subject: Subject
    prior: Prior
    filling: Filling
    facts: Facts
    notes: Notes
    files: Mapping[int, Attachment]
    remarks: Mapping[str, str] = field(default_factory=dict)  # of staff, on a correction's answers, by key

    @property
    def language(self) -> Language:
        return Language(self.me.language)

    @property
    def title(self) -> str:
        """Of the form, as its reader says it."""
        return say(self.in_use.form.title, self.language, self.in_use.form.languages)

    @cached_property
    def items(self) -> Mapping[str, Item]:
        return {one.key: one for one in self.filling.items if isinstance(one, Item)}

    def page(self, *, complete: bool = False, refused: Mapping[str, str] | None = None) -> FormPage:
        """`complete`: what is missing is to be said too; `refused`: why a file was not kept, by key."""
        sure = frozenset(key for key, value in self.notes.sure.items() if self.filling.answers.get(key) == value)
        besides = Besides(self.facts, dict(self._unread()), sure, self.files, complete, refused or {}, self.remarks)
        return page_of(self.filling, self.language, besides)

    def _unread(self) -> list[tuple[str, Unread]]:
        found = []
        for key, raw in self.notes.unread.items():
            item = self.items.get(key)
            heard = read(self.filling, item, raw, self.facts) if item else None
            if heard is not None and is_unread(heard):
                found.append((key, Unread(raw, heard)))  # type: ignore[arg-type]  # no answer: see is_unread
        return found

    def now(self, filling: Filling, notes: Notes) -> "Opened":
        """The same draft with other answers."""
        return replace(self, filling=filling, notes=notes)


def open_draft(session: Session, house: DeskHouse, me: Referent, draft_id: int) -> Opened:
    """Raises Refuse (404) for what is not theirs, is sent already, or was dropped."""
    begun = own_begun(session, me.id, draft_id)
    if begun is None:
        raise Refuse(404)
    work = work_of(begun.draft)
    subject = subject_of(session, draft_id)
    assert work.form_version_id is not None, "own_begun joins the version"
    assert subject is not None, "own_begun joins what it tells of"
    now = house.clock()
    in_use = house.catalogue.version(session, work.form_version_id)
    prior = prior_of(in_use.form, subject)
    facts = facts_about(local_date(now, house.zone), subject, prior)
    filling = filling_of(in_use, work, prior, now=now, zone=house.zone, language=Language(me.language))
    notes, files = Notes.of(work.memory), {file.id: file for file in of_draft(session, draft_id)}
    remarks: Mapping[str, str] = {}
    if work.corrects_id is not None:
        files |= {file.id: file for file in of_update(session, work.corrects_id)}
        remarks = open_remarks(session, work.corrects_id)
    return Opened(me, begun, work, in_use, subject, prior, filling, facts, notes, files, remarks)


def save(session: Session, opened: Opened, step: str, now: datetime) -> Opened | None:
    """Keeps the answers and the notes, if the draft is still as it was opened: as it is now. None when it has moved on.

    The memory of the chat goes: what its next message would have meant is no longer what is asked.
    """
    values: dict[str, Any] = {
        "answers": dict(opened.filling.answers),
        "repetitions": dict(opened.filling.repetitions),
        "memory": opened.notes.to_memory(),
        "step": step or opened.work.step,
    }
    if all(getattr(opened.work, name) == value for name, value in values.items()):
        return opened
    if not change_draft(session, opened.work.id, opened.work.revision, now, **values):
        return None
    return replace(opened, work=replace(opened.work, revision=opened.work.revision + 1, **values))


def first_open(opened: Opened, keys: Sequence[str] = ()) -> str:
    """The question where the person is: the last one they touched, else the first that must still be answered."""
    touched = [key for key in keys if key in opened.items]
    missing = opened.filling.missing()
    return touched[-1] if touched else missing[0].key if missing else opened.work.step
