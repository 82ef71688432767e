"""The first steps of a new office: what is done, what is missing, one link for each. Shows no secret, sets nothing up.

The settings themselves stand in the environment; here is only said whether they are there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from delivery.outbox import queue
from delivery.words import Words
from desk.house import DeskHouse
from desk.pages import N_, House, Manager, Refuse, redirect, render, speaker
from desk.security import SignedIn
from facts.languages import Language, speaking
from storage import audit
from storage.beginnings import PUT_AWAY, TEST, Begun, begun, has_put_away, last_test
from storage.tables import Channel, OutboxKind, OutboxState, Role, Staff

router = APIRouter()

NO_MAIL = N_("E-mail is not set up yet, so no test can be sent.")


@dataclass(frozen=True, slots=True)
class Step:
    """`command`: for whoever has the server in hand; `link`: at the desk. `needed`: no office can do without."""

    key: str
    title: str
    how: str
    done: bool
    link: str = ""
    link_text: str = ""
    command: str = ""
    needed: bool = True


@router.get("/desk/guide")
def guide(request: Request, house: House, signed: Manager) -> Response:
    with house.database.read() as session:
        steps = _steps(session, house, signed)
        return render(
            request,
            "guide.html",
            steps=steps,
            done=sum(one.done for one in steps),
            put_away=has_put_away(session, signed.staff_id),
            mail=Channel.EMAIL in house.ways,
            test=last_test(session, signed.staff_id),
        )


@router.post("/desk/guide/put-away")
def put_away(request: Request, house: House, signed: Manager) -> Response:
    with house.database.write() as session:
        if not has_put_away(session, signed.staff_id):
            audit.record(session, house.clock(), ("staff", signed.staff_id), PUT_AWAY, ("staff", signed.staff_id))
    _ = speaker(request)
    return redirect(request, "/desk/questions", _("The first steps are put away. You find them at /desk/guide."))


@router.post("/desk/guide/test")
def send_test(request: Request, house: House, signed: Manager) -> Response:
    """To oneself, by e-mail. Pressed twice within a minute it is one message."""
    if Channel.EMAIL not in house.ways:
        raise Refuse(409, NO_MAIL)
    now = house.clock()
    with house.database.write() as session:
        person = session.get_one(Staff, signed.staff_id)
        queue(
            session,
            _words(Language(person.language)),
            kind=OutboxKind.NOTICE,
            channel=Channel.EMAIL,
            address=person.email,
            now=now,
            dedupe_key=f"{TEST}{person.id}:{int(now.timestamp() // 60)}",
        )
    _ = speaker(request)
    return redirect(request, "/desk/guide", _("The test message is on its way to you. Look into your mailbox."))


def shows_guide(session: Session, signed: SignedIn) -> bool:
    """Whether this person is told at their desk that something is missing."""
    if not signed.may_manage or has_put_away(session, signed.staff_id):
        return False
    now = begun(session)
    return not (now.named and now.staff and now.projects and now.deadlines)


def _words(language: Language) -> Words:
    _ = speaking(language, html=True)
    return Words(
        html=_("This is a test message from the desk. If you read it, e-mail works."),
        subject=speaking(language)(N_("Test message")),
    )


def _steps(session: Session, house: DeskHouse, signed: SignedIn) -> Sequence[Step]:
    now, admin = begun(session), signed.role is Role.ADMIN
    office = ("/desk/office", N_("Open the office's page")) if admin else ("", "")
    test = last_test(session, signed.staff_id)
    named = Step(
        "named",
        N_("Say who you are"),
        N_("Name, authority, opening hours: they stand in every e-mail and in the privacy notice."),
        now.named,
        *office,
    )
    tested = test is not None and test.state is OutboxState.SENT
    return (named, *_channels(house.ways, tested=tested), *_beginnings(now, office))


def _channels(ways: Collection[Channel], *, tested: bool) -> Sequence[Step]:
    settings = "RACCORDO_{}"
    return (
        Step(
            "mail",
            N_("Set up e-mail"),
            N_("Whoever runs the server writes the setting and starts the service again."),
            Channel.EMAIL in ways,
            command=settings.format("SMTP_URL"),
        ),
        Step(
            "test",
            N_("Send yourself a test message"),
            N_("It shows that e-mail leaves and arrives."),
            tested,
        ),
        Step(
            "telegram",
            N_("Set up Telegram"),
            N_("Ask @BotFather for a bot, then whoever runs the server writes its key into the setting."),
            Channel.TELEGRAM in ways,
            command=settings.format("TELEGRAM_TOKEN"),
            needed=False,
        ),
        Step(
            "pec",
            N_("Set up certified e-mail (PEC)"),
            N_("Only if the office writes and receives by PEC."),
            Channel.PEC in ways,
            command=settings.format("PEC_SMTP_URL"),
            needed=False,
        ),
    )


def _beginnings(now: Begun, office: tuple[str, str]) -> Sequence[Step]:
    return (
        Step(
            "staff",
            N_("Add your colleagues"),
            N_("Officers, volunteers, readers: each gets a link with which to choose a password."),
            now.staff,
            *office,
        ),
        Step(
            "projects",
            N_("Bring the projects in"),
            N_("From a CSV or Excel file, by the command below. With --dry-run everything is only checked."),
            now.projects,
            "/desk/projects",
            N_("See the projects"),
            "raccordo import projects progetti.csv --dry-run",
        ),
        Step(
            "referents",
            N_("Register the referents"),
            N_("One by one here, or all of them from a file. Then invite them."),
            now.referents,
            "/desk/referents/new",
            N_("Add a referent"),
        ),
        Step(
            "deadlines",
            N_("Set the first deadline"),
            N_("Before anything is kept you see whom it concerns and when they are reminded."),
            now.deadlines,
            "/desk/deadlines/new",
            N_("Make a deadline"),
        ),
    )
