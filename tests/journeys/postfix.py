"""A real Postfix of our own: its own folder, its own port on loopback. Hands everything to one relay, or by LMTP to our
house what is for it and to mailboxes what is not; nothing goes anywhere else.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import needed
from tests.journeys.conftest import free_port

DAEMONS = Path("/usr/lib/postfix/sbin")
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
maillog_file = {folder}/log/mail
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mta.example.org
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{relay_port}
default_transport = smtp
relay_transport = smtp
disable_dns_lookups = yes
alias_maps =
alias_database =
smtp_tls_security_level = none
smtpd_tls_security_level = none
biff = no
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
# As an office has it; what could not be handed over is tried again after a second, not after five minutes.
EXCHANGE = """\
transport_maps = regexp:{folder}/conf/transport
recipient_delimiter = +
lmtp_destination_concurrency_limit = 8
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
"""
TRANSPORT = """\
/^(ricevuti|raccordo)(\\+.*)?@example\\.org$/ lmtp:inet:127.0.0.1:{house_port}
/./ lmtp:inet:127.0.0.1:{mailbox_port}
"""


@dataclass(frozen=True)
class Exchange:
    """A mail server with its SMTP port, and its queue."""

    port: int
    folder: Path

    async def flush(self) -> None:
        """Tries everything that waits, now."""
        command = ["postqueue", "-c", str(self.folder / "conf"), "-f"]
        await (await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)).wait()

    async def waiting(self) -> int:
        """Mails in its queue, each once for all its recipients."""
        command = ["postqueue", "-c", str(self.folder / "conf"), "-j"]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        return len((await process.communicate())[0].splitlines())

    @property
    def log(self) -> str:
        return (self.folder / "log" / "mail").read_text()


@asynccontextmanager
async def running_exchange(house_port: int, mailbox_port: int) -> AsyncIterator[Exchange]:
    """Hands mail for `ricevuti` and `raccordo` (`+anything`) at example.org to one LMTP port, all other to another."""
    transport = TRANSPORT.format(house_port=house_port, mailbox_port=mailbox_port)
    async with _running(mailbox_port, EXCHANGE, {"transport": transport}) as exchange:
        yield exchange


@asynccontextmanager
async def running_as_written(settings: str, files: Mapping[str, str]) -> AsyncIterator[Exchange]:
    """With these lines of `main.cf`, and files that they say are in /etc/postfix. Mail for others goes nowhere."""
    async with _running(9, settings.replace("/etc/postfix", "{folder}/conf"), files) as exchange:
        yield exchange


@asynccontextmanager
async def running_postfix(relay_port: int) -> AsyncIterator[int]:
    """Yields the port of an SMTP server that relays to `relay_port`. Needs root, as Postfix does."""
    async with _running(relay_port, "", {}) as exchange:
        yield exchange.port


@asynccontextmanager
async def _running(relay_port: int, more: str, files: Mapping[str, str]) -> AsyncIterator[Exchange]:
    if shutil.which("postfix") is None:
        needed("Postfix", "apt-get install postfix")
    if os.geteuid() != 0:
        needed("A right to start Postfix", "run the tests as root, as CI does")
    # Short and open to the user `postfix`, which pytest's own folders are not.
    folder = Path(tempfile.mkdtemp(prefix="raccordo-mta-", dir="/tmp"))
    port = free_port()
    _lay_out(folder, port, relay_port, more)
    for name, content in files.items():
        (folder / "conf" / name).write_text(content)
    command = ["postfix", "-c", str(folder / "conf")]
    process = await asyncio.create_subprocess_exec(
        *command, "start-fg", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _listening(port, folder)
        yield Exchange(port, folder)
    finally:
        await (await asyncio.create_subprocess_exec(*command, "stop", stderr=subprocess.DEVNULL)).wait()
        await asyncio.wait_for(process.wait(), 60)
        shutil.rmtree(folder, ignore_errors=True)


def _lay_out(folder: Path, port: int, relay_port: int, more: str) -> None:
    folder.chmod(0o755)
    for name in ("conf", "queue", "data", "log"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    names = {"folder": folder, "port": port, "relay_port": relay_port, "daemons": DAEMONS}
    (folder / "conf" / "main.cf").write_text((MAIN + more).format(**names))
    (folder / "conf" / "master.cf").write_text(MASTER.format(**names))


async def _listening(port: int, folder: Path) -> None:
    for _ in range(150):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    log = folder / "log" / "mail"
    raise RuntimeError(f"Postfix did not start: {log.read_text() if log.exists() else 'no log'}")
