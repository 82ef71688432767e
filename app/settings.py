"""Every setting, read once from the environment or `.env`. Nothing else in the house looks at the environment."""

import secrets
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from desk.oidc_provider import Registration
from facts.languages import Language
from intake.post.imap_server import ImapServer
from storage.durable import make_once
from storage.keys import read_ring

KEY_BYTES = 32


class TelegramMode(StrEnum):
    POLLING = "polling"
    WEBHOOK = "webhook"


class Settings(BaseSettings):
    """Read with the prefix RACCORDO_. Values with user and password are secret and never shown."""

    model_config = SettingsConfigDict(
        env_prefix="RACCORDO_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Field(Path("data"), description="Folder for the database and the files")
    database_url: SecretStr = Field(
        SecretStr(""), description="`postgresql://user:pw@host/name`; when empty, one SQLite file in DATA_DIR"
    )
    listen: str = Field("127.0.0.1:8000", description="Address and port of the web pages")
    base_url: str = Field("", description="How people reach the pages from outside; when empty, from LISTEN")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs links; when empty, made once in `raccordo.key` beside DATA_DIR"
    )
    data_keys: SecretStr = Field(
        SecretStr(""),
        description="Encrypt what is kept; when empty, made once in `raccordo.data-keys` beside DATA_DIR",
    )
    seal: bool = Field(True, description="Whether what is kept from now on is encrypted")
    seal_mail: bool = Field(True, description="Whether also what comes and goes by e-mail is")
    timezone: str = Field("Europe/Rome", description="IANA zone of the office")
    language: Language = Field(Language.IT, description="`it` or `en`, until a person chooses")
    telegram_token: SecretStr = Field(SecretStr(""), description="From @BotFather; when empty, no Telegram")
    telegram_api_url: str = Field("https://api.telegram.org", description="Another Bot API server")
    telegram_mode: TelegramMode = Field(
        TelegramMode.POLLING,
        description="`polling`: we fetch updates; `webhook`: Telegram posts them to BASE_URL, which must be https",
    )
    telegram_per_second: float = Field(
        30.0, ge=0, description="Messages a second to everybody; 0 for no limits at all (a server of one's own)"
    )
    telegram_chat_per_second: float = Field(1.0, gt=0, description="Messages a second to one chat")
    telegram_chat_burst: float = Field(5.0, ge=1, description="Messages to one chat that may go at once")
    telegram_group_per_minute: int = Field(20, ge=1, description="Messages a minute to one group")
    smtp_url: SecretStr = Field(
        SecretStr(""), description="`smtp://user:pw@host:587` (STARTTLS) or `smtps://…:465`; when empty, no e-mail"
    )
    mail_from: str = Field("", description="Sender of our mail, `Name <address>`")
    mail_reply_to: str = Field("", description="Where answers to our mail go; when empty, MAIL_FROM")
    mail_plus: bool = Field(True, description="Whether mail to `name+something@` comes to MAIL_REPLY_TO too")
    authserv_id: str = Field("", description="The mail server whose Authentication-Results are believed")
    imap_url: SecretStr = Field(
        SecretStr(""), description="`imaps://user:pw@host:993/INBOX`: the mailbox that is fetched; when empty, none"
    )
    lmtp_listen: str = Field("", description="Address and port at which the mail server hands mail over (LMTP)")
    pec_imap_url: SecretStr = Field(SecretStr(""), description="The certified mailbox, as IMAP_URL")
    pec_smtp_url: SecretStr = Field(SecretStr(""), description="By which certified mail leaves, as SMTP_URL")
    pec_from: str = Field("", description="The certified address, `Name <address>`")
    pec_trust: str = Field(
        "", description="Folder or file of certificates (PEM) whose signatures of certified mail hold; a path"
    )

    oidc_issuer: str = Field("", description="OpenID Connect provider by which staff may sign in; when empty, none")
    oidc_client_id: str = Field("", description="What that provider calls us")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Our secret there; when empty, only PKCE")
    oidc_name: str = Field("OpenID Connect", description="What the button calls the provider")
    oidc_acr: str = Field("", description="Levels (`acr`, by commas) at which it has asked a second factor itself")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"{value} is not a time zone; write for example Europe/Rome") from error
        return value

    @field_validator("data_keys")
    @classmethod
    def _keys_can_be_read(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            read_ring(value.get_secret_value())
        return value

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("write it as address:port, for example 127.0.0.1:8000")
        return value

    @field_validator("lmtp_listen")
    @classmethod
    def _only_for_this_machine(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (_loopback(host) and port.isdigit()):
            raise ValueError(
                "write it as address:port of this machine, for example 127.0.0.1:8024: "
                "whoever reaches this door is believed, so only your own mail server may"
            )
        return value

    @field_validator("imap_url", "pec_imap_url")
    @classmethod
    def _mailbox_can_be_reached(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            ImapServer.at(value.get_secret_value())
        return value

    @property
    def lmtp(self) -> tuple[str, int] | None:
        """Address and port of the door for the mail server; None when there is none."""
        host, _, port = self.lmtp_listen.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None

    @property
    def mailbox(self) -> ImapServer | None:
        """Whence mail is fetched by IMAP."""
        url = self.imap_url.get_secret_value()
        return ImapServer.at(url) if url else None

    @property
    def pec_mailbox(self) -> ImapServer | None:
        """Whence certified mail is fetched."""
        url = self.pec_imap_url.get_secret_value()
        return ImapServer.at(url) if url else None

    @property
    def oidc(self) -> Registration | None:
        """How the provider knows us; None when there is none."""
        if not self.oidc_issuer or not self.oidc_client_id:
            return None
        return Registration(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret.get_secret_value(),
            name=self.oidc_name,
            acr=frozenset(one.strip() for one in self.oidc_acr.split(",") if one.strip()),
        )

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def public_url(self) -> str:
        return (self.base_url or f"http://{self.listen}").rstrip("/")

    @property
    def database(self) -> str:
        """The URL of the database; for SQLite its folder is made."""
        url = self.database_url.get_secret_value()
        if url:
            return url
        self.data_dir.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.data_dir.resolve() / 'raccordo.db'}"

    @property
    def files(self) -> Path:
        """Where files are kept."""
        return self.data_dir / "files"

    @cached_property
    def key(self) -> bytes:
        """The secret key; made once, beside DATA_DIR and never inside: a stolen backup must not carry it."""
        given = self.secret_key.get_secret_value()
        fresh = secrets.token_hex(KEY_BYTES).encode()
        return given.encode() if given else make_once(self.beside("raccordo.key"), fresh)

    def beside(self, name: str) -> Path:
        """A file beside DATA_DIR."""
        return self.data_dir.resolve().parent / name


def _loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
