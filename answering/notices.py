"""Tells staff by e-mail what waits for them. Names no referent.

Each chooses for each kind of news (`answering/notice_kinds.py`): soon, gathered in at most one mail in 15 minutes; in
the digest of the morning, on working days; or never. Nothing to say is no mail.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from answering.notice_kinds import KINDS, Asked, Section, wishes_of
from delivery.links import Links
from delivery.outbox import queue
from delivery.words import Button, Words
from facts.calendar import OFFICE_ZONE, is_working_day, local_date
from storage import audit
from storage.outbox import DIGEST_KEY, NOTICE_KEY
from storage.staff import find_staff
from storage.tables import Channel, NoticeKind, NoticeWhen, Outbox, OutboxKind
from storage.waiting import due_a_digest, due_a_notice, mark_digested

EVERY = timedelta(minutes=15)


def notify_one(session: Session, now: datetime, links: Links) -> bool:
    """Queues one mail to one person who has something to hear; False when there is nobody to tell."""
    return _tell_soon(session, now, links) or _tell_in_the_morning(session, now, links)


def _tell_soon(session: Session, now: datetime, links: Links) -> bool:
    # The quarter of an hour is in the key: two processes that look at once still write one mail.
    quarter = int(now.timestamp() // EVERY.total_seconds())
    for person, last in due_a_notice(session, now - EVERY):
        asked = Asked(person, now, links, last)
        kinds = _wanted(session, asked, NoticeWhen.SOON)
        news = any(KINDS[kind].news(session, asked) for kind in kinds)
        if news and _queue(session, asked, kinds, f"{NOTICE_KEY}{person.id}:{quarter}"):
            return True
    return False


def _tell_in_the_morning(session: Session, now: datetime, links: Links) -> bool:
    today = local_date(now, OFFICE_ZONE)
    if not is_working_day(today):
        return False
    for person in due_a_digest(session, today):
        asked = Asked(person, now, links, daily=True)
        if now < asked.today or not mark_digested(session, person.id, today):
            continue
        kinds = _wanted(session, asked, NoticeWhen.DAILY)
        if _queue(session, asked, kinds, f"{DIGEST_KEY}{person.id}:{today.isoformat()}"):
            return True
    return False


def word_notice(links: Links) -> Callable[[Session, Outbox, datetime], Words | None]:
    """Words a notice again at the moment of sending; None when nothing waits any more."""

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        daily = row.dedupe_key.startswith(DIGEST_KEY)
        if not daily and not row.dedupe_key.startswith(NOTICE_KEY):
            return Words.from_json(row.body)
        person = find_staff(session, row.address)
        if person is None or not person.active or not person.notices:
            return None
        asked = Asked(person, now, links, daily=daily, outbox_id=row.id)
        kinds = _wanted(session, asked, NoticeWhen.DAILY if daily else NoticeWhen.SOON)
        sections = _sections(session, asked, kinds)
        return _words(asked, kinds, list(sections.values())) if sections else None

    return word


def _wanted(session: Session, asked: Asked, when: NoticeWhen) -> Sequence[NoticeKind]:
    return [kind for kind, wish in wishes_of(session, asked.person).items() if wish is when]


def _queue(session: Session, asked: Asked, kinds: Sequence[NoticeKind], key: str) -> bool:
    """False when there is nothing to say, or another process said it."""
    sections = _sections(session, asked, kinds)
    if not sections:
        return False
    queued = queue(
        session,
        _words(asked, kinds, list(sections.values())),
        kind=OutboxKind.NOTICE,
        channel=Channel.EMAIL,
        address=asked.person.email,
        now=asked.now,
        dedupe_key=key,
    )
    if queued is None:
        return False
    numbers = {kind.value: list(one.numbers) for kind, one in sections.items() if one.numbers}
    act = "staff.digest" if asked.daily else "staff.notice"
    audit.record(session, asked.now, ("clock", None), act, ("staff", asked.person.id), outbox_id=queued, **numbers)
    return True


def _sections(session: Session, asked: Asked, kinds: Sequence[NoticeKind]) -> Mapping[NoticeKind, Section]:
    found = {kind: KINDS[kind].words(session, asked) for kind in kinds}
    return {kind: section for kind, section in found.items() if section is not None}


def _words(asked: Asked, kinds: Sequence[NoticeKind], sections: Sequence[Section]) -> Words:
    _ = asked.speaker(html=False)
    blocks = ["\n".join(map(str, one.lines)) for one in sections]
    subject, page = sections[0].subject, sections[0].page
    if asked.daily:
        subject = _("This morning: {first}", first=subject)
    return Words("\n\n".join([*blocks, _why(asked, kinds)]), subject, ((Button(_("Open the desk"), url=page),),))


def _why(asked: Asked, kinds: Sequence[NoticeKind]) -> str:
    """Why this mail comes and where that is changed: below each."""
    _ = asked.speaker()
    named = ", ".join(_(KINDS[kind].title) for kind in kinds)
    link = asked.links.desk("account#notices")
    if asked.daily:
        return _(
            "You receive this mail on working days at eight because you want to hear in the morning of: {kinds}. "
            '<a href="{link}">Change what you receive</a>',
            kinds=named,
            link=link,
        )
    return _(
        "You receive this mail because you want to hear soon of: {kinds}. At most one in 15 minutes. "
        '<a href="{link}">Change what you receive</a>',
        kinds=named,
        link=link,
    )
