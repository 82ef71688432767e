"""From which list somebody came to a question: its lines in their order, and its address. Decides nothing.

It is kept in the browser, signed and bound to the session, so that the list beside a question stays as it was left,
whatever the filter, and costs no second search. Another list that is opened takes its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from itsdangerous import BadData, URLSafeSerializer
from sqlmodel import Session
from starlette.responses import Response

from desk import security
from desk.house import DeskHouse
from desk.security import SignedIn
from storage.queue_lines import QueueLine, lines_of

COOKIE = "raccordo_list"
PLACE = "/desk/questions"
LONGEST_QUERY = 600  # letters; of a longer one only the lines are kept


@dataclass(frozen=True, slots=True)
class Beside:
    """The list beside question `here`. `address`: where it is seen whole."""

    address: str
    here: int
    lines: Sequence[QueueLine]

    @property
    def position(self) -> int:
        """From 1; 0 when the question that is open does not stand in it."""
        return next((n for n, line in enumerate(self.lines, 1) if line.id == self.here), 0)

    @property
    def before(self) -> int | None:
        return self.lines[self.position - 2].id if self.position > 1 else None

    @property
    def after(self) -> int | None:
        """The next one; the first, when the open one does not stand in the list."""
        return self.lines[self.position].id if self.position < len(self.lines) else None


def remember(request: Request, response: Response, signed: SignedIn, lines: Sequence[QueueLine]) -> None:
    """This list is now the one to come back to."""
    house: DeskHouse = request.app.state.house
    query = request.url.query if len(request.url.query) <= LONGEST_QUERY else ""
    kept = _signer(house, signed).dumps([query, [line.id for line in lines]])
    security.set_cookie(house, response, COOKIE, str(kept), path=PLACE)


def beside(request: Request, session: Session, signed: SignedIn, question_id: int) -> Beside | None:
    """The list somebody came from, its lines as they stand now; None for who came by a link."""
    house: DeskHouse = request.app.state.house
    try:
        query, ids = _signer(house, signed).loads(request.cookies.get(COOKIE, ""))
    except (BadData, ValueError, TypeError):
        return None
    lines = lines_of(session, ids)
    return Beside(f"{PLACE}?{query}" if query else PLACE, question_id, lines) if lines else None


def _signer(house: DeskHouse, signed: SignedIn) -> URLSafeSerializer:
    return URLSafeSerializer(house.secret_key, salt=f"raccordo.desk.list.{signed.session_id}")
