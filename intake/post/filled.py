"""A reply to a reminder that holds an update: filled in, or "nothing new". Refuses to send what nobody has confirmed.

What was filled in becomes a draft of its writer and one mail that shows all of it, with a link on which they confirm.
"Nothing new" is recorded at once: it says all that there is to say. Anything else is a message, and not for us.

Only called for mail of which it is sure who wrote it (`standing`). It reaches what this very reminder told of, as far
as it still concerns its writer: whatever else a block names is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from delivery.outbox import queue
from delivery.words import plain_text
from facts.folding import fold
from facts.languages import N_, speaking
from intake.catalogue import Catalogue
from intake.incoming import Incoming
from intake.post.asking import Asked, asked_of
from intake.post.block import LONGEST_NAME
from intake.post.block_reading import Said, Section, read_reply
from intake.post.block_values import Change, changes_in, labels_of
from intake.post.enclosures import add_enclosures
from intake.post.filled_drafts import Begun, begin_on, enclose, files_of, keep, unfinished
from intake.post.filled_words import Summary, summary_words
from intake.post.house import PostHouse
from intake.post.letters import Updates
from intake.post.nothing_new import Unchanged, record_unchanged
from intake.post.plain_replies import meant, says_nothing_new, says_yes, without_first
from intake.post.reply_case import ReplyCase, Told
from intake.questions import ask
from storage.asked import first_key, message_numbered
from storage.ladder import decisions_to_send, still_theirs
from storage.message_ids import mail_of_ours
from storage.obligations import Owed, owed
from storage.snoozes import snoozes_to_tell
from storage.tables import Letter, LetterState, ObligationState, Outbox, OutboxKind, Question, Referent

SUMMARY = "summary"  # how the key of our answer begins: `summary:<reminder>:<letter>`
MOST_REFERENCES = 20
_PREFIX = re.compile(r"^(?:\s*(?:re|r|i|rif)\s*:)*\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Filled:
    """What one block says. `fresh`: it stands in what was written now, not in what is quoted."""

    begun: Begun
    changes: tuple[Change, ...]
    fresh: bool

    @property
    def id(self) -> int:
        return self.begun.asked.id


def update_reader(catalogue: Catalogue) -> Updates:
    """What reads updates in replies, for `letters.mail_handler`."""
    return partial(take_reply, catalogue=catalogue)


def take_reply(  # noqa: PLR0913, PLR0917 - a mail, whose it is, and what it answers
    session: Session,
    house: PostHouse,
    incoming: Incoming,
    letter: Letter,
    referent: Referent,
    reminder: Outbox,
    now: datetime,
    *,
    catalogue: Catalogue,
) -> bool:
    """Whether the reply was an update, and is dealt with. `reminder`: or our answer to an earlier reply to it."""
    first = _reminder_behind(session, reminder)
    if first is None or first.referent_id != referent.id:
        return False
    case = ReplyCase(session, incoming, letter, referent, catalogue, house.zone, now)
    told = _told(case, first)
    answered = _answered(case, reminder)
    ours = plain_text(str(answered.body.get("html", "")))
    summary = _understood(case, told, ours)
    if summary is None and answered.kind is not OutboxKind.REMINDER and says_yes(incoming.text):
        summary = _shown_again(case, told)
    if summary is None:
        return False
    _answer(case, _with_files(case, summary), first)
    return True


# --- what the reminder told of


def _reminder_behind(session: Session, message: Outbox) -> Outbox | None:
    """The reminder that this message of ours is, or answers a reply to; None when it has to do with none."""
    if message.kind is OutboxKind.REMINDER:
        return message
    word, _colon, rest = message.dedupe_key.partition(":")
    number = rest.partition(":")[0]
    found = message_numbered(session, int(number)) if word == SUMMARY and number.isdecimal() else None
    return found if found is not None and found.kind is OutboxKind.REMINDER else None


def _answered(case: ReplyCase, said: Outbox) -> Outbox:
    """The mail whose block they had before them: the newest one of ours that this one names, else what it is about."""
    for name in list(dict.fromkeys(reversed(case.incoming.references)))[:MOST_REFERENCES]:
        found = mail_of_ours(case.session, name)
        if found is not None and found.referent_id == case.referent.id and _reminder_behind(case.session, found):
            return found
    return said


def _told(case: ReplyCase, first: Outbox) -> Told:
    """What the mail named, as far as it is the writer's own: a substitute was told of another's things too.

    Of what was only counted in it nobody can have meant to say anything.
    """
    key, named = first_key(first.dedupe_key), plain_text(str(first.body.get("html", "")))
    ids = list({*decisions_to_send(case.session, key), *snoozes_to_tell(case.session, key)})
    theirs = still_theirs(case.session, ids, case.referent.id)
    owing = [one for one in owed(case.session, ids) if one.obligation.id in theirs and _is_named(one, named)]
    asked = asked_of(case.session, case.catalogue, owing, case.language, case.now)
    still_open = frozenset(
        one.obligation.id for one in owing if one.obligation.state is ObligationState.OPEN and one.deadline.active
    )
    return Told({one.id: one for one in asked}, still_open)


def _is_named(one: Owed, text: str) -> bool:
    if one.project is not None:
        return one.project.cup in text
    return one.organization is not None and one.organization.name[:LONGEST_NAME] in text


# --- what the reply says


def _understood(case: ReplyCase, told: Told, ours: str) -> Summary | None:
    """None when it is no update."""
    asked = list(told.asked.values())
    labels = sorted({label for one in asked if one.lines for label in labels_of(one.filling)})
    headings = [one.heading for one in asked]
    sent = read_reply(ours, "", labels, headings)
    reply = read_reply(case.incoming.text, case.incoming.quoted, labels, headings)
    besides = meant(reply.rest, ours)
    filled = _filled(case, asked, reply.sections, sent.sections)
    named = {one.id for one in filled if one.changes}
    others = [one.id for one in asked if one.id not in named]
    unchanged: list[Unchanged] = []
    if says_nothing_new(case.incoming.text):
        besides = without_first(besides)
        if _is_clear(told, others, besides):
            unchanged = record_unchanged(case, told, others)
            filled = [one for one in filled if one.changes]
    filled = [one for one in filled if one.changes or (one.fresh and not besides)]
    foreign = _foreign(asked, reply.sections, sent.sections)
    if not filled and not unchanged and not foreign:
        return None
    kept = [keep(case, one.begun, one.changes, late=one.id not in told.still_open) for one in filled]
    besides += [line for one in kept for line in one.taken.rest]
    return Summary(kept, unchanged, foreign, "\n".join(besides))


def _shown_again(case: ReplyCase, told: Told) -> Summary | None:
    """Who says yes to a summary is shown once more where the button is: a mail sends nothing."""
    begun = [begin_on(case, one) for one in told.asked.values() if unfinished(case, one) is not None]
    if not begun:
        return None
    return Summary([keep(case, one, (), late=one.asked.id not in told.still_open) for one in begun])


def _is_clear(told: Told, ids: Sequence[int], besides: Sequence[str]) -> bool:
    """ "Nothing new" is about all that is left of the reminder when it stands alone, or when only one thing is."""
    still = [one for one in ids if one in told.still_open]
    return bool(ids) and (len(still) == 1 or not besides)


def _filled(
    case: ReplyCase, asked: Sequence[Asked], sections: Sequence[Section], sent: Sequence[Section]
) -> list[Filled]:
    """The blocks that are there, each with what is another answer than the one we sent."""
    found = []
    for one in asked:
        lines = _lines_about(one, asked, sections)
        if not lines or not one.lines:
            continue
        begun = begin_on(case, one)
        changes = changes_in(begun.filling, lines, _lines_about(one, asked, sent))
        found.append(Filled(begun, tuple(changes), any(line.fresh for line in lines)))
    return found


def _lines_about(one: Asked, asked: Sequence[Asked], sections: Iterable[Section]) -> list[Said]:
    return [line for section in sections if _about(section, asked) is one for line in section.lines]


def _about(section: Section, asked: Sequence[Asked]) -> Asked | None:
    """What a block tells of. Without a heading that is clear only when just one was asked about."""
    if not section.heading:
        able = [one for one in asked if one.lines]
        return able[0] if len(able) == 1 else None
    if section.cup:
        asked = [one for one in asked if one.owed.project is not None and one.owed.project.cup == section.cup]
    said = fold(section.heading)
    same = [one for one in asked if _is_heading(said, one.heading)]
    found = same or (list(asked) if section.cup else [])
    return found[0] if len(found) == 1 or same else None


def _is_heading(said: str, heading: str) -> bool:
    wanted = fold(heading)
    return said == wanted or said.startswith(f"{wanted} ")


def _foreign(asked: Sequence[Asked], sections: Iterable[Section], sent: Iterable[Section]) -> list[str]:
    """Filled-in blocks about something that is not theirs, or was not asked about. Old mail that is quoted is none."""
    ours = {(section.cup, line.label): line.whole for section in sent for line in section.lines}
    known = {cup for cup, _label in ours}
    found = []
    for section in sections:
        if section.cup and _about(section, asked) is None:
            written = [line for line in section.lines if line.whole]
            changed = any(line.whole != ours.get((section.cup, line.label)) for line in written)
            if any(line.fresh for line in written) if section.cup not in known else changed:
                found.append(section.heading)
    return list(dict.fromkeys(found))


# --- what becomes of it


def _with_files(case: ReplyCase, summary: Summary) -> Summary:
    """Files go with the first draft, as an answer where its form asks for some; else with the first update."""
    letter, session = case.letter, case.session
    recorded = [one for one in summary.unchanged if one.update is not None]
    letter.draft_id = summary.kept[0].work.id if summary.kept else None
    letter.update_id = recorded[0].update.id if recorded and recorded[0].update is not None else None
    letter.state = LetterState.UPDATE
    session.add(letter)
    home = {"draft_id": letter.draft_id} if summary.kept else {"update_id": letter.update_id}
    if letter.draft_id is None and letter.update_id is None:
        home = {"letter_id": letter.id}
    add_enclosures(session, case.incoming, case.now, inbox_id=letter.inbox_id, referent_id=case.referent.id, **home)
    question = _asked_besides(case, summary)
    number = sum(not one.inline for one in case.incoming.files)
    title = ""
    if summary.kept:
        enclose(case, summary.kept[0], files_of(case, summary.kept[0].work.id))
        title = summary.kept[0].begun.asked.subject.title
    elif recorded:
        title = recorded[0].asked.subject.title
    return replace(summary, question=question, files=number if title else 0, with_title=title)


def _asked_besides(case: ReplyCase, summary: Summary) -> Question | None:
    """What stands beside the blocks is no answer to any question of ours: somebody at the office reads it."""
    if not summary.besides.strip():
        return None
    about = [one.begun.asked.concern.project_id for one in summary.kept]
    about += [one.asked.concern.project_id for one in summary.unchanged]
    return ask(
        case.session,
        referent_id=case.referent.id,
        text=summary.besides,
        channel=case.letter.channel,
        now=case.now,
        zone=case.zone,
        project_id=about[0] if len(set(about)) == 1 else None,
        inbox_id=case.letter.inbox_id,
        provider_id=case.letter.provider_id or None,
    )


def _subject(case: ReplyCase) -> str:
    """Theirs, so that it stands in the same thread; whoever wrote it is sure."""
    theirs = _PREFIX.sub("", case.letter.subject)
    return f"Re: {theirs or speaking(case.language)(N_('your update'))}"


def _answer(case: ReplyCase, summary: Summary, first: Outbox) -> None:
    """One mail, in answer to theirs (`inbox_id`), to where it came from."""
    letter = case.letter
    queue(
        case.session,
        summary_words(summary, _subject(case), case.language, case.zone),
        kind=OutboxKind.AUTO_REPLY,
        channel=letter.channel,
        address=letter.sender,
        now=case.now,
        dedupe_key=f"{SUMMARY}:{first.id}:{letter.id}",
        referent_id=case.referent.id,
        inbox_id=letter.inbox_id,
    )
