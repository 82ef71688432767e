"""Why somebody got a reminder, on their own page: reached from the foot of the mail. Looking changes nothing."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import House, render, speaker
from desk.personal import closed, enter
from reminders.why import why
from storage.why import message_with_key

router = APIRouter()


@router.get("/r/{token}/why")
def page(request: Request, house: House, token: str) -> Response:
    now = house.clock()
    with house.database.read() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        because = why(session, me.id, message_with_key(session, token), speaker(request), now)
        return render(request, "personal_why.html", token=token, because=because)
