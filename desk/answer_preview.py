"""An answer as its referent will see it, on their channel and in their language. Writes nothing, makes no key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup
from sqlmodel import Session

from answering import answer as answers
from answering.moves import the_question
from answering.placeholders import gaps_in
from answering.roles import may_act_on
from delivery.letter import as_text, going
from delivery.outbox import enclosures
from delivery.parcel import Letterhead, Parcel
from delivery.stamp import place_in_thread
from delivery.words import Keyboard, Words, split_words
from desk.house import DeskHouse
from desk.question_files import going_along
from desk.question_page import Typed
from facts.languages import Language
from storage import proposals
from storage.people import reachable_addresses, the_office
from storage.tables import Attachment, Channel, OutboxKind, Question, Referent

NOT_YET = 2**31 - 1  # the number of a message that is no row
UNKNOWN = "…"  # in the place of the key to their page, which is made as the mail leaves


@dataclass(frozen=True, slots=True)
class Seen:
    """`channel` None: nothing reaches them. `bubbles` and `keyboard` on Telegram; else `subject` and `letter`.

    `left_out`: files that a mailbox would not take; they are on the person's page. `gaps`: what nobody has filled in.
    """

    question: Question
    referent: Referent | None
    channel: Channel | None
    language: Language
    proposes: bool
    files: Sequence[Attachment]
    gaps: Sequence[str]
    bubbles: Sequence[Markup] = ()
    keyboard: Keyboard = ()
    subject: str = ""
    letter: str = ""
    left_out: Sequence[Attachment] = ()


def seen_by_referent(session: Session, house: DeskHouse, staff_id: int, question_id: int, typed: Typed) -> Seen:
    """Raises `Refused` when the question is not there, or not theirs to answer."""
    question = the_question(session, question_id)
    acting = may_act_on(session, staff_id, question)
    referent = session.get(Referent, question.referent_id) if question.referent_id is not None else None
    language = Language(referent.language) if referent is not None else Language.IT
    came_back = proposals.back_with(session, question, staff_id)
    seen = Seen(
        question=question,
        referent=referent,
        channel=answers.leaves_by(session, question),
        language=language,
        proposes=answers.needs_approval(session, acting, question),
        files=[one.file for one in going_along(session, staff_id, came_back, typed.kept) if one.ticked],
        gaps=gaps_in(typed.answer),
    )
    words = answers.words_of(session, question, answers.Said(acting.person, typed.answer, typed.awaits), language)
    if referent is None or seen.channel in (None, Channel.TELEGRAM):
        return replace(seen, bubbles=[_shown(one) for one in split_words(words)], keyboard=words.buttons)
    return _as_mail(session, house, seen, words)


def _shown(words: Words) -> Markup:
    return Markup(words.html)  # noqa: S704 - Telegram's few tags, and every value in it escaped where it was put in


def _as_mail(session: Session, house: DeskHouse, seen: Seen, words: Words) -> Seen:
    assert seen.channel is not None
    assert seen.referent is not None
    enclosed = enclosures(session, [one.id for one in seen.files])
    office = the_office(session)
    parcel = Parcel(
        id=NOT_YET,
        attempt=1,
        kind=OutboxKind.ANSWER,
        channel=seen.channel,
        address=reachable_addresses(session, seen.referent.id)[seen.channel].value,
        dedupe_key="",
        words=words,
        referent_id=seen.referent.id,
        question_id=seen.question.id,
        language=seen.language,
        office=Letterhead(office.name, office.authority, office.hours, office.phone, office.email),
        personal_url=house.links.personal(UNKNOWN),
        files=tuple(enclosed.values()),
    )
    parcel = replace(parcel, thread=place_in_thread(session, parcel))
    subject, letter = as_text(parcel)
    taken = going(parcel)
    left_out = [file for file in seen.files if enclosed.get(file.id) not in taken]
    return replace(seen, subject=subject, letter=letter, left_out=left_out)
