"""The kinds of news that staff are told by mail: for each, whether something is new and how it is said.

One entry of `KINDS` per kind, in the order in which a mail says them. Names numbers and places, never a referent. Sends
nothing; `answering/notices.py` does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlmodel import Session

from answering.roles import APPROVERS
from delivery.links import Links
from facts.calendar import OFFICE_ZONE, WORKING_HOURS, add_working_hours, local_date, local_instant
from facts.languages import N_, Language, Speaker, speaking
from storage import waiting
from storage.access import a_request_waits, count_waiting
from storage.letters import a_letter_waits, held_count
from storage.local_roles import RANKS, strongest
from storage.outbox import stuck_count
from storage.tables import NoticeKind, NoticeWhen, Role, Staff
from storage.waiting import Told, Waiting

SOON_HOURS = 4  # working hours: what is due within them is about to run out
MORNING = time(8, 0)
MEMORY = timedelta(days=7)  # for so long it is looked up what somebody was told


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked about. `last`: when they were told last. `outbox_id`: the mail that is being worded again."""

    person: Staff
    now: datetime
    links: Links
    last: datetime | None = None
    daily: bool = False
    outbox_id: int | None = None

    @property
    def today(self) -> datetime:
        """When this morning's digest is due."""
        return local_instant(local_date(self.now, OFFICE_ZONE), MORNING, OFFICE_ZONE)

    @property
    def horizon(self) -> datetime:
        """What is due until then is about to run out; in a digest, until the office closes."""
        if self.daily:
            return local_instant(local_date(self.now, OFFICE_ZONE), WORKING_HOURS[1], OFFICE_ZONE)
        return add_working_hours(self.now, SOON_HOURS, OFFICE_ZONE)

    def speaker(self, *, html: bool = True) -> Speaker:
        return speaking(Language(self.person.language), html=html)


@dataclass(frozen=True, slots=True)
class Section:
    """What a mail says of one kind. `page`: where the desk shows it. `numbers`: questions told of once."""

    lines: Sequence[str]
    subject: str
    page: str
    numbers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """`news`: something came since they were told. `words`: what is to be said now; None: nothing.

    `least`: the role that may do something about it, here or, when it is about questions, anywhere.
    """

    title: str
    news: Callable[[Session, Asked], bool]
    words: Callable[[Session, Asked], Section | None]
    least: Role = Role.VOLUNTEER
    of_questions: bool = True


# --- questions


def _new_came(session: Session, asked: Asked) -> bool:
    return waiting.one_question(session, asked.person.id, waiting.new_ones(), waiting.written_after(asked.last))


def _about_new(session: Session, asked: Asked) -> Section | None:
    questions, total = waiting.questions_for(session, asked.person.id, waiting.new_ones())
    if not total:
        return None
    _ = asked.speaker()
    head = _.ngettext("One question waits for an answer.", "{n} questions wait for an answer.", total)
    page = asked.links.desk_questions()
    return Section(_list(asked, head, questions, total), _subject(asked, questions, total), page)


def _mine_moved(session: Session, asked: Asked) -> bool:
    """The referent wrote, a colleague gave it to them, or an answer of theirs came back."""
    person, last = asked.person.id, asked.last
    return (
        waiting.one_question(session, person, waiting.mine(), waiting.written_after(last), ~waiting.seen_since())
        or waiting.one_question(session, person, waiting.mine(), waiting.given_after(last))
        or waiting.came_back_after(session, person, last) > 0
    )


def _about_mine(session: Session, asked: Asked) -> Section | None:
    questions, total = waiting.questions_for(session, asked.person.id, waiting.mine())
    if not total:
        return None
    _ = asked.speaker()
    head = _.ngettext("One question is in your hands.", "{n} questions are in your hands.", total)
    lines = _list(asked, head, questions, total)
    back = waiting.came_back_after(session, asked.person.id, None)
    if back:
        returned = _.ngettext(
            "One answer of yours was returned: on the question's page you read why.",
            "{n} answers of yours were returned: on the questions' pages you read why.",
            back,
        )
        lines = [*lines, "", returned]
    return Section(lines, _subject(asked, questions, total), asked.links.desk("questions?view=mine"))


def _proposals_came(session: Session, asked: Asked) -> bool:
    return waiting.to_approve(session, asked.person.id, asked.last) > 0


def _about_proposals(session: Session, asked: Asked) -> Section | None:
    proposed = waiting.to_approve(session, asked.person.id)
    if not proposed:
        return None
    _, plain, page = asked.speaker(), asked.speaker(html=False), asked.links.desk("questions?view=approve")
    wait = _.ngettext("One answer waits for your approval.", "{n} answers wait for your approval.", proposed)
    line = _('{waiting} <a href="{link}">Read and decide</a>', waiting=wait, link=page)
    subject = plain.ngettext("One answer is to be approved", "{n} answers are to be approved", proposed)
    return Section([line], subject, page)


def _expiring(session: Session, asked: Asked) -> Sequence[Waiting]:
    """What is about to run out, unless they were told and nothing was written since."""
    due = waiting.due_between(asked.now, asked.horizon)
    found, _ = waiting.questions_for(session, asked.person.id, waiting.waits_for(), due, limit=None)
    told = _told(session, asked) if found else []
    return [
        one
        for one in found
        if not any(one.id in it.numbers[NoticeKind.EXPIRING] and it.at >= one.last_message_at for it in told)
    ]


def _about_expiring(session: Session, asked: Asked) -> Section | None:
    questions = _expiring(session, asked)
    if not questions:
        return None
    _, plain = asked.speaker(), asked.speaker(html=False)
    total = len(questions)
    head = _.ngettext("One question is to be answered very soon.", "{n} questions are to be answered very soon.", total)
    subject = plain.ngettext(
        "Question no. {number} is about to run out of time", "{n} questions are about to run out of time", total,
        number=questions[0].id,
    )  # fmt: skip
    return _of(asked, questions, head, subject)


def _overdue(session: Session, asked: Asked) -> Sequence[Waiting]:
    """What should have been answered by now; each once a day, from the morning on."""
    if asked.now < asked.today:
        return []
    over = waiting.due_between(None, asked.now)
    found, _ = waiting.questions_for(session, asked.person.id, waiting.waits_for(), over, limit=None)
    told = {
        number
        for it in (_told(session, asked) if found else ())
        if it.at >= asked.today
        for number in it.numbers[NoticeKind.OVERDUE]
    }
    return [one for one in found if one.id not in told]


def _about_overdue(session: Session, asked: Asked) -> Section | None:
    questions = _overdue(session, asked)
    if not questions:
        return None
    _, plain = asked.speaker(), asked.speaker(html=False)
    total = len(questions)
    head = _.ngettext("One question is late.", "{n} questions are late.", total)
    subject = plain.ngettext("Question no. {number} is late", "{n} questions are late", total, number=questions[0].id)
    return _of(asked, questions, head, subject)


def _of(asked: Asked, questions: Sequence[Waiting], head: str, subject: str) -> Section:
    """Of all of them it is remembered that they were told, also of those that the mail only counts."""
    shown = questions[:20]
    numbers = [one.id for one in questions]
    return Section(_list(asked, head, shown, len(questions)), subject, asked.links.desk_questions(), numbers)


def _told(session: Session, asked: Asked) -> Sequence[Told]:
    """By other mails than the one that is being worded."""
    told = waiting.told_since(session, asked.person.id, asked.now - MEMORY)
    return [one for one in told if one.outbox_id != asked.outbox_id]


def _called_upon(session: Session, asked: Asked) -> bool:
    return bool(waiting.mentioned_in(session, asked.person.id, asked.last))


def _about_mentions(session: Session, asked: Asked) -> Section | None:
    numbers = waiting.mentioned_in(session, asked.person.id)
    if not numbers:
        return None
    _, plain, total = asked.speaker(), asked.speaker(html=False), len(numbers)
    links = [
        _('• <a href="{link}">no. {number}</a>', link=asked.links.desk_question(number), number=number)
        for number in numbers[:20]
    ]
    head = _.ngettext("A colleague names you in a note.", "Colleagues name you in the notes of {n} questions.", total)
    subject = plain.ngettext(
        "A note on question no. {number} is for you", "Notes on {n} questions are for you", total, number=numbers[0]
    )
    return Section([head, "", *links], subject, asked.links.desk_question(numbers[0]))


# --- the office


def _post_came(session: Session, asked: Asked) -> bool:
    return a_request_waits(session, asked.last) or a_letter_waits(session, asked.last)


def _about_post(session: Session, asked: Asked) -> Section | None:
    """Names nobody: who asks and who wrote is read at the desk."""
    requests, letters = count_waiting(session), held_count(session)
    if not requests and not letters:
        return None
    _, plain = asked.speaker(), asked.speaker(html=False)
    lines, page = [], asked.links.desk("letters")
    subject = plain.ngettext("One e-mail is to be sorted", "{n} e-mails are to be sorted", letters)
    if letters:
        came = _.ngettext("One e-mail comes from somebody we do not know.", "{n} e-mails are to be sorted.", letters)
        lines.append(_('{waiting} <a href="{link}">Say whose they are</a>', waiting=came, link=page))
    if requests:
        page = asked.links.desk("access")
        ask = _.ngettext("One person asks for access.", "{n} people ask for access.", requests)
        lines.insert(0, _('{waiting} <a href="{link}">Look at the requests</a>', waiting=ask, link=page))
        subject = plain.ngettext("One person asks for access", "{n} people ask for access", requests)
    return Section("\n\n".join(map(str, lines)).split("\n"), subject, page)


def _something_stuck(session: Session, asked: Asked) -> bool:
    return waiting.stuck_after(session, asked.last)


def _about_stuck(session: Session, asked: Asked) -> Section | None:
    stuck = stuck_count(session)
    if not stuck:
        return None
    _, plain, page = asked.speaker(), asked.speaker(html=False), asked.links.desk("outbox")
    line = _.ngettext(
        'One message of ours did not arrive, or we cannot be sure: <a href="{link}">see why and to whom</a>.',
        '{n} messages of ours did not arrive, or we cannot be sure: <a href="{link}">see why and to whom</a>.',
        stuck,
        link=page,
    )
    subject = plain.ngettext("A message did not arrive", "{n} messages did not arrive", stuck)
    return Section([line], subject, page)


# --- how questions are listed


def _list(asked: Asked, head: str, questions: Sequence[Waiting], total: int) -> list[str]:
    _ = asked.speaker()
    lines = [head, "", *(_line(_, question, asked.links) for question in questions)]
    return [*lines, _("… and {n} more", n=total - len(questions))] if total > len(questions) else lines


def _line(_: Speaker, question: Waiting, links: Links) -> str:
    return _(
        '• <a href="{link}">no. {number}</a> {about}, to be answered by {day}',
        link=links.desk_question(question.id),
        number=question.id,
        about=" – ".join(part for part in (question.organization, question.project) if part),
        day=f"{local_date(question.due_at, OFFICE_ZONE):%d/%m/%Y}",
    )


def _subject(asked: Asked, questions: Sequence[Waiting], total: int) -> str:
    """Another one each time: mail programs fold equal subjects into one thread."""
    _ = asked.speaker(html=False)
    if total > 1:
        return _("{n} questions wait, the first is no. {number}", n=total, number=questions[0].id)
    (only,) = questions
    day = f"{local_date(only.due_at, OFFICE_ZONE):%d/%m}"
    return _("Question no. {number}: to be answered by {day}", number=only.id, day=day)


# --- all kinds, and what each wishes


KINDS: Mapping[NoticeKind, Kind] = {
    NoticeKind.OVERDUE: Kind(N_("questions that are late"), lambda s, a: bool(_overdue(s, a)), _about_overdue),
    NoticeKind.EXPIRING: Kind(
        N_("questions about to run out of time"), lambda s, a: bool(_expiring(s, a)), _about_expiring
    ),
    NoticeKind.MENTIONED: Kind(N_("notes that name you"), _called_upon, _about_mentions, Role.READER),
    NoticeKind.MINE: Kind(N_("what happens to your questions"), _mine_moved, _about_mine),
    NoticeKind.NEW: Kind(N_("new questions"), _new_came, _about_new),
    NoticeKind.APPROVAL: Kind(N_("answers to be approved"), _proposals_came, _about_proposals, Role.OFFICER),
    NoticeKind.POST: Kind(
        N_("requests for access and e-mails to be sorted"), _post_came, _about_post, Role.OFFICER, of_questions=False
    ),
    NoticeKind.FAILED: Kind(
        N_("messages of ours that did not arrive"), _something_stuck, _about_stuck, of_questions=False
    ),
}


def by_itself(role: Role, kind: NoticeKind) -> NoticeWhen:
    """What somebody is told who has not chosen: late ones in the morning, and what others mend too."""
    if kind is NoticeKind.OVERDUE or (kind is NoticeKind.FAILED and role not in APPROVERS):
        return NoticeWhen.DAILY
    return NoticeWhen.SOON


def wishes_of(session: Session, person: Staff) -> Mapping[NoticeKind, NoticeWhen]:
    """What this person is told and when, of everything that they may do something about."""
    chosen, anywhere = waiting.choices_of(session, person.id), strongest(session, person)
    return {
        kind: chosen.get(kind, by_itself(person.role, kind))
        for kind, it in KINDS.items()
        if RANKS[anywhere if it.of_questions else person.role] >= RANKS[it.least]
    }
