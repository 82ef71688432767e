"""The people who write to the office by mail, and the mail servers between them and its door. Reaches nothing else.

What they write is handed over by LMTP, as the office's own mail server would. A small provider of certified mail signs
what leaves as PEC, and answers with receipts to what the office sends from its certified address.
"""

import asyncio
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sandbox.certified import CertifiedProvider
from sandbox.letters import Written, bounce, letter, out_of_office
from sandbox.mail import Mail, MailSandbox

PATIENCE = 20.0  # seconds
TRIES = 5  # of a mail server, for what nobody stands behind and waits for
BETWEEN_TRIES = 1.0  # seconds
LARGEST = 25 * 1024 * 1024  # bytes


class Kind(StrEnum):
    ORDINARY = "ordinaria"
    CERTIFIED = "pec"
    OUT_OF_OFFICE = "assenza"
    BOUNCE = "respinta"


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Somebody with a mailbox, and perhaps a certified one."""

    name: str
    email: str
    pec: str = ""


@dataclass(frozen=True, slots=True)
class Office:
    """The office's addresses. `server`: the name by which its mail server signs what it has checked."""

    email: str
    pec: str = ""
    server: str = "posta.example.org"


@dataclass(frozen=True, slots=True)
class Handed:
    """One mail that was handed over, and what the door said: "" when it took it."""

    at: datetime
    sender: str
    to: str
    subject: str
    refused: str = ""


@dataclass
class Correspondence:
    """`door`: host and port of the office's LMTP door, asked for when a mail leaves."""

    mail: MailSandbox
    office: Office
    people: Sequence[Correspondent]
    door: Callable[[], tuple[str, int]]
    provider: CertifiedProvider = field(default_factory=CertifiedProvider)
    handed: list[Handed] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mail.when_kept.append(self._acknowledge)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.mail.clock(), UTC)

    async def send(self, written: Written, kind: Kind, *, forged: bool = False, status: str = "5.1.1") -> Handed:
        """Writes it and hands it over once. `forged`: it does not come from the sender's own mail server."""
        content = self._content(written, kind, status)
        sender = "" if kind is Kind.BOUNCE else written.address
        checked = kind in (Kind.ORDINARY, Kind.OUT_OF_OFFICE) and not forged
        if checked and written.to.lower() != self.office.pec:
            content = self._verdict(written.address) + content
        refused = await asyncio.to_thread(self._hand_over, sender, written.to, content)
        handed = Handed(self.now, sender or "MAILER-DAEMON", written.to, written.subject, refused)
        self.handed.append(handed)
        return handed

    def _content(self, written: Written, kind: Kind, status: str) -> bytes:
        self.provider.now = self.now
        if kind is Kind.BOUNCE:
            assert written.answers is not None, "only what was sent comes back"
            return bounce(written.answers, written.to, status, self.now)
        content = out_of_office(written, self.now) if kind is Kind.OUT_OF_OFFICE else letter(written, self.now)
        if kind is Kind.CERTIFIED:
            return self.provider.transport(content, written.address, written.to)
        if self.office.pec and written.to.lower() == self.office.pec:
            return self.provider.anomaly(content, written.address, written.to)
        return content

    def _verdict(self, address: str) -> bytes:
        """What the office's mail server found: the sender's domain says that the mail is its own."""
        domain = address.rpartition("@")[2].lower()
        return f"Authentication-Results: {self.office.server}; dmarc=pass header.from={domain}\r\n".encode()

    def _hand_over(self, sender: str, to: str, content: bytes) -> str:
        if len(content) > LARGEST:
            return "È troppo grande: una mail può avere fino a 25 MB."
        host, port = self.door()
        try:
            with smtplib.LMTP(host, port, timeout=PATIENCE) as door:
                door.sendmail(sender, [to], content)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = next(iter(refused.recipients.values()))
            return f"{code} {said.decode('utf-8', 'replace')}"
        except smtplib.SMTPResponseException as refused:
            return f"{refused.smtp_code} {_text(refused.smtp_error)}"
        except (OSError, smtplib.SMTPException) as error:
            return f"La porta LMTP non risponde ({type(error).__name__})."
        return ""

    def _acknowledge(self, mail: Mail) -> None:
        """Receipts for what leaves from the certified address."""
        if not self.office.pec or mail.mail_from.lower() != self.office.pec:
            return
        task = asyncio.get_running_loop().create_task(self._receipts(mail))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receipts(self, mail: Mail) -> None:
        self.provider.now = self.now
        for kind in ("accettazione", "avvenuta-consegna"):
            for receipt in self.provider.receipts(kind, mail.raw, self.office.pec, mail.recipients):
                await self._insist(receipt)

    async def _insist(self, content: bytes) -> None:
        for _ in range(TRIES):
            if not await asyncio.to_thread(self._hand_over, self.provider.address, self.office.pec, content):
                return
            await asyncio.sleep(BETWEEN_TRIES)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
