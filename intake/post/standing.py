"""How sure it is that the writer of a mail is who the mail says. Pure; a From line alone never proves anything.

What may be done with a mail hangs on it: from a standing that is not among `storage.words.SURE` follows nothing but
words in a thread, shown with a warning.
"""

from intake.incoming import Incoming, PecKind
from storage.words import Standing


def standing_of(incoming: Incoming, *, token_fits: bool) -> Standing:
    """`token_fits`: it came to the address that we gave to this person, and the sender is one of their addresses.

    A certified mail says most; the address with the token next; then what our own mail server has checked. None of it
    helps a mail of which it is doubtful whom it names.
    """
    if incoming.sender is None or incoming.doubt:
        return Standing.UNTRUSTED if _certified(incoming) is Standing.UNTRUSTED else Standing.UNVERIFIED
    certified = _certified(incoming)
    if certified is Standing.CERTIFIED:
        return certified
    if token_fits:
        return Standing.REPLY
    if incoming.pec is not None:
        # What our server checked there is the provider's own domain, and says nothing about who wrote.
        return certified
    return Standing.DMARC if _checked(incoming.dmarc, incoming.sender.address) else Standing.UNVERIFIED


def _certified(incoming: Incoming) -> Standing:
    """An ordinary mail that a provider let through (ANOMALY) is as good as any ordinary mail."""
    envelope = incoming.pec
    if envelope is None or envelope.kind is PecKind.ANOMALY:
        return Standing.UNVERIFIED
    return envelope.standing


def _checked(domain: str, address: str) -> bool:
    return bool(domain) and domain.lower() == address.rpartition("@")[2].lower()
