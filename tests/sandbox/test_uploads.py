"""Files that the bot sends."""

from typing import Any

import orjson
import pytest

from sandbox.pictures import plain_png
from sandbox.telegram import Person, TelegramSandbox
from tests.sandbox.conftest import TOKEN, Caller, Clock

MIB = 1024 * 1024
PICTURE = plain_png(60, 40)
UNREAD = "Bad Request: can't parse InputMedia: "


async def upload(call: Caller, method: str, files: dict[str, Any], **data: Any) -> dict[str, Any]:
    fields = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in data.items()}
    parts = {name: file if isinstance(file, tuple) else (f"{name}.bin", file) for name, file in files.items()}
    body: dict[str, Any] = (await call.client.post(f"/bot{TOKEN}/{method}", data=fields, files=parts)).json()
    return body


async def test_an_uploaded_document_reaches_the_person_byte_by_byte(call: Caller, ada: Person) -> None:
    content = bytes(range(256)) + b"\r\n\r\n--\r\n"
    sent = await upload(
        call,
        "sendDocument",
        {"document": ("atto.pdf", content)},
        chat_id=ada.id,
        caption="<b>Atto</b>",
        parse_mode="HTML",
    )

    assert ada.last.content == content
    assert (ada.last.text, sent["result"]["document"]["file_name"]) == ("Atto", "atto.pdf")
    assert sent["result"]["caption_entities"] == [{"type": "bold", "offset": 0, "length": 4}]


async def test_a_file_may_be_attached_by_name_or_sent_again_by_its_id(call: Caller, ada: Person) -> None:
    await upload(call, "sendDocument", {"abc": ("a.txt", b"uno")}, chat_id=ada.id, document="attach://abc")
    again = await call("sendDocument", chat_id=ada.id, document=ada.last.file_id)
    received = ada.sends_photo()
    returned = await call("sendPhoto", chat_id=ada.id, photo=received.raw["photo"][0]["file_id"])

    assert [message.content for message in ada.from_bot[:2]] == [b"uno", b"uno"]
    assert again["result"]["document"]["file_name"] == "a.txt"
    assert returned["result"]["photo"] == received.raw["photo"]


async def test_a_document_of_fifty_mebibytes_passes_and_a_byte_more_does_not(call: Caller, ada: Person) -> None:
    fits = await upload(call, "sendDocument", {"document": bytes(50 * MIB)}, chat_id=ada.id)
    too_big = await upload(call, "sendDocument", {"document": bytes(50 * MIB + 1)}, chat_id=ada.id)
    far_too_big = await upload(call, "sendDocument", {"document": bytes(52 * MIB)}, chat_id=ada.id)

    assert fits["ok"]
    assert too_big == far_too_big == {"ok": False, "error_code": 413, "description": "Request Entity Too Large"}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "file must be non-empty"),
        (b"<html>", "IMAGE_PROCESS_FAILED"),
        (plain_png(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
        (
            PICTURE + bytes(10 * MIB),
            f"file of size {10 * MIB + len(PICTURE)} bytes is too big for a photo; the maximum size is 10485760 bytes",
        ),
    ],
    ids=["empty", "no-picture", "ribbon", "11-mb"],
)
async def test_photos_that_telegram_refuses(call: Caller, ada: Person, content: bytes, error: str) -> None:
    refused = await upload(call, "sendPhoto", {"photo": content}, chat_id=ada.id)

    assert refused == {"ok": False, "error_code": 400, "description": f"Bad Request: {error}"}
    assert ada.chat == []


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("sendDocument", {}, "there is no document in the request"),
        ("sendPhoto", {"photo": "attach://missing"}, "there is no photo in the request"),
        ("sendDocument", {"document": "AgADinvented"}, "wrong file identifier/HTTP URL specified"),
        ("sendDocument", {"document": "https://a.it/x.pdf"}, "failed to get HTTP URL content"),
        ("sendDocument", {"document": "x", "caption": "a" * 1025}, "message caption is too long"),
        ("sendDocument", {"document": "x", "chat_id": 404}, "chat not found"),
        ("sendMediaGroup", {}, 'parameter "media" is required'),
        ("sendMediaGroup", {"media": "["}, "can't parse media JSON object"),
        ("sendMediaGroup", {"media": "{}"}, "expected an Array of InputMedia"),
        ("sendMediaGroup", {"media": []}, "there are no messages to send"),
        ("sendMediaGroup", {"media": [{"type": "photo", "media": "x"}] * 11}, "too many messages to send as an album"),
        (
            "sendMediaGroup",
            {"media": [{"type": "photo", "media": "x"}, {"type": "document", "media": "y"}]},
            "document can't be mixed with other media types",
        ),
        ("sendMediaGroup", {"media": [{"type": "photo"}]}, "can't parse InputMedia: media not found"),
        (
            "sendMediaGroup",
            {"media": [{"type": "animation", "media": "x"}]},
            "can't parse InputMedia: type \"animation\" can't be used in sendMediaGroup",
        ),
        (
            "sendMediaGroup",
            {"media": [{"type": "sticker", "media": "x"}]},
            'can\'t parse InputMedia: type "sticker" is unsupported',
        ),
        (
            "sendMediaGroup",
            {"media": [{"type": "photo", "media": "x", "caption": "a" * 1025}]},
            "message caption is too long",
        ),
    ],
)
async def test_files_that_telegram_refuses(
    call: Caller, ada: Person, method: str, params: dict[str, Any], error: str
) -> None:
    assert await call.error(method, **{"chat_id": ada.id, **params}) == f"Bad Request: {error}"
    assert ada.chat == []


async def test_a_document_is_no_photo(call: Caller, ada: Person) -> None:
    document = ada.sends_document()

    refused = await call.error("sendPhoto", chat_id=ada.id, photo=document.file_id)

    assert refused == "Bad Request: can't use file of type Document as Photo"


async def test_an_album_of_uploads_and_known_files(call: Caller, ada: Person) -> None:
    known = ada.sends_photo()
    media = [
        {"type": "photo", "media": "attach://one", "caption": "<i>prima</i>", "parse_mode": "HTML"},
        {"type": "video", "media": "attach://two"},
        {"type": "photo", "media": known.file_id},
    ]
    sent = await upload(call, "sendMediaGroup", {"one": PICTURE, "two": b"film"}, chat_id=ada.id, media=media)

    assert [message["message_id"] for message in sent["result"]] == [message.id for message in ada.from_bot]
    assert len({message["media_group_id"] for message in sent["result"]}) == 1
    assert [message.content for message in ada.from_bot] == [PICTURE, b"film", known.content]
    assert sent["result"][0]["caption_entities"] == [{"type": "italic", "offset": 0, "length": 5}]


async def test_an_album_of_one_is_a_message_by_itself(call: Caller, ada: Person) -> None:
    sent = await upload(
        call, "sendMediaGroup", {"a": b"uno"}, chat_id=ada.id, media=[{"type": "document", "media": "attach://a"}]
    )

    assert "media_group_id" not in sent["result"][0]


async def test_every_part_of_an_album_counts_for_the_limits(call: Caller, ada: Person, clock: Clock) -> None:
    file_id = ada.sends_document().file_id
    album = [{"type": "document", "media": file_id}] * 10

    first = await call("sendMediaGroup", chat_id=ada.id, media=album)
    refused = await call("sendMessage", chat_id=ada.id, text="subito")
    clock.now += refused["parameters"]["retry_after"]
    later = await call("sendMessage", chat_id=ada.id, text="dopo")

    assert len(first["result"]) == 10
    assert refused["parameters"] == {"retry_after": 5}  # six at once, four of debt
    assert later["ok"]


async def test_captions_are_edited_and_buttons_taken_away(call: Caller, ada: Person) -> None:
    buttons = {"inline_keyboard": [[{"text": "ok", "callback_data": "d"}]]}
    sent = await upload(call, "sendDocument", {"document": b"x"}, chat_id=ada.id, caption="prima", reply_markup=buttons)
    message_id = sent["result"]["message_id"]

    no_text = await call.error("editMessageText", chat_id=ada.id, message_id=message_id, text="y")
    bare = await call("editMessageReplyMarkup", chat_id=ada.id, message_id=message_id)
    edited = await call("editMessageCaption", chat_id=ada.id, message_id=message_id, caption="dopo")
    same = await call.error("editMessageCaption", chat_id=ada.id, message_id=message_id, caption="dopo")
    text = (await call("sendMessage", chat_id=ada.id, text="testo"))["result"]["message_id"]
    no_caption = await call.error("editMessageCaption", chat_id=ada.id, message_id=text, caption="y")

    assert no_text == "Bad Request: there is no text in the message to edit"
    assert (bare["result"]["caption"], "reply_markup" in bare["result"]) == ("prima", False)
    assert (edited["result"]["caption"], edited["result"]["document"]) == ("dopo", sent["result"]["document"])
    assert same.startswith("Bad Request: message is not modified")
    assert no_caption == "Bad Request: there is no caption in the message to edit"


async def test_messages_can_be_deleted_for_two_days(call: Caller, ada: Person, clock: Clock) -> None:
    theirs = ada.sends("mio")
    sent = [(await call("sendMessage", chat_id=ada.id, text=str(n)))["result"]["message_id"] for n in range(2)]

    gone = await call("deleteMessage", chat_id=ada.id, message_id=sent[0])
    twice = await call.error("deleteMessage", chat_id=ada.id, message_id=sent[0])
    none = await call.error("deleteMessage", chat_id=ada.id)
    in_private = await call("deleteMessage", chat_id=ada.id, message_id=theirs.id)
    clock.now += 48 * 3600 + 1
    late = await call.error("deleteMessage", chat_id=ada.id, message_id=sent[1])

    assert gone["result"] is in_private["result"] is True
    assert twice == "Bad Request: message to delete not found"
    assert none == "Bad Request: message identifier is not specified"
    assert late == "Bad Request: message can't be deleted for everyone"
    assert [message.id for message in ada.chat] == [sent[1]]


async def test_the_ledger_tells_the_size_of_an_upload_and_not_its_bytes(
    call: Caller, ada: Person, telegram: TelegramSandbox
) -> None:
    await upload(call, "sendDocument", {"document": b"segreto"}, chat_id=ada.id)

    (entry,) = telegram.ledger.accepted("sendDocument")

    assert entry.params["document"] == "<7 bytes>"


async def test_a_broken_form_is_refused(call: Caller) -> None:
    headers = {"content-type": "multipart/form-data"}
    answer = await call.client.post(f"/bot{TOKEN}/sendDocument", content=b"--", headers=headers)

    assert (answer.status_code, answer.json()["description"]) == (
        400,
        "Bad Request: can't parse the form: Missing boundary in multipart.",
    )
