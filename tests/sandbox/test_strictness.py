"""What Telegram refuses, with Telegram's words."""

from typing import Any

import httpx
import pytest

from sandbox.entities import parse_html
from sandbox.telegram import Fault, Person, TelegramSandbox
from tests.sandbox.conftest import TOKEN, Caller

UNPARSED = "Bad Request: can't parse entities: "
BUTTON = "Bad Request: can't parse inline keyboard button: "
LONG = "Bad Request: message is too long"


def keyboard(*buttons: Any) -> dict[str, Any]:
    return {"inline_keyboard": [list(buttons)]}


@pytest.mark.parametrize(
    ("html", "error"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("è <br>", 'Unsupported start tag "br" at byte offset 3'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<a href", 'Unclosed start tag "a" at byte offset 0'),
        ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=x/>y</a>", "Unexpected end of name token at byte offset 8"),
        ('<tg-emoji emoji-id="x">y</tg-emoji>', "Invalid custom emoji identifier specified"),
    ],
)
async def test_html_that_telegram_cannot_parse_is_refused(call: Caller, ada: Person, html: str, error: str) -> None:
    assert await call.error("sendMessage", chat_id=ada.id, text=html, parse_mode="HTML") == UNPARSED + error


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"text": ""}, "Bad Request: message text is empty"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "Bad Request: message text is empty"),
        ({"text": "x" * 4097}, LONG),
        ({"text": "😀" * 2049}, LONG),
        ({"text": "x", "parse_mode": "Word"}, "Bad Request: unsupported parse_mode"),
        ({"text": "x", "chat_id": 404}, "Bad Request: chat not found"),
        ({"text": "x", "chat_id": None}, "Bad Request: chat_id is empty"),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "Bad Request: message to be replied not found"),
        ({"text": "x", "reply_markup": "{"}, "Bad Request: can't parse reply markup JSON object"),
    ],
)
async def test_messages_that_telegram_refuses(call: Caller, ada: Person, params: dict[str, Any], error: str) -> None:
    assert await call.error("sendMessage", **{"chat_id": ada.id, **params}) == error
    assert ada.chat == []


@pytest.mark.parametrize(
    ("button", "error"),
    [
        ({"text": "x", "callback_data": "è" * 33}, "Bad Request: BUTTON_DATA_INVALID"),
        ({"text": "x"}, BUTTON + "Text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "callback_data": ""}, BUTTON + "Text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "callback_data": "d", "url": "https://a.it"}, "Bad Request: BUTTON_TYPE_INVALID"),
        ({"text": " ", "callback_data": "d"}, "Bad Request: BUTTON_TEXT_INVALID"),
        ({"callback_data": "d"}, BUTTON + 'Can\'t find field "text"'),
        (
            {"text": "x", "url": "http://localhost:8000/r"},
            "Bad Request: inline keyboard button URL 'http://localhost:8000/r' is invalid: Wrong HTTP URL",
        ),
    ],
)
async def test_buttons_that_telegram_refuses(call: Caller, ada: Person, button: dict[str, str], error: str) -> None:
    assert await call.error("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard(button)) == error


async def test_a_hundred_buttons_pass_and_one_more_does_not(call: Caller, ada: Person) -> None:
    buttons = [[{"text": str(n), "callback_data": str(n)}] for n in range(101)]

    fits = await call("sendMessage", chat_id=ada.id, text="x", reply_markup={"inline_keyboard": buttons[:100]})
    error = await call.error("sendMessage", chat_id=ada.id, text="x", reply_markup={"inline_keyboard": buttons})

    assert fits["ok"]
    assert error == "Bad Request: reply markup is too long"


async def test_limits_of_length_count_what_is_shown(call: Caller, ada: Person) -> None:
    html = "<b>" + "&lt;" * 4096 + "</b>"

    sent = await call("sendMessage", chat_id=ada.id, text=html, parse_mode="HTML")

    assert len(sent["result"]["text"]) == 4096


async def test_edits_that_telegram_refuses(call: Caller, ada: Person) -> None:
    mine = ada.sends("ciao")
    theirs = (await call("sendMessage", chat_id=ada.id, text="<b>sì</b>", parse_mode="HTML"))["result"]["message_id"]

    same = await call.error("editMessageText", chat_id=ada.id, message_id=theirs, text="<b>sì</b>", parse_mode="HTML")
    foreign = await call.error("editMessageText", chat_id=ada.id, message_id=mine.id, text="no")
    missing = await call.error("editMessageText", chat_id=ada.id, message_id=99, text="no")
    unmarked = await call.error("editMessageReplyMarkup", chat_id=ada.id, message_id=theirs)
    changed = await call("editMessageText", chat_id=ada.id, message_id=theirs, text="sì")

    assert same.startswith("Bad Request: message is not modified: specified new message content")
    assert foreign == "Bad Request: message can't be edited"
    assert missing == "Bad Request: message to edit not found"
    assert unmarked == same
    assert changed["ok"]
    assert ada.last.edited


async def test_a_blocked_bot_is_told_so_until_unblocked(call: Caller, ada: Person) -> None:
    ada.blocks()

    refused = await call("sendMessage", chat_id=ada.id, text="ciao")
    ada.unblocks()
    sent = await call("sendMessage", chat_id=ada.id, text="ciao")

    assert (refused["error_code"], refused["description"]) == (403, "Forbidden: bot was blocked by the user")
    assert sent["ok"]


async def test_a_bot_cannot_write_first(call: Caller, telegram: TelegramSandbox) -> None:
    bruno = telegram.add_person(1002, "Bruno")

    before = await call.error("sendMessage", chat_id=bruno.id, text="ciao")
    bruno.sends("/start")

    assert before == "Bad Request: chat not found"
    assert (await call("sendMessage", chat_id=bruno.id, text="ciao"))["ok"]


async def test_callback_queries_can_be_answered_for_a_minute(
    call: Caller, ada: Person, telegram: TelegramSandbox
) -> None:
    await call("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard({"text": "ok", "callback_data": "d"}))
    press = ada.presses_label("ok")

    unknown = await call.error("answerCallbackQuery", callback_query_id="7")
    answered = await call("answerCallbackQuery", callback_query_id=press.query_id, text="fatto")
    telegram.world.clock.now += 61  # type: ignore[attr-defined] # the fixture's own clock
    late = await call.error("answerCallbackQuery", callback_query_id=press.query_id)

    assert unknown == late == ("Bad Request: query is too old and response timeout expired or query ID is invalid")
    assert answered["ok"]
    assert (press.answered, press.text) == (True, "fatto")


async def test_wrong_token_and_unknown_method(call: Caller) -> None:
    assert await call("getMe", token="1:other") == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert await call("sendPigeon") == {"ok": False, "error_code": 404, "description": "Not Found"}


async def test_parameters_come_as_query_form_multipart_or_json(call: Caller, ada: Person) -> None:
    path = f"/bot{TOKEN}/sendmessage"
    markup = '{"inline_keyboard":[[{"text":"ok","callback_data":"d"}]]}'
    form = {"chat_id": str(ada.id), "text": "è", "reply_markup": markup}
    parts: dict[str, Any] = {name: (None, value.encode()) for name, value in form.items()}

    answers: list[httpx.Response] = [
        await call.client.get(path, params=form),
        await call.client.post(path, data=form),
        await call.client.post(path, files=parts),
        await call.client.post(path, json={**form, "chat_id": ada.id}),
    ]

    assert [answer.json()["result"]["text"] for answer in answers] == ["è"] * 4
    assert [message.labels for message in ada.chat] == [["ok"]] * 4


async def test_a_fault_answers_instead_of_the_method(call: Caller, ada: Person, telegram: TelegramSandbox) -> None:
    telegram.faults = lambda method, params: Fault(status=502, description="Bad Gateway")

    assert await call.error("sendMessage", chat_id=ada.id, text="x") == "Bad Gateway"
    assert ada.chat == []


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("&lt;b&gt; &amp; &quot;x&quot; &nbsp; & &#233;&#x1F600;", '<b> & "x" &nbsp; & é😀', []),
        ("😀 <b>x</b>", "😀 x", [("bold", 3, 1)]),
        ("\n <i>a <b>b</b></i> \n", "a b", [("italic", 0, 3), ("bold", 2, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ('<a href="http://a.it/?a=1&amp;b=2">x</a>', "x", [("text_link", 0, 1)]),
        ('<a href="http://localhost/">x</a>', "x", []),
        ('<span class="tg-spoiler">x</span><TG-SPOILER>y</TG-SPOILER>', "xy", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
    ],
)
def test_html_becomes_text_and_entities(html: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    plain, found = parse_html(html)

    assert plain == text
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in found] == entities
