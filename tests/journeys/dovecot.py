"""A real Dovecot of our own: its own folder, its own ports on loopback, mailboxes of invented people. Sends nothing."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from imaplib import IMAP4
from pathlib import Path

from imap_tools import MailBoxUnencrypted

from tests.conftest import needed
from tests.journeys.conftest import free_port

PASSWORD = "di-prova"
CONFIG = """\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {folder}
log_path = {folder}/log
auth_mechanisms = plain
disable_plaintext_auth = no
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u allow_all_users=yes
}}
first_valid_gid = 1
mail_location = maildir:~/Maildir
mailbox_list_index = no
namespace inbox {{
  inbox = yes
  separator = /
}}
recipient_delimiter = +
mail_max_userip_connections = 100
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0
  }}
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol lmtp {{
  lmtp_save_to_detail_mailbox = no
}}
ssl = {ssl}
{more}
"""
CERTIFIED = """\
ssl_cert = <{folder}/tls/certificate.pem
ssl_key = <{folder}/tls/key.pem
"""


@dataclass
class Dovecot:
    """`folder/mail/USER` is a person's home. Every name is somebody, with one password."""

    folder: Path
    imap: int
    imaps: int
    lmtp: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, user: str, scheme: str = "imap") -> str:
        port = self.imaps if scheme == "imaps" else self.imap
        return f"{scheme}://{user.replace('@', '%40')}:{PASSWORD}@127.0.0.1:{port}/INBOX"

    @property
    def certificate(self) -> Path:
        return self.folder / "tls" / "certificate.pem"

    @contextmanager
    def box(self, user: str, folder: str = "INBOX") -> Iterator[MailBoxUnencrypted]:
        """As this person's own mail program sees it."""
        box = MailBoxUnencrypted("127.0.0.1", self.imap, timeout=60)
        with box.login(user, PASSWORD, initial_folder=folder):
            yield box

    def append(self, user: str, *contents: bytes, flags: tuple[str, ...] = ()) -> None:
        """New mail in the inbox."""
        with self.box(user) as box:
            for content in contents:
                box.append(content, "INBOX", flag_set=flags)

    def contents(self, user: str, folder: str = "INBOX") -> list[tuple[bytes, tuple[str, ...]]]:
        """Each mail as it lies there, and its flags; none when there is no such folder."""
        with self.box(user) as box:
            if not box.folder.exists(folder):
                return []
            box.folder.set(folder)
            found = []
            for uid in box.uids():
                answer = box.client.uid("FETCH", uid, "(FLAGS BODY.PEEK[])")[1]
                head = next(part for part in answer if isinstance(part, tuple))
                whole = b" ".join(part if isinstance(part, bytes) else part[0] for part in answer)
                flags = re.search(rb"FLAGS \(([^)]*)\)", whole)
                assert flags is not None
                found.append((head[1], tuple(flags[1].decode().split())))
            return found

    def renumber(self, user: str) -> None:
        """The inbox gets another UIDVALIDITY, as after a restored backup."""
        for path in (self.folder / "mail" / user / "Maildir").glob("dovecot*"):
            path.unlink()

    def restore(self, user: str) -> None:
        """From a backup, which gives numbers again that were given: the same UIDVALIDITY, UIDs from 1."""
        maildir = self.folder / "mail" / user / "Maildir"
        if (maildir / "dovecot-uidlist").exists():
            numbering = (maildir / "dovecot-uidlist").read_text().split()[1]
            self.renumber(user)
            (maildir / "dovecot-uidlist").write_text(f"3 {numbering} N1\n")
            shutil.chown(maildir / "dovecot-uidlist", "nobody", "nogroup")

    def hang_up(self) -> None:
        """Every connection is cut, without a word."""
        for process in self._sessions():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def freeze(self, *, frozen: bool = True) -> None:
        """Those who serve a mailbox now neither speak nor hang up, as behind a router that has forgotten us."""
        for process in self._sessions():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP if frozen else signal.SIGCONT)

    def _sessions(self) -> list[int]:
        """The processes `imap` of this Dovecot and no other."""
        assert self.process is not None
        return [child for child in _children(self.process.pid) if _name(child) == "imap"]

    def start(self) -> None:
        log = (self.folder / "start.log").open("ab")
        command = ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + 60
        while True:
            try:
                with self.box("somebody@example.org"):
                    return
            except (OSError, IMAP4.error):  # not there yet
                if time.monotonic() > end or self.process.poll() is not None:
                    raise RuntimeError(f"Dovecot did not start: {self._log()}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def _log(self) -> str:
        return "".join(path.read_text() for path in (self.folder / "start.log", self.folder / "log") if path.exists())


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@contextmanager
def running_dovecot(*, tls: bool = False, more: str = "") -> Iterator[Dovecot]:
    """Needs root, as Dovecot does. `more`: lines of its configuration."""
    if shutil.which("dovecot") is None:
        needed("Dovecot", "apt-get install dovecot-imapd dovecot-lmtpd")
    if os.geteuid() != 0:
        needed("A right to start Dovecot", "run the tests as root, as CI does")
    # Short and open to Dovecot's own users, which pytest's own folders are not.
    folder = Path(tempfile.mkdtemp(prefix="raccordo-imap-", dir="/tmp"))
    dovecot = Dovecot(folder, free_port(), free_port(), free_port())
    _lay_out(dovecot, tls=tls, more=more)
    try:
        dovecot.start()
        yield dovecot
    finally:
        dovecot.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _lay_out(dovecot: Dovecot, *, tls: bool, more: str) -> None:
    folder = dovecot.folder
    folder.chmod(0o755)
    for name in ("run", "state", "mail", "tls"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "mail", "nobody", "nogroup")
    if tls:
        _make_certificate(folder / "tls")
        more += CERTIFIED.format(folder=folder)
    names = {"folder": folder, "imap": dovecot.imap, "imaps": dovecot.imaps, "lmtp": dovecot.lmtp}
    text = CONFIG.format(**names, password=PASSWORD, ssl="yes" if tls else "no", more=more)
    (folder / "dovecot.conf").write_text(text)


def _make_certificate(folder: Path) -> None:
    """Signed by itself, for 127.0.0.1."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
