"""Lets people in and out: invitation, strangers, groups, language, leaving. Identifies nobody but by an invitation."""

import re

from bot import access, updating
from bot.heard import Kind, hear, id_in, read
from bot.markup import bold, paragraphs
from bot.menu import first_name, menu_rows, office_contacts, privacy_notice, show_menu
from bot.turn import Turn
from facts.languages import N_, Language
from intake.invitations import ChatTaken, accept, invitation_for, leave
from storage.handing_over import who_left_chat
from storage.people import organizations_of, the_office
from storage.tables import Inbox, Referent

_DRAFT = re.compile(r"d([0-9]{1,18})", re.ASCII)


def start(turn: Turn) -> None:
    """`/start` with an invitation's key asks who it is, with `d7` draft 7 goes on here; else it is the menu."""
    token = turn.heard.rest
    if turn.scene is not None and (begun := _DRAFT.fullmatch(token)) is not None:
        updating.resume(turn, id_in(begun[1]))
        return
    invited = invitation_for(turn.session, token, turn.now) if token else None
    if invited is None:
        known_or_stranger(turn, bad_key=bool(token))
    elif turn.scene is not None and turn.person.id == invited.id:
        _ = turn.html
        show_menu(turn, _("This chat is already yours, {name}. Nothing more to do.", name=first_name(invited.name)))
    else:
        _ask_who(turn, invited)


def known_or_stranger(turn: Turn, *, bad_key: bool) -> None:
    if turn.scene is not None:
        show_menu(turn)
        return
    _ = turn.html
    if bad_key:
        sorry = _("This invitation can no longer be used: it works once, and only for a few days. Ask for a new one:")
        turn.say(paragraphs(sorry, office_contacts(turn)), access.ask_button(turn))
        return
    explain_to_stranger(turn)


def explain_to_stranger(turn: Turn) -> None:
    """Whoever has no invitation learns what this is and how to get in; who was a contact, that they are none."""
    _ = turn.html
    if who_left_chat(turn.session, turn.chat) is not None:
        turn.say(
            paragraphs(
                _("You are no longer a contact of the office, so I cannot take this. Thank you for your work!"),
                _("If this is a mistake, write to us:"),
                office_contacts(turn),
            )
        )
        return
    ask = access.ask_button(turn)
    how = _(
        "I do not know you yet. To get in you need a personal invitation: ask the office, "
        "it arrives by e-mail and you open it on this phone."
    )
    if ask:
        how = _(
            "I do not know you yet. If the office has sent you an invitation by e-mail, open it on this phone; "
            "if not, ask for access here."
        )
    turn.say(
        paragraphs(
            _("Hello! Here the contact persons of the projects send updates and questions to the office."),
            how,
            office_contacts(turn),
            _("How we treat data: /privacy"),
        ),
        ask,
    )


def _ask_who(turn: Turn, invited: Referent) -> None:
    """One confirmation. The button holds where the key arrived, not the key: keys are not kept twice."""
    # The invited person's language, not the phone's: they are about to be that person.
    turn.speaks = Language(invited.language)
    _ = turn.html
    office = the_office(turn.session)
    organizations = ", ".join(one.name for one in organizations_of(turn.session, invited.id))
    who = bold(invited.name) + (f" ({organizations})" if organizations else "")
    parts = [
        _("Hello! This is <b>{office}</b>{authority}.", office=office.name, authority=_authority(office.authority)),
        _("From this chat you can tell us how your projects are going and ask us questions."),
        _(
            "The invitation is for {who}. Is that you?",
            who=who,
        ),
        privacy_notice(turn),
    ]
    key = turn.inbox_id
    turn.say(
        paragraphs(*parts),
        [
            [turn.button(N_("It's me, {name}"), f"i:yes:{key}", name=invited.name)],
            [turn.button(N_("It's not me"), f"i:no:{key}")],
        ],
    )


def _authority(authority: str) -> str:
    return f", {authority}" if authority else ""


def confirm(turn: Turn, verdict: str, inbox_id: int) -> None:
    """The answer to "is that you?". The key is read again from the `/start` of this very chat."""
    _ = turn.html
    if verdict != "yes":
        thanks = _(
            "Thank you for telling us: nothing has been linked. If the invitation was meant for you, write to us:"
        )
        turn.say(paragraphs(thanks, office_contacts(turn)))
        return
    try:
        referent = accept(turn.session, _key_from(turn, inbox_id), turn.chat, turn.now)
    except ChatTaken as taken:
        turn.say(_(taken.sentence))
        return
    turn.look_again()
    if referent is None:
        known_or_stranger(turn, bad_key=True)
        return
    _ = turn.html
    turn.say(
        paragraphs(
            _("Thank you, {name}: this chat is now yours.", name=first_name(referent.name)),
            _("Here is what you can do. The menu is always at /menu, help at /aiuto."),
        ),
        menu_rows(turn),
    )


def _key_from(turn: Turn, inbox_id: int) -> str:
    row = turn.session.get(Inbox, inbox_id)
    heard = hear(read(row.payload)) if row is not None else None
    written = heard is not None and heard.kind in (Kind.TEXT, Kind.EDITED)
    if heard is None or not written or heard.sender != turn.heard.sender or heard.command != "start":
        return ""
    return heard.rest


def refuse_group(turn: Turn) -> None:
    """In groups only who speaks to us is answered."""
    if turn.heard.kind is Kind.BUTTON or turn.heard.command is not None or turn.heard.reply_to_bot:
        _ = turn.html
        turn.say(_("I only speak in private, so that what you write stays yours: open a chat with me."))


def choose_language(turn: Turn) -> None:
    rows = [[turn.button("Italiano", "l:it"), turn.button("English", "l:en")]]
    turn.say("Italiano o English?", rows)


def set_language(turn: Turn, code: str) -> None:
    if code not in set(Language):
        return
    referent = turn.session.get_one(Referent, turn.person.id)
    referent.language = code
    turn.session.flush()
    turn.look_again()
    _ = turn.html
    show_menu(turn, _("From now on I speak English."))


def ask_to_leave(turn: Turn) -> None:
    _ = turn.html
    back = _("You will need a new invitation to come back.")
    if turn.house.mail:
        back = _("To come back you ask for access here, or open a new invitation.")
    turn.say(
        paragraphs(
            _(
                "Shall I unlink this chat? What you have sent stays with the office; what you have begun and not sent "
                "is dropped."
            ),
            back,
        ),
        [[turn.button(N_("Yes, unlink it"), "e:yes"), turn.button(N_("No, stay"), "e:no")]],
    )


def leave_or_stay(turn: Turn, verdict: str) -> None:
    _ = turn.html
    if verdict != "yes":
        show_menu(turn, _("Good, everything stays as it is."))
        return
    leave(turn.session, turn.chat, turn.now)
    goodbye = _("This chat is unlinked, {name}. Thank you, and goodbye!", name=first_name(turn.person.name))
    turn.say(paragraphs(goodbye, office_contacts(turn)), access.ask_button(turn))
