"""One Telegram update: who wrote, where they were, which plain function answers. Decides nothing about the work."""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from bot import (
    access,
    access_edits,
    albums,
    asking,
    circulars,
    correcting,
    delegating,
    edits,
    faq,
    files,
    filling,
    forms,
    left,
    lists,
    menu,
    reached,
    threads,
    tomorrow,
    unsent,
    updating,
    welcome,
    why,
)
from bot.commands import names
from bot.heard import NOTHING, Heard, Kind, hear, id_in, read
from bot.house import House
from bot.screens import show_step
from bot.steps import UNCHANGED
from bot.turn import Turn
from delivery.callbacks import AboutDraft, AboutQuestion, AskedWhy, StartUpdate, Tomorrow, Unchanged, parse
from facts.languages import N_
from storage.drafts import scene_at, sent_later
from storage.tables import Channel, Draft, DraftKind, DraftState, Inbox

Handler = Callable[[Session, Inbox, datetime], None]
Answer = Callable[[Turn], None]

STRANGERS = (Kind.TEXT, Kind.BUTTON, Kind.FILE, Kind.EDITED)  # what is answered, whoever it comes from


def telegram_handler(house: House) -> Handler:
    """For `HANDLERS["telegram"]`."""

    def handle(session: Session, inbox: Inbox, now: datetime) -> None:
        turn = Turn(house, session, hear(read(inbox.payload)), inbox.id, now)
        if not turn.heard.private:
            _outside(turn)
            return
        turn.scene = scene_at(session, Channel.TELEGRAM, str(turn.heard.sender))
        if turn.heard.kind is Kind.BLOCKED:
            reached.closed(turn)
        elif turn.scene is None:
            _answer_stranger(turn)
        else:
            _answer_person(turn)

    return handle


def _heard_in(_session: Session, inbox: Inbox) -> Heard:
    try:
        return hear(read(inbox.payload))
    except (ValueError, RecursionError):
        return NOTHING  # nobody knows whose it was


def apologise(house: House, whose: Callable[[Session, Inbox], Heard] = _heard_in) -> Handler:
    """For a message that could not be handled: its sender is told once, and the office sees it."""

    def sorry(session: Session, inbox: Inbox, now: datetime) -> None:
        heard = whose(session, inbox)
        if not heard.private:
            return
        turn = Turn(house, session, heard, inbox.id, now, scene_at(session, Channel.TELEGRAM, str(heard.sender)))
        _ = turn.html
        turn.say(
            _(
                "I am sorry: something went wrong on our side and I could not handle your message. "
                "It is kept, and the office can see it. Try again with /menu."
            ),
            key=f"sorry:{inbox.id}",
        )

    return sorry


def _outside(turn: Turn) -> None:
    """Groups and channels, and events of nobody."""
    if turn.heard.chat and turn.heard.kind in (Kind.TEXT, Kind.BUTTON):
        welcome.refuse_group(turn)


# -- strangers ---------------------------------------------------------------------------------------


def _answer_stranger(turn: Turn) -> None:
    """Without an invitation there is an explanation, what everybody may ask, and the way to be let in."""
    heard = turn.heard
    if heard.kind is Kind.BUTTON and heard.data.startswith("i:"):
        _invitation(turn, heard.data[2:])
    elif heard.kind is Kind.BUTTON and heard.data.startswith("a:"):
        access.press(turn, heard.data[2:])
    elif heard.command == "start" and heard.rest:
        welcome.start(turn)
    elif heard.command == "privacy":
        menu.show_privacy(turn)
    elif heard.command == "faq":
        faq.show_stranger(turn)
    elif heard.kind is Kind.EDITED and access_edits.hear(turn):
        return
    elif heard.kind in STRANGERS and not access.go_on(turn):
        welcome.explain_to_stranger(turn)


def _invitation(turn: Turn, argument: str) -> None:
    verdict, _sep, inbox_id = argument.partition(":")
    welcome.confirm(turn, verdict, id_in(inbox_id))


# -- known people ------------------------------------------------------------------------------------


def _answer_person(turn: Turn) -> None:
    if turn.person.unreachable:
        reached.opened(turn)
    if turn.person.gathering is not None and not turn.heard.album:
        albums.close_open(turn)
    answer = _KINDS.get(turn.heard.kind)
    if answer is not None:
        answer(turn)
    if turn.recall:
        unsent.recall(turn)


def _text(turn: Turn) -> None:
    heard = turn.heard
    if heard.command is not None:
        command = _COMMANDS.get(heard.command, _unknown_command)
        if command is not _cancel:
            unsent.put_by(turn)
        command(turn)
    elif not heard.text:
        files.cannot_read(turn)
    elif threads.continue_thread(turn) or circulars.continue_circular(turn) or updating.lost_project(turn):
        return
    elif turn.open_work is None:
        _WORDS.get(heard.text.casefold().strip(" .!?"), _loose_text)(turn)
    elif turn.work.kind is DraftKind.UPDATE:
        updating.hear_text(turn)
    else:
        asking.hear_text(turn)


def _loose_text(turn: Turn) -> None:
    if not access.hear_loose(turn):
        asking.offer(turn)


def _unknown_command(turn: Turn) -> None:
    _ = turn.html
    turn.say(_("I do not know this command. With /menu you see what I can do."), [[turn.to_menu()]])


def _cancel(turn: Turn) -> None:
    _ = turn.html
    if turn.open_work is None:
        if not access.cancel_loose(turn):
            turn.say(_("There is nothing to cancel."), [[turn.to_menu()]])
    elif turn.work.kind is DraftKind.UPDATE:
        updating.cancel(turn)
    else:
        asking.cancel(turn)


def _thanks(turn: Turn) -> None:
    _ = turn.html
    turn.say(_("Thanks to you! I am here when you need me: /menu"))


def _file(turn: Turn) -> None:
    """A file, a place, a contact; parts of an album gather first."""
    if turn.heard.album and turn.heard.enclosed is not None:
        albums.gather(turn)
    else:
        files.take(turn)


# -- buttons -----------------------------------------------------------------------------------------


def _button(turn: Turn) -> None:
    """By the prefix of its data; what nobody here wrote is an old button."""
    prefix, _sep, argument = turn.heard.data.partition(":")
    if prefix != "d":
        unsent.put_by(turn)
    press = _PREFIXES.get(prefix)
    if press is not None:
        press(turn, argument)
        return
    match parse(turn.heard.data):
        case AboutQuestion() as pressed:
            threads.about(turn, pressed)
        case StartUpdate(project_id, obligation_id):
            updating.begin_on(turn, project_id, obligation_id)
        case Unchanged(project_id, obligation_id):
            updating.begin_on(turn, project_id, obligation_id, unchanged=True)
        case (Tomorrow() | AskedWhy()) as pressed:
            _under_reminder(turn, pressed)
        case AboutDraft() as pressed:
            left.about(turn, pressed)
        case _:
            _old_button(turn)


def _under_reminder(turn: Turn, pressed: Tomorrow | AskedWhy) -> None:
    """About all that the message tells."""
    if isinstance(pressed, AskedWhy):
        why.explain(turn)
    else:
        tomorrow.put_off(turn)


def _draft_button(turn: Turn, argument: str) -> None:
    """`<draft>:<revision>:<value>`: of the open draft as it is now, else it is an old button."""
    draft_id, _sep, rest = argument.partition(":")
    revision, _sep, value = rest.partition(":")
    work = turn.open_work
    if work is None or draft_id != str(work.id):
        _button_of_another(turn, draft_id)
    elif updating.lost_project(turn):
        return
    elif revision != str(work.revision) and not (work.kind is DraftKind.UPDATE and filling.is_tick(turn, value)):
        _show_again(turn)
    elif work.kind is DraftKind.UPDATE:
        updating.hear_button(turn, value)
    else:
        asking.hear_button(turn, value)


def _show_again(turn: Turn) -> None:
    _ = turn.html
    lead = _("That button belongs to an earlier message. We are here:")
    if turn.work.kind is DraftKind.UPDATE:
        show_step(turn, lead)
    else:
        asking.show_step(turn, lead)


def _button_of_another(turn: Turn, draft_id: str) -> None:
    """Of a draft that is not open: sent, put aside, cancelled; or of somebody else, which is not told apart."""
    _ = turn.html
    draft = turn.own_draft(id_in(draft_id))
    if draft is None:
        turn.say(_("This button is not for you."), [[turn.to_menu()]])
    elif unsent.is_kept(draft):
        unsent.offer(turn, draft)
    elif turn.open_work is not None:
        _show_again(turn)
    elif draft.state is DraftState.SENT or _is_repeated(turn, draft):
        turn.say(_("This has already been sent: nothing more to do."), [[turn.to_menu()]])
    elif draft.kind is DraftKind.UPDATE and draft.project_id is not None:
        again = turn.button(N_("Take it up again"), f"m:resume-{draft.id}")
        turn.say(_("This update is set aside. Shall we go on with it?"), [[again, turn.to_menu()]])
    else:
        _old_button(turn)


def _is_repeated(turn: Turn, draft: Draft) -> bool:
    """ "Nothing changed" pressed twice: the other one was sent, and there is nothing of theirs in this one."""
    return draft.step == UNCHANGED and sent_later(turn.session, draft)


def _old_button(turn: Turn) -> None:
    _ = turn.html
    turn.say(_("This button is old and no longer does anything. Here is the menu:"), menu.menu_rows(turn))


def _menu_button(turn: Turn, argument: str) -> None:
    action, _sep, number = argument.partition("-")
    if action in _NUMBERED:
        _NUMBERED[action](turn, id_in(number))
    else:
        _MENU.get(action, _old_button)(turn)


_MENU: dict[str, Answer] = {
    "menu": menu.show_menu,
    "update": updating.begin,
    "new": updating.begin_new,
    "question": asking.begin,
    "projects": lists.show_projects,
    "deadlines": lists.show_deadlines,
    "questions": lists.show_questions,
    "help": menu.show_help,
    "privacy": menu.show_privacy,
    "language": welcome.choose_language,
    "leave": welcome.ask_to_leave,
    "substitute": delegating.begin,
    "forms": forms.show_forms,
}
_NUMBERED: dict[str, Callable[[Turn, int], None]] = {
    "resume": updating.resume,
    "over": updating.start_over,
    "ask": unsent.take_up,
    "send": unsent.send,
    "along": unsent.take_along,
    "drop": unsent.drop,
    "close": threads.close_waiting,
    "keep": threads.keep_waiting,
}

_BY_NAME: dict[str, Answer] = {
    "aggiorna": updating.begin,
    "domanda": asking.begin,
    "progetti": lists.show_projects,
    "scadenze": lists.show_deadlines,
    "domande": lists.show_questions,
    "moduli": forms.show_forms,
    "faq": faq.begin,
    "menu": menu.show_menu,
    "lingua": welcome.choose_language,
    "aiuto": menu.show_help,
    "annulla": _cancel,
    "sostituto": delegating.begin,
    "privacy": menu.show_privacy,
    "esci": welcome.ask_to_leave,
}
_COMMANDS: dict[str, Answer] = {"start": welcome.start} | {
    name: answer for italian, answer in _BY_NAME.items() for name in names(italian)
}
_WORDS: dict[str, Answer] = {
    **dict.fromkeys(("ciao", "buongiorno", "buonasera", "salve", "hello", "hi", "menu"), menu.show_menu),
    **dict.fromkeys(("grazie", "grazie mille", "ok grazie", "ok", "va bene", "perfetto", "thanks"), _thanks),
    **dict.fromkeys(("aiuto", "help"), menu.show_help),
    **dict.fromkeys(("annulla", "stop", "cancel"), _cancel),
    **dict.fromkeys(("scadenze", "deadlines"), lists.show_deadlines),
    **dict.fromkeys(("progetti", "projects"), lists.show_projects),
}
_PREFIXES: dict[str, Callable[[Turn, str], None]] = {
    "d": _draft_button,
    "m": _menu_button,
    "i": _invitation,
    "l": welcome.set_language,
    "e": welcome.leave_or_stay,
    "a": access.press,
    "v": delegating.press,
    "u": updating.unchanged_for_sure,
    "f": forms.begin,
    "o": forms.begin_owed,
    "c": correcting.begin,
    "w": circulars.begin,
    "k": faq.press,
}
_KINDS: dict[Kind, Answer] = {
    Kind.TEXT: _text,
    Kind.BUTTON: _button,
    Kind.FILE: _file,
    Kind.EDITED: edits.hear,
}
