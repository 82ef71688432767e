"""Words a reminder at the moment of sending. Refuses to ask for what was answered meanwhile.

*Answered anywhere, silent everywhere*: the obligations are read again here; those no longer open, or no longer
theirs, go out of the message, with their decision turned to "withheld". When none is left there is no message. What
staff have stopped meanwhile does not leave either.

A substitute reads for whom the message is. Standing in gives no right to another's projects: the buttons are there
only for what the substitute follows as well, and for the rest the office writes the answer down.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from markupsafe import escape
from sqlmodel import Session

from delivery.callbacks import Unchanged, parse, start_owed, start_update, tomorrow, unchanged, why
from delivery.links import Links
from delivery.words import Button, Keyboard, Words
from facts.calendar import OFFICE_ZONE, local_date
from facts.dates import show_date
from facts.languages import Language, Speaker, speaking
from intake.catalogue import Catalogue
from intake.post.asking import asked_of, blocks_html
from reminders.choices import closed_for
from reminders.days import days_of
from storage.asked import first_key as key_of_first
from storage.asked import mail_comes_in
from storage.delegations import left_to_substitutes, lent_projects
from storage.halts import halted
from storage.ladder import decisions_to_send, own_words, still_theirs, withhold
from storage.obligations import Owed, owed
from storage.snoozes import snoozes_to_tell, withhold_snoozes
from storage.substitutes import told_in_place_of
from storage.tables import Channel, Outbox, Reason, Referent
from storage.worklist import answered_before

SHOWN = 8
LONGEST_TITLE = 120  # characters of a project's title: eight of them must fit into one Telegram message

Wording = Callable[[Session, Outbox, datetime], Words | None]


@dataclass(frozen=True, slots=True)
class StandIn:
    """For whom a substitute is reminded, and which of these obligations are the substitute's own as well."""

    name: str
    own: frozenset[int]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a message says beside the list. `block`: paragraphs of a mail on how to reply to it, and what to fill in.

    `said`: obligation → the own words of its ladder at this step.
    """

    block: Sequence[str] = ()
    said: Mapping[int, str] = field(default_factory=dict)


NOTHING_BESIDE = Beside()


def word_reminder(
    links: Links, catalogue: Catalogue | None = None, replies: Collection[Channel] = frozenset()
) -> Wording:
    """The wording of `OutboxKind.REMINDER` for `delivery/dispatch`. None: nothing is left to say.

    `links` is what every wording is given; the link to the personal page is added by the one who sends. `replies`: the
    channels by which mail comes in; by others it may be read from what has come.
    """
    forms = catalogue or Catalogue()

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        referent = None if row.referent_id is None else session.get(Referent, row.referent_id)
        if referent is None:
            return None
        whose = _whose(session, row, referent)
        still_owed = _still_owed(session, row, None if whose is None else whose.id, now)
        if whose is None or not still_owed:
            return None
        stand_in = None if whose.id == referent.id else _stand_in(session, whose, referent, still_owed)
        language = Language(referent.language)
        beside = Beside(said=_said_by_ladders(session, row, language))
        if row.channel is not Channel.TELEGRAM and (row.channel in replies or mail_comes_in(session, row.channel)):
            block = _block(session, forms, _own(still_owed[:SHOWN], stand_in), language, now)
            beside = replace(beside, block=block)
        words = reminder_words(still_owed, language, row.channel, now, stand_in, beside)
        if stand_in is None:
            words = _with_whose_it_is(session, words, referent, still_owed)
        if row.channel is not Channel.TELEGRAM:
            words = replace(words, events=days_of(session, still_owed, referent.id, now))
        return replace(words, buttons=_with_something_to_repeat(session, words.buttons))

    return word


def _own(shown: list[Owed], stand_in: StandIn | None) -> list[Owed]:
    """Those that the reader may answer."""
    return shown if stand_in is None else [one for one in shown if one.obligation.id in stand_in.own]


def _block(session: Session, forms: Catalogue, own: list[Owed], language: Language, now: datetime) -> Sequence[str]:
    """How to reply, and what to fill in."""
    if not own:
        return ()
    asked = asked_of(session, forms, own, language, now)
    before = answered_before(session, [one.obligation.id for one in own])
    return blocks_html(asked, language, unchanged=bool(before))


def reminder_words(
    owing: list[Owed],
    language: Language,
    channel: Channel,
    now: datetime,
    stand_in: StandIn | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> Words:
    """The message about these open obligations, at least one; the most urgent first. Pure.

    Own words of a ladder that are the same for all of them stand once, above the list; else each below its own.
    """
    _, plain = speaking(language, html=True), speaking(language)
    shown = owing[:SHOWN]
    above = _above_all(beside, owing)
    paragraphs = [f"<b>{_.ngettext('An update is missing', '{n} updates are missing', len(owing))}</b>"]
    if above:
        paragraphs.append(str(escape(above)))
    if stand_in is not None:
        paragraphs.insert(0, _in_place_of(_, stand_in))
    for number, one in enumerate(shown, 1):
        own_words = "" if above else beside.said.get(one.obligation.id, "")
        paragraphs.append(_paragraph(number, one, len(owing), (_, now)) + (own_words and f"\n{escape(own_words)}"))
    if len(owing) > SHOWN:
        paragraphs.append(_and_more(_, len(owing) - SHOWN, listed=channel is Channel.TELEGRAM and stand_in is None))
    own = _own(shown, stand_in)
    if own:
        paragraphs += beside.block
        paragraphs.append(_how_to_answer(_, channel))
    if stand_in is None:
        paragraphs.append(f"<i>{_why(_, owing)}</i>")
    elif len(own) < len(shown):
        paragraphs.append(_("For what you do not follow yourself, write to us or call the office: we note it down."))
    buttons = _buttons(plain, shown, own) if channel is Channel.TELEGRAM else ()
    return Words("\n\n".join(paragraphs), _subject(plain, owing, now), buttons)


def due_words(_: Speaker, due_on: date, today: date) -> str:
    """ "is due tomorrow, 10 December 2026": when something is due, as seen from `today`."""
    days = (due_on - today).days
    day = show_date(due_on, _.language)
    if days == 0:
        return _("is due today, {date}", date=day)
    if days == 1:
        return _("is due tomorrow, {date}", date=day)
    if days == -1:
        return _("was due yesterday, {date}", date=day)
    if days > 0:
        return _("is due in {n} days, {date}", n=days, date=day)
    return _("was due {n} days ago, {date}", n=-days, date=day)


def _said_by_ladders(session: Session, row: Outbox, language: Language) -> Mapping[int, str]:
    return own_words(session, decisions_to_send(session, first_key(row)).values(), language)


def _above_all(beside: Beside, owing: list[Owed]) -> str:
    said = {beside.said.get(one.obligation.id, "") for one in owing}
    return said.pop() if len(said) == 1 else ""


def _whose(session: Session, row: Outbox, reader: Referent) -> Referent | None:
    """Whose obligations these are: the reader's, or another's they stand in for. None when they no longer do."""
    told_for = told_in_place_of(session, first_key(row))
    if told_for is None or told_for == reader.id:
        return reader
    absent = session.get(Referent, told_for)
    return absent if absent is not None and absent.substitute_id == reader.id else None


def _stand_in(session: Session, absent: Referent, reader: Referent, owing: list[Owed]) -> StandIn:
    own = still_theirs(session, [one.obligation.id for one in owing], reader.id)
    return StandIn(absent.name, frozenset(own))


def _with_whose_it_is(session: Session, words: Words, reader: Referent, owing: list[Owed]) -> Words:
    """Says for whom, when some of it is the reader's only while a colleague is away."""
    lent = lent_projects(session, reader.id)
    projects = {one.project.id for one in owing if one.project is not None}
    names = sorted({held.referent for project_id, held in lent.items() if project_id in projects})
    if not names:
        return words
    _ = speaking(Language(reader.language), html=True)
    said = _("Here you also answer for those who are away: {names}.", names=", ".join(names))
    return replace(words, html=f"{words.html}\n\n<i>{said}</i>")


def first_key(row: Outbox) -> str:
    """What a reminder tells hangs on its first row: parts of a long one, and the mail instead, have more behind."""
    return key_of_first(row.dedupe_key)


def _still_owed(session: Session, row: Outbox, referent_id: int | None, now: datetime) -> list[Owed]:
    """What the message is about, less what was settled or left to a colleague since; that is written down.

    None: nobody's any more.
    """
    key = first_key(row)
    decisions, again = decisions_to_send(session, key), snoozes_to_tell(session, key)
    told = {*decisions, *again}
    theirs = set() if referent_id is None else still_theirs(session, list(told), referent_id)
    left = _left_since(session, row, referent_id, told, now)
    stopped = _stopped_since(session, row, referent_id, told)
    left_out: dict[Reason, set[int]] = defaultdict(set)
    still: list[Owed] = []
    for one in owed(session, list(told)):
        reason = closed_for(one.obligation.state, one.deadline.active)
        if reason is None and one.obligation.id not in theirs:
            reason = Reason.NO_LONGER_THEIRS
        if reason is None and one.obligation.id in left:
            reason = Reason.AWAY
        if reason is None and one.obligation.id in stopped:
            reason = Reason.HALTED
        if reason is None:
            still.append(one)
        else:
            left_out[reason].add(one.obligation.id)
    if not row.possible_duplicate:  # else the first try may have told them: "sent" stays the truth
        for reason, ids in left_out.items():
            withhold(session, [decision for about, decision in decisions.items() if about in ids], reason)
            withhold_snoozes(session, [snooze for about, snooze in again.items() if about in ids], reason)
    return still


def _left_since(session: Session, row: Outbox, referent_id: int | None, told: set[int], now: datetime) -> set[int]:
    """What the reader has left to a colleague. Who stands in for somebody whom nothing reaches is told as before."""
    if referent_id is None or referent_id != row.referent_id:
        return set()
    return left_to_substitutes(session, {referent_id: told}, local_date(now, OFFICE_ZONE))[referent_id]


def _stopped_since(session: Session, row: Outbox, referent_id: int | None, told: set[int]) -> set[int]:
    """What staff let nobody be told of: about whose it is, or to the one who reads it."""
    readers = {one: told for one in (referent_id, row.referent_id) if one is not None}
    return set().union(*halted(session, readers, hold=True).values())


def _paragraph(number: int, one: Owed, total: int, moment: tuple[Speaker, datetime]) -> str:
    _, now = moment
    due = due_words(_, one.obligation.due_on, local_date(now, one.deadline.zone))
    mark = f"{number}. " if total > 1 else ""
    cup = "" if one.project is None else f" · CUP <code>{escape(one.project.cup)}</code>"
    return f"{mark}<b>{escape(_short(_name(one)))}</b>{cup}\n{escape(_short(one.deadline.title))}: {due}"


def _in_place_of(_: Speaker, stand_in: StandIn) -> str:
    return _("You stand in for {name}: our messages do not reach them, so we write to you.", name=stand_in.name)


def _and_more(_: Speaker, more: int, *, listed: bool) -> str:
    """`listed`: the chat's list of deadlines shows them. It does not show another's, and a mail has no commands."""
    if listed:
        return _.ngettext("…and one more: see /scadenze", "…and {n} more: see /scadenze", more)
    return _.ngettext("…and one more", "…and {n} more", more)


def _how_to_answer(_: Speaker, channel: Channel) -> str:
    if channel is not Channel.TELEGRAM:
        return _("Your page shows everything you owe, and there you can write to us: the link is below.")
    return _("Answer with the buttons below.")


def _why(_: Speaker, owing: list[Owed]) -> str:
    if any(one.project is None for one in owing):
        return _("You get this message because you are a contact for what is listed here.")
    projects = {one.obligation.project_id for one in owing}
    return _.ngettext(
        "You get this message because you follow this project.",
        "You get this message because you follow these projects.",
        len(projects),
    )


def _buttons(_: Speaker, shown: list[Owed], own: list[Owed]) -> Keyboard:
    """ "Update now" and "nothing changed" for each project, numbered like the paragraphs when there are several.

    Below them one "remind me tomorrow" for all of it, when any of it is their own, and one that asks why.
    """
    rows: list[tuple[Button, ...]] = []
    for number, one in enumerate(shown, 1):
        mark = f"{number}. " if len(shown) > 1 else ""
        if one.project is None and one in own:
            rows.append((Button(mark + _("Update now"), data=start_owed(one.obligation.id)),))
        elif one.project is not None and one in own:
            rows.append(
                (
                    Button(mark + _("Update now"), data=start_update(one.project.id, one.obligation.id)),
                    Button(mark + _("Nothing changed"), data=unchanged(one.project.id, one.obligation.id)),
                )
            )
    if own:
        rows.append((Button(_("Remind me tomorrow"), data=tomorrow()),))
    rows.append((Button(_("Why do I get this?"), data=why()),))
    return tuple(rows)


def _with_something_to_repeat(session: Session, buttons: Keyboard) -> Keyboard:
    """Without "nothing changed" where this form has no answers yet: there it would only lead to the questions."""
    asked = {button: parse(button.data or "") for row in buttons for button in row}
    repeating = {button: found.obligation_id for button, found in asked.items() if isinstance(found, Unchanged)}
    before = answered_before(session, [owed for owed in repeating.values() if owed is not None])
    return tuple(tuple(one for one in row if one not in repeating or repeating[one] in before) for row in buttons)


def _subject(_: Speaker, owing: list[Owed], now: datetime) -> str:
    if len(owing) > 1:
        return _("Reminder: {n} updates are missing", n=len(owing))
    due = due_words(_, owing[0].obligation.due_on, local_date(now, owing[0].deadline.zone))
    return _("Reminder: {what}", what=f"{_short(owing[0].deadline.title)}, {due}")


def _name(one: Owed) -> str:
    if one.project is not None:
        return one.project.title
    assert one.organization is not None
    return one.organization.name


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1].rstrip()}…"
