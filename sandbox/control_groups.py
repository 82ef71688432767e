"""Lets another process make groups, and change them as their people would: see docs/sandbox.md."""

from starlette.requests import Request
from starlette.routing import Route

from sandbox.groups import Group, Status
from sandbox.orders import message_json, read_json, routes_of, wait_for_news
from sandbox.people import CannotDo
from sandbox.telegram import TelegramSandbox
from sandbox.wire import Json


def group_of(telegram: TelegramSandbox, request: Request) -> Group:
    group = telegram.bot.groups.get(int(request.path_params["group"]))
    if group is None:
        raise CannotDo("There is no such group; add it with POST /sandbox/groups")
    return group


def user_of(telegram: TelegramSandbox, given: Json) -> Json:
    """Who does it: the person that `by` names."""
    if given["by"] not in telegram.people:
        raise CannotDo("There is no such person; add them with POST /sandbox/people")
    return telegram.people[given["by"]].user


def group_json(group: Group) -> Json:
    topics = [
        {"message_thread_id": topic.thread, "name": topic.name, "closed": topic.closed}
        for topic in group.topics.values()
    ]
    members = {str(user_id): status for user_id, (_user, status) in group.members.items()}
    return {**group.described(), "bot_is": group.bot_is, "members": members, "topics": topics}


async def add_group(telegram: TelegramSandbox, request: Request) -> Json:
    """{chat_id, title, forum?, bot_is?, members?: {user id: status}}; of a person added before."""
    given = await read_json(request)
    bot_is = Status(given.get("bot_is", Status.ADMINISTRATOR))
    group = telegram.add_group(given["chat_id"], given["title"], forum=given.get("forum", False), bot_is=bot_is)
    for user_id, status in given.get("members", {}).items():
        group.admit(telegram.people[int(user_id)].user, Status(status))
    return group_json(group)


async def list_groups(telegram: TelegramSandbox, request: Request) -> Json:
    return {"groups": [group_json(group) for group in telegram.bot.groups.values()]}


async def chat(telegram: TelegramSandbox, request: Request) -> Json:
    """`?after=` a version, `&wait=` seconds to wait for something newer (25 at most)."""
    group, after = group_of(telegram, request), int(request.query_params.get("after", 0))
    await wait_for_news(telegram.world.bell, lambda: telegram.closing or group.version > after, request)
    messages = [message_json(message) for message in group.chat if message.version > after]
    gone = [message_id for message_id, version in group.gone.items() if version > after]
    return {**group_json(group), "version": group.version, "messages": messages, "deleted": gone}


async def change_bot(telegram: TelegramSandbox, request: Request) -> Json:
    """{status: kicked, left, member or administrator, by}: somebody takes the bot in, promotes it, throws it out."""
    group, given = group_of(telegram, request), await read_json(request)
    group.bot_becomes(Status(given["status"]), user_of(telegram, given))
    return group_json(group)


async def upgrade(telegram: TelegramSandbox, request: Request) -> Json:
    """{by}: the group becomes a supergroup with another id."""
    group, given = group_of(telegram, request), await read_json(request)
    user_of(telegram, given)
    return group_json(telegram.upgrade_group(group, telegram.people[given["by"]]))


async def open_topic(telegram: TelegramSandbox, request: Request) -> Json:
    """{name, by}."""
    group, given = group_of(telegram, request), await read_json(request)
    topic = group.opens_topic(given["name"], user_of(telegram, given))
    return {"message_thread_id": topic.thread, "name": topic.name}


async def change_topic(telegram: TelegramSandbox, request: Request) -> Json:
    """{do: close, reopen, delete or rename, by, name?}."""
    group, given = group_of(telegram, request), await read_json(request)
    topic, user = group.topic(request.path_params["thread"]), user_of(telegram, given)
    if given["do"] == "close":
        group.closes_topic(topic, user)
    elif given["do"] == "reopen":
        group.reopens_topic(topic, user)
    elif given["do"] == "rename":
        group.changes_topic(topic, user, name=given["name"])
    elif given["do"] == "delete":
        group.deletes_topic(topic)
    else:
        raise ValueError(given["do"])
    return group_json(group)


def group_routes(telegram: TelegramSandbox) -> list[Route]:
    return routes_of(
        telegram,
        [
            ("POST", "/sandbox/groups", add_group),
            ("GET", "/sandbox/groups", list_groups),
            ("GET", "/sandbox/groups/{group}/chat", chat),
            ("POST", "/sandbox/groups/{group}/bot", change_bot),
            ("POST", "/sandbox/groups/{group}/upgrade", upgrade),
            ("POST", "/sandbox/groups/{group}/topics", open_topic),
            ("POST", "/sandbox/groups/{group}/topics/{thread:int}", change_topic),
        ],
    )
