"""What people, Telegram, the office and the power do on any day, in any order. What must hold is in `any_day_holds`."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlmodel import Session, col, select

from answering.answer import answer
from bot import albums
from bot.arrivals import arrival
from bot.dialogue import apologise, telegram_handler
from bot.house import House
from delivery.errors import Blocked, DeliveryError, Uncertain
from delivery.limits import Limits
from delivery.parcel import Parcel
from delivery.words import Button
from intake.inbox import receive_many
from intake.worker import HandlerRaised, Round, work, work_round
from storage.database import Database
from storage.keys import new_ring
from storage.sealing import Keyring
from storage.tables import Channel, Draft, DraftState, Inbox, Message, Question, QuestionState
from tests.bot.any_day_said import MARK, Said, marked, private, who
from tests.bot.conftest import make_stage
from tests.cast import Cast
from tests.delivery.wiring import LINKS, Bench, Clock, Recorder

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ADA, BRUNO = 11, 12
CHATS = (ADA, BRUNO)
GROUP = -500
FIRST = 100  # the message of each chat with which a question of theirs began
LEAVING = "e:"  # the buttons that unlink a chat: who leaves has no day any more

CHAT = st.sampled_from(CHATS)
LATELY = st.integers(0, 6)  # how far back
COMMANDS = ("/domanda", "/aggiorna", "/menu", "/scadenze", "/annulla", "/aggiorna mercato", f"/domanda {MARK}")
SHORT = ("annulla", "salta", "indietro", "uguale", "sì", "no", "grazie", "mercato", "45,5")
SAYINGS = st.sampled_from((MARK, MARK, MARK, "/aggiorna", *COMMANDS, *SHORT))
FITTING = {  # what answers the question that is being asked
    "=project": ("mercato", "biblioteca"),
    "text": (MARK,),
    "phase": ("Esecuzione dei lavori",),
    "progress": ("45,5", "10"),
    "spent": ("310000", "200"),
    "expected_end": ("30/9/2027", "1/1/2020"),
    "problems": ("sì", MARK),
    "notes": (MARK, "salta"),
    "=summary": ("sì",),
}
BEGINNINGS = ("/aggiorna", MARK)
ONWARD = (
    "m:resume-",
    "c:",
    ":send",
    ":ask",
    ":general",
    ":obligation-",
    ":along-",
    ":yes",
    ":why-",
    ":edit-5",
    "m:new",
)
BROUGHT = st.sampled_from(("photo", "photo", "document", "too large"))
EDITED = st.sampled_from((MARK, MARK, "50", f"/domanda {MARK}"))
EDITS = st.sampled_from(("words", "words", "words", "fewer words", "file", "words and file", "nothing"))


class Passing(Exception):
    """A failure of ours that the next try does not meet."""


class Numbering(Recorder):
    """Gives messages numbers, as Telegram does, so that people can reply to them."""

    async def send(self, parcel: Parcel) -> str:
        await super().send(parcel)
        return str(number_of(len(self.sent)))


def number_of(sent: int) -> int:
    return 500_000 + sent


@dataclass
class Power:
    """What goes wrong with us. `stumbles`: how often a handler still fails; `poison`: updates that always break it."""

    stumbles: int = 0
    poison: set[str] = field(default_factory=set)
    trouble: list[DeliveryError] = field(default_factory=list)
    deaths: int = 0
    doubts: int = 0  # how often it was not known what had arrived

    def stumbling(self, handler: Callable[[Session, Inbox, datetime], None]) -> Callable[..., None]:
        def handle(session: Session, row: Inbox, now: datetime) -> None:
            handler(session, row, now)
            if row.provider_id in self.poison and row.kind == "telegram":
                raise Passing
            if self.stumbles:
                self.stumbles -= 1
                raise Passing

        return handle


class AnyDay(RuleBasedStateMachine):
    """Ada and Bruno write, ask, fill in; the office answers; the process dies, Telegram repeats itself and refuses."""

    empty: Callable[[], str]  # gives the address of an empty database
    tally: Counter[str]  # of all days

    def __init__(self) -> None:
        super().__init__()
        self.database = Database(type(self).empty(), Keyring(new_ring()))
        self.clock, self.power, self.blocked = Clock(NOW), Power(), set[int]()
        self.telegram = Numbering(always=self._refuses)
        self.bench = Bench(self.database, self.clock, telegram=self.telegram, limits=Limits(enabled=False))
        house = House(LINKS)
        handlers = {"telegram": telegram_handler(house), albums.KIND: albums.album_timer(house)}
        self.handlers = {kind: self.power.stumbling(handler) for kind, handler in handlers.items()}
        self.apologies = {"telegram": apologise(house), albums.KIND: apologise(house, albums.whose)}
        self.numbers: Iterator[int] = count(1001)
        self.given: list[dict[str, Any]] = []  # every update that Telegram has handed out, in order
        self.said: dict[tuple[int, int], list[Said]] = {}  # by chat and message: as it stood, one after the other
        self.album = 0
        with self.database.write() as session:
            self._furnish(session)

    def _furnish(self, session: Session) -> None:
        """A thread of each, last month's update, two deadlines."""
        stage = make_stage(session, Cast(session, NOW), NOW)
        stage.reported(NOW - timedelta(days=31))
        for day in (date(2026, 11, 10), date(2026, 12, 10)):
            stage.owed(day)
        self.staff = stage.cast.a_staff().id
        for person in (stage.referent, stage.colleague):
            question = stage.cast.a_question(person, "la prima")
            first = session.exec(select(Message).where(Message.question_id == question.id)).one()
            first.provider_id = str(FIRST)

    def teardown(self) -> None:
        self.tally.update(days=1, came=len(self.given), deaths=self.power.deaths)
        self.database.close()

    @initialize(chat=CHAT, steps=st.integers(0, 12))
    def somebody_has_begun(self, chat: int, steps: int) -> None:
        """An update, which may be sent already."""
        self.goes_on(chat, steps, 0, None)

    # -- what people do ----------------------------------------------------------------------------

    @rule(chat=CHAT, what=SAYINGS, answered=st.booleans())
    def says(self, chat: int, what: str, answered: bool) -> None:
        self._say(Said(0, chat, next(self.numbers), self._marked(what)), answered)

    @rule(chat=CHAT, steps=st.integers(1, 12), which=st.integers(0, 1), aside=st.none() | st.integers(1, 11))
    def goes_on(self, chat: int, steps: int, which: int, aside: int | None) -> None:
        """Reads, and answers what is asked: so that a day gets further than its first questions.

        `aside`: a photo is sent in the middle of it, and its words are mended at the end.
        """
        photo = None
        for step in range(steps):
            self._answer_them()
            self._answer_what_is_asked(chat, which)
            if step == aside:
                self.sends_a_file(chat, "photo", words=True, to=None, answered=True)
                photo = list(self.said.values())[-1][-1]
        if photo is not None:
            self._edit(photo, "words", MARK, answered=True)

    @rule(chat=CHAT, to=LATELY, own=st.booleans(), answered=st.booleans())
    def replies(self, chat: int, to: int, own: bool, answered: bool) -> None:
        self._say(self._reply(Said(0, chat, next(self.numbers), self._marked(MARK)), to, own), answered)

    @rule(chat=CHAT, what=BROUGHT, words=st.booleans(), to=st.none() | LATELY, answered=st.booleans())
    def sends_a_file(self, chat: int, what: str, words: bool, to: int | None, answered: bool) -> None:
        number = next(self.numbers)
        file = Said(0, chat, number, self._marked(MARK if words else ""), f"{what}{number}")
        self._say(file if to is None else self._reply(file, to, own=False), answered)

    @rule(chat=CHAT, another=st.booleans(), words=st.booleans(), reply=st.booleans(), many=st.integers(1, 3))
    def sends_parts(self, chat: int, another: bool, words: bool, reply: bool, many: int) -> None:
        """Of an album, the last one or another; the words may stand below any of them."""
        self.album += another
        for part in range(many):
            number = next(self.numbers)
            caption = self._marked(MARK if words and part == many - 1 else "")
            photo = Said(0, chat, number, caption, f"photo{number}", f"{chat}-{self.album}")
            self._say(replace(photo, reply_to=FIRST) if reply else photo, answered=False)

    @precondition(lambda self: self.said)
    @rule(which=LATELY, how=EDITS, words=EDITED, many=st.integers(1, 3), answered=st.booleans())
    def edits(self, which: int, how: str, words: str, many: int, answered: bool) -> None:
        """What was written lately, perhaps several messages."""
        every = list(self.said.values())
        for back in range(which, which + 2 * many, 2):
            self._edit(every[-1 - back % len(every)][-1], how, words, answered)

    @precondition(lambda self: self.telegram.sent)
    @rule(chat=CHAT, back=LATELY, which=st.integers(0, 8), answered=st.booleans())
    def presses(self, chat: int, back: int, which: int, answered: bool) -> None:
        """A button that the bot has sent, mostly of the last message."""
        message, board = self._board(chat, max(0, back - 3))
        if board:
            self._press(chat, message, board[which % len(board)], answered)

    @rule(chat=CHAT, data=st.sampled_from(("d:9:9:send", "q:99:add", "s:tomorrow", "m:resume-9", "x", "")))
    def presses_what_nobody_sent(self, chat: int, data: str) -> None:
        self._press(chat, FIRST, data, answered=False)

    @rule(chat=CHAT, text=st.sampled_from((MARK, f"/domanda {MARK}")))
    def writes_in_a_group(self, chat: int, text: str) -> None:
        group = {"id": GROUP, "type": "group", "title": "Cantiere"}
        body = {"message_id": next(self.numbers), "date": 0, "chat": group, "from": who(chat)}
        self._hand_out("message", body | {"text": self._marked(text)})

    @rule(chat=CHAT)
    def blocks_or_unblocks(self, chat: int) -> None:
        self.blocked ^= {chat}
        status = "kicked" if chat in self.blocked else "member"
        change = {"chat": private(chat), "from": who(chat), "date": 0, "new_chat_member": {"status": status}}
        self._hand_out("my_chat_member", change)

    @rule()
    def the_office_answers(self) -> None:
        """The question that was written to last."""
        with self.database.write() as session:
            opened = select(Question).where(col(Question.state).in_((QuestionState.NEW, QuestionState.TAKEN)))
            question = session.exec(opened.order_by(col(Question.last_message_at).desc())).first()
            if question is not None:
                answer(session, question.id, self.staff, "Sì.", version=question.version, now=self.clock.now)

    # -- what happens to us ------------------------------------------------------------------------

    @rule()
    def telegram_repeats_itself(self) -> None:
        """What was not confirmed in time comes again."""
        self._keep(self.given[-3:])

    @rule(boldly=st.booleans())
    def the_worker_works(self, boldly: bool) -> None:
        """Boldly: all in one transaction; when that fails, row by row."""
        try:
            with self.database.write() as session:
                work_round(session, self._round(boldly), self.clock.now)
        except HandlerRaised:
            with self.database.write() as session:
                work(session, self.handlers, self.apologies, self.clock.now)

    @rule(boldly=st.booleans())
    def the_process_dies_while_working(self, boldly: bool) -> None:
        self.power.deaths += 1
        with Session(self.database.engine) as session:
            try:
                work_round(session, self._round(boldly), self.clock.now)
            except HandlerRaised:
                pass
            finally:
                session.rollback()

    @rule(times=st.sampled_from((1, 1, 2, 6)))
    def a_handler_stumbles(self, times: int) -> None:
        self.power.stumbles += times

    @precondition(lambda self: self.given)
    @rule()
    def the_last_update_is_poison(self) -> None:
        self.power.poison.add(str(self.given[-1]["update_id"]))

    @rule()
    def messages_leave(self) -> None:
        asyncio.run(self._passes())

    @rule()
    def the_process_dies_while_sending(self) -> None:
        """Sent, and nobody wrote it down."""
        asyncio.run(self.bench.step())
        self.bench.dispatcher = self.bench.new_dispatcher("one")
        self.power.deaths += 1
        self.power.doubts += 1

    @rule(times=st.integers(1, 3))
    def telegram_does_not_answer(self, times: int) -> None:
        self.power.trouble += [Uncertain("no answer")] * times

    @rule(seconds=st.sampled_from((1, 3, 10, 90, 3600)))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds=seconds)

    # -- the wiring --------------------------------------------------------------------------------

    def _marked(self, text: str) -> str:
        return marked(text, next(self.numbers))

    def _edit(self, now: Said, how: str, words: str, answered: bool) -> None:
        if how.startswith("words"):
            now = replace(now, words=self._marked(words))
        elif how == "fewer words" and now.file:
            now = replace(now, words="")
        if how.endswith("file"):
            now = replace(now, file=f"photo{next(self.numbers)}")
        self._say(now, answered, edited=True)

    def _answer_what_is_asked(self, chat: int, which: int) -> None:
        with self.database.read() as session:
            opened = select(Draft.step).where(Draft.state == DraftState.OPEN, Draft.referent_id == person_of(chat))
            asked = session.exec(opened).first()
        ways = ONWARD if asked else ONWARD[2 * which :]
        message, board = self._board(chat)
        onward = next((data for way in ways for data in board if way in data), None)
        fitting = FITTING.get(asked, (MARK,)) if asked else BEGINNINGS
        if onward is not None:
            self._press(chat, message, onward, answered=True)
        else:
            self._say(Said(0, chat, next(self.numbers), self._marked(fitting[which % len(fitting)])), answered=True)

    def _reply(self, said: Said, to: int, own: bool) -> Said:
        """To the thread, to something the bot has sent, to something of their own."""
        mine = [message for chat, message in self.said if chat == said.chat]
        sent = enumerate(self.telegram.sent, 1)
        theirs = [FIRST, *(number_of(n) for n, parcel in sent if parcel.address == str(said.chat))]
        every = mine if own and mine else theirs
        return replace(said, reply_to=FIRST if to > 3 else every[-1 - to % len(every)], to_bot=not (own and mine))

    def _say(self, said: Said, answered: bool, *, edited: bool = False) -> None:
        said = replace(said, update=len(self.given) + 1)
        self.said.setdefault((said.chat, said.message), []).append(said)
        content = said.content() | ({"edit_date": said.update} if edited else {})
        self._hand_out("edited_message" if edited else "message", content)
        if answered:
            self._answer_them()

    def _press(self, chat: int, message: int, data: str, answered: bool) -> None:
        below = {"message_id": message, "date": 0, "chat": private(chat)}
        query = {"id": str(next(self.numbers)), "from": who(chat), "message": below, "data": data}
        self._hand_out("callback_query", query)
        if answered:
            self._answer_them()

    def _board(self, chat: int, back: int = 0) -> tuple[int, list[str]]:
        """The number and the buttons of the last message that had any, or of one before."""
        theirs = [(n, one) for n, one in enumerate(self.telegram.sent, 1) if one.address == str(chat)]
        boards = [(number_of(n), data) for n, one in theirs if (data := pressable(one))]
        return boards[-1 - back % len(boards)] if boards else (FIRST, [])

    def _answer_them(self) -> None:
        self.the_worker_works(boldly=True)
        self.messages_leave()

    def _hand_out(self, kind: str, event: dict[str, Any]) -> None:
        update = {"update_id": len(self.given) + 1, kind: event}
        self.given.append(update)
        self._keep([update])

    def _keep(self, updates: list[dict[str, Any]]) -> None:
        with self.database.write() as session:
            receive_many(session, [arrival(update, "999") for update in updates], self.clock.now)

    def _round(self, boldly: bool) -> Round:
        return Round(self.handlers, self.apologies, bold=boldly)

    def _refuses(self, parcel: Parcel) -> Exception | None:
        if parcel.channel is Channel.TELEGRAM and int(parcel.address) in self.blocked:
            return Blocked("403 Forbidden: bot was blocked by the user")
        return self.power.trouble.pop() if self.power.trouble else None

    async def _passes(self) -> None:
        for _ in range(3):
            await self.bench.step()


def pressable(parcel: Parcel) -> list[str]:
    """What its buttons send back, but for those that end everything."""
    buttons: list[Button] = [button for row in parcel.words.buttons for button in row]
    return [one.data for one in buttons if one.data and not one.data.startswith(LEAVING)]


def person_of(chat: int) -> int:
    """Whose chat it is: the first people who were written down."""
    return CHATS.index(chat) + 1
