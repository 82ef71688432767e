"""Looks at every setting and every door, and says for each: ok, or what to do.

Makes what `serve` would make (DATA_DIR, the key, an empty SQLite file), and nothing else.
"""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from app.clock import system_clock
from app.keys import KeysMissing, keys_file, open_database
from app.settings import Settings, TelegramMode
from desk.oidc_provider import CALLBACK, Provider, ProviderRefused
from intake.post.imap_server import ImapServer
from storage.database import Database, UnsafeDatabase
from storage.leases import shared_mark
from storage.schema import current_revision, newest_revision

PATIENCE = 5.0  # seconds for each door
WEBHOOK_PORTS = (443, 80, 88, 8443)


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    detail: str


async def check_all(settings: Settings) -> list[Finding]:
    """One finding per setting or door, in the order of the README."""
    checks: dict[str, Callable[[Settings], Awaitable[str]]] = {
        "DATA_DIR": _data_dir,
        "DATABASE_URL": _database,
        "DATA_DIR shared": _shared_folder,
        "BASE_URL": _base_url,
        "SECRET_KEY": _secret_key,
        "DATA_KEYS": _data_keys,
        "TELEGRAM_TOKEN": _telegram,
        "TELEGRAM_MODE": _telegram_mode,
        "SMTP_URL": _smtp,
        "MAIL_FROM": _mail_from,
        "PEC_SMTP_URL": _pec_smtp,
        "PEC_FROM": _pec_from,
        "PEC_TRUST": _pec_trust,
        "IMAP_URL": _imap,
        "PEC_IMAP_URL": _pec_imap,
        "LMTP_LISTEN": _lmtp,
        "AUTHSERV_ID": _authserv_id,
        "OIDC_ISSUER": _oidc,
    }
    return [await _checked(name, check, settings) for name, check in checks.items()]


async def _checked(name: str, check: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            return Finding(name, True, await check(settings))
    except TimeoutError:
        return Finding(
            name, False, f"no answer in {PATIENCE:.0f} seconds; is the address right, is a firewall between?"
        )
    except _Problem as problem:
        return Finding(name, False, str(problem))


class _Problem(Exception):
    """What is wrong and what to do."""


async def _data_dir(settings: Settings) -> str:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.data_dir) as probe:
            os.fsync(probe.fileno())
    except OSError as error:
        raise _Problem(f"{settings.data_dir} cannot be written: {error.strerror}") from error
    return str(settings.data_dir)


async def _database(settings: Settings) -> str:
    try:
        database = Database(settings.database)
        found = await asyncio.to_thread(current_revision, database)
        database.close()
    except Exception as error:
        raise _Problem(
            f"{type(error).__name__}: cannot be reached; is it running, are user and password right?"
        ) from error
    if found != newest_revision():
        raise _Problem(f"schema {found or 'none'}, {newest_revision()} is needed; run: raccordo migrate")
    return f"schema {found}"


async def _shared_folder(settings: Settings) -> str:
    """Several processes on one PostgreSQL must also share one DATA_DIR: a file received by one is served by another."""
    url = settings.database
    if url.startswith("sqlite"):
        return "one process, one folder"
    mark = settings.data_dir / "raccordo.mark"
    try:
        database = Database(url)
        ours = mark.read_text() if mark.exists() else secrets.token_hex(8)
        with database.write() as session:
            known = shared_mark(session, ours)
        database.close()
    except SQLAlchemyError as error:
        raise _Problem("not known until the database answers; see DATABASE_URL") from error
    if known != ours:
        raise _Problem(f"{settings.data_dir} is not the folder that the other processes on this database use")
    mark.write_text(ours)
    return f"{settings.data_dir} is the one this database knows"


async def _base_url(settings: Settings) -> str:
    url = urlsplit(settings.public_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise _Problem(f"{settings.public_url} is not an address; write for example https://raccordo.example.org")
    if url.scheme == "http" and url.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise _Problem("people would reach the pages unencrypted; put a TLS proxy before them and write https://")
    return settings.public_url


async def _secret_key(settings: Settings) -> str:
    try:
        key = settings.key
    except OSError as error:
        raise _Problem(f"raccordo.key cannot be made beside DATA_DIR: {error.strerror}") from error
    if len(key) < 32:
        raise _Problem("shorter than 32 characters; leave it empty and one is made")
    return "given" if settings.secret_key.get_secret_value() else "in raccordo.key"


async def _data_keys(settings: Settings) -> str:
    try:
        database = await asyncio.to_thread(open_database, settings)
    except KeysMissing as missing:
        raise _Problem(str(missing)) from missing
    except (SQLAlchemyError, UnsafeDatabase) as error:
        raise _Problem("not known until the database answers; see DATABASE_URL") from error
    except OSError as error:
        raise _Problem(f"raccordo.data-keys cannot be read or made beside DATA_DIR: {error.strerror}") from error
    keys = database.keys
    database.close()
    if keys is None:
        return "none: what is kept is in clear"
    return _where_the_keys_are(settings) + ("" if keys.seals else "; what is kept from now on is in clear")


def _where_the_keys_are(settings: Settings) -> str:
    if settings.data_keys.get_secret_value():
        return "given"
    path = keys_file(settings)
    if path.stat().st_mode & 0o077:
        raise _Problem(f"others can read {path}; run: chmod 600 {path}")
    return "in raccordo.data-keys: back it up apart from the data, without it nothing can be read"


async def _telegram(settings: Settings) -> str:
    from telegram.error import InvalidToken, TelegramError

    from delivery.telegram import make_bot

    token = settings.telegram_token.get_secret_value()
    if not token:
        return "none: Telegram is off"
    bot = make_bot(token, settings.telegram_api_url)
    try:
        async with bot:
            return f"@{bot.username}"
    except InvalidToken as error:
        raise _Problem("Telegram refuses this token; copy it again from @BotFather") from error
    except TelegramError as error:
        raise _Problem(f"{settings.telegram_api_url} does not answer: {type(error).__name__}") from error


async def _telegram_mode(settings: Settings) -> str:
    """In webhook mode: whether Telegram can post to BASE_URL, and whether it does."""
    from telegram.error import TelegramError

    from bot.webhook import path_for
    from bot.webhook_keeper import ask, trouble
    from delivery.telegram import make_bot

    token = settings.telegram_token.get_secret_value()
    if not token or settings.telegram_mode is TelegramMode.POLLING:
        return str(settings.telegram_mode) if token else "not needed"
    _require_postable(settings)
    bot = make_bot(token, settings.telegram_api_url)
    try:
        info = await ask(bot)
    except TelegramError as error:
        raise _Problem(f"not known until Telegram answers; see TELEGRAM_TOKEN ({type(error).__name__})") from error
    finally:
        await bot.request.shutdown()
    url = settings.public_url + path_for(token)
    if info.get("url") != url:
        raise _Problem("Telegram does not post to us; start raccordo serve, which tells it to")
    problem = trouble(info, url, None)
    if problem:
        raise _Problem(f"{problem}; can {url} be reached from the internet?")
    return "webhook: Telegram delivers"


def _require_postable(settings: Settings) -> None:
    """The official server posts to https only, and to four ports (core.telegram.org/bots/api#setwebhook)."""
    from delivery.telegram import OFFICIAL

    url = urlsplit(settings.public_url)
    if not settings.telegram_api_url.startswith(OFFICIAL):
        return
    if url.scheme != "https":
        raise _Problem("Telegram posts to https:// only; set BASE_URL to it, or TELEGRAM_MODE to polling")
    if (url.port or 443) not in WEBHOOK_PORTS:
        raise _Problem(f"Telegram posts to the ports {WEBHOOK_PORTS} only, and BASE_URL has {url.port}")


async def _smtp(settings: Settings) -> str:
    url = settings.smtp_url.get_secret_value()
    return await _greeted(url, settings.mail_from) if url else "none: no e-mail leaves"


async def _greeted(url: str, mail_from: str) -> str:
    from delivery.errors import DeliveryError
    from delivery.mail import MailSender

    try:
        await MailSender(url, mail_from).greet()
    except (DeliveryError, ValueError) as error:
        raise _Problem(f"{error}; are address, user and password right?") from error
    return f"{urlsplit(url).hostname} answers"


async def _mail_from(settings: Settings) -> str:
    return _sender(settings.mail_from) if settings.smtp_url.get_secret_value() else "not needed"


def _sender(mail_from: str) -> str:
    if "@" not in parseaddr(mail_from)[1]:
        raise _Problem("write it as Name <address@domain>")
    return mail_from


async def _pec_smtp(settings: Settings) -> str:
    url = settings.pec_smtp_url.get_secret_value()
    return await _greeted(url, settings.pec_from) if url else "none: no certified mail leaves"


async def _pec_from(settings: Settings) -> str:
    return _sender(settings.pec_from) if settings.pec_smtp_url.get_secret_value() else "not needed"


async def _pec_trust(settings: Settings) -> str:
    from intake.certified.trust import Trust

    used = settings.pec_smtp_url.get_secret_value() or settings.pec_imap_url.get_secret_value()
    if not settings.pec_trust:
        if used:
            raise _Problem("no signature of certified mail is trusted, nor any receipt; name a file of certificates")
        return "not needed"
    trust = await asyncio.to_thread(Trust.load, settings.pec_trust)
    if trust.unread:
        raise _Problem(f"no certificate (PEM) in: {', '.join(trust.unread)}")
    if not trust.anchors:
        raise _Problem(f"no certificate (PEM) in {settings.pec_trust}; its files are named .pem, .crt or .cer")
    return f"{len(trust.anchors)} certificates"


async def _imap(settings: Settings) -> str:
    return await _mailbox(settings.mailbox)


async def _pec_imap(settings: Settings) -> str:
    return await _mailbox(settings.pec_mailbox)


async def _mailbox(server: ImapServer | None) -> str:
    from intake.post.imap import Connection, trouble

    if server is None:
        return "none: no mailbox is fetched"

    def look() -> str:
        connection = Connection(server, timeout=PATIENCE)
        waiting = "tells of new mail at once" if connection.can_wait else "is asked for new mail every minute"
        kept = "" if connection.can_move else "; it lets nothing be moved, so what is kept stays where it is"
        connection.close()
        return f"{server.host} answers, and {waiting}{kept}"

    try:
        return await asyncio.to_thread(look)
    except Exception as error:
        raise _Problem(f"{trouble(error)}; are address, user and password right?") from error


async def _oidc(settings: Settings) -> str:
    """The provider answers, under its own name, with keys."""
    if not settings.oidc_issuer:
        return "none: staff sign in with their passwords"
    if settings.oidc is None:
        raise _Problem("RACCORDO_OIDC_CLIENT_ID is missing: what does the provider call us?")
    callback = f"{settings.public_url}{CALLBACK}"
    try:
        found = await asyncio.to_thread(Provider(settings.oidc, callback, system_clock).check)
    except ProviderRefused as refused:
        raise _Problem(f"{settings.oidc_issuer}: {refused}") from refused
    return f"{found}; register {callback} there"


async def _lmtp(settings: Settings) -> str:
    """Who answers there is the service itself, or nobody yet; anything else would keep it from opening its door."""
    if settings.lmtp is None:
        return "none: no mail server hands mail over"
    host, port = settings.lmtp
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return f"free: have your mail server hand over to lmtp:inet:{settings.lmtp_listen} once serve runs"
    greeting = await reader.readline()
    writer.close()
    if not greeting.startswith((b"220 raccordo", b"421")):
        raise _Problem(f"another program answers at {settings.lmtp_listen}; choose another port")
    return "open"


async def _authserv_id(settings: Settings) -> str:
    if settings.mailbox is None and settings.lmtp is None:
        return "not needed"
    if not settings.authserv_id:
        return "none: mail from known addresses is shown as not verified, unless it answers ours"
    if any(sign in settings.authserv_id for sign in " ;@/"):
        raise _Problem(
            "write the name alone that stands first in Authentication-Results of a mail you received, "
            "for example mx.example.org"
        )
    return settings.authserv_id
