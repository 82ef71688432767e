"""What holds on any day, after each step and at its end: nothing is lost, doubled, swallowed or out of order."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple, TypeVar

from hypothesis.stateful import invariant
from sqlmodel import Session, SQLModel, col, select

from bot import albums
from delivery.outbox import URGENCY
from facts.languages import Language, speaking
from storage.tables import (
    CAPTION,
    AccessRequest,
    AccessState,
    AnswerChange,
    Attachment,
    Correction,
    Draft,
    DraftKind,
    DraftState,
    Inbox,
    InboxState,
    Message,
    Outbox,
    OutboxKind,
    OutboxState,
    Referent,
    Update,
)
from tests.bot.any_day import CHATS, GROUP, AnyDay
from tests.bot.any_day_said import Said, mark_in

Row = TypeVar("Row", bound=SQLModel)

WAITING = (InboxState.NEW, InboxState.RETRY)
LEAVING = (OutboxState.QUEUED, OutboxState.RETRY, OutboxState.SENDING)
THREADS = (1, 2)  # of the morning
LONGEST_DAY = 200  # passes until everything has come to rest

# The only ways in which somebody is told that what they wrote was not taken.
NOT_TAKEN = (
    "I find no project with “{search}”.",
    "Please press one of the buttons below. To ask a question use /domanda: the update stays here.",
    "I see that you edited a message, but it belongs to nothing that I could change.",
    "I have kept the question as it was: like this it cannot be sent.",
    "That update is set aside, and I cannot read the new answer. Take it up again to change it.",
    "What you wrote is already with the office. To change it, withdraw and ask again.",
    "Please press one of the buttons below.",
)
REFUSALS = tuple(speaking(language)(one).partition("{")[0] for one in NOT_TAKEN for language in Language)


class Place(NamedTuple):
    """Where words are. `kind`: `record` as staff or its writer find them, `below` a file, `dropped` by its writer."""

    kind: str
    text: str


class Evening:
    """Everything that there is at the end of a day."""

    def __init__(self, session: Session) -> None:
        rows = every(session, Inbox)
        self.updates = {int(row.provider_id): row for row in rows if row.kind == "telegram"}
        self.timers = [row for row in rows if row.kind == albums.KIND]
        self.outbox = every(session, Outbox)
        self.files = [one for one in every(session, Attachment) if one.inbox_id is not None]
        self.messages = [one for one in every(session, Message) if one.referent_id is not None]
        self.corrections, self.drafts = every(session, Correction), every(session, Draft)
        self.answers_changed = every(session, AnswerChange)
        self.sent_updates, self.requests = every(session, Update), every(session, AccessRequest)
        self.places = [*self._in_threads(), *self._in_updates(), *self._in_drafts(), *self._of_access(), *self._below()]

    def counts(self) -> dict[str, int]:
        """What people have made of this day."""
        dead = [row for row in self.updates.values() if row.state is InboxState.DEAD]
        made = {"messages": len(self.messages) - len(THREADS), "updates": len(self.sent_updates) - 1}
        return made | {"corrections": len(self.corrections) + len(self.answers_changed), "dead letters": len(dead)}

    def state(self, update: int) -> InboxState:
        return self.updates[update].state

    def replies(self, update: int) -> list[str]:
        """What the bot said to one thing that came."""
        return [str(one.body["html"]) for one in self.outbox if one.inbox_id == self.updates[update].id]

    def where(self, mark: str) -> Counter[str]:
        return Counter(place.kind for place in self.places if mark and mark in place.text)

    def _in_threads(self) -> Iterator[Place]:
        """With the corrections that stand beside them."""
        for message in self.messages:
            text = message.text
            for one in self.corrections:
                if one.message_id == message.id and one.attachment_id is None:
                    assert one.before in text, f"{one.before!r} to {one.after!r} corrects {text!r}"
                    text = text.replace(one.before, one.after) if one.before else f"{text}\n{one.after}"
            yield Place("record", text)

    def _in_updates(self) -> Iterator[Place]:
        """What was not taken over from an earlier one, as last time's answer."""
        told: list[Any] = []
        for update in self.sent_updates:
            answers = [one for one in _answers(update.project_id, update.answers) if one not in told]
            told += answers
            text = json.dumps(answers)
            for one in self.corrections:
                if one.update_id == update.id and one.attachment_id is None:
                    text = text.replace(one.before, one.after) if one.before in text else f"{text}\n{one.after}"
            yield Place("record", text)
        yield from {Place("record", one.reason) for one in self.answers_changed}

    def _in_drafts(self) -> Iterator[Place]:
        """Answers; of an update also what was not understood, or answered anew. Nothing of a question that was sent."""
        told = [one for update in self.sent_updates for one in _answers(update.project_id, update.answers)]
        for draft in self.drafts:
            said = [one for one in draft.sources.values() if "below" not in one]
            answers = [one for one in _answers(draft.project_id, draft.answers) if one not in told]
            text = json.dumps([answers, said if draft.kind is DraftKind.UPDATE else ""])
            if draft.state in (DraftState.OPEN, DraftState.PARKED):
                yield Place("record", text)
            elif draft.kind is DraftKind.UPDATE or draft.state is DraftState.CANCELLED:
                yield Place("dropped", text)

    def _of_access(self) -> Iterator[Place]:
        for one in self.requests:
            said = json.dumps([one.sources, one.name, one.organization, one.email])
            yield Place("dropped" if one.state is AccessState.CANCELLED else "record", said)

    def _below(self) -> Iterator[Place]:
        """Below the newest file of each message: one that was sent stays when another comes in its place."""
        for file in {(one.referent_id, one.provider_id): one for one in self.files}.values():
            corrected = [one for one in self.corrections if one.attachment_id == file.id and one.field == CAPTION]
            yield Place("below", corrected[-1].after if corrected else file.caption)


class Story:
    """One message of a chat through the day, as far as it was handled: dead letters changed nothing."""

    def __init__(self, evening: Evening, versions: list[Said]) -> None:
        self.versions = versions
        self.handled = [one for one in versions if evening.state(one.update) is InboxState.DONE]
        self.dead = [one for one in versions if one not in self.handled]
        self.changes = [one for before, one in self._followed() if (one.words, one.file) != _told(before)]

    @property
    def last(self) -> Said:
        return self.changes[-1]

    @property
    def files(self) -> list[Said]:
        """The versions that brought another file."""
        return [one for before, one in self._followed() if one.file and one.file != _told(before)[1]]

    def _followed(self) -> Iterator[tuple[Said | None, Said]]:
        """Each with the one before."""
        return zip([None, *self.handled], self.handled, strict=False)


class WhatHolds(AnyDay):
    """Looks after each step, and once more in the evening, when everything has come to rest."""

    @invariant()
    def it_holds(self) -> None:
        with self.database.read() as session:
            self._what_was_acknowledged_is_stored_once(session)
            self._what_was_sent_has_an_id_of_telegram(session)
            self._what_each_person_wrote_keeps_its_order(session)
        self._each_chat_hears_in_order()

    def _what_was_acknowledged_is_stored_once(self, session: Session) -> None:
        kept = session.exec(select(Inbox.provider_id).where(Inbox.kind == "telegram").order_by(col(Inbox.id))).all()
        assert list(kept) == [str(update["update_id"]) for update in self.given]

    def _what_was_sent_has_an_id_of_telegram(self, session: Session) -> None:
        sent = session.exec(select(Outbox.provider_id).where(Outbox.state == OutboxState.SENT)).all()
        assert all(sent)

    def _what_each_person_wrote_keeps_its_order(self, session: Session) -> None:
        for person in session.exec(select(Referent.id)).all():
            theirs = select(Message.inbox_id).where(Message.referent_id == person).order_by(col(Message.id))
            came = [one for one in session.exec(theirs) if one is not None]
            assert came == sorted(set(came)), "one thing that came is one message, in its turn"

    def _each_chat_hears_in_order(self) -> None:
        """What is as urgent; an answer by the office lets the bot's own go first, and what comes while it can still be
        stopped.
        """
        for chat, urgency, answers in product(CHATS, set(URGENCY.values()), (False, True)):
            theirs = [one for one in self.telegram.sent if one.address == str(chat)]
            alike = [one for one in theirs if URGENCY[one.kind] == urgency]
            heard = [one.id for one in alike if (one.kind is OutboxKind.ANSWER) is answers]
            first_heard = list(dict.fromkeys(heard))
            assert first_heard == sorted(first_heard)
            assert self.power.doubts or len(first_heard) == len(heard), "twice only where it was in doubt"

    # -- in the evening ----------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            super().teardown()

    def settle(self) -> None:
        self._come_to_rest()
        with self.database.read() as session:
            evening = Evening(session)
        self.tally.update(evening.counts())
        stories = [Story(evening, versions) for versions in self.said.values()]
        self._each_dead_letter_was_told_once(evening)
        self._everything_left_or_says_why(evening)
        self._everything_was_answered(evening)
        self._what_was_sent_is_what_was_written(evening)
        self._nothing_else_was_recorded(evening)
        self._only_its_writer_drops_a_question(evening)
        for story in stories:
            self._nothing_of_the_dead(evening, story)
            if story.changes:
                self._it_says_what_it_says_last(evening, story)
                self._each_edit_was_heard(evening, story)
        self._each_file_is_one(evening, stories)
        self._albums_stay_together(evening)
        self._groups_are_not_listened_to(evening)

    def _come_to_rest(self) -> None:
        self.power.stumbles, self.power.trouble = 0, []
        for chat in sorted(self.blocked):
            self.blocks_or_unblocks(chat)
        for _ in range(LONGEST_DAY):
            self.clock.forward(seconds=10)
            self.the_worker_works(boldly=False)
            self.messages_leave()
            if not self._anything_waits():
                return
        raise AssertionError("the day never came to rest")

    def _anything_waits(self) -> bool:
        with self.database.read() as session:
            inbox = session.exec(select(Inbox.id).where(col(Inbox.state).in_(WAITING))).first()
            outbox = session.exec(select(Outbox.id).where(col(Outbox.state).in_(LEAVING))).first()
            return inbox is not None or outbox is not None

    def _each_dead_letter_was_told_once(self, evening: Evening) -> None:
        keys = Counter(one.dedupe_key for one in evening.outbox)
        for number, row in evening.updates.items():
            private = not _is_of_a_group(self.given[number - 1])
            assert keys[f"sorry:{row.id}"] == (row.state is InboxState.DEAD and private)
            assert row.state is InboxState.DONE or len(evening.replies(number)) == private, "all that is left of it"

    def _everything_left_or_says_why(self, evening: Evening) -> None:
        for one in evening.outbox:
            known = one.provider_id or one.error or one.state is OutboxState.MOVED
            assert known, f"{one.state} without an id and without a reason"

    def _everything_was_answered(self, evening: Evening) -> None:
        """Each message and press; of an album, its first part. What an edit is answered depends on what it changes."""
        for update in self.given:
            number = int(update["update_id"])
            quiet = "edited_message" in update or "my_chat_member" in update or _is_of_a_group(update)
            if quiet or evening.state(number) is not InboxState.DONE or "media_group_id" in update.get("message", ()):
                continue
            assert evening.replies(number), update

    def _what_was_sent_is_what_was_written(self, evening: Evening) -> None:
        """A draft that was sent is one record, with all of its words."""
        updates = {one.draft_id: one for one in evening.sent_updates}
        left = {one.draft_id for one in evening.files if _home(one) == ("draft_id", one.draft_id)}
        for draft in evening.drafts:
            if draft.state is not DraftState.SENT:
                continue
            assert draft.id not in left, "its files go along"
            if draft.kind is DraftKind.UPDATE and draft.corrects_id is None:
                assert _is_what_counts(updates[draft.id], draft.answers)
            elif draft.kind is DraftKind.QUESTION:
                stem = str(draft.answers["message"])
                became = [one for one in evening.messages if one.provider_id == stem]
                assert len(became) == 1
                assert all(one["text"] in became[0].text for one in draft.sources.values())

    def _nothing_else_was_recorded(self, evening: Evening) -> None:
        """Besides what there was in the morning, each update and each question was one draft."""
        sent = [one for one in evening.drafts if one.state is DraftState.SENT]
        updates = [one.id for one in sent if one.kind is DraftKind.UPDATE and one.corrects_id is None]
        assert sorted(one.draft_id or 0 for one in evening.sent_updates) == [0, *updates]
        asked = [one.question_id for one in sent if one.kind is DraftKind.QUESTION and one.question_id is not None]
        assert sorted({one.question_id for one in evening.messages}) == sorted([*THREADS, *asked])

    def _only_its_writer_drops_a_question(self, evening: Evening) -> None:
        """By a word, or by a button of that very draft."""
        for draft in evening.drafts:
            if draft.kind is DraftKind.QUESTION and draft.state is DraftState.CANCELLED and draft.answers.get("text"):
                chat = CHATS[draft.referent_id - 1]
                said = any(one.chat == chat and one.words.endswith("annulla") for one, *_ in self.said.values())
                pressed = [data for data in self._pressed(chat) if data.endswith((":cancel", f"m:drop-{draft.id}"))]
                assert said or any(data.startswith((f"d:{draft.id}:", "m:drop")) for data in pressed), draft.id

    def _nothing_of_the_dead(self, evening: Evening, story: Story) -> None:
        alive = {mark_in(one.words) for one in story.handled}
        for one in story.dead:
            assert mark_in(one.words) in alive or not evening.where(mark_in(one.words)), one

    def _it_says_what_it_says_last(self, evening: Evening, story: Story) -> None:
        """The house finds the words that the person sees, once; and none that they see no more."""
        last = story.last
        if any(sentence in reply for reply in evening.replies(last.update) for sentence in REFUSALS):
            return
        now, where = mark_in(last.words), evening.where(mark_in(last.words))
        if now:
            assert where, f"lost: {last} {evening.replies(last.update)}"
            assert where["record"] + (0 if last.file else where["below"]) <= 1, f"{where} twice: {last}"
            assert where["below"] <= 1, f"{where} below two files: {last}"
        for one in story.changes[:-1]:
            before = mark_in(one.words)
            assert before == now or not evening.where(before)["record"], f"{before} still stands: {story.changes}"

    def _each_edit_was_heard(self, evening: Evening, story: Story) -> None:
        """A change is answered; what changes nothing corrects nothing."""
        corrected = {one.inbox_id for one in evening.corrections}
        for at, one in enumerate(story.handled[1:], 1):
            if one not in story.changes:
                assert evening.updates[one.update].id not in corrected, one
            elif one.file != story.handled[at - 1].file or _is_new(one, story.handled[:at]):
                assert evening.replies(one.update), f"swallowed: {one}"

    def _each_file_is_one(self, evening: Evening, stories: list[Story]) -> None:
        kept = Counter(one.file_unique_id for one in evening.files)
        assert kept == Counter(one.file for story in stories for one in story.files)
        by_file = {one.file_unique_id: one for one in evening.files}
        dead = {json.loads(row.payload)["album"] for row in evening.timers if row.state is InboxState.DEAD}
        for last in (story.handled[-1] for story in stories if story.handled):
            file = by_file.get(last.file)
            if file is not None and file.album_id not in dead and not self._left_out_files(evening, last.chat):
                assert _home(file), f"nowhere: {last}"

    def _albums_stay_together(self, evening: Evening) -> None:
        """But for parts that are edited after the others were dropped."""
        dropped = [("draft_id", one.id) for one in evening.drafts if one.state is DraftState.CANCELLED]
        homes: dict[int, set[Any]] = {}
        for one in evening.files:
            if one.album_id is not None and _home(one) not in dropped:
                homes.setdefault(one.album_id, set()).add(_home(one))
        assert all(len(one) == 1 for one in homes.values()) or any(
            self._left_out_files(evening, chat) for chat in CHATS
        )

    def _left_out_files(self, evening: Evening, chat: int) -> bool:
        """Whether they have pressed "leave out what is attached"."""
        return any(data.endswith(":unattach") for data in self._pressed(chat))

    def _pressed(self, chat: int) -> list[str]:
        presses = [one["callback_query"] for one in self.given if "callback_query" in one]
        return [one["data"] for one in presses if one["from"]["id"] == chat]

    def _groups_are_not_listened_to(self, evening: Evening) -> None:
        for update in self.given:
            if _is_of_a_group(update):
                assert not evening.where(mark_in(update["message"]["text"]))


def every(session: Session, table: type[Row]) -> list[Row]:
    return list(session.exec(select(table).order_by("id")))


def _told(said: Said | None) -> tuple[str, str]:
    return ("", "") if said is None else (said.words, said.file)


def _is_new(said: Said, before: list[Said]) -> bool:
    """Not back to what it once was: the house may never have followed it away from there."""
    return said.words not in [one.words for one in before]


def _answers(project_id: int | None, answers: dict[str, Any]) -> list[Any]:
    return [[project_id, key, value] for key, value in answers.items()]


def _is_what_counts(update: Update, answers: dict[str, Any]) -> bool:
    """The answers of a draft, but for a problem that there is no more; until somebody corrects the update."""
    if update.revision > 0:
        return True
    hidden = {"problem"} if answers.get("problems") == "no" else set()
    return update.answers == {key: value for key, value in answers.items() if key not in hidden}


def _home(file: Attachment) -> tuple[str, int] | None:
    for name in ("message_id", "update_id", "draft_id"):
        if getattr(file, name) is not None:
            return name, getattr(file, name)
    return None


def _is_of_a_group(update: dict[str, Any]) -> bool:
    return bool(update.get("message", {}).get("chat", {}).get("id") == GROUP)
