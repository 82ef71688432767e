"""Opens the rooms and fills the dictionaries that join them: handlers, wordings, senders. Runs nothing."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
import telegram
import telegram.error

from answering.circular_sending import word_circular
from answering.notices import word_notice
from app.addresses import known_links, remember_bot
from app.clock import Clock
from app.furnish import prepare
from app.keys import open_database
from app.post import make_reader, open_post, post_house
from app.settings import Settings, TelegramMode
from bot import albums
from bot.commands import set_up
from bot.dialogue import apologise, telegram_handler
from bot.fetching import Fetcher
from bot.house import House
from bot.polling import Poller
from bot.webhook import Door
from bot.webhook_keeper import WebhookKeeper
from delivery.claims import Wording
from delivery.dispatch import Dispatcher
from delivery.limits import Limits
from delivery.links import Links
from delivery.mail import MailSender
from delivery.parcel import Sender
from delivery.telegram import TelegramSender, make_bot
from intake.access_codes import word_code
from intake.invitations import word_invitation
from intake.post.arrival import KINDS
from intake.post.filled import update_reader
from intake.post.letters import mail_handler
from intake.post.lmtp import LmtpDoor
from intake.post.mailbox import Collector
from intake.post.reader import Reader
from intake.worker import Handler
from reminders.drafts import word_recall
from reminders.wording import word_reminder
from storage.database import Database
from storage.files import Files
from storage.tables import Channel, OutboxKind

log = structlog.get_logger()

INTRODUCTION_SECONDS = 3.0
LONGEST_PAUSE = 300.0  # seconds between two attempts to tell Telegram our commands


@dataclass
class Rooms:
    """What the service is made of."""

    settings: Settings
    database: Database
    files: Files
    links: Links
    handlers: Mapping[str, Handler]
    apologies: Mapping[str, Handler]
    still_due: Mapping[OutboxKind, Wording]
    senders: Mapping[Channel, Sender]
    bot: telegram.Bot | None
    receiver: Poller | WebhookKeeper | None
    door: Door | None
    fetcher: Fetcher | None
    limits: Limits
    post: Mapping[str, LmtpDoor | Collector]
    reader: Reader | None

    def dispatcher(self, clock: Clock, owner: str) -> Dispatcher:
        return Dispatcher(
            self.database,
            self.senders,
            still_due=self.still_due,
            clock=clock,
            owner=owner,
            links=self.links,
            limits=self.limits,
            reply_key=self.settings.key if self.settings.mail_plus else b"",
        )

    async def close(self) -> None:
        if self.bot is not None:
            await self.bot.request.shutdown()  # the library's own shutdown does nothing when it never came to greet
        for sender in self.senders.values():
            if isinstance(sender, MailSender):
                await sender.close()
        self.database.close()


async def open_rooms(
    settings: Settings,
    clock: Clock,
    owner: str,
    *,
    channels: Collection[Channel],
    bot_links: tuple[str, str] | None = None,
) -> Rooms:
    """Database migrated and furnished, bot made known, senders ready."""
    database = open_database(settings)
    prepare(database, clock)
    token = settings.telegram_token.get_secret_value()
    bot = make_bot(token, settings.telegram_api_url) if token and Channel.TELEGRAM in channels else None
    if bot is not None and bot_links is None:
        await _introduce(bot, settings)
    links = known_links(settings)
    if bot_links is not None:
        links = replace(links, bot=bot_links[0], start_pattern=bot_links[1])
    house = House(
        links=links,
        zone=settings.timezone,
        language=settings.language,
        mail=bool(settings.smtp_url.get_secret_value()),
        key=settings.key,
    )
    door, receiver = _receiver(settings, database, bot, owner, clock)
    files = Files(settings.files, database.keys)
    fetcher = Fetcher(database, bot, files, clock) if bot is not None else None
    post = mail_handler(post_house(settings, links), update_reader(house.catalogue))
    return Rooms(
        settings=settings,
        database=database,
        files=files,
        links=links,
        handlers={
            "telegram": telegram_handler(house),
            albums.KIND: albums.album_timer(house),
            **dict.fromkeys(KINDS.values(), post),
        },
        apologies={"telegram": apologise(house), albums.KIND: apologise(house, albums.whose)},
        still_due={
            OutboxKind.REMINDER: word_reminder(links, house.catalogue, _read_by(settings)),
            OutboxKind.RECALL: word_recall(links),
            OutboxKind.NOTICE: word_notice(links),
            OutboxKind.INVITATION: word_invitation(links),
            OutboxKind.CODE: word_code(settings.key),
            OutboxKind.CIRCULAR: word_circular(),
        },
        senders=_senders(settings, bot, clock, files, mail=Channel.EMAIL in channels),
        bot=bot,
        receiver=receiver,
        door=door,
        fetcher=fetcher,
        limits=_limits(settings),
        post=open_post(settings, database, owner, clock) if Channel.EMAIL in channels else {},
        reader=make_reader(settings, database, files, clock) if Channel.EMAIL in channels else None,
    )


def _receiver(
    settings: Settings, database: Database, bot: telegram.Bot | None, owner: str, clock: Clock
) -> tuple[Door | None, Poller | WebhookKeeper | None]:
    """How updates come: by one of the two, never by both."""
    if bot is None:
        return None, None
    if settings.telegram_mode is TelegramMode.POLLING:
        return None, Poller(database, bot, owner=owner, clock=clock)
    door = Door(database, bot, key=settings.key, clock=clock)
    url = f"{settings.public_url}{door.path}"
    return door, WebhookKeeper(database, bot, door, url=url, owner=owner, clock=clock)


def _read_by(settings: Settings) -> frozenset[Channel]:
    """The channels by which replies come in for certain; by a pipe nobody knows before the first one."""
    mail = settings.imap_url.get_secret_value() or settings.lmtp_listen
    doors = {Channel.EMAIL: mail, Channel.PEC: settings.pec_imap_url.get_secret_value()}
    return frozenset(channel for channel, door in doors.items() if door)


def _limits(settings: Settings) -> Limits:
    return Limits(
        bot_per_second=settings.telegram_per_second or 1.0,
        chat_per_second=settings.telegram_chat_per_second,
        chat_burst=settings.telegram_chat_burst,
        group_per_minute=settings.telegram_group_per_minute,
        enabled=settings.telegram_per_second > 0,
    )


def _senders(
    settings: Settings, bot: telegram.Bot | None, clock: Clock, files: Files, *, mail: bool
) -> dict[Channel, Sender]:
    senders: dict[Channel, Sender] = {}
    if bot is not None:
        senders[Channel.TELEGRAM] = TelegramSender(bot, files)
    url = settings.smtp_url.get_secret_value()
    if mail and url:
        senders[Channel.EMAIL] = MailSender(url, settings.mail_from, settings.mail_reply_to, files=files, clock=clock)
    certified = settings.pec_smtp_url.get_secret_value()
    if mail and certified:
        senders[Channel.PEC] = MailSender(certified, settings.pec_from, settings.pec_from, files=files, clock=clock)
    return senders


async def _introduce(bot: telegram.Bot, settings: Settings) -> None:
    try:
        async with asyncio.timeout(INTRODUCTION_SECONDS):
            await bot.initialize()
        remember_bot(settings, bot.username)
    except (telegram.error.TelegramError, TimeoutError) as error:
        log.warning("telegram.not-introduced", error=type(error).__name__)


async def greet(bot: telegram.Bot, settings: Settings, links: Links, stop: asyncio.Event) -> None:
    """Tells Telegram our commands, as soon as it answers, and hears the bot's name if it was not known at start."""
    pause = 1.0
    while not stop.is_set():
        try:
            if not links.bot:
                await bot.initialize()
                links.bot = bot.username
                remember_bot(settings, bot.username)
            await set_up(bot)
            await stop.wait()
        except telegram.error.TelegramError as error:
            log.warning("telegram.not-greeted", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(pause * 2, LONGEST_PAUSE)
