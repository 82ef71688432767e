"""Opens the doors by which mail comes in, as the settings say. Runs nothing."""

from app.clock import Clock
from app.settings import Settings
from delivery.letter import address_of
from delivery.links import Links
from intake.post.addressee import base_of
from intake.post.house import PostHouse
from intake.post.lmtp import LmtpDoor
from intake.post.mailbox import Collector
from intake.post.process import Beliefs
from intake.post.reader import Reader
from storage.database import Database
from storage.files import Files
from storage.tables import Channel


def make_reader(settings: Settings, database: Database, files: Files, clock: Clock) -> Reader:
    """Who takes apart what the doors keep, whichever process has kept it."""
    beliefs = Beliefs(settings.authserv_id, own_addresses(settings), settings.pec_trust)
    return Reader(database, files, clock, beliefs)


def post_house(settings: Settings, links: Links) -> PostHouse:
    """What is known to those who say what a mail means."""
    return PostHouse(
        links=links,
        zone=settings.timezone,
        language=settings.language,
        key=settings.key,
        own=own_addresses(settings),
        sends_certified=bool(settings.pec_smtp_url.get_secret_value()),
    )


def own_addresses(settings: Settings) -> frozenset[str]:
    """Where mail for the office comes to, without `+token`."""
    ours = (settings.mail_from, settings.mail_reply_to, settings.pec_from)
    boxes = (settings.mailbox, settings.pec_mailbox)
    return frozenset(
        [*(base_of(address_of(one)) for one in ours if one), *(box.account for box in boxes if box is not None)]
    )


def open_post(settings: Settings, database: Database, owner: str, clock: Clock) -> dict[str, LmtpDoor | Collector]:
    """The loops by their names: `lmtp`, `imap`, `pec`."""
    doors: dict[str, LmtpDoor | Collector] = {}
    if settings.lmtp is not None:
        host, port = settings.lmtp
        doors["lmtp"] = LmtpDoor(database, host=host, port=port, clock=clock, certified=address_of(settings.pec_from))
    boxes = {"imap": (settings.mailbox, Channel.EMAIL), "pec": (settings.pec_mailbox, Channel.PEC)}
    for name, (server, channel) in boxes.items():
        if server is not None:
            doors[name] = Collector(database, server, channel, owner=owner, clock=clock, language=settings.language)
    return doors
