"""A strict Telegram Bot API server in one ASGI app; refuses what Telegram refuses, with its error texts and limits.

`telegram.app` serves `/bot<token>/<method>` and `/file/bot<token>/<path>`, and nothing else. People are played in
process (`add_person`) or by the control pages. All of it belongs to one event loop; `person.sends` and friends may be
called from any thread.
"""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.botside import BotSide
from sandbox.faults import Drop, Fault, Faults
from sandbox.groups import SUPERGROUP, Status
from sandbox.ledger import EntryKind, Ledger
from sandbox.limits import Limits
from sandbox.methods import METHODS
from sandbox.people import CannotDo, Group, Message, Person, Press, World
from sandbox.posting import Posting
from sandbox.wire import Json, Params, Receive, Refusal, Scope, Send, answer, answer_bytes, hang_up, read_params

__all__ = ["CannotDo", "Drop", "Fault", "Group", "Message", "Person", "Press", "Status", "TelegramSandbox"]

ADDRESS = re.compile(r"(?P<file>/file)?/bot(?P<token>[^/]+)/(?P<rest>.*)", re.DOTALL)
DOWNLOAD = "download"  # how a download is called in the ledger and in fault rules


class TelegramSandbox:
    """One bot, its people and its ledger. `faults` may be set at any time."""

    def __init__(
        self,
        token: str,
        *,
        username: str = "RaccordoEsempioBot",
        limits: bool = True,
        clock: Callable[[], float] = time.time,
        ledger_path: Path | None = None,
    ) -> None:
        number = token.partition(":")[0]
        user: Json = {"id": int(number) if number.isdecimal() else 999, "is_bot": True}
        user |= {"first_name": "Raccordo (esempio)", "username": username}
        self.token, self.username = token, username
        self.ledger = Ledger(ledger_path)
        self.world = World(clock, self.ledger, user)
        self.bot = BotSide(self.world, Limits() if limits else None)
        self.faults: Faults | None = None
        self.closing = False

    @property
    def people(self) -> dict[int, Person]:
        return self.bot.people

    @property
    def pending(self) -> int:
        """How many updates the bot has not confirmed yet."""
        return len(self.world.updates.pending)

    def add_person(
        self,
        user_id: int,
        first_name: str,
        last_name: str = "",
        *,
        username: str = "",
        language_code: str = "it",
        started: bool = False,
    ) -> Person:
        """A new person, or the one who has this id already. `started=True`: they wrote to the bot in the past."""
        if user_id not in self.people:
            details = {"last_name": last_name, "username": username, "language_code": language_code}
            self.people[user_id] = Person(self.world, user_id, first_name, **details)
        self.people[user_id].started |= started
        return self.people[user_id]

    def add_group(
        self, chat_id: int, title: str, *, forum: bool = False, bot_is: Status = Status.ADMINISTRATOR
    ) -> Group:
        """A group with the bot in it; `chat_id` is negative, of a supergroup (which a forum is) at most -10**12."""
        group = self.bot.groups[chat_id] = Group(self.world, chat_id, title, forum=forum, bot_is=bot_is)
        return group

    def upgrade_group(self, group: Group, by: Person) -> Group:
        """The group becomes a supergroup with a new id, and says so in both; writing to the old one is refused."""
        supergroup = self.add_group(SUPERGROUP - abs(group.id), group.title, bot_is=group.bot_is)
        supergroup.members = dict(group.members)
        group.serve({"migrate_to_chat_id": supergroup.id}, by.user)
        group.upgraded_to = supergroup.id
        supergroup.serve({"migrate_from_chat_id": group.id}, by.user)
        return supergroup

    @property
    def posting(self) -> Posting:
        """How updates are posted to a webhook: pauses, and what goes wrong on purpose. May be replaced at any time."""
        return self.world.poster.posting

    @posting.setter
    def posting(self, posting: Posting) -> None:
        self.world.poster.posting = posting

    def expire(self, file_id: str) -> None:
        """From now on Telegram does not give this file any more. Raises KeyError when there is no such file."""
        self.world.files.expire(file_id)

    def push_raw(self, update: Json) -> int:
        """Any odd update; gets the next `update_id` unless it brings one."""
        return self.world.updates.push_raw(update)

    async def wait_for(self, ready: Callable[[], Any], timeout: float = 30.0) -> Any:
        """Looks again whenever a chat, an update or a call changes something; TimeoutError after `timeout` seconds."""
        return await self.world.bell.wait_for(ready, timeout)

    async def wait_for_calls(self, method: str, count: int = 1, *, timeout: float = 30.0) -> None:
        await self.wait_for(lambda: len(self.ledger.calls(method)) >= count, timeout)

    async def wait_until_confirmed(self, timeout: float = 30.0) -> None:
        """Until the bot has confirmed every update queued so far."""
        await self.wait_for(lambda: not self.pending, timeout)

    def close(self) -> None:
        """Ends long polls, posts and waits, so that the server can stop at once; closes the ledger's file."""
        self.closing = True
        self.world.poster.stop()
        self.world.updates.release()
        self.world.bell.ring()
        self.ledger.close()

    @property
    def app(self) -> "TelegramSandbox":
        """The ASGI app: the sandbox itself (a bound method would look like ASGI 2 to uvicorn)."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _lifespan(scope, receive, send)
            return
        try:
            name, params = await self._read(scope, receive)
        except Refusal as refusal:
            self._record("", Params({}), status=refusal.status, description=refusal.description)
            await answer(send, refusal.body(), refusal.status)
            return
        fault = self.faults(name, params.values) if self.faults else None
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.drop is Drop.BEFORE:
            await hang_up(receive, send)
            return
        status, body = await self._call(name, params, receive, fault)
        lost = fault is not None and fault.drop is Drop.AFTER
        if isinstance(body, bytes):
            await answer_bytes(send, body, len(body) // 2 if lost else None)
        elif not lost:
            await answer(send, body, status)
        if lost:
            await hang_up(receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> tuple[str, Params]:
        """The method called and its parameters; raises Refusal."""
        address = ADDRESS.search(scope["path"])
        if address is None:
            raise Refusal(404, "Not Found")
        if address["token"] != self.token:
            raise Refusal(401, "Unauthorized")
        if address["file"]:
            return DOWNLOAD, Params({"file_path": address["rest"]})
        known = METHODS.get(address["rest"].lower())
        if known is None and address["rest"].lower() != "getupdates":
            raise Refusal(404, "Not Found")
        return known[0] if known else "getUpdates", await read_params(scope, receive)

    async def _call(self, name: str, params: Params, receive: Receive, fault: Fault | None) -> tuple[int, Json | bytes]:
        """Does what was asked and writes it down; the HTTP status and what to answer."""
        try:
            if fault is not None and fault.status:
                raise fault.refusal()
            result = await self._do(name, params, receive)
        except Refusal as refusal:
            self._record(name, params, status=refusal.status, description=refusal.description)
            return refusal.status, refusal.body()
        if name == "getUpdates":
            self.world.bell.ring()
        else:
            result_id = result.get("message_id") if isinstance(result, dict) else None
            self._record(name, params, result_id=result_id, answered=fault is None or fault.drop is None)
        return 200, result if isinstance(result, bytes) else {"ok": True, "result": result}

    async def _do(self, name: str, params: Params, receive: Receive) -> Any:
        if name == "getUpdates":
            return await self.world.updates.hand_out(params, receive)
        if name == DOWNLOAD:
            return self.world.files.download(params.values["file_path"])
        return METHODS[name.lower()][1](self.bot, params)

    def _record(self, name: str, params: Params, **details: Any) -> None:
        chat_id = str(params.values.get("chat_id"))
        known = int(chat_id) if chat_id.lstrip("-").isdecimal() else None
        at = self.world.clock()
        self.ledger.write(EntryKind.CALL, at, method=name, params=params.values, chat_id=known, **details)
        self.world.bell.ring()


async def _lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
