"""The command that checks the log of who did what: `audit verify`. Changes nothing, not even a seal that is missing."""

from typing import Annotated

import typer

from app.commands.house import CommandFailed, Format, Shape, open_house, show
from storage.audit_chain import Break, Link, Verdict, verify

WHY = {
    "missing-link": "link {number} of the chain is missing",
    "missing-row": "link {number} has no row any more: number {row} of the log was removed",
    "altered": "link {number} does not fit row {row} of the log: one of the two was altered, or put in",
    "not-as-kept": "link {number} is not the one that you kept: the chain was made anew, or its end was taken away",
}

Kept = Annotated[
    str, typer.Option("--kept", metavar="NUMBER:HASH", help="A link that you kept elsewhere: it must still be there")
]


def verify_log(shape: Format = Shape.TEXT, kept: Kept = "") -> None:
    """Walks the chain over the log of who did what, and says whether it is whole. Exit code 1 when it is not.

    Keep the newest link (its number and hash) somewhere else: only with it is a chain that was made anew found out.
    """
    link = _kept(kept)
    with open_house() as (_settings, database), database.read() as session:
        verdict = verify(session, link)
    show(_told(verdict, shape), shape)
    if not verdict.whole:
        raise typer.Exit(1)


def _told(verdict: Verdict, shape: Shape) -> dict[str, object]:
    broken = verdict.broken
    told: dict[str, object] = {"whole": verdict.whole}
    if shape is Shape.JSON:
        told["broken"] = broken and {"number": broken.number, "row": broken.audit_id, "why": broken.why}
    elif broken:
        told = {"broken": _sentence(broken)}
    return told | {
        "sealed": verdict.newest.number,
        "not yet sealed" if shape is Shape.TEXT else "unsealed": verdict.unsealed,
        "backdated": verdict.backdated,
        "newest": f"{verdict.newest.number}:{verdict.newest.hash}",
    }


def _sentence(broken: Break) -> str:
    return WHY[broken.why].format(number=broken.number, row=broken.audit_id)


def _kept(text: str) -> Link | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdecimal() and int(number) > 0 and len(digest) == 64):
        raise CommandFailed("--kept is a number and a hash, as this command prints them: 41:9f86d0…")
    return Link(int(number), digest.lower())


def register(app: typer.Typer) -> None:
    log = typer.Typer(help="The log of who did what.", no_args_is_help=True)
    log.callback()(lambda: None)
    log.command("verify")(verify_log)
    app.add_typer(log, name="audit")
