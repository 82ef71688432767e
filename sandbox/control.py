"""Lets another process play the people: JSON over HTTP under /sandbox. Refuses what a person could not do (409)."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.people import CannotDo, Message, Person, Press
from sandbox.telegram import Drop, Fault, TelegramSandbox
from sandbox.updates import Bell
from sandbox.wire import Json

LONGEST_WAIT = 25.0  # seconds
Handler = Callable[[TelegramSandbox, Request], Awaitable[Json]]


@dataclass(slots=True)
class FaultRule:
    """A fault for calls of one method ("" = any) and one chat (None = any): `times` times, every `every`-th call."""

    fault: Fault
    method: str = ""
    chat_id: int | None = None
    times: int | None = None
    every: int = 1
    seen: int = 0

    def strikes(self, method: str, params: Json) -> bool:
        if self.method not in {"", method} or self.times == 0:
            return False
        if self.chat_id is not None and str(params.get("chat_id")) != str(self.chat_id):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class FaultRules:
    """Rules in order, the first that strikes wins; to be set as `telegram.faults`."""

    rules: list[FaultRule] = field(default_factory=list)

    def __call__(self, method: str, params: Json) -> Fault | None:
        return next((rule.fault for rule in self.rules if rule.strikes(method, params)), None)


def read_rule(given: Json) -> FaultRule:
    """A rule from JSON: the names of FaultRule and Fault in one flat object."""
    when = {name: given[name] for name in ("method", "chat_id", "times", "every") if name in given}
    names = ("status", "description", "retry_after", "parameters", "delay")
    what = {name: given[name] for name in names if name in given}
    return FaultRule(Fault(**what, drop=Drop(given["drop"]) if given.get("drop") else None), **when)


def as_json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"cache-control": "no-store"})


def message_json(message: Message) -> Json:
    return {"id": message.id, "from_bot": message.from_bot, "version": message.version, "raw": message.raw}


def press_json(press: Press) -> Json:
    names = ("query_id", "message_id", "data", "answered", "text", "show_alert", "version")
    return {name: getattr(press, name) for name in names}


def chat_json(telegram: TelegramSandbox, person: Person, after: int) -> Json:
    """What changed in a chat since version `after`; the rest as it is now."""
    return {
        "version": person.version,
        "messages": [message_json(message) for message in person.chat if message.version > after],
        "presses": [press_json(press) for press in person.presses_made if press.version > after],
        "blocked": person.blocked,
        "started": person.started,
        "commands": telegram.bot.commands_for(person),
        "keyboard": (person.reply_keyboard or {}).get("keyboard", []),
    }


async def wait_for_news(bell: Bell, ready: Callable[[], bool], request: Request) -> None:
    """Waits while nothing is new, `?wait=` seconds at most."""
    wait = float(request.query_params.get("wait", 0))
    if wait > 0:
        with suppress(TimeoutError):  # nothing new is an answer too
            await bell.wait_for(ready, min(wait, LONGEST_WAIT))


def person_of(telegram: TelegramSandbox, request: Request) -> Person:
    person = telegram.people.get(request.path_params["person"])
    if person is None:
        raise CannotDo("There is no such person; add them with POST /sandbox/people")
    return person


async def _json(request: Request) -> Any:
    body = await request.body()
    return orjson.loads(body) if body else {}


async def add_people(telegram: TelegramSandbox, request: Request) -> Json:
    """One person, or a list of them: {user_id, first_name, last_name?, username?, language_code?, started?}."""
    given = await _json(request)
    added = [telegram.add_person(**person) for person in (given if isinstance(given, list) else [given])]
    return {"people": [person.user for person in added]}


async def list_people(telegram: TelegramSandbox, request: Request) -> Json:
    people = telegram.people.values()
    return {"people": [{**person.user, "started": person.started, "blocked": person.blocked} for person in people]}


async def send(telegram: TelegramSandbox, request: Request) -> Json:
    """{text, reply_to?} or {raw: update} or {document: name} or {photo: caption}."""
    person, given = person_of(telegram, request), await _json(request)
    if "raw" in given:
        return {"update_id": person.push_raw(given["raw"])}
    if "document" in given:
        return message_json(person.sends_document(given["document"], caption=given.get("caption", "")))
    if "photo" in given:
        return message_json(person.sends_photo(caption=given["photo"], media_group_id=given.get("album", "")))
    return message_json(person.sends(given["text"], given.get("reply_to")))


async def press(telegram: TelegramSandbox, request: Request) -> Json:
    """{message_id, data, stale?}; the answer of the bot comes with the chat."""
    person, given = person_of(telegram, request), await _json(request)
    return press_json(person.presses(given["message_id"], given["data"], stale=given.get("stale", False)))


async def edit(telegram: TelegramSandbox, request: Request) -> Json:
    person, given = person_of(telegram, request), await _json(request)
    return message_json(person.edits(given["message_id"], given["text"]))


async def block(telegram: TelegramSandbox, request: Request) -> Json:
    """{blocked: true} or {blocked: false}."""
    person, given = person_of(telegram, request), await _json(request)
    if given["blocked"] != person.blocked:
        (person.blocks if given["blocked"] else person.unblocks)()
    return {"blocked": person.blocked}


async def chat(telegram: TelegramSandbox, request: Request) -> Json:
    """`?after=` a version, `&wait=` seconds to wait for something newer (25 at most)."""
    person = person_of(telegram, request)
    after = int(request.query_params.get("after", 0))
    await wait_for_news(telegram.world.bell, lambda: telegram.closing or person.version > after, request)
    if telegram.closing:
        raise CannotDo("The sandbox is closing")
    return chat_json(telegram, person, after)


async def ledger(telegram: TelegramSandbox, request: Request) -> Json:
    """`?after=` an entry number, `&limit=` how many entries (1,000); `counts` are of the whole ledger."""
    after, limit = int(request.query_params.get("after", 0)), int(request.query_params.get("limit", 1000))
    entries = telegram.ledger.after(after, limit)
    return {
        "counts": telegram.ledger.counts(),
        "pending": telegram.pending,
        "entries": [asdict(entry) for entry in entries],
        "next": entries[-1].number if entries else after,
    }


async def push_updates(telegram: TelegramSandbox, request: Request) -> Json:
    """{updates: [...]}: raw updates, many at once."""
    given = await _json(request)
    return {"update_ids": [telegram.push_raw(update) for update in given["updates"]]}


async def set_faults(telegram: TelegramSandbox, request: Request) -> Json:
    """{rules: [...]} replaces all rules; an empty list ends all faults."""
    given = await _json(request)
    rules = [read_rule(rule) for rule in given.get("rules", [])]
    telegram.faults = FaultRules(rules) if rules else None
    return {"rules": len(rules)}


def _endpoint(telegram: TelegramSandbox, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return as_json(await handler(telegram, request))
        except CannotDo as refusal:
            return as_json({"error": str(refusal)}, 409)
        except (KeyError, TypeError, ValueError) as defect:
            return as_json({"error": f"Not understood: {defect!r}"}, 422)

    return endpoint


def control_routes(telegram: TelegramSandbox) -> list[Route]:
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/sandbox/people", add_people),
        ("GET", "/sandbox/people", list_people),
        ("POST", "/sandbox/people/{person:int}/send", send),
        ("POST", "/sandbox/people/{person:int}/press", press),
        ("POST", "/sandbox/people/{person:int}/edit", edit),
        ("POST", "/sandbox/people/{person:int}/block", block),
        ("GET", "/sandbox/people/{person:int}/chat", chat),
        ("GET", "/sandbox/ledger", ledger),
        ("POST", "/sandbox/updates", push_updates),
        ("POST", "/sandbox/faults", set_faults),
    ]
    return [Route(path, _endpoint(telegram, handler), methods=[method]) for method, path, handler in table]
