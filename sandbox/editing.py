"""What a message is once its writer has edited it: other words, another file. Refuses what Telegram's app would."""

from sandbox.chats import CannotDo, with_entities
from sandbox.files import FileStore
from sandbox.media import Media
from sandbox.wire import Json

WORDS = ("text", "entities", "caption", "caption_entities")
SHOWN = ("photo", "video")  # what an album may mix; documents stay among themselves
FILES = (*SHOWN, "document", "voice")


def edited(raw: Json, text: str | None, media: Media | None, files: FileStore) -> Json:
    """The message with these words (None: those it had) and this file (None: the one it had). Raises CannotDo."""
    if raw.keys() & {"location", "contact"}:
        raise CannotDo("Only texts, captions and files can be edited")
    words = raw.get("text", raw.get("caption", "")) if text is None else text
    kept = {name: value for name, value in raw.items() if name not in WORDS}
    if media is not None:
        kept = _replaced(kept, media.shown(files))
    if kept.keys() & set(FILES):
        return {**kept, **(with_entities(words, [], name="caption") if words else {})}
    if not words:
        raise CannotDo("A message cannot become empty")
    return {**kept, **with_entities(words, [])}


def _replaced(raw: Json, shown: Json) -> Json:
    if "voice" in raw or "voice" in shown:
        raise CannotDo("A voice note is not replaced, and replaces nothing")
    if "media_group_id" in raw and (raw.keys() & set(SHOWN) == set()) != (shown.keys() & set(SHOWN) == set()):
        raise CannotDo("In an album documents stay documents, and photos and videos stay such")
    return {**{name: value for name, value in raw.items() if name not in FILES}, **shown}
