"""Puts Bot API, control, chat page and mailbox page into one ASGI app; refuses to load anything from elsewhere."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.control import control_routes
from sandbox.correspondence import Correspondence
from sandbox.drawing import HEADERS, HERE, page
from sandbox.mail import Mail, MailSandbox
from sandbox.orders import as_json, wait_for_news
from sandbox.telegram import TelegramSandbox
from sandbox.wire import Receive, Scope, Send
from sandbox.writing import WritingPages

MOST_HANDED = 20  # mails that people wrote, in the list
AS_MAIL = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


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
    """The mailbox: a list, one mail, its source and its page. `post`: by which people write, when they can."""

    def __init__(self, mail: MailSandbox, post: Correspondence | None = None) -> None:
        self.mail, self.post = mail, post

    async def inbox(self, request: Request) -> Response:
        to = request.query_params.get("to", "").strip()
        mails = self.mail.to(to) if to else self.mail.messages
        return page(
            "mail.html",
            mails=mails[::-1],
            to=to,
            last=len(self.mail.messages),
            writes=self.post is not None,
            handed=self.post.handed[::-1][:MOST_HANDED] if self.post is not None else [],
            sent="sent" in request.query_params,
        )

    async def one(self, request: Request) -> Response:
        mail = self._find(request)
        return page("mail_one.html", mail=mail, writes=self.post is not None) if mail else page("mail_gone.html", 404)

    async def drawn(self, request: Request) -> Response:
        """As a mail program draws it: no scripts, nothing fetched."""
        mail = self._find(request)
        if mail is None or not mail.html:
            return page("mail_gone.html", 404)
        return HTMLResponse(mail.html, headers=HEADERS | {"content-security-policy": AS_MAIL})

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


def sandbox_routes(
    telegram: TelegramSandbox, mail: MailSandbox | None = None, post: Correspondence | None = None
) -> list[BaseRoute]:
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
    box = MailPages(mail, post)
    return [
        *routes,
        *(WritingPages(post).routes() if post is not None else ()),
        Route("/sandbox/mail", box.inbox),
        Route("/sandbox/mail.json", box.as_json),
        Route("/sandbox/mail/{number:int}", box.one),
        Route("/sandbox/mail/{number:int}/source", box.source),
        Route("/sandbox/mail/{number:int}/page", box.drawn),
    ]


def sandbox_app(
    telegram: TelegramSandbox,
    mail: MailSandbox | None = None,
    *,
    otherwise: AsgiApp | None = None,
    post: Correspondence | None = None,
) -> AsgiApp:
    """One ASGI app: /bot..., /file/bot... and /sandbox... are ours, the rest (and the lifespan) goes to `otherwise`."""
    pages = Starlette(routes=sandbox_routes(telegram, mail, post))
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
