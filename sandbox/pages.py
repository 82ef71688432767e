"""Puts Bot API, control, chat page and mailbox page into one ASGI app; refuses to load anything from elsewhere."""

import re
from collections.abc import Awaitable, Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.control import control_routes
from sandbox.mail import Mail, MailSandbox
from sandbox.orders import as_json, wait_for_news
from sandbox.telegram import TelegramSandbox
from sandbox.wire import Receive, Scope, Send

HERE = Path(__file__).parent
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'self'; form-action 'self'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
INVITATION = re.compile(r"https://t\.me/\w+\?start=([A-Za-z0-9_-]{1,64})")
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]»'’]")
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True)


def linked(text: str) -> Markup:
    """The text, escaped, with its web addresses as links; an invitation opens in the simulated chat."""
    out, at = Markup(), 0
    for found in LINK.finditer(text):
        out += escape(text[at : found.start()]) + _link(found.group())
        at = found.end()
    return out + escape(text[at:])


def _link(url: str) -> Markup:
    invitation = INVITATION.fullmatch(url)
    if invitation is None:
        return Markup('<a href="{0}" target="_blank" rel="noreferrer">{0}</a>').format(url)
    link = Markup('<a href="/sandbox/chat?start={}">{}</a> <em>(si apre nella chat simulata)</em>')
    return link.format(invitation[1], url)


templates.filters["linked"] = linked
templates.filters["name"] = lambda address: parseaddr(address)[0] or parseaddr(address)[1] or address


def page(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(templates.get_template(template).render(**values), status, headers=HEADERS)


class ChatPages:
    """A phone-like chat for each person."""

    def __init__(self, telegram: TelegramSandbox) -> None:
        self.telegram = telegram

    async def first(self, request: Request) -> Response:
        """To the first person; with an invitation (`?start=`) to the first who has not spoken with the bot yet."""
        query = f"?{request.url.query}" if request.url.query else ""
        people = sorted(self.telegram.people.values(), key=lambda person: person.started and bool(query))
        if not people:
            return page("nobody.html", 404, missing=None)
        return RedirectResponse(f"/sandbox/chat/{people[0].id}{query}", 303)

    async def chat(self, request: Request) -> Response:
        person = self.telegram.people.get(request.path_params["person"])
        if person is None:
            return page("nobody.html", 404, missing=request.path_params["person"])
        start = request.query_params.get("start", "")
        payload = start if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", start) else ""
        bot = self.telegram.world.bot
        return page("chat.html", person=person, people=self.telegram.people.values(), bot=bot, payload=payload)


class MailPages:
    """The mailbox: a list, one mail, its source."""

    def __init__(self, mail: MailSandbox) -> None:
        self.mail = mail

    async def inbox(self, request: Request) -> Response:
        to = request.query_params.get("to", "").strip()
        mails = self.mail.to(to) if to else self.mail.messages
        return page("mail.html", mails=mails[::-1], to=to, last=len(self.mail.messages))

    async def one(self, request: Request) -> Response:
        mail = self._find(request)
        return page("mail_one.html", mail=mail) if mail else page("mail_gone.html", 404)

    async def source(self, request: Request) -> Response:
        mail = self._find(request)
        if mail is None:
            return page("mail_gone.html", 404)
        return PlainTextResponse(mail.raw.decode("utf-8", "replace"), headers=HEADERS)

    async def as_json(self, request: Request) -> Response:
        """`?after=` a number, `&wait=` seconds to wait for something newer."""
        after = int(request.query_params.get("after", 0))
        await wait_for_news(self.mail.bell, lambda: self.mail.closing or len(self.mail.messages) > after, request)
        if self.mail.closing:
            return as_json({"error": "The sandbox is closing"}, 409)
        return as_json({"mails": [_mail_json(mail) for mail in self.mail.messages[after:]]})

    def _find(self, request: Request) -> Mail | None:
        number = request.path_params["number"]
        return self.mail.messages[number - 1] if 1 <= number <= len(self.mail.messages) else None


def _mail_json(mail: Mail) -> dict[str, Any]:
    names = ("number", "mail_from", "recipients", "subject", "sender", "message_id", "text", "html", "attachments")
    return {**{name: getattr(mail, name) for name in names}, "received": mail.received}


def sandbox_routes(telegram: TelegramSandbox, mail: MailSandbox | None = None) -> list[BaseRoute]:
    """Everything under /sandbox, to be put among the routes of another app; `/bot...` is not in it."""
    chat = ChatPages(telegram)
    routes: list[BaseRoute] = [
        *control_routes(telegram),
        Route("/sandbox/chat", chat.first),
        Route("/sandbox/chat/{person:int}", chat.chat),
        Mount("/sandbox/static", StaticFiles(directory=HERE / "static")),
    ]
    if mail is None:
        return routes
    box = MailPages(mail)
    return [
        *routes,
        Route("/sandbox/mail", box.inbox),
        Route("/sandbox/mail.json", box.as_json),
        Route("/sandbox/mail/{number:int}", box.one),
        Route("/sandbox/mail/{number:int}/source", box.source),
    ]


def sandbox_app(
    telegram: TelegramSandbox, mail: MailSandbox | None = None, *, otherwise: AsgiApp | None = None
) -> AsgiApp:
    """One ASGI app: /bot..., /file/bot... and /sandbox... are ours, the rest (and the lifespan) goes to `otherwise`."""
    pages = Starlette(routes=sandbox_routes(telegram, mail))
    bot = f"/bot{telegram.token.partition(':')[0]}" if otherwise else "/bot"
    api = (bot, f"/file{bot}")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(api):
            await telegram(scope, receive, send)
        elif otherwise is None or path.startswith("/sandbox"):
            await pages(scope, receive, send)
        else:
            await otherwise(scope, receive, send)

    return app
