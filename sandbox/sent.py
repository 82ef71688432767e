"""What another process has a person send, as JSON or as a form with files; raises KeyError or ValueError for the rest.

JSON: one of `text`, `document`, `photo`, `video`, `voice` (each an object with `content` in base64, or a claimed
`size`), `location`, `contact`, `album` (a list of such objects) or `raw` (any update); with `caption`, `reply_to`,
`media_group_id`, `to` (a group) and `topic`. A form: parts named `document`, `photo`, `video` or `voice`, several of
them an album, beside `caption` and the rest as text.
"""

import base64
import mimetypes
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request

from sandbox.media import Document, Media, Photo, Video, Voice
from sandbox.opus import is_webm, ogg
from sandbox.people import CannotDo, Group, Message, Person, Place
from sandbox.wire import Json, Upload, form_parts

NUMBERS = ("message_id", "reply_to", "to", "topic", "duration")
KINDS: dict[str, Callable[..., Media]] = {"document": Document, "photo": Photo, "video": Video, "voice": Voice}


async def read_sent(request: Request) -> Json:
    """What to send, files as Media under `parts`."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _from_form(await form_parts(request.scope, body))
    given: Json = orjson.loads(body)
    kind = next((kind for kind in KINDS if kind in given), None)
    if kind is not None:
        return {**given, "parts": [_media(kind, given[kind])]}
    if isinstance(given.get("album"), list):
        return {**given, "parts": [_media(*next(iter(part.items()))) for part in given["album"]]}
    return given


def _media(kind: str, given: Any) -> Media:
    if isinstance(given, str):
        return KINDS[kind](**({"name": given} if kind == "document" else {}))
    content = given.get("content")
    return KINDS[kind](**given | {"content": None if content is None else base64.b64decode(content, validate=True)})


def _from_form(parts: list[tuple[str, str | Upload]]) -> Json:
    fields: Json = {name: value for name, value in parts if isinstance(value, str) and (value or name == "text")}
    fields |= {name: int(fields[name]) for name in NUMBERS if name in fields}
    seconds = {"duration": fields.pop("duration")} if "duration" in fields else {}
    media = [_uploaded(name, value, seconds) for name, value in parts if isinstance(value, Upload)]
    return {**fields, "parts": media} if media else fields


def _uploaded(kind: str, file: Upload, seconds: Json) -> Media:
    if kind == "document":
        return Document(file.name or "file", file.content)
    if kind == "photo":
        return Photo(file.content)
    if is_webm(file.content) and kind == "voice":
        return Voice(ogg(file.content), **seconds)
    mime_type = mimetypes.guess_type(file.name)[0]
    typed = {"mime_type": mime_type} if mime_type else {}
    return KINDS[kind](file.content, **typed, **seconds)


def say(person: Person, given: Json, groups: dict[int, Group]) -> list[Message]:
    """Has the person send it: one message, or those of an album. Raises CannotDo."""
    place: Place = {"reply_to": given.get("reply_to"), "topic": given.get("topic"), "to": group_to(given, groups)}
    if len(given.get("parts", [])) > 1:
        return person.sends_album(given["parts"], caption=given.get("caption", ""), **place)
    if "parts" in given:
        album, caption = str(given.get("media_group_id", "")), given.get("caption", "")
        return [person.sends_media(given["parts"][0], caption=caption, media_group_id=album, **place)]
    if "location" in given:
        return [person.sends_location(**given["location"], **place)]
    if "contact" in given:
        return [person.sends_contact(**given["contact"], **place)]
    if not given["text"]:
        raise ValueError("an empty message")
    return [person.sends(given["text"], **place)]


def change(person: Person, given: Json, groups: dict[int, Group]) -> Message:
    """Has the person edit `message_id`: its `text`, its file. Raises CannotDo."""
    parts = given.get("parts", [])
    if len(parts) > 1:
        raise CannotDo("One file takes the place of one")
    if not parts and "text" not in given:
        raise KeyError("text")
    media = parts[0] if parts else None
    return person.edits(given["message_id"], given.get("text"), media=media, to=group_to(given, groups))


def group_to(given: Json, groups: dict[int, Group]) -> Group | None:
    """The group that `to` names, None without it. Raises CannotDo when there is no such group."""
    if given.get("to") is None:
        return None
    if given["to"] not in groups:
        raise CannotDo("There is no such group; add it with POST /sandbox/groups")
    return groups[given["to"]]
