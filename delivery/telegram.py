"""Sends a parcel to Telegram and says what the answer means. Refuses to wait, to retry and to log the token."""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import telegram
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from delivery.errors import (
    Blocked,
    DeliveryError,
    Migrated,
    NeverLeft,
    NotAPhoto,
    Throttled,
    Uncertain,
    Undecodable,
)
from delivery.parcel import Enclosure, Ids, Parcel
from delivery.wire import UPLOADS, AiohttpRequest, NotConnected, Uploaded
from delivery.words import Button, Keyboard, plain_text
from storage.files import Files
from storage.sealing import CannotOpen

OFFICIAL = "https://api.telegram.org"
NO_PREVIEW: Final = {"is_disabled": True}
# 400, but the sense of 403: there is nobody at this address.
GONE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")
NO_PHOTO = ("photo_", "image_process_failed", "photo has")
UPLOAD_SECONDS = 120.0  # for the answer to an upload
UNREADABLE = ("can't parse entities", "entity", "entities")


def make_bot(token: str, api_url: str = OFFICIAL) -> telegram.Bot:
    """The library's bot on a lean wire; `api_url` is the server without `/bot`. Initialise and shut it down."""
    request = AiohttpRequest()
    return telegram.Bot(
        token,
        base_url=f"{api_url.rstrip('/')}/bot",
        base_file_url=f"{api_url.rstrip('/')}/file/bot",
        request=request,
        get_updates_request=request,
    )


async def call(
    bot: telegram.Bot,
    method: str,
    parameters: dict[str, Any],
    read_timeout: float | None = None,
    uploads: Sequence[Uploaded] = (),
) -> Any:
    """The raw `result` of a method, with the library's errors and without making its objects.

    `do_api_request` would do the same with a warning, a camel-case conversion and three more copies.
    """
    if uploads:
        parameters = parameters | {UPLOADS: uploads}
    data = RequestData([RequestParameter(name, value, None) for name, value in parameters.items()])
    timeout = {} if read_timeout is None else {"read_timeout": read_timeout}
    return await bot.request.post(f"{bot.base_url}/{method}", data, **timeout)


def download(bot: telegram.Bot, file_path: str) -> AsyncIterator[bytes]:
    """A file that `getFile` has told of, piece by piece. The address holds the token: it stands in no error."""
    request = bot.request
    assert isinstance(request, AiohttpRequest), "made by make_bot"
    return request.stream(f"{bot.base_file_url}/{quote(file_path)}")


class TelegramSender:
    """One message, one call; files that belong together are one call too."""

    def __init__(self, bot: telegram.Bot, files: Files | None = None) -> None:
        self._bot, self._files = bot, files

    async def send(self, parcel: Parcel) -> Ids:
        """The message's id in the chat; of an album, those of its parts. Raises DeliveryError."""
        try:
            result = await self._sent(parcel)
        except TelegramError as error:
            raise _meaning_for(parcel, error) from None
        if isinstance(result, list):
            return tuple(one for one in map(_id_in, result) if one is not None)
        return _id_in(result)

    async def _sent(self, parcel: Parcel) -> Any:
        if not parcel.files or self._files is None:
            return await self._said(parcel)
        method, given = file_parameters(parcel)
        with ExitStack() as opened:
            uploads = [_opened(opened, self._files, number, one) for number, one in enumerate(parcel.files)]
            return await call(self._bot, method, given, UPLOAD_SECONDS, uploads)

    async def _said(self, parcel: Parcel) -> Any:
        """In place of an earlier message, where there is one and it can be changed; else as a new one."""
        given, earlier = parameters(parcel), parcel.words.replaces
        if earlier is None or not earlier.isdecimal():
            return await call(self._bot, "sendMessage", given)
        try:
            return await call(self._bot, "editMessageText", given | {"message_id": int(earlier)})
        except BadRequest as refused:
            if "not modified" in refused.message.lower():  # a press repeated: it says so already
                return {"message_id": int(earlier)}
            if "message" not in refused.message.lower():
                raise
        return await call(self._bot, "sendMessage", given)


def _id_in(message: Any) -> str | None:
    number = message.get("message_id") if isinstance(message, dict) else None
    return None if number is None else str(number)


def _opened(stack: ExitStack, files: Files, number: int, one: Enclosure) -> Uploaded:
    try:
        file = stack.enter_context(files.open(one.kept))
    except (FileNotFoundError, CannotOpen) as lost:
        raise DeliveryError(f"a file cannot be opened: {type(lost).__name__}", permanent=True) from None
    return Uploaded(f"file{number}", one.name, one.size, file)


def file_parameters(parcel: Parcel) -> tuple[str, dict[str, Any]]:
    """The method that sends a parcel's files, and its parameters; they come in the fields `file0`, `file1` …"""
    photos = not parcel.as_documents and all(one.is_photo for one in parcel.files)
    kind = "photo" if photos else "document"
    words: dict[str, Any] = {"caption": plain_text(parcel.words.html) if parcel.plain else str(parcel.words.html)}
    if not parcel.plain:
        words["parse_mode"] = "HTML"
    chat = {"chat_id": _chat_id(parcel.address)}
    if len(parcel.files) == 1:
        return f"send{kind.capitalize()}", chat | words | {kind: "attach://file0"}
    media = [{"type": kind, "media": f"attach://file{number}"} for number in range(len(parcel.files))]
    # below the first photo the words are the album's; documents stand one below the other, the words after the last
    media[0 if photos else -1] |= words
    return "sendMediaGroup", chat | {"media": media}


def _chat_id(address: str) -> int | str:
    return int(address) if address.removeprefix("-").isdecimal() else address


def parameters(parcel: Parcel) -> dict[str, Any]:
    """Of `sendMessage`. As plain text when the markup was refused before."""
    words = parcel.words
    found: dict[str, Any] = {
        "chat_id": _chat_id(parcel.address),
        "text": plain_text(words.html) if parcel.plain else str(words.html),
        "link_preview_options": NO_PREVIEW,
    }
    if not parcel.plain:
        found["parse_mode"] = "HTML"
    if words.buttons:
        found["reply_markup"] = keyboard(words.buttons)
    if words.reply_to is not None and words.reply_to.isdecimal():
        # The message may have been deleted meanwhile; the answer must arrive all the same.
        found["reply_parameters"] = {"message_id": int(words.reply_to), "allow_sending_without_reply": True}
    return found


def keyboard(buttons: Keyboard) -> dict[str, Any]:
    """As the Bot API's `InlineKeyboardMarkup`; also for edits outside the outbox."""
    return {"inline_keyboard": [[_button(one) for one in row] for row in buttons]}


def _button(button: Button) -> dict[str, str]:
    if button.data is not None:
        return {"text": button.text, "callback_data": button.data}
    assert button.url is not None
    return {"text": button.text, "url": button.url}


def meaning(error: TelegramError) -> DeliveryError:
    """What an error of the library means for a message. 5xx and lost answers: perhaps delivered."""
    if isinstance(error, ChatMigrated):
        return Migrated(str(error.new_chat_id))
    if isinstance(error, RetryAfter):
        return Throttled(_in_seconds(error.retry_after))
    if isinstance(error, Forbidden):
        return Blocked(f"403 {error.message}")
    if isinstance(error, BadRequest):
        return _refused(error.message)
    if isinstance(error, InvalidToken):
        # The token is wrong for everybody, perhaps for a moment: nothing was sent, and nobody is unreachable.
        return NeverLeft("token refused")
    if isinstance(error, NotConnected):
        return NeverLeft(error.message)
    return Uncertain(_short(error))


def _meaning_for(parcel: Parcel, error: TelegramError) -> DeliveryError:
    if parcel.files and isinstance(error, BadRequest) and any(words in error.message.lower() for words in NO_PHOTO):
        return NotAPhoto(f"400 {error.message}")
    return meaning(error)


def _refused(message: str) -> DeliveryError:
    lowered = message.lower()
    if any(words in lowered for words in GONE):
        return Blocked(f"400 {message}")
    if any(words in lowered for words in UNREADABLE):
        return Undecodable(f"400 {message}")
    return DeliveryError(f"400 {message}", permanent=True)


def _in_seconds(given: int | timedelta) -> float:
    return given.total_seconds() if isinstance(given, timedelta) else float(given)


def _short(error: TelegramError) -> str:
    return f"{type(error).__name__} {error.message}"[:200]
