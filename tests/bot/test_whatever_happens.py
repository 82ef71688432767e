"""Whatever people, Telegram and the power do, in whatever order: nothing is lost, doubled or out of order.

acknowledged => stored; stored => exactly one record, a linked duplicate or a dead letter; sent => an id of Telegram;
the order of each chat is kept.
"""

import asyncio
import shutil
import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlmodel import Session, col, select

from bot import albums
from bot.arrivals import arrival
from bot.dialogue import apologise, telegram_handler
from bot.house import House
from delivery.errors import Blocked, DeliveryError, Uncertain
from delivery.limits import Limits
from delivery.parcel import Parcel
from intake.builtin import ensure_builtin_forms
from intake.inbox import receive_many
from intake.worker import work
from storage.database import Database
from storage.tables import (
    Attachment,
    Audience,
    Channel,
    Correction,
    Inbox,
    InboxState,
    Message,
    Outbox,
    OutboxState,
    Question,
)
from tests.cast import Cast
from tests.delivery.wiring import LINKS, Bench, Clock

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CHATS = (11, 12)
FIRST = 100  # the message of each chat to which everything is a reply
WAITING = (InboxState.NEW, InboxState.RETRY)


class Passing(Exception):
    """A failure of ours that the next try does not meet."""


class AnyDay(RuleBasedStateMachine):
    """Ada and Bruno write into a thread of theirs; the process dies, Telegram repeats and refuses."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "raccordo.db")
        self.database = Database(f"sqlite:///{self.folder / 'raccordo.db'}")
        self.clock, self.blocked = Clock(NOW), set[int]()
        self.trouble: list[DeliveryError] = []
        self.bench = Bench(self.database, self.clock, limits=Limits(enabled=False))
        self.bench.telegram.always = self._refuses
        house = House(LINKS)
        self.handlers = {"telegram": self._stumbling(telegram_handler(house)), albums.KIND: albums.album_timer(house)}
        self.apologies = {"telegram": apologise(house), albums.KIND: apologise(house, albums.whose)}
        self.stumbles = 0
        self.next_update, self.next_message = 1, 1000
        self.given: list[dict[str, Any]] = []  # every update that Telegram has handed out, in order
        self.written: dict[int, list[int]] = {chat: [] for chat in CHATS}  # texts by chat, by message
        self.album = 0
        with self.database.write() as session:
            cast = Cast(session, NOW)
            ensure_builtin_forms(session, NOW)
            organization = cast.an_organization()
            project = cast.a_project(organization)
            for chat in CHATS:
                person = cast.a_referent(f"Persona {chat}", organization, (project,), chat=chat)
                question = cast.a_question(person, "numero0")
                first = session.exec(select(Message).where(Message.question_id == question.id)).one()
                first.provider_id = str(FIRST)

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    # -- what people do ----------------------------------------------------------------------------

    @rule(chat=st.sampled_from(CHATS))
    def writes(self, chat: int) -> None:
        number = self._new_message()
        self.written[chat].append(number)
        self._hand_out(
            "message", self._message(chat, number) | {"text": f"numero{number}", "reply_to_message": reply()}
        )

    @rule(chat=st.sampled_from(CHATS), another=st.booleans(), words=st.booleans())
    def sends_a_part(self, chat: int, another: bool, words: bool) -> None:
        self.album += another
        number = self._new_message()
        photo = [{"file_id": f"p{number}", "file_unique_id": f"u{number}", "width": 9, "height": 9, "file_size": 9}]
        part = self._message(chat, number) | {"photo": photo, "media_group_id": f"{chat}-{self.album}"}
        part |= {"reply_to_message": reply()} | ({"caption": f"foto {number}"} if words else {})
        self._hand_out("message", part)

    @precondition(lambda self: any(self.written.values()))
    @rule(which=st.integers(0, 50), text=st.sampled_from(("corretto", "corretto due")))
    def edits(self, which: int, text: str) -> None:
        every = [(chat, number) for chat, numbers in self.written.items() for number in numbers]
        chat, number = every[which % len(every)]
        self._hand_out("edited_message", self._message(chat, number) | {"text": text, "edit_date": 1})

    @rule(chat=st.sampled_from(CHATS), data=st.sampled_from(("m:menu", "m:questions", "q:1:add", "d:9:9:send", "s:x")))
    def presses(self, chat: int, data: str) -> None:
        query = {"id": str(self._new_message()), "from": who(chat), "message": self._message(chat, FIRST), "data": data}
        self._hand_out("callback_query", query)

    @rule(chat=st.sampled_from(CHATS))
    def blocks_or_unblocks(self, chat: int) -> None:
        self.blocked ^= {chat}
        status = "kicked" if chat in self.blocked else "member"
        change = {"chat": {"id": chat, "type": "private"}, "from": who(chat), "date": 0}
        self._hand_out("my_chat_member", change | {"new_chat_member": {"status": status}})

    # -- what happens to us ------------------------------------------------------------------------

    @rule()
    def telegram_repeats_itself(self) -> None:
        """What was not confirmed in time comes again."""
        self._keep(self.given[-3:])

    @rule()
    def the_worker_works(self) -> None:
        with self.database.write() as session:
            work(session, self.handlers, self.apologies, self.clock.now)

    @rule()
    def the_process_dies_while_working(self) -> None:
        with Session(self.database.engine) as session:
            work(session, self.handlers, self.apologies, self.clock.now)
            session.rollback()

    @rule()
    def a_handler_stumbles(self) -> None:
        self.stumbles += 1

    @rule()
    def messages_leave(self) -> None:
        asyncio.run(self._passes())

    @rule()
    def the_process_dies_while_sending(self) -> None:
        """Sent, and nobody wrote it down."""
        asyncio.run(self.bench.step())
        self.bench.dispatcher = self.bench.new_dispatcher("one")

    @rule(times=st.integers(1, 3))
    def telegram_does_not_answer(self, times: int) -> None:
        self.trouble += [Uncertain("no answer")] * times

    @rule(seconds=st.sampled_from((1, 3, 10, 90)))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds=seconds)

    # -- what holds --------------------------------------------------------------------------------

    @invariant()
    def what_was_acknowledged_is_stored_once(self) -> None:
        with self.database.read() as session:
            kept = session.exec(select(Inbox.provider_id).where(Inbox.kind == "telegram").order_by(col(Inbox.id))).all()
        assert list(kept) == [str(update["update_id"]) for update in self.given]

    @invariant()
    def what_was_sent_has_an_id_of_telegram(self) -> None:
        with self.database.read() as session:
            sent = session.exec(select(Outbox.provider_id).where(Outbox.state == OutboxState.SENT)).all()
        assert all(sent)

    @invariant()
    def each_thread_keeps_its_order(self) -> None:
        with self.database.read() as session:
            for chat in CHATS:
                texts = [text for text in self._thread(session, chat) if text.startswith("numero")]
                assert all(int(one[6:]) < int(other[6:]) for one, other in pairwise(texts)), texts

    @invariant()
    def each_chat_hears_in_order(self) -> None:
        for chat in CHATS:
            first_heard = list(dict.fromkeys(one.id for one in self.bench.telegram.sent if one.address == str(chat)))
            assert first_heard == sorted(first_heard)

    def settle(self) -> None:
        """Everything is worked through at last: each thing that came is one record, or a dead letter."""
        self.stumbles, self.trouble = 0, []
        for _ in range(60):
            self.clock.forward(seconds=10)
            self.the_worker_works()
            if not self._anything_waits():
                break
        with self.database.read() as session:
            rows = session.exec(select(Inbox).order_by(col(Inbox.id))).all()
            assert not [row.id for row in rows if row.state in WAITING]
            done = {row.id: row for row in rows if row.state is InboxState.DONE and row.kind == "telegram"}
            self._each_text_is_one_message(session, done)
            self._each_part_is_one_file(session, done)
            self._each_edit_is_one_correction(session, done)

    def _anything_waits(self) -> bool:
        with self.database.read() as session:
            return session.exec(select(Inbox.id).where(col(Inbox.state).in_(WAITING))).first() is not None

    def _each_text_is_one_message(self, session: Session, done: dict[int, Inbox]) -> None:
        texts = [
            row.id for row in done.values() if b'"text":"numero' in row.payload and b"edit_date" not in row.payload
        ]
        records = list(session.exec(select(Message.inbox_id).where(col(Message.inbox_id).in_(texts))))
        assert sorted(one for one in records if one) == texts

    def _each_part_is_one_file(self, session: Session, done: dict[int, Inbox]) -> None:
        parts = [row.id for row in done.values() if b'"photo"' in row.payload]
        files = session.exec(select(Attachment).where(col(Attachment.inbox_id).in_(parts))).all()
        assert sorted(one.inbox_id for one in files if one.inbox_id) == parts
        assert all(one.message_id for one in files), "every album was a reply to the thread"
        homes = {one.album_id: one.message_id for one in files}
        assert all(homes[one.album_id] == one.message_id for one in files), "an album is one message"

    def _each_edit_is_one_correction(self, session: Session, done: dict[int, Inbox]) -> None:
        edits = [row.id for row in done.values() if b'"edited_message"' in row.payload]
        corrections = list(session.exec(select(Correction).where(col(Correction.inbox_id).in_(edits))))
        assert len({one.inbox_id for one in corrections}) == len(corrections)
        changes = [one for one in corrections if one.before != one.after]
        assert len(changes) == len(corrections), "an edit that changes nothing is none"

    # -- the wiring --------------------------------------------------------------------------------

    def _thread(self, session: Session, chat: int) -> list[str]:
        return list(
            session.exec(
                select(Message.text)
                .join(Question, col(Question.id) == col(Message.question_id))
                .where(Question.id == CHATS.index(chat) + 1, Message.audience == Audience.REFERENT)
                .order_by(col(Message.id))
            )
        )

    def _message(self, chat: int, number: int) -> dict[str, Any]:
        return {"message_id": number, "date": 0, "chat": {"id": chat, "type": "private"}, "from": who(chat)}

    def _new_message(self) -> int:
        self.next_message += 1
        return self.next_message

    def _hand_out(self, kind: str, event: dict[str, Any]) -> None:
        update = {"update_id": self.next_update, kind: event}
        self.next_update += 1
        self.given.append(update)
        self._keep([update])

    def _keep(self, updates: list[dict[str, Any]]) -> None:
        with self.database.write() as session:
            receive_many(session, [arrival(update, "999") for update in updates], self.clock.now)

    def _stumbling(self, handler: Any) -> Any:
        def handle(session: Session, row: Inbox, now: datetime) -> None:
            handler(session, row, now)
            if self.stumbles:
                self.stumbles -= 1
                raise Passing

        return handle

    def _refuses(self, parcel: Parcel) -> Exception | None:
        if parcel.channel is Channel.TELEGRAM and int(parcel.address) in self.blocked:
            return Blocked("403 Forbidden: bot was blocked by the user")
        return self.trouble.pop() if self.trouble else None

    async def _passes(self) -> None:
        for _ in range(3):
            await self.bench.step()


def who(chat: int) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": "X", "language_code": "it"}


def reply() -> dict[str, Any]:
    return {"message_id": FIRST, "from": {"id": 1, "is_bot": True}}


class AnyDayAndItsEnd(AnyDay):
    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            super().teardown()


def test_nothing_is_lost_doubled_or_out_of_order(sqlite_template: Path, dose: str) -> None:
    AnyDayAndItsEnd.template = sqlite_template

    run_state_machine_as_test(
        AnyDayAndItsEnd,
        settings=settings(
            max_examples=300 if dose == "full" else 12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
