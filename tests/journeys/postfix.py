"""A real Postfix of our own: its own folder, its own port on loopback, handing everything to one relay."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@asynccontextmanager
async def running_postfix(relay_port: int) -> AsyncIterator[int]:
    """Yields the port of an SMTP server that relays to `relay_port`. Needs root, as Postfix does."""
    if shutil.which("postfix") is None:
        needed("Postfix", "apt-get install postfix")
    if os.geteuid() != 0:
        needed("A right to start Postfix", "run the tests as root, as CI does")
    # Short and open to the user `postfix`, which pytest's own folders are not.
    folder = Path(tempfile.mkdtemp(prefix="raccordo-mta-", dir="/tmp"))
    port = free_port()
    _lay_out(folder, port, relay_port)
    command = ["postfix", "-c", str(folder / "conf")]
    process = await asyncio.create_subprocess_exec(
        *command, "start-fg", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _listening(port, folder)
        yield port
    finally:
        await (await asyncio.create_subprocess_exec(*command, "stop", stderr=subprocess.DEVNULL)).wait()
        await asyncio.wait_for(process.wait(), 60)
        shutil.rmtree(folder, ignore_errors=True)


def _lay_out(folder: Path, port: int, relay_port: int) -> None:
    folder.chmod(0o755)
    for name in ("conf", "queue", "data", "log"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    names = {"folder": folder, "port": port, "relay_port": relay_port, "daemons": DAEMONS}
    (folder / "conf" / "main.cf").write_text(MAIN.format(**names))
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
