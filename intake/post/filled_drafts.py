"""What was filled in in a reply becomes a draft, as if it had been filled in on the page. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from facts.languages import Language
from intake.catalogue import InUse
from intake.drafting import PAGE_NOTES, Prior, facts_about, filling_of, prior_of
from intake.forms.doubts import Facts, doubt_about
from intake.forms.filling import Filling, Item
from intake.forms.nodes import ENCLOSING, QuestionType
from intake.forms.outcomes import Sentence
from intake.forms.values import MOST_ENCLOSED
from intake.handing_in import DraftMoved
from intake.post.asking import Asked, blank, last_of
from intake.post.block import Line, lines_of
from intake.post.block_values import Change, Taken, Unread, take
from intake.post.reply_case import ReplyCase
from storage import attachments
from storage.begun import begun_by
from storage.drafts import Work, change_draft, insert_draft, subject_of, work_of
from storage.tables import Attachment, Draft, DraftState, FileState

# Where the chat may be in a draft (`bot/steps.py`): last time's answers that wait there to be confirmed are others now.
UNCHANGED_STEP, SUMMARY_STEP = "=unchanged", "=summary"
_TYPES = {QuestionType.IMAGE: "image/", QuestionType.AUDIO: "audio/"}


@dataclass(frozen=True)
class Begun:
    """Where answers go: what was begun about the same already, else something new (`work.id` is 0)."""

    asked: Asked
    work: Work
    in_use: InUse
    prior: Prior
    facts: Facts
    filling: Filling


@dataclass(frozen=True)
class Kept:
    """A draft with what was filled in. `late`: what it is for was settled meanwhile."""

    begun: Begun
    work: Work
    taken: Taken
    late: bool

    @property
    def filling(self) -> Filling:
        return self.taken.filling

    @property
    def missing(self) -> list[Item]:
        """What must be answered, without what was answered and could not be read."""
        unread = {one.key for one in self.taken.unread}
        return [one for one in self.filling.missing() if one.key not in unread]

    @property
    def doubts(self) -> list[tuple[Item, Sentence]]:
        """What the page asks back before it can be sent."""
        found = []
        for one in self.filling.items:
            value = self.filling.answers.get(one.key) if isinstance(one, Item) else None
            if isinstance(one, Item) and value is not None:
                found.append((one, doubt_about(self.filling, one, value, self.begun.facts)))
        return [(one, doubt) for one, doubt in found if doubt is not None]

    @property
    def is_complete(self) -> bool:
        return not self.taken.unread and not self.filling.missing() and not self.doubts

    def lines(self, language: Language) -> tuple[Line, ...]:
        """As a block, to be corrected by one more reply."""
        return lines_of(self.filling, language)


def begin_on(case: ReplyCase, asked: Asked) -> Begun:
    """With last time's answers; what was begun about the same has its own where it has some."""
    draft = unfinished(case, asked)
    subject = subject_of(case.session, draft.id) if draft is not None else None
    if draft is None or subject is None or draft.form_version_id is None:
        return Begun(asked, blank(asked.owed, asked.in_use), asked.in_use, asked.prior, asked.facts, asked.filling)
    in_use = case.catalogue.version(case.session, draft.form_version_id)
    prior = prior_of(in_use.form, subject)
    facts = facts_about(asked.facts.today, subject, prior)
    work = work_of(draft)
    filling = filling_of(in_use, work, prior, now=case.now, zone=case.zone, language=case.language)
    return Begun(asked, work, in_use, prior, facts, filling.anew({**last_of(filling, prior), **filling.answers}))


def unfinished(case: ReplyCase, asked: Asked) -> Draft | None:
    """What they have begun about the same by the same form, by whatever door, the last touched."""
    about = (asked.concern.project_id, asked.concern.organization_id)
    for one in begun_by(case.session, case.referent.id):
        same = about == (one.draft.project_id, one.draft.organization_id) and one.form.id == asked.in_use.form_id
        if same and one.draft.corrects_id is None:
            return one.draft
    return None


def keep(case: ReplyCase, begun: Begun, changes: Sequence[Change], *, late: bool) -> Kept:
    """The draft with what was filled in, not sent."""
    taken = take(begun.filling, changes, begun.facts)
    asked = begun.asked
    values: dict[str, Any] = {
        "answers": dict(taken.filling.answers),
        "repetitions": dict(taken.filling.repetitions),
        "memory": _memory(begun, taken),
    }
    if begun.work.id:
        step = SUMMARY_STEP if begun.work.step == UNCHANGED_STEP else begun.work.step
        obligation = begun.work.obligation_id if late else asked.id
        values |= {"step": step, "obligation_id": obligation, "channel": case.letter.channel}
        if not change_draft(case.session, begun.work.id, begun.work.revision, case.now, **values):
            raise DraftMoved(begun.work.id)  # by another door, in this moment: the mail is taken up again
        return Kept(begun, begun.work, taken, late)
    new = Work(**{**_columns(begun.work), **values, "obligation_id": None if late else asked.id})
    work = insert_draft(
        case.session, case.referent.id, case.now, new, channel=case.letter.channel, state=DraftState.PARKED
    )
    return Kept(begun, work, taken, late)


def _columns(work: Work) -> dict[str, Any]:
    return {name: getattr(work, name) for name in Work.__slots__}


def _memory(begun: Begun, taken: Taken) -> dict[str, Any]:
    """What could not be read stands in its field on the page, with the reason beside it."""
    notes = dict(begun.work.memory.get(PAGE_NOTES) or {})
    gone = taken.changed | {one.key for one in taken.unread}
    unread = {key: raw for key, raw in notes.get("unread", {}).items() if key not in gone}
    unread |= {one.key: _raw(taken.filling, one) for one in taken.unread}
    notes = {name: value for name, value in notes.items() if name == "sure"} | ({"unread": unread} if unread else {})
    return {PAGE_NOTES: notes} if notes else {}


def _raw(filling: Filling, unread: Unread) -> list[str]:
    """As the control of the page has it: a day and its time are two fields."""
    node = filling.plan.form.at(unread.key)
    if getattr(node, "type", None) is QuestionType.DATE_TIME:
        day, _space, hour = unread.text.rpartition(" ")
        return [day or hour, hour if day else ""]
    return [unread.text]


# --- files


def enclose(case: ReplyCase, kept: Kept, files: Sequence[Attachment]) -> bool:
    """Files that go along already become an answer where the form asks for some; whether it did."""
    work, filling = kept.work, kept.filling
    able = [one for one in files if one.state is FileState.KEPT and not one.detail.get("inline")]
    item = next((one for one in filling.items if isinstance(one, Item) and one.question.type in ENCLOSING), None)
    if item is None:
        return False
    fitting = [one.id for one in able if one.type_seen.startswith(_TYPES.get(item.question.type, ""))]
    already = filling.answers.get(item.key) or []
    answer = [*already, *fitting][:MOST_ENCLOSED]
    if answer == already:
        return False
    row = case.session.get_one(Draft, work.id, populate_existing=True)
    answers = {**row.answers, item.key: answer}
    return change_draft(case.session, row.id, row.revision, case.now, answers=answers)


def files_of(case: ReplyCase, draft_id: int) -> Sequence[Attachment]:
    """Those that came with this very mail."""
    return [one for one in attachments.of_draft(case.session, draft_id) if one.inbox_id == case.letter.inbox_id]
