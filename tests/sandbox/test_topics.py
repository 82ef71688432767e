"""Topics of a forum: made by the bot, written in by people, closed and deleted by either."""

from typing import Any

import httpx
import pytest

from sandbox.telegram import CannotDo, Group, Person, Status, TelegramSandbox
from tests.sandbox.conftest import Caller

FORUM = -1_000_000_000_001
GONE = "Bad Request: message thread not found"


@pytest.fixture
def forum(telegram: TelegramSandbox) -> Group:
    return telegram.add_group(FORUM, "Personale", forum=True)


async def new_topic(call: Caller, name: str = "Domanda 1", **params: Any) -> int:
    made: dict[str, Any] = (await call("createForumTopic", chat_id=FORUM, name=name, **params))["result"]
    thread: int = made["message_thread_id"]
    return thread


async def news(call: Caller) -> list[dict[str, Any]]:
    return [update["message"] for update in (await call("getUpdates"))["result"]]


async def test_bot_and_people_talk_in_a_topic(call: Caller, ada: Person, forum: Group) -> None:
    thread = await new_topic(call)
    sent = (await call("sendMessage", chat_id=FORUM, message_thread_id=thread, text="Chi la prende?"))["result"]
    ada.sends("Io", to=forum, topic=thread)
    ada.sends("rispondo", sent["message_id"], to=forum)
    ada.sends("altrove", to=forum)

    first, second, outside = await news(call)

    assert (sent["message_thread_id"], sent["is_topic_message"]) == (thread, True)
    assert (first["message_thread_id"], first["is_topic_message"]) == (thread, True)
    assert first["reply_to_message"]["forum_topic_created"] == {"name": "Domanda 1", "icon_color": 0x6FB9F0}
    assert (second["message_thread_id"], second["reply_to_message"]["message_id"]) == (thread, sent["message_id"])
    assert "message_thread_id" not in outside


async def test_an_answer_goes_into_the_topic_of_what_it_answers(call: Caller, ada: Person, forum: Group) -> None:
    thread = await new_topic(call)
    asked = ada.sends("quando?", to=forum, topic=thread)
    answered = await call("sendMessage", chat_id=FORUM, text="domani", reply_parameters={"message_id": asked.id})

    assert answered["result"]["message_thread_id"] == thread
    assert answered["result"]["reply_to_message"]["message_id"] == asked.id


async def test_files_go_into_topics_too(call: Caller, ada: Person, forum: Group) -> None:
    thread = await new_topic(call)
    received = ada.sends_photo(to=forum, topic=thread)
    media = [{"type": "photo", "media": received.file_id}] * 2
    sent = await call("sendMediaGroup", chat_id=FORUM, message_thread_id=thread, media=media)

    assert received.thread == thread
    assert [message["message_thread_id"] for message in sent["result"]] == [thread, thread]


async def test_a_deleted_topic_takes_nothing_any_more(call: Caller, ada: Person, forum: Group) -> None:
    by_person, by_bot = await new_topic(call), await new_topic(call)
    ada.sends("ciao", to=forum, topic=by_person)
    forum.deletes_topic(forum.topic(by_person))
    await call("deleteForumTopic", chat_id=FORUM, message_thread_id=by_bot)

    for thread in (by_person, by_bot, 1, 999):
        assert await call.error("sendMessage", chat_id=FORUM, message_thread_id=thread, text="x") == GONE
    assert (
        await call.error("closeForumTopic", chat_id=FORUM, message_thread_id=by_bot) == "Bad Request: TOPIC_ID_INVALID"
    )
    assert forum.chat == []
    assert len(await news(call)) == 1
    with pytest.raises(CannotDo):
        ada.sends("x", to=forum, topic=by_person)


async def test_a_topic_is_closed_reopened_and_renamed(call: Caller, ada: Person, forum: Group) -> None:
    thread = await new_topic(call, icon_custom_emoji_id="77")
    there: dict[str, Any] = {"chat_id": FORUM, "message_thread_id": thread}

    await call("closeForumTopic", **there)
    closed_twice = await call.error("closeForumTopic", **there)
    with pytest.raises(CannotDo):
        ada.sends("x", to=forum, topic=thread)
    as_administrator = await call("sendMessage", **there, text="chiusa")
    await call("reopenForumTopic", **there)
    open_twice = await call.error("reopenForumTopic", **there)
    await call("editForumTopic", **there, name="Risolta", icon_custom_emoji_id="")
    same = await call.error("editForumTopic", **there, name="Risolta")

    assert closed_twice == open_twice == same == "Bad Request: TOPIC_NOT_MODIFIED"
    assert as_administrator["ok"]
    assert (forum.topic(thread).name, forum.topic(thread).emoji) == ("Risolta", "")
    services = [sorted(message.raw.keys() & {"forum_topic_closed", "forum_topic_edited"}) for message in forum.chat]
    assert [keys for keys in services if keys] == [["forum_topic_closed"], ["forum_topic_edited"]]
    assert await news(call) == []  # a bot is not told what it did itself


async def test_the_bot_is_told_what_people_do_with_topics(call: Caller, ada: Person, forum: Group) -> None:
    topic = forum.opens_topic("Nuovo", ada.user)
    forum.changes_topic(topic, ada.user, name="Rinominato")
    forum.closes_topic(topic, ada.user)
    forum.reopens_topic(topic, ada.user)

    told = await news(call)

    assert [next(key for key in message if key.startswith("forum_")) for message in told] == [
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
    ]
    assert {message["message_thread_id"] for message in told} == {topic.thread}


async def test_without_the_right_only_ones_own_topics_are_changed(call: Caller, ada: Person, forum: Group) -> None:
    mine, theirs = await new_topic(call), forum.opens_topic("Loro", ada.user).thread
    forum.bot_becomes(Status.MEMBER, ada.user)

    create = await call.error("createForumTopic", chat_id=FORUM, name="x")
    edit = await call.error("editForumTopic", chat_id=FORUM, message_thread_id=theirs, name="x")
    close = await call.error("closeForumTopic", chat_id=FORUM, message_thread_id=theirs)
    delete = await call.error("deleteForumTopic", chat_id=FORUM, message_thread_id=theirs)
    own = await call("closeForumTopic", chat_id=FORUM, message_thread_id=mine)
    write = await call.error("sendMessage", chat_id=FORUM, message_thread_id=mine, text="x")

    rights = "Bad Request: not enough rights to"
    assert create == f"{rights} create a topic"
    assert (edit, delete) == (f"{rights} edit the topic", f"{rights} delete the topic")
    assert close == f"{rights} close or open the topic"
    assert own["ok"]
    assert write == "Bad Request: TOPIC_CLOSED"


@pytest.mark.usefixtures("ada", "forum")
@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("createForumTopic", {"name": " "}, "title must be non-empty"),
        ("createForumTopic", {"name": "x", "icon_color": -1}, "invalid icon color specified"),
        ("editForumTopic", {"name": "x"}, "invalid message thread identifier specified"),
        ("reopenForumTopic", {"message_thread_id": 999}, "TOPIC_ID_INVALID"),
        ("createForumTopic", {"chat_id": -5, "name": "x"}, "the chat is not a forum"),
        ("sendMessage", {"chat_id": 1001, "message_thread_id": 5, "text": "x"}, "message thread not found"),
    ],
)
async def test_topics_that_telegram_refuses(
    call: Caller, telegram: TelegramSandbox, method: str, params: dict[str, Any], error: str
) -> None:
    telegram.add_group(-5, "Senza argomenti")

    assert await call.error(method, **{"chat_id": FORUM, **params}) == f"Bad Request: {error}"


async def test_a_long_name_is_cut(call: Caller, forum: Group) -> None:
    thread = await new_topic(call, "x" * 200)

    assert forum.topic(thread).name == "x" * 128


async def test_topics_are_played_over_http(web: httpx.AsyncClient, ada: Person) -> None:
    await web.post("/sandbox/groups", json={"chat_id": FORUM, "title": "Personale", "forum": True})
    topics = f"/sandbox/groups/{FORUM}/topics"
    thread = (await web.post(topics, json={"name": "Uno", "by": ada.id})).json()["message_thread_id"]
    sent = await web.post(f"/sandbox/people/{ada.id}/send", json={"text": "ciao", "to": FORUM, "topic": thread})
    states = [
        (await web.post(f"{topics}/{thread}", json={"do": do, "by": ada.id, "name": "Due"})).json()["topics"]
        for do in ("rename", "close", "reopen", "delete")
    ]
    again = await web.post(f"{topics}/{thread}", json={"do": "close", "by": ada.id})

    assert sent.json()["raw"]["message_thread_id"] == thread
    assert [[(topic["name"], topic["closed"]) for topic in state] for state in states] == [
        [("Due", False)],
        [("Due", True)],
        [("Due", False)],
        [],
    ]
    assert again.status_code == 409
