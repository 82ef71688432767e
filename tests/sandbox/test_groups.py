"""Groups: who is in them, what the bot hears there, and why it may no longer write."""

from typing import Any

import httpx
import pytest

from sandbox.telegram import CannotDo, Group, Person, Status, TelegramSandbox
from tests.sandbox.conftest import TOKEN, Caller

BOT = 123456


@pytest.fixture
def group(telegram: TelegramSandbox, ada: Person) -> Group:
    group = telegram.add_group(-5, "Ufficio")
    group.admit(ada.user, Status.CREATOR)
    return group


async def news(call: Caller) -> list[dict[str, Any]]:
    updates: list[dict[str, Any]] = (await call("getUpdates"))["result"]
    return updates


async def test_people_speak_in_a_group_and_the_bot_answers_there(call: Caller, ada: Person, group: Group) -> None:
    asked = ada.sends("chi risponde?", to=group)
    (update,) = await news(call)
    await call("sendMessage", chat_id=-5, text="io", reply_parameters={"message_id": asked.id})

    assert update["message"]["chat"] == {"id": -5, "type": "group", "title": "Ufficio"}
    assert update["message"]["from"]["id"] == ada.id
    assert (group.last.text, group.last.reply_to) == ("io", asked.id)
    assert ada.chat == []


async def test_a_member_hears_only_what_is_meant_for_it(call: Caller, telegram: TelegramSandbox, ada: Person) -> None:
    group = telegram.add_group(-6, "Chiacchiere", bot_is=Status.MEMBER)
    said = (await call("sendMessage", chat_id=-6, text="eccomi"))["result"]["message_id"]
    ada.sends("tra noi", to=group)
    ada.sends_voice(to=group)
    ada.sends("/altro@AltroBot", to=group)
    ada.sends("/aiuto", to=group)
    ada.sends("/aiuto@RaccordoEsempioBot", to=group)
    ada.sends("a te", said, to=group)

    assert [update["message"]["text"] for update in await news(call)] == [
        "/aiuto",
        "/aiuto@RaccordoEsempioBot",
        "a te",
    ]


@pytest.mark.parametrize(("chat_id", "kind"), [(-5, "group"), (-1_000_000_000_005, "supergroup")])
async def test_a_bot_thrown_out_is_told_so(
    call: Caller, telegram: TelegramSandbox, ada: Person, chat_id: int, kind: str
) -> None:
    group = telegram.add_group(chat_id, "Ufficio")
    group.kicks_bot(ada.user)
    ada.sends("/soli", to=group)

    kicked = await call("sendMessage", chat_id=chat_id, text="x")
    (update,) = await news(call)
    group.bot_becomes(Status.MEMBER, ada.user)
    back = await call("sendMessage", chat_id=chat_id, text="x")
    group.bot_becomes(Status.LEFT, ada.user)
    outside = await call("sendMessage", chat_id=chat_id, text="x")

    assert (kicked["error_code"], kicked["description"]) == (403, f"Forbidden: bot was kicked from the {kind} chat")
    change = update["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("administrator", "kicked")
    assert change["new_chat_member"]["until_date"] == 0
    assert back["ok"]
    assert outside["description"] == f"Forbidden: bot is not a member of the {kind} chat"


async def test_an_upgraded_group_names_the_new_one(
    call: Caller, telegram: TelegramSandbox, ada: Person, group: Group
) -> None:
    supergroup = telegram.upgrade_group(group, ada)

    refused = await call("sendMessage", chat_id=-5, text="x")
    to, from_ = (update["message"] for update in await news(call))
    sent = await call("sendMessage", chat_id=refused["parameters"]["migrate_to_chat_id"], text="x")

    assert refused == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -1_000_000_000_005},
    }
    assert (to["chat"]["id"], to["migrate_to_chat_id"]) == (-5, supergroup.id)
    assert (from_["chat"]["id"], from_["migrate_from_chat_id"]) == (supergroup.id, -5)
    assert sent["result"]["chat"]["type"] == "supergroup"
    assert supergroup.status_of(ada.id) is Status.CREATOR
    with pytest.raises(CannotDo):
        ada.sends("dove siete?", to=group)


async def test_who_is_in_a_group(call: Caller, telegram: TelegramSandbox, ada: Person, group: Group) -> None:
    bruno = telegram.add_person(1002, "Bruno")
    carla = telegram.add_person(1003, "Carla")
    carla.sends("ci sono", to=group)

    asked = [ada.id, bruno.id, carla.id, BOT]
    statuses = [(await call("getChatMember", chat_id=-5, user_id=who))["result"]["status"] for who in asked]
    leading = (await call("getChatAdministrators", chat_id=-5))["result"]
    count = (await call("getChatMemberCount", chat_id=-5))["result"]

    assert statuses == ["creator", "left", "member", "administrator"]
    assert [member["user"]["id"] for member in leading] == [ada.id, BOT]
    assert leading[1]["can_manage_topics"] is True
    assert count == 3
    assert (await call("getChatMember", chat_id=ada.id, user_id=ada.id))["result"]["status"] == "member"


async def test_what_may_not_be_asked_of_members(call: Caller, ada: Person, group: Group) -> None:
    unknown = await call.error("getChatMember", chat_id=-5, user_id=77)
    nobody = await call.error("getChatMember", chat_id=-5)
    private = await call.error("getChatAdministrators", chat_id=ada.id)

    assert unknown == "Bad Request: user not found"
    assert nobody == "Bad Request: invalid user_id specified"
    assert private == "Bad Request: there are no administrators in the private chat"


async def test_the_bot_leaves_by_itself(call: Caller, group: Group) -> None:
    await call("leaveChat", chat_id=-5)

    assert await call.error("sendMessage", chat_id=-5, text="x") == "Forbidden: bot is not a member of the group chat"


async def test_only_an_administrator_deletes_what_others_wrote(
    call: Caller, telegram: TelegramSandbox, ada: Person, group: Group
) -> None:
    as_member = telegram.add_group(-6, "Chiacchiere", bot_is=Status.MEMBER)

    refused = await call.error("deleteMessage", chat_id=-6, message_id=ada.sends("mio", to=as_member).id)
    deleted = await call("deleteMessage", chat_id=-5, message_id=ada.sends("mio", to=group).id)

    assert refused == "Bad Request: message can't be deleted"
    assert deleted["result"] is True


async def test_a_button_is_pressed_in_a_group(call: Caller, ada: Person, group: Group) -> None:
    markup = {"inline_keyboard": [[{"text": "prendo io", "callback_data": "take"}]]}
    shown = (await call("sendMessage", chat_id=-5, text="domanda", reply_markup=markup))["result"]["message_id"]
    press = ada.presses(shown, "take", to=group)
    (update,) = await news(call)
    await call("answerCallbackQuery", callback_query_id=update["callback_query"]["id"], text="tua")

    assert update["callback_query"]["message"]["chat"]["id"] == -5
    assert (press.answered, press.text) == (True, "tua")


async def test_an_account_that_is_gone(call: Caller, ada: Person) -> None:
    ada.deletes_account()

    refused = await call("sendMessage", chat_id=ada.id, text="x")

    assert (refused["error_code"], refused["description"]) == (403, "Forbidden: user is deactivated")
    with pytest.raises(CannotDo):
        ada.sends("x")


async def test_groups_are_played_over_http(web: httpx.AsyncClient, telegram: TelegramSandbox, ada: Person) -> None:
    made = {"chat_id": -9, "title": "Gruppo", "members": {str(ada.id): "creator"}}
    await web.post("/sandbox/groups", json=made)
    sent = await web.post(f"/sandbox/people/{ada.id}/send", json={"text": "ciao", "to": -9})
    await web.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": -9, "text": "salve"})
    chat = (await web.get("/sandbox/groups/-9/chat")).json()
    upgraded = (await web.post("/sandbox/groups/-9/upgrade", json={"by": ada.id})).json()
    kicked = (await web.post(f"/sandbox/groups/{upgraded['id']}/bot", json={"status": "kicked", "by": ada.id})).json()
    nobody = await web.post("/sandbox/groups/-9/bot", json={"status": "kicked", "by": 77})
    nowhere = await web.post(f"/sandbox/people/{ada.id}/send", json={"text": "x", "to": -77})
    await web.post(f"/sandbox/people/{ada.id}/delete-account")

    assert [message["raw"]["text"] for message in chat["messages"]] == ["ciao", "salve"]
    assert sent.json()["raw"]["chat"]["id"] == -9
    assert (upgraded["type"], kicked["bot_is"]) == ("supergroup", "kicked")
    assert (nobody.status_code, nowhere.status_code) == (409, 409)
    assert ada.deactivated
    assert [group["id"] for group in (await web.get("/sandbox/groups")).json()["groups"]] == [-9, upgraded["id"]]
