"""Tells the owner of a desk account what was done to it: by mail, at once, whatever they chose about notices.

Carries no link: who gets such a mail without expecting it should not have to wonder whether to follow one.
"""

import secrets
from datetime import datetime

from sqlmodel import Session

from delivery.outbox import queue
from delivery.words import Words
from facts.languages import N_, Language, speaking
from storage.tables import Channel, OutboxKind, Staff

SUBJECT = N_("Your account at the desk")
PASSWORD = N_("The password of your account was changed.")
FACTOR_SET = N_("A second factor was set up for your account: from now on signing in also asks a code.")
FACTOR_REMOVED = N_("The second factor of your account was removed: signing in asks the password only.")
FACTOR_RESET = N_(
    "An administrator has reset the second factor of your account and signed you out everywhere. "
    "Sign in with your password and set it up again."
)
OIDC_BOUND = N_("Your account at the desk now opens also with the account of your authority.")
ROLE = N_("An administrator has changed the role of your account at the desk. It is now: {role}.")
RECOVERY_NEW = N_("New recovery codes were made for your account. The earlier ones no longer work.")
RECOVERY_USED = N_("A recovery code of your account was used. Codes left: {left}.")
WRONG_CODES = N_("Somebody wrote a wrong code for your account {n} times. It may be somebody who knows your password.")


def tell(session: Session, person: Staff, sentence: str, now: datetime, **values: object) -> None:
    """Puts one mail in the outbox, with the change that it tells of."""
    _ = speaking(Language(person.language), html=True)
    lines = (
        _("Hello {name},", name=person.name),
        _(sentence, **values),
        _("If it was not you, tell an administrator at once and change your password."),
    )
    plain = speaking(Language(person.language))
    queue(
        session,
        Words(html="\n\n".join(lines), subject=plain(SUBJECT)),
        kind=OutboxKind.NOTICE,
        channel=Channel.EMAIL,
        address=person.email,
        now=now,
        dedupe_key=f"account:{person.id}:{secrets.token_hex(8)}",
    )
