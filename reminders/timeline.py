"""Tells in order, in words that need no help, what was decided, sent, opened and answered. Pure: rows in, lines out.

What nobody knows is not claimed: a message that left has not been read, and a link that was followed was perhaps
followed by a program.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from delivery.reasons import why_closed
from facts.calendar import local_date, next_working_day, next_working_instant
from facts.dates import show_date, show_moment
from facts.languages import Speaker
from reminders import timeline_words as words
from reminders.sweep import Plan
from storage.sendings import Message
from storage.tables import Channel, ExtensionState, OutboxState, Outcome, Reason, Receipt
from storage.timelines import Answered, Asked, Decided, ToldAgain
from storage.to_come import Coming
from storage.words import ReceiptKind, Standing

_OF_SERVERS = frozenset({ReceiptKind.BOUNCED, ReceiptKind.DELAYED})  # nobody signs these
_WAITING = frozenset({OutboxState.QUEUED, OutboxState.SENDING, OutboxState.RETRY})
_BAD = frozenset({OutboxState.DEAD, OutboxState.UNCERTAIN})


class Tone(StrEnum):
    """How a line is shown. QUIET: nothing was sent, and rightly."""

    PLANNED = "planned"
    QUIET = "quiet"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """`at` None: it is not known when. `who`: whom it is about; `about`: the project, where lines are of several."""

    at: datetime | None
    said: str
    tone: Tone
    who: str = ""
    person_id: int | None = None
    about: str = ""
    obligation_id: int | None = None
    outbox_id: int | None = None
    update_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """What is told of. `written_to`: who has had a reminder today, and may have to wait until tomorrow."""

    decided: Sequence[Decided] = ()
    again: Sequence[ToldAgain] = ()
    messages: Sequence[Message] = ()
    coming: Sequence[Coming] = ()
    answers: Sequence[Answered] = ()
    asked: Sequence[Asked] = ()
    written_to: Collection[int] = field(default_factory=frozenset)


def timeline(rows: Rows, _: Speaker, now: datetime, zone: str) -> list[Line]:
    """The oldest first; what is to come stands last."""
    say = _Teller(_, now, zone)
    past = [
        *map(say.decided, rows.decided),
        *(line for one in rows.again for line in say.told_again(one)),
        *(line for one in rows.messages for line in say.message(one)),
        *map(say.answered, rows.answers),
        *(line for one in rows.asked for line in say.asked(one)),
    ]
    to_come = [line for one in rows.coming for line in say.coming(one, rows.written_to)]
    return in_order(past) + in_order(to_come)


def in_order(lines: Iterable[Line]) -> list[Line]:
    """By their instant; what has none stays where it is told, at the end."""
    return sorted(lines, key=lambda line: (line.at is None, line.at.timestamp() if line.at else 0.0))


def told_words(one: Decided | ToldAgain, _: Speaker) -> str:
    """What was decided, and why, in one sentence."""
    sentence = _(_sentence(one.outcome, one.reason))
    if isinstance(one, ToldAgain):
        return _("Told again: {what}", what=sentence)
    return f"{words.step_words(_, one.offset_days, one.unit)}: {sentence}"


def why_planned(plan: Plan) -> str:
    """The same of what a sweep would decide, in English: for the command line."""
    if plan.outcome is None:
        return words.TOMORROW
    if plan.outcome is Outcome.SENT and plan.reason is not None:
        return words.PLANNED[plan.reason]
    return _sentence(plan.outcome, plan.reason)


def standing(one: Message, _: Speaker, now: datetime, zone: str) -> str:
    """All that is known of a message, the newest last, in one paragraph."""
    told = [line.said for line in in_order(_Teller(_, now, zone).message(one))]
    return " ".join(f"{said[:1].upper()}{said[1:]}" for said in told)


def of_person(lines: Iterable[Line], person_id: int) -> list[Line]:
    """What is about this person, and what is about nobody in particular."""
    return [line for line in lines if line.person_id in (None, person_id)]


@dataclass(frozen=True, slots=True)
class _Teller:
    """Who says it, in which language, and as seen from when."""

    _: Speaker
    now: datetime
    zone: str

    def decided(self, one: Decided) -> Line:
        sent = one.outcome is Outcome.SENT
        bad = one.reason in (Reason.UNREACHABLE, Reason.NOBODY, Reason.NO_ADDRESS)
        return Line(
            at=one.at,
            said=told_words(one, self._),
            tone=Tone.GOOD if sent else Tone.BAD if bad else Tone.QUIET,
            who=one.who,
            person_id=one.person_id,
            about=one.about,
            obligation_id=one.obligation_id,
            outbox_id=one.outbox_id,
        )

    def told_again(self, one: ToldAgain) -> Iterator[Line]:
        def line(at: datetime, said: str, tone: Tone, outbox_id: int | None = None) -> Line:
            return Line(at, said, tone, one.who, one.person_id, one.about, one.obligation_id, outbox_id)

        asked = self._(words.AGAIN[one.why], moment=self._moment(one.again_at))
        yield line(one.created_at, asked, Tone.WAITING if one.outcome is None else Tone.QUIET)
        if one.outcome is None or one.reason is None or one.at is None:
            return
        tone = Tone.GOOD if one.outcome is Outcome.SENT else Tone.QUIET
        yield line(one.at, told_words(one, self._), tone, one.outbox_id)

    def message(self, one: Message) -> Iterator[Line]:
        if one.sent_at is not None:
            yield self._of(one, one.sent_at, self._left(one), Tone.GOOD)
        if one.sent_at is None or one.state is not OutboxState.SENT:
            yield self._of(one, self._since(one), self._standing(one), _tone(one.state))
        for receipt in one.receipts:
            yield self._of(one, receipt.at, self._receipt(one, receipt), _tone_of(receipt))
        if one.opened_at is not None and one.opened_at != one.confirmed_at:
            yield self._of(one, one.opened_at, self._(words.FETCHED, number=one.id), Tone.QUIET)
        if one.confirmed_at is not None:
            yield self._of(one, one.confirmed_at, self._(words.OPENED, number=one.id), Tone.GOOD)

    def answered(self, one: Answered) -> Line:
        _, values = self._, {"number": one.id, "by": self._(words.BY[one.channel])}
        said = _("update {number} came in, {by}.", **values)
        if one.unchanged:
            said = _("update {number} came in, {by}: nothing has changed.", **values)
        return Line(one.at, said, Tone.GOOD, one.who, one.person_id, update_id=one.id)

    def asked(self, one: Asked) -> Iterator[Line]:
        _, wanted = self._, show_date(one.wanted_on, self._.language)
        yield Line(
            one.asked_at, _("asked for more time, until {day}.", day=wanted), Tone.WAITING, one.who, one.person_id
        )
        if one.decided_at is None:
            return
        said, tone = _("took back the request for more time."), Tone.QUIET
        if one.state is ExtensionState.GRANTED:
            given = show_date(one.granted_on or one.wanted_on, _.language)
            said, tone = _("more time was given, until {day}.", day=given), Tone.GOOD
        elif one.state is ExtensionState.REFUSED:
            said = _("no more time was given.")
        yield Line(one.decided_at, said, tone, one.who, one.person_id)

    def coming(self, one: Coming, written_to: Collection[int]) -> Iterator[Line]:
        _, step = self._, words.step_words(self._, one.offset_days, one.unit)
        if one.due_at > self.now:
            at = next_working_instant(one.due_at, self.zone)
            whom = _(words.WHOM[one.whom])
            said = _("{step}: a reminder {whom} is planned, unless the update is in by then.", step=step, whom=whom)
            yield Line(at, said, Tone.PLANNED, about=one.about, obligation_id=one.obligation_id)
            return
        for person_id, name in one.undecided or ((None, ""),):
            at, why = self._waits(one, person_id in written_to)
            said = _("{step}: to be decided. {why}", step=step, why=why)
            yield Line(at, said, Tone.WAITING, name, person_id, one.about, one.obligation_id)

    def _waits(self, one: Coming, written_to: bool) -> tuple[datetime, str]:
        """From when, and for what."""
        opening = next_working_instant(self.now, self.zone)
        today = local_date(self.now, self.zone)
        if written_to and not one.urgent:
            tomorrow = next_working_day(today)
            at = next_working_instant(datetime(*tomorrow.timetuple()[:3], tzinfo=ZoneInfo(self.zone)), self.zone)
            return at, self._(words.TOMORROW)
        if opening > self.now + timedelta(minutes=1):
            return opening, self._("It waits for the office's working hours: nobody is disturbed at night.")
        return self.now, self._("It is decided within a minute.")

    def _of(self, one: Message, at: datetime | None, said: str, tone: Tone) -> Line:
        return Line(at, said, tone, one.to, one.to_id, outbox_id=one.id)

    def _left(self, one: Message) -> str:
        said = self._(words.WAITS[OutboxState.SENT], **self._named(one))
        if one.gathered > 1:
            said = self._("{said} It tells of {n} updates.", said=said, n=one.gathered)
        if one.possible_duplicate:
            said = self._("{said} It may have arrived twice.", said=said)
        return said

    def _standing(self, one: Message) -> str:
        said = self._(words.WAITS[one.state], moment=self._moment(one.next_at), **self._named(one))
        why = why_closed(one.error)
        return self._("{said} Why: {why}.", said=said, why=self._(why)) if why else said

    def _named(self, one: Message) -> dict[str, object]:
        by = self._(words.BY[one.channel])
        return {"number": one.id, "by": by if one.channel is Channel.TELEGRAM else f"{by} ({one.address})"}

    def _since(self, one: Message) -> datetime | None:
        """A failure has no instant of its own."""
        return one.created_at if one.state in _WAITING or one.sent_at is None else None

    def _receipt(self, one: Message, receipt: Receipt) -> str:
        if not _believed(receipt):
            return self._(words.DOUBTFUL, number=one.id)
        why = why_closed(f"bounced {receipt.detail}") if receipt.kind is ReceiptKind.BOUNCED else ""
        return self._(words.RECEIVED[receipt.kind], number=one.id, why=self._(why))

    def _moment(self, at: datetime) -> str:
        return show_moment(at, self._.language, self.zone)


def _sentence(outcome: Outcome | None, reason: Reason | None) -> str:
    reason = reason or Reason.DUE
    return words.WRITTEN.get(reason, words.WRITTEN[Reason.DUE]) if outcome is Outcome.SENT else words.WITHHELD[reason]


def _tone(state: OutboxState) -> Tone:
    return Tone.WAITING if state in _WAITING else Tone.BAD if state in _BAD else Tone.QUIET


def _believed(receipt: Receipt) -> bool:
    return receipt.standing is Standing.CERTIFIED or receipt.kind in _OF_SERVERS


def _tone_of(receipt: Receipt) -> Tone:
    if not _believed(receipt):
        return Tone.QUIET
    if receipt.kind in words.FAILED:
        return Tone.BAD
    return Tone.GOOD if receipt.kind is ReceiptKind.DELIVERED else Tone.QUIET
