"""What two people are told of a delegation: worded and queued, each in their language. Decides nothing.

The commands of the chat are buttons here: the same words may leave as a mail, where a command means nothing.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from delivery.callbacks import DEADLINES, PROJECTS, SUBSTITUTE, decline
from delivery.outbox import queue_to
from delivery.words import Button, Words
from facts.dates import show_date
from facts.languages import N_, Language, speaking
from storage import lending
from storage.delegations import Held
from storage.tables import OutboxKind, Referent


class Why(StrEnum):
    """Why nobody stands in any more."""

    OVER = N_("<b>{substitute}</b> no longer stands in for you: your reminders come to you again.")
    APART = N_(
        "<b>{substitute}</b> no longer stands in for you, because you are not in the same organisation any more: your "
        "reminders come to you again."
    )
    DECLINED = N_("<b>{substitute}</b> cannot stand in for you: your reminders come to you again.")


@dataclass(frozen=True, slots=True)
class Change:
    """What is different: ids of projects, and the titles of those on which something begun was dropped."""

    lost: Collection[int]
    gained: Collection[int]
    dropped: Sequence[str]


def tell_begun(session: Session, held: Held, now: datetime) -> None:
    say = _voice(session, held, held.substitute_id)
    begun = N_(
        "You stand in for <b>{absent}</b> until {day}: you also follow their projects in your organisation, and get "
        "the reminders."
    )
    cannot = (N_("I cannot: tell {absent}"), decline(held.id))
    doors = [(N_("📁 My projects"), PROJECTS), (N_("📅 My deadlines"), DEADLINES), cannot]
    _queue(session, held, held.substitute_id, [say(begun)], "begun", now, doors=doors)


def tell_over(session: Session, held: Held, dropped: Sequence[str], now: datetime, *, after: datetime) -> None:
    say = _voice(session, held, held.substitute_id)
    over = N_("You no longer stand in for <b>{absent}</b>, who follows their projects again. Thank you!")
    _queue(session, held, held.substitute_id, [say(over), _dropped(say, dropped)], "over", now, after=after)


def tell_back(session: Session, held: Held, why: Why, now: datetime, *, after: datetime) -> None:
    """To the absent one, who is none any more or has to choose again."""
    say = _voice(session, held, held.referent_id)
    doors = [] if why is Why.OVER else [_ANOTHER]
    _queue(session, held, held.referent_id, [say(why)], "back", now, after=after, doors=doors)


def tell_alone(session: Session, held: Held, theirs: Held, now: datetime) -> None:
    """The substitute goes away as well: `theirs`."""
    say = _voice(session, held, held.referent_id)
    alone = N_("<b>{substitute}</b> is away too until {last}: until then your reminders come to you.")
    language = Language(session.get_one(Referent, held.referent_id).language)
    said = say(alone, last=show_date(theirs.until, language))
    _queue(session, held, held.referent_id, [said], f"alone-{theirs.id}", now, doors=[_ANOTHER])


def tell_here(session: Session, held: Held, theirs: Held, now: datetime, *, after: datetime) -> None:
    """The substitute is back, and the absent one is not."""
    say = _voice(session, held, held.referent_id)
    here = N_("<b>{substitute}</b> is back and stands in for you again.")
    _queue(session, held, held.referent_id, [say(here)], f"here-{theirs.id}", now, after=after)


def tell_changed(session: Session, held: Held, change: Change, now: datetime) -> None:
    """The desk has changed somebody's organisations or projects. What both have lost is news to the substitute only."""
    say = _voice(session, held, held.substitute_id)
    lines = [
        _about(session, say, N_("In place of <b>{absent}</b> you now follow also: {titles}."), change.gained),
        _about(session, say, N_("In place of <b>{absent}</b> you no longer follow: {titles}."), change.lost),
        _dropped(say, change.dropped),
    ]
    _queue(session, held, held.substitute_id, lines, f"changed-{now.isoformat()}", now)
    say = _voice(session, held, held.referent_id)
    come_back = set(change.lost) & lending.followed(session, held.referent_id)
    answers = N_("<b>{substitute}</b> now answers in your place also for: {titles}.")
    answers_not = N_(
        "<b>{substitute}</b> no longer answers in your place for: {titles}. Those reminders come to you again."
    )
    lines = [_about(session, say, answers, change.gained), _about(session, say, answers_not, come_back)]
    if any(lines):
        _queue(session, held, held.referent_id, lines, f"changed-back-{now.isoformat()}", now)


_ANOTHER = (N_("Choose somebody else"), SUBSTITUTE)

Voice = Callable[..., str]


def _voice(session: Session, held: Held, reader_id: int) -> Voice:
    """Says a sentence about this delegation in the reader's language."""
    language = Language(session.get_one(Referent, reader_id).language)
    speaker = speaking(language, html=True)
    known = {"absent": held.referent, "substitute": held.substitute, "day": show_date(held.until, language)}
    return lambda msgid, **values: speaker(msgid, **known, **values)


def _about(session: Session, say: Voice, msgid: str, projects: Collection[int]) -> str:
    return say(msgid, titles=", ".join(lending.titles(session, projects))) if projects else ""


def _dropped(say: Voice, titles: Sequence[str]) -> str:
    return (
        say(N_("I have cancelled the updates begun and not sent: {titles}."), titles=", ".join(titles))
        if titles
        else ""
    )


def _queue(  # noqa: PLR0913 - to whom, what, when
    session: Session,
    held: Held,
    reader_id: int,
    lines: Sequence[str],
    what: str,
    now: datetime,
    *,
    after: datetime | None = None,
    doors: Sequence[tuple[str, str]] = (),
) -> None:
    """`doors`: what buttons say, and what they open in the chat."""
    plain = speaking(Language(session.get_one(Referent, reader_id).language))
    rows = tuple((Button(plain(label, absent=held.referent.split()[0]), data=data),) for label, data in doors)
    words = Words("\n\n".join(filter(None, lines)), plain(N_("Standing in for a colleague")), rows)
    key = f"delegation:{held.id}:{what}"
    queue_to(session, reader_id, words, kind=OutboxKind.NOTICE, now=now, dedupe_key=key, after=after)
