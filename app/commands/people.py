"""Commands for people: `staff add`, `staff list`, `staff reset-factor`, `referent add`, `referent list`, `invite`."""

from typing import Annotated

import typer

from app.addresses import known_links
from app.clock import system_clock
from app.commands.house import CommandFailed, Format, Shape, open_house, show
from facts.languages import Language, speaking
from storage.tables import Channel, Role

staff = typer.Typer(help="Desk accounts.", no_args_is_help=True)
referent = typer.Typer(help="Municipal contacts.", no_args_is_help=True)


@staff.command("add")
def add_account(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    role: Annotated[Role, typer.Option(help="What they may do")],
    name: Annotated[str, typer.Option(help="As colleagues see it; the address when left out")] = "",
    shape: Format = Shape.TEXT,
) -> None:
    """Makes a desk account and prints the link with which its owner chooses a password (once, within 7 days).

    For an account that is there already, with this role, it prints a new link and changes nothing.
    """
    from desk.security import welcome_link
    from storage.staff import add_staff, find_staff

    if "@" not in email:
        raise CommandFailed(f"{email!r} is not an e-mail address")
    with open_house() as (settings, database), database.write() as session:
        found = find_staff(session, email)
        if found is not None and (found.role is not role or not found.active):
            how = f"as {found.role.value}" if found.active else "which is not active"
            raise CommandFailed(f"{email} has an account already, {how}; see: raccordo staff list")
        person = found or add_staff(session, email=email, name=name, role=role, now=system_clock())
        link = welcome_link(known_links(settings), person, settings.key)
    if found is not None:
        typer.echo(f"{person.email} has an account already; here is a new link", err=True)
    show({"email": person.email, "role": person.role.value, "choose a password": link}, shape)


@staff.command("list")
def list_accounts(shape: Format = Shape.TEXT) -> None:
    """Name, address, role, and whether a password was chosen."""
    from storage.staff import list_staff

    with open_house() as (_, database), database.read() as session:
        rows = [
            {
                "email": row.email,
                "name": row.name,
                "role": row.role.value,
                "active": row.active,
                "password": row.password_hash is not None,
            }
            for row in list_staff(session)
        ]
    show(rows, shape)
    if not rows and shape is Shape.TEXT:
        typer.echo("Nobody yet. Add the first: raccordo staff add EMAIL --role admin")


@staff.command("reset-factor")
def reset_second_factor(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    shape: Format = Shape.TEXT,
) -> None:
    """Takes away the second factor of who lost phone and recovery codes. They are signed out and told by mail."""
    from desk.second_factor import reset_factor
    from storage.staff import find_staff

    with open_house() as (_, database), database.write() as session:
        person = find_staff(session, email)
        if person is None:
            raise CommandFailed(f"nobody has the address {email}; see: raccordo staff list")
        if not reset_factor(session, person, system_clock(), by=None):
            raise CommandFailed(f"{email} has no second factor")
    show({"email": person.email, "second factor": "reset", "mail": "queued"}, shape)


@referent.command("add")
def add_contact(
    name: Annotated[str, typer.Option(help="First and last name")],
    email: Annotated[str, typer.Option(help="Work address")],
    organization: Annotated[str, typer.Option(help="Municipality (name or ISTAT code) or other actor")],
    project: Annotated[
        list[str] | None, typer.Option("--project", help="CUP; may be repeated. None: all of theirs")
    ] = None,
    role: Annotated[str, typer.Option(help="For example RUP")] = "",
    language: Annotated[Language, typer.Option(help="Language of the messages")] = Language.IT,
    substitute: Annotated[
        str, typer.Option(metavar="EMAIL", help="A referent who is reminded when nothing reaches this one")
    ] = "",
    pec: Annotated[str, typer.Option(metavar="EMAIL", help="Their own certified mailbox")] = "",
    shape: Format = Shape.TEXT,
) -> None:
    """Makes a referent. Then invite them: raccordo invite EMAIL."""
    from registry.referents import add_referent
    from registry.report import RegistryRefused

    with open_house() as (_, database), database.write() as session:
        try:
            person = add_referent(
                session,
                name=name,
                email=email,
                organization=organization,
                cups=project or [],
                role=role,
                language=language,
                substitute=substitute,
                own_pec=pec,
                now=system_clock(),
            )
        except RegistryRefused as refused:
            raise CommandFailed(refused.say(speaking(Language.EN))) from refused
        from storage.people import projects_of

        followed = len(projects_of(session, person.id))
    show({"referent": person.id, "name": person.name, "projects": followed}, shape)


@referent.command("list")
def list_contacts(shape: Format = Shape.TEXT) -> None:
    """Everyone, with organisations and how they can be reached."""
    from storage.people import referents

    with open_house() as (_, database), database.read() as session:
        rows = [
            {
                "id": each.referent.id,
                "name": each.referent.name,
                "organizations": ", ".join(each.organizations),
                "channels": ", ".join(each.channels),
                "projects": each.projects,
            }
            for each in referents(session)
        ]
    show(rows, shape)
    if not rows and shape is Shape.TEXT:
        typer.echo("Nobody yet. Add one: raccordo referent add --help")


def invite_contact(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    shape: Format = Shape.TEXT,
) -> None:
    """Prints the one-time Telegram link (7 days) and the personal web link, and mails them. Earlier invitations end."""
    from intake.invitations import invite
    from storage.people import referent_at

    with open_house() as (settings, database), database.write() as session:
        person = referent_at(session, Channel.EMAIL, email.strip().lower())
        if person is None:
            raise CommandFailed(f"no referent has the address {email}; see: raccordo referent list")
        links = known_links(settings)
        invited = invite(session, person.id, system_clock(), links)
    telegram = invited.start_link if links.bot else "not available: set RACCORDO_TELEGRAM_TOKEN and start once"
    mail = "queued" if invited.mailed else "no working address"
    show({"telegram": telegram, "web": invited.personal_link, "mail": mail}, shape)


def register(app: typer.Typer) -> None:
    app.add_typer(staff, name="staff")
    app.add_typer(referent, name="referent")
    app.command("invite")(invite_contact)
