"""The command `receive-mail`, to which a mail server pipes one mail. Reads none.

Mail servers take every other exit code than 75 for a refusal for good (sysexits.h, EX_TEMPFAIL): `app/cli.py` sees to
it that whatever goes wrong ends with 75, and the mail comes again.
"""

import sys
from typing import Annotated

import typer

from app.commands.house import CommandFailed, open_house

NAME = "receive-mail"
TRY_AGAIN = 75


def receive_mail(
    recipient: Annotated[str, typer.Option(help="The address it came to; without one, where answers go")] = "",
    sender: Annotated[str | None, typer.Option(help="The envelope's sender, empty when there is none")] = None,
) -> None:
    """Keeps the mail that comes on standard input, while the service runs or not. Exit code 75: not kept."""
    from app.clock import system_clock
    from delivery.letter import address_of
    from intake.post.addressee import handed_over
    from intake.post.arrival import LARGEST, receive_mails

    content = sys.stdin.buffer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise CommandFailed(f"the mail is larger than {LARGEST // 1024 // 1024} MB")
    if content.startswith(b"From "):  # what local(8) puts before it, which is not part of a mail
        content = content.partition(b"\n")[2]
    if not content.strip():
        raise CommandFailed("there is no mail on standard input")
    with open_house() as (settings, database):
        to = recipient or address_of(settings.mail_reply_to or settings.mail_from)
        mail = handed_over(content, sender, to, certified=address_of(settings.pec_from))
        with database.write() as session:
            receive_mails(session, [mail], system_clock())


def register(app: typer.Typer) -> None:
    app.command(NAME)(receive_mail)
