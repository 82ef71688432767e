"""Says why a way to somebody is closed, in words for staff. Pure; what it does not recognise it leaves unsaid.

What is recognised are the errors of `delivery/telegram.py` and `delivery/mail.py`, and Telegram's own notice.
"""

from facts.languages import N_

_WORDS = (
    (("blocked", "kicked"), N_("they blocked the bot")),
    (("deactivated",), N_("their Telegram account was deleted")),
    (("initiate conversation",), N_("they never opened the chat with the bot")),
    (("chat not found", "user not found", "peer_id_invalid"), N_("the chat does not exist any more")),
    (("recipient refused",), N_("the mailbox does not exist")),
    (("no way is open",), N_("nothing reached them")),
    (("403",), N_("the chat does not take our messages")),
)


def why_closed(reason: str | None) -> str:
    """The sentence (a message id), or "" when these words are none of ours."""
    lowered = (reason or "").lower()
    return next((sentence for words, sentence in _WORDS if any(word in lowered for word in words)), "")
