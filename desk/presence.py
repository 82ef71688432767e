"""Who else has a question open, shown live, and whether something arrived there meanwhile. Holds nobody back.

The page says who was there lately when it is loaded; scripts then listen to a stream of events (HTML standard,
"server-sent events"), which looks at the table every two seconds, so that it does not matter which process a colleague
is at. A stream holds neither a thread nor a connection of the database between two looks. It ends with the session,
after ten minutes (the browser comes again, and is asked again who it is) and at once when the service stops. None of
this counts as use of the session: a page that is merely left open ends after its idle hours.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.background import BackgroundTask
from starlette.responses import Response

from desk.acting import ActorHere
from desk.house import DeskHouse
from desk.pages import House, Id, Reader, Refuse, speaker
from desk.security import SignedIn
from facts.languages import Speaker
from storage import presence
from storage.presence import Present, Standing
from storage.staff import session_is_open

router = APIRouter()

PAUSE = 2.0  # seconds between two looks
BEAT = timedelta(seconds=20)  # how often somebody who is there is noted again
NOW = timedelta(seconds=45)  # who was seen since is there now
LATELY = timedelta(minutes=5)
LONGEST = timedelta(minutes=10)
MOST, MOST_OF_ONE = 200, 8

log = structlog.get_logger()


class Streams:
    """The streams that are open in this process."""

    def __init__(self, *, pause: float = PAUSE) -> None:
        self._pause = pause
        self._closing = asyncio.Event()
        self._open: Counter[int] = Counter()

    def has_room(self, staff_id: int) -> bool:
        return not self._closing.is_set() and self._open.total() < MOST and self._open[staff_id] < MOST_OF_ONE

    def enter(self, staff_id: int) -> None:
        self._open[staff_id] += 1

    def leave(self, staff_id: int) -> None:
        self._open[staff_id] -= 1

    def close(self) -> None:
        """Ends them all, for good: the service stops."""
        self._closing.set()

    async def rest(self) -> bool:
        """Until it is time to look again; False when it is time to go."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self._pause)
        return not self._closing.is_set()


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a question since `began`."""

    house: DeskHouse
    signed: SignedIn
    question_id: int
    began: datetime
    say: Speaker

    def look(self, session: Session) -> str | None:
        """What there is to say, as the event's data; None when the stream is over."""
        found = presence.standing(session, self.question_id)
        if found is None or not session_is_open(session, self.signed.session_id):
            return None
        now = self.house.clock()
        others = presence.present(session, self.question_id, now - NOW, besides=self.signed.staff_id)
        said = " ".join(sentences(others, now, self.say))
        return json.dumps({"people": said, "newest": found.newest, "version": found.version})

    async def note(self) -> datetime:
        """They are there: the instant."""
        now = self.house.clock()
        await self.house.database.run(
            partial(presence.note, question_id=self.question_id, staff_id=self.signed.staff_id, now=now)
        )
        return now


@router.get("/desk/questions/{question_id}/presence")
async def live(request: Request, house: House, signed: Reader, question_id: Id) -> Response:
    """204, upon which no browser tries again, when somebody has too many open."""
    streams: Streams = request.app.state.streams
    visit = Visit(house, signed, question_id, house.clock(), speaker(request))
    if await house.database.look(visit.look) is None:
        raise Refuse(404)
    if not streams.has_room(signed.staff_id):
        return Response(status_code=204)
    return EventSourceResponse(_events(streams, visit), headers={"X-Accel-Buffering": "no"})


async def _events(streams: Streams, visit: Visit) -> AsyncIterator[bytes]:
    """An event when something has changed; a line that says nothing at each beat, so that nobody hangs up."""
    streams.enter(visit.signed.staff_id)
    try:
        said, noted = "", await visit.note()
        while (now := visit.house.clock()) - visit.began < LONGEST:
            found = await visit.house.database.look(visit.look)
            if found is None:
                return
            if now - noted >= BEAT:
                noted = await visit.note()
                yield format_sse_event(comment="")
            if found != said:
                said = found
                yield format_sse_event(data_str=found)
            if not await streams.rest():
                return
    except SQLAlchemyError as error:
        log.warning("presence.failed", error=type(error).__name__)  # the browser tries again by itself
    finally:
        streams.leave(visit.signed.staff_id)


@router.post("/desk/questions/{question_id}/presence")
def typing(house: House, signed: ActorHere, question_id: Id, writing: Annotated[str, Form()] = "") -> Response:
    """`writing` empty: not any more."""
    with house.database.write() as session:
        if presence.standing(session, question_id) is None:
            raise Refuse(404)
        presence.note(session, question_id, signed.staff_id, house.clock(), writing=bool(writing))
    return Response(status_code=204)


# --- the page itself


@dataclass(frozen=True, slots=True)
class Others:
    """What the page says when it is loaded, and from where its script goes on."""

    said: Sequence[str]
    standing: Standing


def others(
    session: Session, signed: SignedIn, question_id: int, found: Standing, now: datetime, say: Speaker
) -> Others:
    """`found`: how far the question had got when this page was made."""
    lately = presence.present(session, question_id, now - LATELY, besides=signed.staff_id)
    return Others(sentences(lately, now, say), found)


def opened(response: Response, house: DeskHouse, signed: SignedIn, question_id: int) -> Response:
    """Notes that they have opened it, once the page is sent: nobody waits for that."""
    response.background = BackgroundTask(_note_opened, house, signed.staff_id, question_id)
    return response


def _note_opened(house: DeskHouse, staff_id: int, question_id: int) -> None:
    try:
        with house.database.write() as session:
            presence.note(session, question_id, staff_id, house.clock(), writing=False)
    except SQLAlchemyError as error:
        log.warning("presence.failed", error=type(error).__name__)


def sentences(people: Sequence[Present], now: datetime, _: Speaker) -> list[str]:
    """Who is writing, who is reading, who was there and may be no more."""
    here = [one for one in people if now - one.seen_at < NOW]
    writing = [one.name for one in here if one.writing]
    reading = [one.name for one in here if not one.writing]
    gone = [one.name for one in people if one not in here]
    said = [_("{name} is writing here now.", name=name) for name in writing]
    said += [_("{name} is reading it now.", name=name) for name in reading]
    return said + [_("{name} has opened it in the last minutes.", name=name) for name in gone]
