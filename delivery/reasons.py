"""Says why a way to somebody is closed, in words for staff. Pure; what it does not recognise it leaves unsaid.

What is recognised are the errors of `delivery/telegram.py` and `delivery/mail.py`, Telegram's own notice, and what
is written down of bounces and receipts (`intake/post/`).
"""

from facts.languages import N_

_WORDS = (
    (("blocked", "kicked"), N_("they blocked the bot")),
    (("deactivated",), N_("their Telegram account was deleted")),
    (("initiate conversation",), N_("they never opened the chat with the bot")),
    (("chat not found", "user not found", "peer_id_invalid"), N_("the chat does not exist any more")),
    (("recipient refused", "no-dest", "no-dominio", "bounced 5.1.1"), N_("the mailbox does not exist")),
    (("bounced 5.2.2",), N_("it came back: the mailbox is full")),
    (("bounced 4",), N_("it came back: the other server did not take it for days")),
    (("bounced",), N_("it came back")),
    (("virus",), N_("the provider found a virus in it")),
    (("mail not accepted",), N_("the provider of our certified mail did not accept it")),
    (("mail not delivered",), N_("the certified mail was not delivered")),
    (("no delivery receipt",), N_("no receipt of delivery came within 24 hours")),
    (("no way is open",), N_("nothing reached them")),
    (("403",), N_("the chat does not take our messages")),
)


def why_closed(reason: str | None) -> str:
    """The sentence (a message id), or "" when these words are none of ours."""
    lowered = (reason or "").lower()
    return next((sentence for words, sentence in _WORDS if any(word in lowered for word in words)), "")
