"""Communications of the demo: one that was sent two days ago and answered, and one that waits for an officer.

Writes rows as if they had left: nothing is sent again.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from answering import circular_sending, circulars, moves
from answering.circulars import Written
from intake.questions import ask
from storage.addressees import everybody
from storage.recipients import Wanted
from storage.tables import Channel, Circular, OutboxState

TWO_DAYS = timedelta(days=2)
SENT = Written(
    "Sportello chiuso lunedì 7 dicembre (esempio)",
    "Buongiorno {nome},\n\nlunedì 7 dicembre lo sportello è chiuso. Per le urgenze rispondi a questo messaggio.\n\n"
    "I progetti che segui: {projects}.",
    "Office closed on Monday 7 December (example)",
    "Dear {name},\n\non Monday 7 December our office is closed. If it is urgent, reply to this message.\n\n"
    "The projects you follow: {projects}.",
)
DRAFT = Written(
    "Incontro sul rendiconto (esempio)",
    "Buongiorno {nome},\n\nper {ente} proponiamo un incontro in linea sul rendiconto. Ci sarai?",
)


def show_circulars(session: Session, officer_id: int, volunteer_id: int, now: datetime, zone: str) -> None:
    """The caller commits."""
    sent = _sent(session, officer_id, now - TWO_DAYS)
    _answered(session, sent, officer_id, now - TWO_DAYS + timedelta(hours=2), zone)
    circulars.begin(
        session, volunteer_id, DRAFT, now=now - timedelta(hours=1), wanted=Wanted(by_filter=True, silent=True)
    )


def _sent(session: Session, officer_id: int, at: datetime) -> Circular:
    circular = circulars.begin(session, officer_id, SENT, now=at, wanted=Wanted(by_filter=True))
    people = circular_sending.people_now(session, circular, at)
    circular_sending.confirm(session, circular.id, officer_id, version=1, people=len(people), now=at)
    circular_sending.queue_some(session, at)
    word = circular_sending.word_circular()
    for told in everybody(session, circular.id):
        row = told.outbox
        words = word(session, row, at) if row is not None else None
        if row is not None and words is not None:
            row.body, row.state, row.sent_at = words.to_json(), OutboxState.SENT, at + timedelta(seconds=5)
    session.flush()
    circular_sending.queue_some(session, at + timedelta(minutes=1))
    return circular


def _answered(session: Session, circular: Circular, officer_id: int, at: datetime, zone: str) -> None:
    """The last of them wrote back, and was read."""
    told = list(everybody(session, circular.id))[-1]
    question = ask(
        session,
        referent_id=told.referent.id,
        text="Va bene, grazie. Vi scrivo martedì.",
        channel=Channel.EMAIL,
        now=at,
        zone=zone,
        circular_id=circular.id,
    )
    moves.close(session, question.id, officer_id, version=question.version, now=at + timedelta(hours=1))
