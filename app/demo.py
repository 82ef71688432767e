"""`raccordo demo`: the whole job on a throw-away folder, in one process, with nothing to configure.

The same service as `serve`, with three things around it: a Telegram sandbox, a mailbox, a clock that can be moved.
"""

import asyncio
import secrets
import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from app.clock import MovableClock
from app.demo_data import PEOPLE, Example, furnish
from app.demo_pages import demo_pages
from app.service import Service, build, serve_until_signal
from app.settings import Settings
from intake.post.lmtp import LmtpDoor
from sandbox.certified import CertifiedProvider
from sandbox.correspondence import Correspondence, Correspondent, Office
from sandbox.mail import MailSandbox
from sandbox.pages import sandbox_app
from sandbox.telegram import TelegramSandbox

OFFICE = Office("raccordo@example.org", "raccordo@pec.example.org")
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked: list[int] = []  # by which of them it was asked to end before it ran


@dataclass
class Demo:
    """The running demo: `url` is the page with the three doors."""

    service: Service
    telegram: TelegramSandbox
    mail: MailSandbox
    post: Correspondence
    clock: MovableClock
    example: Example

    @property
    def url(self) -> str:
        return f"{self.service.settings.public_url}/demo"

    async def close(self) -> None:
        self.telegram.close()
        with suppress(OSError):
            await self.mail.stop()


async def build_demo(port: int, folder: Path) -> Demo:
    """Everything put together on `127.0.0.1:port`, example data included; nothing running yet but the mailbox."""
    clock = MovableClock()
    telegram = TelegramSandbox(
        f"900000001:{secrets.token_hex(16)}", username="RaccordoEsempioBot", clock=lambda: clock().timestamp()
    )
    mail = MailSandbox(clock=lambda: clock().timestamp())
    await mail.start()
    settings = demo_settings(folder, port, telegram.token, mail.url)
    provider = _provider(settings, clock)
    people = [Correspondent(person.name, person.email, person.pec) for person in PEOPLE]
    post = Correspondence(mail, OFFICE, people, lambda: _lmtp_door(demo), provider)
    service = await build(
        settings,
        clock=clock,
        wrap_web=lambda desk: sandbox_app(telegram, mail, otherwise=demo_pages(lambda: demo, desk), post=post),
        bot_links=(telegram.username, f"http://127.0.0.1:{port}/sandbox/chat?start={{token}}"),
    )
    example = await service.rooms.database.run(lambda session: furnish(session, clock(), service.rooms.links))
    for person in example.people:
        chat = telegram.add_person(person.chat, person.first_name, last_name=person.last_name)
        if person.linked:
            chat.sends("/menu")
    service.before_end += [telegram.close, mail.close]  # else open chat pages hold the end
    demo = Demo(service, telegram, mail, post, clock, example)
    return demo


def demo_settings(folder: Path, port: int, token: str, smtp_url: str) -> Settings:
    """Settings that look at nothing outside: no `.env`, no environment."""
    return Settings.model_construct(
        data_dir=folder / "data",
        listen=f"127.0.0.1:{port}",
        telegram_token=SecretStr(token),
        telegram_api_url=f"http://127.0.0.1:{port}",
        smtp_url=SecretStr(smtp_url),
        mail_from=f"Raccordo (esempio) <{OFFICE.email}>",
        authserv_id=OFFICE.server,
        lmtp_listen="127.0.0.1:0",
        pec_smtp_url=SecretStr(smtp_url),
        pec_from=f"Raccordo PEC (esempio) <{OFFICE.pec}>",
        pec_trust=str(folder / "pec-trust.pem"),
    )


def _provider(settings: Settings, clock: MovableClock) -> CertifiedProvider:
    """A provider of certified mail whose signature is trusted here."""
    provider = CertifiedProvider(now=clock())
    Path(settings.pec_trust).write_bytes(provider.ca_pem)
    return provider


def _lmtp_door(demo: Demo) -> tuple[str, int]:
    """Any free port; which one is known once the service runs."""
    door = demo.service.rooms.post["lmtp"]
    assert isinstance(door, LmtpDoor)
    return "127.0.0.1", door.port


def run_demo(port: int, say: Callable[[str], None]) -> None:
    """Runs the demo until Ctrl-C; leaves nothing running and nothing on disk."""
    for number in ENDS:
        signal.signal(number, _give_up)  # until the service listens to signals itself
    with tempfile.TemporaryDirectory(prefix="raccordo-demo-", ignore_cleanup_errors=True) as folder:
        found = usable_port(port)
        if port not in (found, 0):
            say(f"Port {port} is taken: using {found}.")
        asyncio.run(_run(found, Path(folder), say))


def _give_up(number: int, _frame: object) -> None:
    _asked.append(number)
    raise SystemExit(128 + number)


def _still_wanted() -> None:
    """Python swallows what a signal raises while it tidies up: then it is known here."""
    if _asked:
        raise SystemExit(128 + _asked[0])


def usable_port(wanted: int) -> int:
    """`wanted` when nobody listens there, else any free one: a first try should not end at a busy port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found: int = probe.getsockname()[1]
                return found
    raise OSError("no port is free on 127.0.0.1")


async def _run(port: int, folder: Path, say: Callable[[str], None]) -> None:
    demo = await build_demo(port, folder)
    try:
        _still_wanted()
        await serve_until_signal(
            demo.service,
            when_started=lambda: say(f"Raccordo demo: {demo.url}\nCtrl-C ends it and leaves nothing behind."),
        )
    finally:
        await demo.close()
