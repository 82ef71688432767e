"""The menu, and what everybody may ask at any time: help and the privacy notice. Begins nothing itself."""

from collections.abc import Sequence

from bot.markup import bold, lines, paragraphs
from bot.turn import Turn, shortened
from delivery.callbacks import ASK_FOR_ACCESS
from delivery.words import Button
from facts.languages import N_
from intake.drafting import Progress, progress_of
from intake.forms.builtin import PROJECT_UPDATE
from intake.forms.nodes import About, say
from storage.attachments import counts_in_drafts
from storage.drafts import unfinished_updates
from storage.people import the_office
from storage.tables import Draft

MOST_UNFINISHED = 3
ORIGINALS = N_("Telegram makes photos smaller: where the original counts, send it as a file.")
ANOTHER = N_("🏛 I follow another organisation too")  # leads to bot/access.py


def show_menu(turn: Turn, lead: str = "") -> None:
    """What can be done, and what was begun and not finished."""
    _ = turn.html
    turn.put_aside()
    turn.recall = True
    text = lead or _("Hello {name}, what would you like to do?", name=first_name(turn.person.name))
    unfinished = unfinished_updates(turn.session, turn.person.id)[:MOST_UNFINISHED]
    if unfinished:
        text = paragraphs(text, unfinished_lines(turn, unfinished))
    resume = [
        [turn.button(N_("Continue: {title}"), f"m:resume-{draft.id}", title=title_of(turn, draft, title))]
        for draft, title in unfinished
    ]
    turn.say(text, [*resume, *menu_rows(turn)])


def title_of(turn: Turn, draft: Draft, title: str | None) -> str:
    """What an unfinished update tells of, which may still be missing; of any form but the usual one, its name too."""
    assert draft.form_version_id is not None
    form = turn.house.catalogue.version(turn.session, draft.form_version_id).form
    named = title
    if named is None:
        to_be_chosen = N_("Project to be chosen") if form.about is About.PROJECT else N_("Organisation to be chosen")
        named = turn.plain(to_be_chosen)
    return named if form.key == PROJECT_UPDATE else f"{say(form.title, turn.language, form.languages)} · {named}"


def how_far(turn: Turn, draft: Draft) -> Progress:
    assert draft.form_version_id is not None
    form = turn.house.catalogue.version(turn.session, draft.form_version_id)
    return progress_of(form, draft, now=turn.now, zone=turn.house.zone)


def unfinished_lines(turn: Turn, unfinished: Sequence[tuple[Draft, str | None]]) -> str:
    """What was left half-way, with how much of it there is; then what only waits to be sent."""
    _ = turn.html
    begun, ready = [], []
    files = counts_in_drafts(turn.session, [draft.id for draft, _title in unfinished])
    for draft, title in unfinished:
        line = "• " + bold(shortened(title_of(turn, draft, title), 100))
        attached = f" 📎 {files[draft.id]}" if draft.id in files else ""
        far_on = how_far(turn, draft)
        n, total = far_on.given, far_on.asked
        if not far_on.complete:
            far = " " + _("({n} answers of {total})", n=n, total=total) if n or title is not None else ""
            begun.append(line + far + attached)
        else:
            ready.append(line + attached)
    return lines(
        *([_("You have updates begun and not sent:"), *begun] if begun else []),
        *([_("To be sent:"), *ready] if ready else []),
    )


def menu_rows(turn: Turn) -> list[list[Button]]:
    return [
        [turn.button(N_("📝 Update a project"), "m:update"), turn.button(N_("❓ Ask a question"), "m:question")],
        [turn.button(N_("📁 My projects"), "m:projects"), turn.button(N_("📅 My deadlines"), "m:deadlines")],
        [turn.button(N_("💬 My questions"), "m:questions"), turn.button(N_("🗂 Other forms"), "m:forms")],
        [turn.button(N_("💡 Frequently asked questions"), "k:")],
        [
            turn.button(N_("🌐 Language"), "m:language"),
            turn.button(N_("🔒 Privacy"), "m:privacy"),
            turn.button(N_("ℹ️ Help"), "m:help"),
        ],
    ]


def first_name(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.split() else name


def show_help(turn: Turn) -> None:
    """What can be written here, and whom to call."""
    _ = turn.html
    text = paragraphs(
        lines(
            _("<b>What you can do here</b>"),
            "/aggiorna – " + _("report how a project is going, in six short questions"),
            "/moduli – " + _("the other forms: a local need, an event and more"),
            "/domanda – " + _("ask the office something; the answer arrives here"),
            "/progetti – " + _("your projects"),
            "/scadenze – " + _("what is due and when"),
            "/domande – " + _("your questions and how they stand"),
            "/faq – " + _("the questions that come most often, with their answers"),
            "/sostituto – " + _("who answers in your place while you are away"),
            "/lingua – " + _("Italiano or English"),
            "/annulla – " + _("leave what you are doing"),
            "/privacy – " + _("how we treat your data"),
            "/esci – " + _("unlink this chat"),
        ),
        _(
            "Photos, files, voice messages and places go along with what you are writing. To add something to a "
            "question, reply to any of its messages; to correct an answer, edit your message."
        ),
        _(ORIGINALS),
        office_contacts(turn),
    )
    turn.say(text, [[turn.button(ANOTHER, ASK_FOR_ACCESS)], [turn.to_menu()]] if turn.scene else [])


def office_contacts(turn: Turn) -> str:
    """Name, phone, hours and e-mail of the office, those that are known."""
    _ = turn.html
    office = the_office(turn.session)
    return lines(
        bold(office.name),
        _("Phone: {phone}", phone=office.phone) if office.phone else "",
        _("E-mail: {email}", email=office.email) if office.email else "",
        _("Hours: {hours}", hours=office.hours) if office.hours else "",
    )


def show_privacy(turn: Turn) -> None:
    """The short notice; the whole one is a page. Told to strangers too."""
    _ = turn.html
    turn.say(paragraphs(privacy_notice(turn), office_contacts(turn)), [[turn.to_menu()]] if turn.scene else [])


def privacy_notice(turn: Turn) -> str:
    _ = turn.html
    office = the_office(turn.session)
    parts = [
        _("<b>Your data, in short</b>"),
        _(
            "{controller} uses your name, your role and what you write here only to follow the projects "
            "and to answer you, as its public task. Nothing is sold or used for anything else.",
            controller=office.controller or office.authority or office.name,
        ),
        _(
            "Messages pass through Telegram, which has its own rules: please do not write other people's personal data "
            "here. You can always use your web page or e-mail instead."
        ),
        _("You may ask to see, correct or delete your data at any time."),
    ]
    if office.dpo_contact:
        parts.append(_("Data protection officer: {contact}", contact=office.dpo_contact))
    parts.append(_('The whole notice: <a href="{url}">{url}</a>', url=turn.house.links.privacy()))
    return lines(*parts)
