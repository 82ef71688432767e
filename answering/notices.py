"""Tells staff by e-mail what waits for them. Names no referent.

Questions, answers to be approved or returned, messages of ours that did not arrive, requests for access, e-mails to
sort. Gathered, at most one mail per person in 15 minutes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from delivery.links import Links
from delivery.outbox import queue
from delivery.words import Button, Keyboard, Words
from facts.calendar import local_date
from facts.languages import Language, speaking
from storage import audit, proposals
from storage.access import count_waiting
from storage.letters import held_count
from storage.outbox import NOTICE_KEY, stuck_count
from storage.staff import find_staff
from storage.tables import Channel, Outbox, OutboxKind, Staff
from storage.waiting import MANAGERS, Waiting, waiting_for, who_has_news

EVERY = timedelta(minutes=15)


def notify_one(session: Session, now: datetime, links: Links) -> bool:
    """Queues one mail to one person for whom something came; False when there is nobody to tell."""
    for person in who_has_news(session, now, now - EVERY):
        words = _words(session, person, links)
        if words is None:
            continue
        # The quarter of an hour is in the key: two processes that look at once still write one mail.
        quarter = int(now.timestamp() // EVERY.total_seconds())
        queued = queue(
            session,
            words,
            kind=OutboxKind.NOTICE,
            channel=Channel.EMAIL,
            address=person.email,
            now=now,
            dedupe_key=f"{NOTICE_KEY}{person.id}:{quarter}",
        )
        if queued is not None:
            audit.record(session, now, ("clock", None), "staff.notice", ("staff", person.id), outbox_id=queued)
            return True
    return False


def word_notice(links: Links) -> Callable[[Session, Outbox, datetime], Words | None]:
    """Words a notice again at the moment of sending; None when nothing waits any more."""

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        if not row.dedupe_key.startswith(NOTICE_KEY):
            return Words.from_json(row.body)
        person = find_staff(session, row.address)
        if person is None or not person.active or not person.notices:
            return None
        return _words(session, person, links)

    return word


def _words(session: Session, person: Staff, links: Links) -> Words | None:
    questions, total = waiting_for(session, person.id)
    manages = person.role in MANAGERS
    requests, letters = (count_waiting(session), held_count(session)) if manages else (0, 0)
    proposed, back = proposals.count_waiting(session) if manages else 0, proposals.count_back(session, person.id)
    stuck = stuck_count(session)
    if not (total or requests or letters or stuck or proposed):  # what came back is among the questions
        return None
    language = Language(person.language)
    _ = speaking(language, html=True)
    blocks = [
        _about_questions(language, questions, total, links) if total else [],
        [_about_back(language, back)] if back else [],
        [_about_proposed(language, proposed, links)] if proposed else [],
        [_about_requests(language, requests, links)] if requests else [],
        [_about_letters(language, letters, links)] if letters else [],
        [_about_stuck(language, stuck, links)] if stuck else [],
        [_("You receive at most one of these mails in 15 minutes.")],
    ]
    text = "\n\n".join("\n".join(map(str, block)) for block in blocks if block)
    others = (proposed, requests, letters, stuck)
    subject = _subject(questions, total, language) if total else _other_subject(language, *others)
    return Words(text, subject, _buttons(language, links, questions=bool(total or proposed)))


def _about_questions(language: Language, questions: Sequence[Waiting], total: int, links: Links) -> list[str]:
    _ = speaking(language, html=True)
    lines = [
        _.ngettext("One question waits for an answer.", "{n} questions wait for an answer.", total),
        "",
        *(_line(language, question, links) for question in questions),
    ]
    return [*lines, _("… and {n} more", n=total - len(questions))] if total > len(questions) else lines


def _about_back(language: Language, back: int) -> str:
    """Of the questions above; why, stands on their pages."""
    _ = speaking(language, html=True)
    return _.ngettext(
        "One answer of yours was returned: on the question's page you read why.",
        "{n} answers of yours were returned: on the questions' pages you read why.",
        back,
    )


def _about_proposed(language: Language, proposed: int, links: Links) -> str:
    _ = speaking(language, html=True)
    waiting = _.ngettext("One answer waits for your approval.", "{n} answers wait for your approval.", proposed)
    return _(
        '{waiting} <a href="{link}">Read and decide</a>', waiting=waiting, link=links.desk("questions?view=approve")
    )


def _about_requests(language: Language, requests: int, links: Links) -> str:
    """Names nobody: who asks is read at the desk."""
    _ = speaking(language, html=True)
    waiting = _.ngettext("One person asks for access.", "{n} people ask for access.", requests)
    return _('{waiting} <a href="{link}">Look at the requests</a>', waiting=waiting, link=links.desk("access"))


def _about_letters(language: Language, letters: int, links: Links) -> str:
    _ = speaking(language, html=True)
    waiting = _.ngettext("One e-mail comes from somebody we do not know.", "{n} e-mails are to be sorted.", letters)
    return _('{waiting} <a href="{link}">Say whose they are</a>', waiting=waiting, link=links.desk("letters"))


def _about_stuck(language: Language, stuck: int, links: Links) -> str:
    _ = speaking(language, html=True)
    return _.ngettext(
        'One message of ours did not arrive, or we cannot be sure: <a href="{link}">see why and to whom</a>.',
        '{n} messages of ours did not arrive, or we cannot be sure: <a href="{link}">see why and to whom</a>.',
        stuck,
        link=links.desk("outbox"),
    )


def _other_subject(language: Language, proposed: int, requests: int, letters: int, stuck: int) -> str:
    """When no question waits."""
    _ = speaking(language)
    if proposed:
        return _.ngettext("One answer is to be approved", "{n} answers are to be approved", proposed)
    if requests:
        return _.ngettext("One person asks for access", "{n} people ask for access", requests)
    if letters:
        return _.ngettext("One e-mail is to be sorted", "{n} e-mails are to be sorted", letters)
    return _.ngettext("A message did not arrive", "{n} messages did not arrive", stuck)


def _subject(questions: Sequence[Waiting], total: int, language: Language) -> str:
    """Another one each time: mail programs fold equal subjects into one thread."""
    _ = speaking(language)
    if total > 1:
        return _("{n} questions wait, the first is no. {number}", n=total, number=questions[0].id)
    (only,) = questions
    day = f"{local_date(only.due_at, 'Europe/Rome'):%d/%m}"
    return _("Question no. {number}: to be answered by {day}", number=only.id, day=day)


def _buttons(language: Language, links: Links, *, questions: bool) -> Keyboard:
    _ = speaking(language)
    page = links.desk_questions() if questions else links.desk("outbox")
    return ((Button(_("Open the desk"), url=page),),)


def _line(language: Language, question: Waiting, links: Links) -> str:
    _ = speaking(language, html=True)
    return _(
        '• <a href="{link}">no. {number}</a> {about}, to be answered by {day}',
        link=links.desk_question(question.id),
        number=question.id,
        about=" – ".join(part for part in (question.organization, question.project) if part),
        day=f"{local_date(question.due_at, 'Europe/Rome'):%d/%m/%Y}",
    )
