"""Notes that the link in a message was followed. Has no page of its own, and keeps nobody waiting for it twice.

Programs that look at mail before its reader does follow every link in it. So a page that is only looked at says no
more than "opened, or fetched by a scanner"; somebody has opened it who sends a form, or goes on, in the same browser,
to a page that no mail links to.
"""

from fastapi import Request

from desk import security
from desk.house import DeskHouse
from storage.openings import Followed, followed, note_opening

LINKED = frozenset({"", "/preferences", "/why"})  # behind /r/{token}: what our mails themselves lead to


def note(request: Request) -> None:
    """For every page of `/r/{token}`: at most two rows are written for one message, however often it is opened."""
    token = request.path_params.get("token")
    if token is None or request.method not in ("GET", "POST"):
        return
    house: DeskHouse = request.app.state.house
    somebody = _somebody(request, house, token)
    with house.database.read() as session:
        found = followed(session, token, house.clock())
    if found is not None and _is_news(found, somebody=somebody):
        with house.database.write() as session:
            note_opening(session, found.outbox_id, house.clock(), confirmed=somebody)


def _somebody(request: Request, house: DeskHouse, token: str) -> bool:
    if request.method == "POST":
        return True
    behind = request.url.path.removeprefix(f"/r/{token}")
    return behind not in LINKED and security.visit_cookie(house) in request.cookies


def _is_news(found: Followed, *, somebody: bool) -> bool:
    return found.opened_at is None or (somebody and found.confirmed_at is None)
