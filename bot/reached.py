"""The chat is closed to us, or open again: what follows for the person. Says nothing itself."""

from bot.turn import Turn
from delivery import doors
from storage.tables import Channel

BLOCKED = "blocked"  # Telegram says so before we try: `my_chat_member`


def closed(turn: Turn) -> None:
    """What waits for them goes another way."""
    doors.close(turn.session, Channel.TELEGRAM, turn.chat, BLOCKED, turn.now)


def opened(turn: Turn) -> None:
    """What nobody could tell them is told now; of the reminders, what is still due."""
    doors.open_again(turn.session, Channel.TELEGRAM, turn.chat, turn.now)
