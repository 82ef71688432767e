"""Edits of what somebody wrote to be let in: the answer follows its message, until the request is with the office."""

from bot import access as asking
from bot.turn import Turn
from intake import access
from intake.access import Asked, asked_next
from intake.access_codes import read_code
from storage.access import open_request
from storage.tables import AccessRequest, AccessState


def hear(turn: Turn) -> bool:
    """False when the message was no answer to anything that is asked in this chat."""
    request = open_request(turn.session, turn.chat)
    if request is None:
        return False
    source = request.sources.get(turn.heard.message)
    if source is not None:
        _again(turn, request, Asked(source["asked"]), source["text"])
    elif asked_next(request) is Asked.CODE and read_code(turn.heard.text) is not None:
        asking.take(turn, request, Asked.CODE)  # which message held a code is not written down
    else:
        return False
    return True


def _again(turn: Turn, request: AccessRequest, asked: Asked, before: str) -> None:
    """With a name, a code on its way stays good: it proves the mailbox."""
    _ = turn.html
    if turn.heard.text == before:
        return
    if request.state is AccessState.WAITING:
        asking.show(
            turn, request, _("What you wrote is already with the office. To change it, withdraw and ask again.")
        )
        return
    if asked is not Asked.NAME:
        request = access.forget(turn.session, request, asked, turn.now)
    request = access.remember(turn.session, request, turn.heard.message, asked, turn.heard.text)
    asking.take(turn, request, asked, _("✏️ Corrected."))
