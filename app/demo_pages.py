"""The demo's own page: three doors and a clock. Exists only in the demo; everything else goes to the desk."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from desk.house import DeskHouse
from desk.security import remember, sign_in_as, whence
from facts.dates import show_moment
from facts.languages import Language, speaking
from reminders.sweep import next_due

if TYPE_CHECKING:
    from app.demo import Demo

HERE = Path(__file__).parent
HEADERS = {
    "content-security-policy": "default-src 'self'; font-src 'self' data:; frame-ancestors 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
MOVES = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
JUST_AFTER = timedelta(seconds=1)

templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True)


class DemoPages:
    """`demo` is asked for when a page is: it exists only after its pages do."""

    def __init__(self, demo: "Callable[[], Demo]") -> None:
        self.demo = demo

    def _page(self, said: str = "", status: int = 200) -> Response:
        demo = self.demo()
        with demo.service.rooms.database.read() as session:
            due = next_due(session, demo.clock())
        zone = demo.service.settings.timezone
        values = {
            "_": speaking(Language.IT),
            "now": show_moment(demo.clock(), Language.IT, zone),
            "next_due": due and show_moment(due, Language.IT, zone),
            "people": demo.example.people,
            "said": said,
        }
        return HTMLResponse(templates.get_template("demo.html").render(**values), status, headers=HEADERS)

    def landing(self, request: Request) -> Response:
        return self._page()

    def desk(self, request: Request) -> Response:
        """Signs the example officer in; only here, where the database is thrown away."""
        demo = self.demo()
        with demo.service.rooms.database.write() as session:
            token = sign_in_as(session, demo.example.officer_id, demo.clock(), whence(request))
        response = RedirectResponse("/desk/questions", 303)
        remember(_house(demo), response, token)
        return response

    async def move(self, request: Request) -> Response:
        """Moves the clock ahead and lets the house notice at once."""
        if not _from_here(request):
            return Response(status_code=403)
        demo = self.demo()
        by = (await request.form()).get("by")
        if by == "next":
            due = await demo.service.rooms.database.look(lambda session: next_due(session, demo.clock()))
            if due is not None:
                demo.clock.advance(due - demo.clock() + JUST_AFTER)
        elif by in MOVES:
            demo.clock.advance(MOVES[str(by)])
        await demo.service.ticker.tick()
        if demo.service.dispatcher is not None:
            demo.service.dispatcher.wake()
        return RedirectResponse("/demo#orologio", 303)


def _house(demo: "Demo") -> DeskHouse:
    rooms, settings = demo.service.rooms, demo.service.settings
    return DeskHouse(rooms.database, demo.clock, rooms.links, settings.key, rooms.files)


def _from_here(request: Request) -> bool:
    """Whether our own page sent the form: a page elsewhere must not move the clock."""
    origin = request.headers.get("origin") or request.headers.get("referer") or ""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin" and (
        not origin or origin == "null" or urlsplit(origin).netloc == request.headers.get("host")
    )


def demo_pages(demo: "Callable[[], Demo]", otherwise: Any) -> Any:
    """An ASGI app: /demo is ours, the rest is handed on."""
    pages = DemoPages(demo)
    own = Starlette(
        routes=[
            Route("/demo", pages.landing),
            Route("/demo/desk", pages.desk),
            Route("/demo/clock", pages.move, methods=["POST"]),
            Mount("/demo/static", StaticFiles(directory=HERE / "static")),
        ]
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path == "/desk/sign-in" and scope.get("query_string"):
            # Sent here from a page: the clock was moved so far that the session ran out. There is no password here.
            await RedirectResponse("/demo/desk", 303)(scope, receive, send)
            return
        await (own if path == "/demo" or path.startswith("/demo/") else otherwise)(scope, receive, send)

    return app
