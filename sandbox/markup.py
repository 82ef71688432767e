"""Checks the buttons under a message as Telegram does; refuses what Telegram refuses, with its words. Pure."""

from typing import Any

import orjson

from sandbox.entities import link_defect
from sandbox.wire import bad_request

BUTTONS, BYTES, DATA_BYTES = 100, 10_000, 64
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
INLINE = "can't parse inline keyboard button: "


def checked_markup(markup: Any) -> dict[str, Any] | None:
    """The markup as given, or None when there is none; raises Refusal."""
    if markup is None or markup == {}:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline(markup["inline_keyboard"])
    if "keyboard" in markup:
        return _replies(markup)
    if markup.get("remove_keyboard") is True or markup.get("force_reply") is True:
        return markup
    raise bad_request("can't parse reply keyboard markup JSON object")


def _inline(rows: Any) -> dict[str, Any] | None:
    if not isinstance(rows, list):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array')
    if any(not isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be an Array of Arrays')
    for row in rows:
        for button in row:
            _check_button(button)
    kept = [row for row in rows if row]
    if sum(map(len, kept)) > BUTTONS or len(orjson.dumps(kept)) > BYTES:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _check_button(button: Any) -> None:
    if not isinstance(button, dict):
        raise bad_request(INLINE + "InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise bad_request(INLINE + 'Can\'t find field "text"')
    if not isinstance(button["text"], str):
        raise bad_request(INLINE + 'Field "text" must be of type String')
    if not button["text"].strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    actions = [name for name in ACTIONS if name in button]
    if not actions or button.get("callback_data") == "":
        raise bad_request(INLINE + "Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request("BUTTON_TYPE_INVALID")
    _check_action(actions[0], button[actions[0]])


def _check_action(name: str, value: Any) -> None:
    if name in {"url", "callback_data"} and not isinstance(value, str):
        raise bad_request(f'{INLINE}Field "{name}" must be of type String')
    if name == "callback_data" and len(value.encode()) > DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if name == "url" and (defect := link_defect(value)):
        raise bad_request(f"inline keyboard button URL '{value}' is invalid: {defect}")


def _replies(markup: dict[str, Any]) -> dict[str, Any]:
    rows = markup["keyboard"]
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise bad_request('field "keyboard" of the ReplyKeyboardMarkup must be an Array of Arrays')
    texts = [button.get("text") if isinstance(button, dict) else button for row in rows for button in row]
    if any(not isinstance(text, str) or not text.strip() for text in texts):
        raise bad_request('can\'t parse keyboard button: Field "text" must be of type String')
    if len(texts) > 300 or len(orjson.dumps(rows)) > BYTES:
        raise bad_request("reply markup is too long")
    return markup
