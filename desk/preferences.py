"""How somebody would rather hear from us, in which language, and what is no longer theirs. Switches no reminder off.

Where the link of a reminder for "unsubscribe" leads. Looking changes nothing: mail programs open links too.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.away import away_values
from desk.house import DeskHouse
from desk.pages import House, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from facts.languages import Language, Speaker, speaking
from intake.questions import ask
from storage.desk_people import note_use
from storage.people import own_project, prefer, projects_of, reachable_addresses
from storage.tables import Address, Channel, Project, Referent

router = APIRouter()

LANGUAGES = (("it", "Italiano"), ("en", "English"))
MOST_PROJECTS = 500  # at once
MOST_LETTERS = 2_000


@router.get("/r/{token}/preferences")
def page(request: Request, house: House, token: str) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        return _page(request, session, me, token) if me else closed(request)


@router.post("/r/{token}/preferences")
def choose(
    request: Request,
    house: House,
    token: str,
    language: Annotated[str, Form()] = "",
    way: Annotated[str, Form()] = "",
) -> Response:
    now = house.clock()
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        ways = reachable_addresses(session, me.id)
        if language not in dict(LANGUAGES) or (way and way not in ways):
            raise Refuse(422)
        prefer(session, me.id, language, Channel(way) if way else me.prefers)
        note_use(session, token, now)
    _ = speaking(Language(language))
    return redirect(request, f"/r/{token}/preferences", _("Saved. From now on it is so."))


@router.post("/r/{token}/preferences/projects")
def not_mine(
    request: Request,
    house: House,
    token: str,
    *,
    project: Annotated[list[str] | None, Form()] = None,
    who: Annotated[str, Form()] = "",
) -> Response:
    now = house.clock()
    with house.database.read() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        _ = speaker(request)
        chosen = _own(session, me, project or [])
        error = _wrong(_, chosen, who)
        if error:
            return _page(request, session, me, token, chosen=chosen, who=who, errors=error)
    number = _tell(house, me, token, _told(_, chosen, who))
    said = _(
        "The office has your message: it is question no. {number}. Until they answer nothing changes.", number=number
    )
    return redirect(request, f"/r/{token}/questions/{number}", said)


def _wrong(_: Speaker, chosen: Sequence[Project], who: str) -> Mapping[str, str]:
    if not chosen:
        return {"project": _("Choose at least one project.")}
    if len(who) > MOST_LETTERS:
        return {"who": _("This is too long: keep it within {n} characters.", n=MOST_LETTERS)}
    return {}


def _own(session: Session, me: Referent, wanted: Sequence[str]) -> list[Project]:
    """Those chosen, each once; a foreign or unknown one is not there."""
    found = []
    for number in dict.fromkeys(wanted[:MOST_PROJECTS]):
        known = number.isascii() and number.isdecimal() and len(number) < 10
        project = own_project(session, me.id, int(number)) if known else None
        if project is None:
            raise Refuse(404)
        found.append(project)
    return found


def _told(_: Speaker, projects: Sequence[Project], who: str) -> str:
    lines = [_("These projects are not mine any more:"), *(f"- {one.title} (CUP {one.cup})" for one in projects)]
    if who.strip():
        lines += ["", _("Who follows them now: {who}", who=who.strip())]
    return "\n".join(lines)


def _tell(house: DeskHouse, me: Referent, token: str, text: str) -> int:
    now = house.clock()
    with house.database.write() as session:
        question = ask(session, referent_id=me.id, text=text, channel=Channel.WEB, now=now, zone=house.zone)
        note_use(session, token, now)
        return question.id


def _page(
    request: Request,
    session: Session,
    me: Referent,
    token: str,
    *,
    chosen: Sequence[Project] = (),
    who: str = "",
    errors: Mapping[str, str] | None = None,
) -> Response:
    ways: Mapping[Channel, Address] = reachable_addresses(session, me.id)
    return render(
        request,
        "personal_preferences.html",
        status=422 if errors else 200,
        token=token,
        me=me,
        languages=LANGUAGES,
        ways=list(ways.values()),
        projects=projects_of(session, me.id),
        chosen=[one.id for one in chosen],
        who=who,
        errors=errors or {},
        chats=Channel.TELEGRAM in ways,
        **away_values(session, me),
    )
