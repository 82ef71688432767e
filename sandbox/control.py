"""Lets another process play the people: JSON over HTTP under /sandbox. Refuses what a person could not do (409)."""

from dataclasses import asdict
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.control_groups import group_routes
from sandbox.faults import FaultRules, read_rule
from sandbox.orders import Handler, as_json, message_json, read_json, routes_of, wait_for_news
from sandbox.people import CannotDo, Person, Press
from sandbox.pictures import picture_type
from sandbox.posting import Posting
from sandbox.sent import change, group_to, read_sent, say
from sandbox.telegram import TelegramSandbox
from sandbox.wire import Json


def press_json(press: Press) -> Json:
    names = ("query_id", "message_id", "data", "answered", "text", "show_alert", "version")
    return {name: getattr(press, name) for name in names}


def chat_json(telegram: TelegramSandbox, person: Person, after: int) -> Json:
    """What changed in a chat since version `after`; the rest as it is now."""
    return {
        "version": person.version,
        "messages": [message_json(message) for message in person.chat if message.version > after],
        "deleted": [message_id for message_id, version in person.gone.items() if version > after],
        "presses": [press_json(press) for press in person.presses_made if press.version > after],
        "blocked": person.blocked,
        "started": person.started,
        "commands": telegram.bot.commands_for(person),
        "keyboard": (person.reply_keyboard or {}).get("keyboard", []),
    }


def person_of(telegram: TelegramSandbox, request: Request) -> Person:
    person = telegram.people.get(request.path_params["person"])
    if person is None:
        raise CannotDo("There is no such person; add them with POST /sandbox/people")
    return person


async def add_people(telegram: TelegramSandbox, request: Request) -> Json:
    """One person, or a list of them: {user_id, first_name, last_name?, username?, language_code?, started?}."""
    given = await read_json(request)
    added = [telegram.add_person(**person) for person in (given if isinstance(given, list) else [given])]
    return {"people": [person.user for person in added]}


async def list_people(telegram: TelegramSandbox, request: Request) -> Json:
    people = telegram.people.values()
    return {"people": [{**person.user, "started": person.started, "blocked": person.blocked} for person in people]}


async def send(telegram: TelegramSandbox, request: Request) -> Json:
    """What sandbox/sent.py reads, as JSON or as a form with files; of an album all messages."""
    person, given = person_of(telegram, request), await read_sent(request)
    if "raw" in given:
        return {"update_id": person.push_raw(given["raw"])}
    messages = [message_json(message) for message in say(person, given, telegram.bot.groups)]
    return messages[0] if len(messages) == 1 else {"messages": messages}


async def delete(telegram: TelegramSandbox, request: Request) -> Json:
    """{message_id, to?}: the person deletes it for everybody."""
    person, given = person_of(telegram, request), await read_json(request)
    person.deletes(given["message_id"], to=group_to(given, telegram.bot.groups))
    return {"deleted": given["message_id"]}


async def expire(telegram: TelegramSandbox, request: Request) -> Json:
    """{file_id}: Telegram does not give this file any more."""
    given = await read_json(request)
    telegram.expire(given["file_id"])
    return {"expired": given["file_id"]}


async def press(telegram: TelegramSandbox, request: Request) -> Json:
    """{message_id, data, stale?, to?}; the answer of the bot comes with the chat."""
    person, given = person_of(telegram, request), await read_json(request)
    group, stale = group_to(given, telegram.bot.groups), given.get("stale", False)
    return press_json(person.presses(given["message_id"], given["data"], stale=stale, to=group))


async def edit(telegram: TelegramSandbox, request: Request) -> Json:
    """{message_id, text?, to?}, of a file its caption; beside it a file as sandbox/sent.py reads it, also as a form."""
    person, given = person_of(telegram, request), await read_sent(request)
    return message_json(change(person, given, telegram.bot.groups))


async def block(telegram: TelegramSandbox, request: Request) -> Json:
    """{blocked: true} or {blocked: false}."""
    person, given = person_of(telegram, request), await read_json(request)
    if given["blocked"] != person.blocked:
        (person.blocks if given["blocked"] else person.unblocks)()
    return {"blocked": person.blocked}


async def file(telegram: TelegramSandbox, request: Request) -> Response:
    """The bytes of a file, whoever sent it: pictures to be looked at, all the rest to be saved."""
    found = telegram.world.files.get(request.path_params["file_id"])
    if found is None or found.content is None:
        return as_json({"error": "There is no such file, or only its size is known"}, 404)
    picture = picture_type(found.content)
    played = next((found.shown[kind]["mime_type"] for kind in ("voice", "video") if kind in found.shown), "")
    disposition = "inline" if picture or played else "attachment"
    headers = {
        "content-disposition": f"{disposition}; filename*=UTF-8''{quote(found.name or found.path.split('/')[-1])}"
    }
    headers |= {"x-content-type-options": "nosniff", "content-security-policy": "sandbox"}
    media_type = picture or played or "application/octet-stream"
    return Response(found.content, media_type=media_type, headers=headers)


async def delete_account(telegram: TelegramSandbox, request: Request) -> Json:
    """For ever: from now on the bot is told that this user is deactivated."""
    person_of(telegram, request).deletes_account()
    return {"deactivated": True}


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
    given = await read_json(request)
    return {"update_ids": [telegram.push_raw(update) for update in given["updates"]]}


async def set_faults(telegram: TelegramSandbox, request: Request) -> Json:
    """{rules: [...]} replaces all rules; an empty list ends all faults."""
    given = await read_json(request)
    rules = [read_rule(rule) for rule in given.get("rules", [])]
    telegram.faults = FaultRules(rules) if rules else None
    return {"rules": len(rules)}


async def set_posting(telegram: TelegramSandbox, request: Request) -> Json:
    """{first_pause?, longest_pause?, patience?, twice?, out_of_order?, held?, seed?}; the rest as it is by default."""
    telegram.posting = Posting(**await read_json(request))
    return {"posting": describe_posting(telegram)}


async def get_posting(telegram: TelegramSandbox, request: Request) -> Json:
    return {
        "posting": describe_posting(telegram),
        "webhook": asdict(webhook) if (webhook := telegram.bot.webhook) else None,
    }


def describe_posting(telegram: TelegramSandbox) -> Json:
    names = ("first_pause", "longest_pause", "patience", "twice", "out_of_order", "held", "seed")
    return {name: getattr(telegram.posting, name) for name in names}


def control_routes(telegram: TelegramSandbox) -> list[Route]:
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/sandbox/people", add_people),
        ("GET", "/sandbox/people", list_people),
        ("POST", "/sandbox/people/{person:int}/send", send),
        ("POST", "/sandbox/people/{person:int}/press", press),
        ("POST", "/sandbox/people/{person:int}/edit", edit),
        ("POST", "/sandbox/people/{person:int}/delete", delete),
        ("POST", "/sandbox/people/{person:int}/block", block),
        ("POST", "/sandbox/people/{person:int}/delete-account", delete_account),
        ("GET", "/sandbox/people/{person:int}/chat", chat),
        ("GET", "/sandbox/ledger", ledger),
        ("POST", "/sandbox/updates", push_updates),
        ("POST", "/sandbox/files/expire", expire),
        ("POST", "/sandbox/faults", set_faults),
        ("GET", "/sandbox/webhook", get_posting),
        ("POST", "/sandbox/webhook", set_posting),
    ]
    return [
        *routes_of(telegram, table),
        *group_routes(telegram),
        Route("/sandbox/files/{file_id}", partial(file, telegram)),
    ]
