from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.heard import Heard, Kind, hear

ADA = {"id": 11, "is_bot": False, "first_name": "Ada", "language_code": "it"}
PRIVATE = {"id": 11, "type": "private"}
MESSAGE = {"message_id": 5, "date": 0, "chat": PRIVATE, "from": ADA}

NAMES = [
    *("message", "callback_query", "edited_message", "my_chat_member", "from", "chat", "id", "text", "data", "type"),
    *("new_chat_member", "status", "message_id", "reply_to_message", "photo", "language_code"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(JSON)
def test_no_update_however_odd_raises(update: Any) -> None:
    heard = hear(update)

    assert isinstance(heard, Heard)
    assert heard.command is None or isinstance(heard.command, str)
    assert not heard.private or heard.sender == heard.chat != 0


def test_a_message_with_its_reply() -> None:
    heard = hear({"message": MESSAGE | {"text": " Sì\x00 ", "reply_to_message": {"message_id": 4, "from": ADA}}})

    assert (heard.kind, heard.sender, heard.private, heard.text) == (Kind.TEXT, 11, True, "Sì")
    assert (heard.message, heard.reply_to, heard.reply_to_bot) == ("5", "4", False)


@pytest.mark.parametrize(
    ("text", "command", "rest"),
    [
        ("/aggiorna", "aggiorna", ""),
        ("/Aggiorna@raccordo_bot ex  mercato", "aggiorna", "ex  mercato"),
        ("/", "", ""),
        ("/ ciao", "", "ciao"),
        ("aggiorna", None, ""),
    ],
)
def test_commands_are_read_with_what_follows(text: str, command: str | None, rest: str) -> None:
    heard = hear({"message": MESSAGE | {"text": text}})

    assert (heard.command, heard.rest) == (command, rest)


def test_a_chat_is_private_only_with_its_own_person() -> None:
    assert not hear({"message": MESSAGE | {"text": "x", "from": ADA | {"id": 12}}}).private
    assert not hear({"message": MESSAGE | {"text": "x", "chat": PRIVATE | {"type": "group"}}}).private
    assert not hear({"message": {"text": "x", "chat": PRIVATE}}).private


def test_a_button_whose_message_is_too_old_to_be_known_is_private() -> None:
    heard = hear({"callback_query": {"id": "1", "from": ADA, "data": "m:menu"}})

    assert (heard.kind, heard.chat, heard.private, heard.data) == (Kind.BUTTON, 11, True, "m:menu")


@pytest.mark.parametrize(
    ("update", "kind"),
    [
        ({"message": MESSAGE | {"sticker": {}}}, Kind.FILE),
        ({"message": MESSAGE | {"voice": {}}}, Kind.FILE),
        ({"message": MESSAGE | {"invented_tomorrow": {}}}, Kind.FILE),
        ({"message": MESSAGE | {"pinned_message": {}}}, Kind.OTHER),
        ({"edited_message": MESSAGE | {"text": "x"}}, Kind.EDITED),
        ({"edited_message": MESSAGE | {"location": {}}}, Kind.OTHER),
        ({"my_chat_member": MESSAGE | {"new_chat_member": {"status": "kicked"}}}, Kind.BLOCKED),
        ({"my_chat_member": MESSAGE | {"new_chat_member": {"status": "member"}}}, Kind.UNBLOCKED),
        ({"channel_post": MESSAGE}, Kind.OTHER),
        ([], Kind.OTHER),
    ],
)
def test_each_update_is_of_one_kind(update: Any, kind: Kind) -> None:
    assert hear(update).kind is kind
