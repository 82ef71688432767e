"""Files that the bot sends, by upload or by file_id, and those it fetches; refuses what Telegram refuses.

Telegram also takes a web address in place of a file; the sandbox goes to no web, so that it "failed to get" it.
"""

from typing import Any

from sandbox.botside import BotSide
from sandbox.media import Document, Media, Photo, Video
from sandbox.pictures import dimensions
from sandbox.sending import caption_of, put, read_caption, read_frame
from sandbox.wire import LARGEST_FILE, Json, Params, Refusal, Upload, bad_request

LARGEST_PHOTO = 10 * 1024 * 1024  # bytes
ALBUM = 10
ATTACHED = "attach://"
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20


def get_file(bot: BotSide, params: Params) -> Json:
    file_id = params.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    return bot.world.files.link(file_id)


def send_document(bot: BotSide, params: Params) -> Json:
    return _send(bot, params, "document")


def send_photo(bot: BotSide, params: Params) -> Json:
    return _send(bot, params, "photo")


def _send(bot: BotSide, params: Params, kind: str) -> Json:
    caption = caption_of(params)
    given = _given(params, kind, params.values.get(kind))
    if given is None:
        raise bad_request(f"there is no {kind} in the request")
    frame = read_frame(params, bot.chat(params))
    return put(bot, frame, [_shown(bot, kind, given) | caption])[0]


def send_media_group(bot: BotSide, params: Params) -> list[Json]:
    """Two to ten photos and videos, or documents, as one album. One alone is sent as a message by itself."""
    media = params.json("media")
    if media is None:
        raise bad_request('parameter "media" is required')
    if not isinstance(media, list):
        raise bad_request("expected an Array of InputMedia")
    parts = [_part(params, item) for item in media]
    _check_album([kind for kind, _given, _caption in parts])
    frame = read_frame(Params({**params.values, "reply_markup": None}), bot.chat(params))
    album: Json = {"media_group_id": bot.world.next_album()} if len(parts) > 1 else {}
    return put(bot, frame, [album | _shown(bot, kind, given) | caption for kind, given, caption in parts])


def _part(params: Params, item: Any) -> tuple[str, Upload | str, Json]:
    """One InputMedia: its kind, its file (uploaded, or its file_id) and its caption."""
    unread = "can't parse InputMedia: "
    if not isinstance(item, dict):
        raise bad_request(unread + "expected an Object")
    given = _given(params, "", item.get("media"))
    if given is None:
        raise bad_request(unread + "media not found")
    kind = item.get("type")
    if kind == "animation":
        raise bad_request(unread + 'type "animation" can\'t be used in sendMediaGroup')
    if kind not in {"photo", "video", "document"}:
        raise bad_request(unread + f'type "{kind}" is unsupported')
    caption = read_caption(item.get("caption") or "", item.get("parse_mode") or "", item.get("caption_entities"))
    return kind, given, caption


def _check_album(kinds: list[str]) -> None:
    if not kinds:
        raise bad_request("there are no messages to send")
    if len(kinds) > ALBUM:
        raise bad_request("too many messages to send as an album")
    if "document" in kinds and set(kinds) != {"document"}:
        raise bad_request("document can't be mixed with other media types")


def _given(params: Params, field: str, value: Any) -> Upload | str | None:
    """The file of a field: the part of that name, the part that `attach://` names, or a file_id."""
    if field in params.files:
        return params.files[field]
    if not isinstance(value, str) or not value:
        return None
    return params.files.get(value.removeprefix(ATTACHED)) if value.startswith(ATTACHED) else value


def _shown(bot: BotSide, kind: str, given: Upload | str) -> Json:
    """The file as a message shows it; raises Refusal for a file that Telegram does not take."""
    if isinstance(given, Upload):
        return _uploaded(kind, given).shown(bot.world.files)
    file = bot.world.files.get(given)
    if file is None and "." in given:
        raise bad_request("failed to get HTTP URL content")
    if file is None or file.expired:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise bad_request(f"can't use file of type {file.kind.title()} as {kind.title()}")
    return file.shown


def _uploaded(kind: str, file: Upload) -> Media:
    size = len(file.content)
    if size == 0:
        raise bad_request("file must be non-empty")
    if size > LARGEST_FILE:
        raise Refusal(413, "Request Entity Too Large")
    if kind == "document":
        return Document(file.name or "file", file.content)
    if kind == "video":
        return Video(file.content, name=file.name or "video.mp4")
    if size > LARGEST_PHOTO:
        raise bad_request(
            f"file of size {size} bytes is too big for a photo; the maximum size is {LARGEST_PHOTO} bytes"
        )
    _check_picture(file.content)
    return Photo(file.content)


def _check_picture(content: bytes) -> None:
    sides = dimensions(content)
    if sides is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if sum(sides) > PHOTO_SIDES or max(sides) > PHOTO_RATIO * min(sides):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
