"""Opens the rooms and fills the dictionaries that join them: handlers, wordings, senders. Runs nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
import telegram

from answering.notices import word_notice
from app.clock import Clock
from app.settings import Settings
from bot.commands import set_up
from bot.dialogue import apologise, telegram_handler
from bot.house import House
from bot.polling import Poller
from delivery.dispatch import Dispatcher, Wording
from delivery.limits import Limits
from delivery.links import Links
from delivery.mail import MailSender
from delivery.senders import Sender
from delivery.telegram import TelegramSender, make_bot
from intake.builtin import ensure_builtin_forms
from intake.worker import Handler
from registry.municipalities import load_municipalities
from reminders.wording import word_reminder
from storage.database import Database
from storage.schema import migrate
from storage.tables import Channel, OutboxKind

log = structlog.get_logger()

INTRODUCTION_SECONDS = 3.0


@dataclass
class Rooms:
    """What the service is made of."""

    settings: Settings
    database: Database
    links: Links
    handlers: Mapping[str, Handler]
    apologies: Mapping[str, Handler]
    still_due: Mapping[OutboxKind, Wording]
    senders: Mapping[Channel, Sender]
    bot: telegram.Bot | None
    poller: Poller | None
    limits: Limits

    def dispatcher(self, clock: Clock, owner: str) -> Dispatcher:
        return Dispatcher(
            self.database,
            self.senders,
            still_due=self.still_due,
            clock=clock,
            owner=owner,
            links=self.links,
            limits=self.limits,
        )

    async def close(self) -> None:
        if self.bot is not None:
            await self.bot.shutdown()
        self.database.close()


async def open_rooms(settings: Settings, clock: Clock, owner: str, *, telegram: bool, mail: bool) -> Rooms:
    """Database migrated and furnished, bot introduced, senders ready."""
    database = Database(settings.database)
    prepare(database, clock)
    bot = await _bot(settings) if telegram else None
    links = make_links(settings, name_of_bot(settings))
    house = House(links=links, zone=settings.timezone, language=settings.language)
    poller = Poller(database, bot, owner=owner, clock=clock) if bot is not None else None
    return Rooms(
        settings=settings,
        database=database,
        links=links,
        handlers={"telegram": telegram_handler(house)},
        apologies={"telegram": apologise(house)},
        still_due={OutboxKind.REMINDER: word_reminder(links), OutboxKind.NOTICE: word_notice(links)},
        senders=_senders(settings, bot, mail=mail),
        bot=bot,
        poller=poller,
        limits=Limits(),
    )


def prepare(database: Database, clock: Clock) -> None:
    """Newest schema, built-in forms, the municipalities. Does nothing the second time."""
    migrate(database)
    with database.write() as session:
        ensure_builtin_forms(session, clock())
        load_municipalities(session)


def _senders(settings: Settings, bot: telegram.Bot | None, *, mail: bool) -> dict[Channel, Sender]:
    senders: dict[Channel, Sender] = {}
    if bot is not None:
        senders[Channel.TELEGRAM] = TelegramSender(bot)
    url = settings.smtp_url.get_secret_value()
    if mail and url:
        senders[Channel.EMAIL] = MailSender(url, settings.mail_from, settings.mail_reply_to)
    return senders


async def _bot(settings: Settings) -> telegram.Bot | None:
    """The bot, when there is a token. Its name is remembered, so that links work when Telegram is away at start."""
    token = settings.telegram_token.get_secret_value()
    if not token:
        return None
    bot = make_bot(token, settings.telegram_api_url)
    try:
        async with asyncio.timeout(INTRODUCTION_SECONDS):
            await bot.initialize()
            await set_up(bot)
        _name_file(settings).write_text(bot.username)
    except Exception as error:
        log.warning("telegram.not-introduced", error=type(error).__name__)
    return bot


def _name_file(settings: Settings) -> Path:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return settings.data_dir / "telegram-bot"


def name_of_bot(settings: Settings) -> str:
    """The bot's user name as last heard; empty when it was never heard."""
    path = _name_file(settings)
    return path.read_text().strip() if path.exists() else ""


def make_links(settings: Settings, bot_name: str, *, start_pattern: str | None = None) -> Links:
    links = Links(settings.public_url, bot=bot_name)
    return replace(links, start_pattern=start_pattern) if start_pattern else links
