"""Builds the house from the settings and runs it: web, Telegram, mail, clock and dispatch in one process."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Collection
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

import anyio.to_thread
import structlog
import uvicorn
from sqlalchemy.engine import make_url
from starlette.types import ASGIApp, Receive, Scope, Send

from app.alone import take_alone
from app.clock import Clock, Ticker, system_clock
from app.mark_keeping import MarkKeeper
from app.register_keeping import RegisterKeeper
from app.rooms import Rooms, greet, open_rooms
from app.settings import Settings
from app.sweep import Sweeper
from bot.polling import Poller
from bot.preview import preview
from bot.webhook import Door
from delivery.dispatch import Dispatcher
from desk.app import make_desk
from desk.house import ChatPreview, Check, DeskHouse, Shown
from desk.oidc_provider import CALLBACK, Provider
from facts.languages import Language
from intake.forms.nodes import Definition
from intake.worker import Worker
from storage.tables import Channel

log = structlog.get_logger()

PARTS = ("web", "telegram", "mail", "clock", "dispatch")
PART_CHANNELS = {"telegram": {Channel.TELEGRAM}, "mail": {Channel.EMAIL, Channel.PEC}}
STALE = timedelta(seconds=90)
BACKLOG = 2048  # connections waiting at the door, as uvicorn has it
RESTART_AFTER = 1.0  # seconds before a loop that broke is started again
GRACE = 10.0  # seconds a loop may take to end

Loop = Callable[[asyncio.Event], Awaitable[None]]
WrapWeb = Callable[[Any], Any]

PAGES_AT_ONCE = 6  # the rest of them wait for a thread; of 40 each keeps memory, and eight people waited twice as long


class Server(uvicorn.Server):
    """uvicorn inside our own loop: signals are ours, and it says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    def capture_signals(self) -> Any:
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # The pages' threads share one interpreter: the more of them at once, the more they only hinder each other.
        anyio.to_thread.current_default_thread_limiter().total_tokens = PAGES_AT_ONCE
        await super().startup(sockets)
        if self.started:
            self.listening.set()


@dataclass
class Service:
    """The running house. `stop` ends it; `started` is set when pages answer; `before_end` is called before they end."""

    settings: Settings
    rooms: Rooms
    clock: Clock
    loops: dict[str, Loop]
    ticker: Ticker
    dispatcher: Dispatcher | None
    worker: Worker
    lock: IO[bytes] | None = None
    web: Server | None = None
    before_end: list[Callable[[], None]] = field(default_factory=list)
    failure: str | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Runs every part until `stop` is set, then lets each end what it is doing."""
        tasks = []
        if self.web is None:
            self.started.set()
        else:
            tasks.append(asyncio.create_task(self._serve(self.web), name="web"))
        await _first(self.started, self.stop)
        tasks += [asyncio.create_task(self._keep(name, loop), name=name) for name, loop in self.loops.items()]
        await self.stop.wait()
        log.info("service.stopping")
        for call in self.before_end:
            call()
        if self.web is not None:
            self.web.should_exit = True
        _, late = await asyncio.wait(tasks, timeout=GRACE) if tasks else (None, set())
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.rooms.close()
        if self.lock is not None:
            self.lock.close()

    async def _keep(self, name: str, loop: Loop) -> None:
        while not self.stop.is_set():
            try:
                await loop(self.stop)
            except Exception:
                log.exception("loop.broke", loop=name)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), RESTART_AFTER)

    async def _serve(self, web: Server) -> None:
        try:
            door = listen(self.settings.host, self.settings.port)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            self.failure = f"cannot listen on {self.settings.listen}: {why}; is another service there?"
            self.stop.set()
            return
        web.listening = self.started  # one bell for both
        try:
            await web.serve(sockets=[door])
        finally:
            self.stop.set()
            door.close()


def listen(host: str, port: int) -> socket.socket:
    """The door of the pages. Opened by us and not by the server, which would end the process when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


async def build(
    settings: Settings,
    *,
    without: Collection[str] = (),
    clock: Clock = system_clock,
    wrap_web: WrapWeb = lambda app: app,
    bot_links: tuple[str, str] | None = None,
) -> Service:
    """Everything put together, nothing running yet. The database is brought to the newest schema.

    `bot_links`: name and start pattern of a bot that is not on Telegram, for the demo.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    lock = None
    if make_url(settings.database).get_backend_name() == "sqlite":
        # One file, one process; so the duties of one that was killed are ours at once, without waiting for a lease.
        lock, owner = take_alone(Path(make_url(settings.database).database or "")), "the only process"
    channels = set[Channel]().union(*(ways for part, ways in PART_CHANNELS.items() if part not in without))
    rooms = await open_rooms(settings, clock, owner, channels=channels, bot_links=bot_links)
    worker = Worker(rooms.database, rooms.handlers, apologies=rooms.apologies, clock=clock)
    ticker = Ticker(Sweeper(rooms.database, clock, rooms.links, settings.timezone, rooms.files), clock)
    loops: dict[str, Loop] = {"worker": worker.run}
    dispatcher = None
    if "dispatch" not in without and not _leaves_out(settings, without):
        dispatcher = rooms.dispatcher(clock, owner)
        loops["dispatch"] = dispatcher.run
        rooms.database.after_commit(dispatcher.wake)
    if "clock" not in without:
        loops["clock"] = ticker.run
        loops["marks"] = MarkKeeper(rooms.database).run
        loops["register"] = RegisterKeeper(rooms.database, clock).run
    if rooms.fetcher is not None:
        loops["files"] = rooms.fetcher.run
    if rooms.receiver is not None and rooms.bot is not None:
        loops["telegram"] = rooms.receiver.run
        loops["greeting"] = partial(greet, rooms.bot, settings, rooms.links)
    loops |= _mail_loops(rooms)
    rooms.database.after_commit(worker.wake)
    _share_commits(rooms, worker, dispatcher)
    service = Service(settings, rooms, clock, loops, ticker, dispatcher, worker, lock)
    if "web" not in without:
        service.web = _web(service, wrap_web)
    return service


def _mail_loops(rooms: Rooms) -> dict[str, Loop]:
    """The doors of the post office, and who reads what comes through them; the pipe is a door of every house."""
    loops: dict[str, Loop] = {name: door.run for name, door in rooms.post.items()}
    if rooms.reader is not None:
        loops["reader"] = rooms.reader.run
        rooms.database.after_commit(rooms.reader.wake)
    return loops


def _leaves_out(settings: Settings, without: Collection[str]) -> bool:
    """Whether this process lacks a channel that the house has.

    One process sends for all. If one that cannot speak on a channel had that duty, the channel would fall silent.
    """
    has = {"telegram": [settings.telegram_token], "mail": [settings.smtp_url, settings.pec_smtp_url]}
    return any(part in without and any(one.get_secret_value() for one in has[part]) for part in PART_CHANNELS)


def _share_commits(rooms: Rooms, worker: Worker, dispatcher: Dispatcher | None) -> None:
    """A message is kept, handled and its answer claimed with one commit: one flush to the disk, not three."""
    keeps = rooms.receiver if isinstance(rooms.receiver, Poller) else rooms.door
    if keeps is not None:
        keeps.then = (worker.ride,) if dispatcher is None else (dispatcher.note, worker.ride, dispatcher.ride)


def _chat_preview(clock: Clock, zone: str) -> ChatPreview:
    """What the desk shows of a form before it is published: the bot's own words."""

    def show(form: Definition, language: Language) -> list[Shown]:
        return [Shown(html, buttons) for html, buttons in preview(form, language, clock(), zone)]

    return show


def _ways(settings: Settings) -> frozenset[Channel]:
    """By what we can send, as far as the settings say."""
    said = {
        Channel.TELEGRAM: settings.telegram_token,
        Channel.EMAIL: settings.smtp_url,
        Channel.PEC: settings.pec_smtp_url,
    }
    return frozenset(channel for channel, value in said.items() if value.get_secret_value())


def _provider(service: Service) -> Provider | None:
    ours = service.settings.oidc
    return Provider(ours, f"{service.settings.public_url}{CALLBACK}", service.clock) if ours else None


def _web(service: Service, wrap: WrapWeb) -> Server:
    settings = service.settings
    desk = make_desk(
        DeskHouse(
            database=service.rooms.database,
            clock=service.clock,
            links=service.rooms.links,
            secret_key=settings.key,
            files=service.rooms.files,
            zone=settings.timezone,
            readiness=lambda: readiness(service),
            chat_preview=_chat_preview(service.clock, settings.timezone),
            ways=_ways(settings),
            oidc=_provider(service),
            mail_from=settings.mail_from,
        )
    )
    service.before_end.append(desk.state.streams.close)
    config = uvicorn.Config(
        wrap(_beside(service.rooms.door, desk)),
        host=settings.host,
        port=settings.port,
        access_log=False,  # ours would carry personal keys in paths
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return Server(config)


def _beside(door: Door | None, desk: ASGIApp) -> ASGIApp:
    """The pages, and at its one address the door for Telegram's posts. It needs none of the pages' threads."""
    if door is None:
        return desk

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = door if scope["type"] == "http" and scope["path"] == door.path else desk
        await chosen(scope, receive, send)

    return app


def readiness(service: Service) -> list[Check]:
    """Whether each part does its work: what `/readyz` says."""
    checks = [_database(service), *_keys(service)]
    receiver, dispatcher = service.rooms.receiver, service.dispatcher
    ages: dict[str, tuple[datetime | None, str | None]] = {"clock": (service.ticker.last_tick, None)}
    if dispatcher is not None:
        ages["dispatch"] = (dispatcher.last_pass, None)
    if receiver is not None:
        ages["telegram"] = (receiver.last_success, receiver.problem)
    if service.rooms.reader is not None:
        ages["reader"] = (service.rooms.reader.last_pass, None)
    ages |= {name: (door.last_success, door.problem) for name, door in service.rooms.post.items()}
    running = {name: age for name, age in ages.items() if name in service.loops}
    return checks + [_loop(name, last, problem, service.clock()) for name, (last, problem) in running.items()]


def _loop(name: str, last: datetime | None, problem: str | None, now: datetime) -> Check:
    fresh = last is not None and now - last < STALE
    seen = f"last pass {last.isoformat()}" if last else "no pass yet"
    return Check(name, fresh and problem is None, f"{problem}; {seen}" if problem else seen)


def _database(service: Service) -> Check:
    from storage.schema import current_revision

    try:
        return Check("database", current_revision(service.rooms.database) is not None, "answers")
    except Exception as error:
        return Check("database", False, type(error).__name__)


def _keys(service: Service) -> list[Check]:
    """Red as soon as the file of keys is gone: while this process has them, it can be put back without loss."""
    keys = service.rooms.database.keys
    if keys is None:
        return []
    return [Check("keys", keys.whole, "kept" if keys.whole else "raccordo.data-keys is gone: put it back now")]


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def on_signal(call: Callable[[], object]) -> None:
    """Has `call` called when the process is asked to end: Ctrl-C, a service manager, a closed terminal."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, call)


async def serve_until_signal(service: Service, *, when_started: Callable[[], None] = lambda: None) -> None:
    """Runs the service until SIGINT or SIGTERM."""
    on_signal(service.stop.set)
    running = asyncio.create_task(service.run())
    await _first(service.started, service.stop)
    if service.started.is_set():
        when_started()
    await running
