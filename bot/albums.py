"""Albums: photos sent together reach us one by one and are one answer. Gathers them; what they mean, `files` knows.

Nobody says how many there are. They gather until it has been quiet for a while, by a timer that is a row of the inbox
and so survives everything; whatever else the person does ends the gathering first. A part that comes later goes
where the others went.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlmodel import Session

from bot import files
from bot.heard import Heard, Kind
from bot.house import House
from bot.turn import Turn
from intake.expected import join
from intake.inbox import receive
from storage import attachments
from storage.drafts import scene_at
from storage.inbox import put_off
from storage.tables import Album, Channel, Inbox

KIND: Final = "album"
QUIET = timedelta(seconds=2.5)


def gather(turn: Turn) -> None:
    """One part more. The first begins the album, a late one goes to the others; those between only wait."""
    assert turn.heard.album is not None
    album = attachments.hold_album(turn.session, turn.chat, turn.heard.album)
    if album is None:
        close_open(turn)
        album = _begin(turn, turn.heard.album)
    elif album.closed_at is not None:
        _add_late(turn, album)
        return
    elif turn.heard.text:
        attachments.caption_album(turn.session, album.id, turn.heard.text, turn.heard.message)
    files.write_down(turn, album.id)
    put_off(turn.session, KIND, str(album.id), turn.now + QUIET)


def _begin(turn: Turn, group_id: str) -> Album:
    """The album and its timer, in a lane of its own: the chat must not wait for it."""
    heard = turn.heard
    album = Album(
        chat=turn.chat,
        group_id=group_id,
        referent_id=turn.person.id,
        caption=heard.text,
        reply_to=heard.reply_to,
        provider_id=heard.message,
        created_at=turn.now,
    )
    turn.session.add(album)
    turn.session.flush()
    receive(
        turn.session,
        kind=KIND,
        account="albums",
        provider_id=str(album.id),
        payload=orjson.dumps({"album": album.id}),
        lane=f"{KIND}:{turn.chat}",
        now=turn.now,
    )
    return album


def _add_late(turn: Turn, album: Album) -> None:
    late = files.write_down(turn, album.id)
    first = next((one for one in attachments.parts_of(turn.session, album.id) if one.id != late.id), None)
    if first is None or not join(turn.session, late, first, now=turn.now, zone=turn.house.zone):
        files.place(turn, [late])
        return
    _ = turn.html
    turn.say(_("📎 One more has arrived: I have put it with the others."), key=f"late:{album.id}")
    files.tell_missing(turn, [late])


def close_open(turn: Turn) -> None:
    """Something else happens in this chat: what has gathered so far goes where it belongs, first."""
    waiting = turn.person.gathering
    if waiting is None:
        return
    album = attachments.open_album(turn.session, waiting)
    if album is None:
        return
    close(turn.house, turn.session, album, turn.now)
    turn.look_again()


def close(house: House, session: Session, album: Album, now: datetime) -> None:
    """Its parts go where they belong, as one message with the album's words. Once."""
    if not attachments.close_album(session, album.id, now):
        return
    scene = scene_at(session, Channel.TELEGRAM, album.chat)
    parts = attachments.parts_of(session, album.id)
    if scene is None or scene.person.id != album.referent_id or not parts:
        return  # they left meanwhile; the parts stay theirs
    came_with = parts[0].inbox_id
    assert came_with is not None
    files.place(Turn(house, session, heard_of(album), came_with, now, scene), parts)


def heard_of(album: Album) -> Heard:
    """The album as if it had been one message."""
    chat = int(album.chat)
    return Heard(
        Kind.FILE,
        sender=chat,
        chat=chat,
        private=True,
        text=album.caption,
        message=album.provider_id,
        reply_to=album.reply_to,
    )


def album_timer(house: House) -> Callable[[Session, Inbox, datetime], None]:
    """For `HANDLERS["album"]`: it has been quiet long enough."""

    def ring(session: Session, inbox: Inbox, now: datetime) -> None:
        album = attachments.open_album(session, orjson.loads(inbox.payload)["album"])
        if album is None:
            return
        close(house, session, album, now)

    return ring


def whose(session: Session, inbox: Inbox) -> Heard:
    """For the apology: whose album could not be handled."""
    return heard_of(session.get_one(Album, orjson.loads(inbox.payload)["album"]))
