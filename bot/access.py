"""Asking to be let in, in the chat: shows what is asked next and hands on what is written. Decides nothing.

For strangers, and for people we know who follow one more organisation. Buttons are `a:<request>:<revision>:<value>`,
and `a:ask`, which begins.
"""

from bot.heard import Kind, hear, id_in, read
from bot.markup import lines, paragraphs
from bot.menu import first_name, office_contacts
from bot.turn import Turn, shortened
from delivery.callbacks import ASK_FOR_ACCESS
from delivery.words import Button
from facts.calendar import local_date
from facts.dates import show_date
from facts.languages import N_, Language
from facts.mail_addresses import is_free_mail, looks_certified
from intake import access
from intake.access import Asked, asked_next
from intake.refusal import NotTaken
from storage.access import began_since, open_request, search_organizations
from storage.projects import find_organization
from storage.tables import AccessRequest, AccessState, Inbox, Organization, Referent

MOST_FOUND = 6
WHOLE_WORD = 4  # characters: less is the beginning of a name, not a name
CANCEL_WORDS = {"annulla", "cancel", "stop"}
BEFORE = {Asked.ORGANIZATION: Asked.NAME, Asked.EMAIL: Asked.ORGANIZATION, Asked.SUMMARY: Asked.EMAIL}

Rows = list[list[Button]]


def ask_button(turn: Turn) -> Rows:
    """For whoever has no invitation; none where no code could be mailed."""
    return [[turn.button(N_("Ask for access"), ASK_FOR_ACCESS)]] if turn.house.mail else []


# -- what is heard -----------------------------------------------------------------------------------


def press(turn: Turn, argument: str) -> None:
    """A button of this module, pressed by anybody."""
    request = open_request(turn.session, turn.chat)
    number, _sep, rest = argument.partition(":")
    revision, _sep, value = rest.partition(":")
    if turn.heard.data == ASK_FOR_ACCESS:
        _begin(turn, request)
    elif request is None or number != str(request.id):
        _old_button(turn)
    elif revision != str(request.revision):
        _ = turn.html
        show(turn, request, _("That button belongs to an earlier message. We are here:"))
    else:
        _press(turn, request, value)


def go_on(turn: Turn) -> bool:
    """Whatever else a stranger does goes to what they have asked for; False when that is nothing."""
    request = open_request(turn.session, turn.chat)
    if request is None:
        return False
    heard = turn.heard
    if heard.command in CANCEL_WORDS or heard.text.casefold().strip(" .!") in CANCEL_WORDS:
        cancel(turn, request)
    elif heard.kind is Kind.TEXT and heard.text and heard.command is None:
        _hear(turn, request)
    else:
        show(turn, request)
    return True


def hear_loose(turn: Turn) -> bool:
    """A text of a known person that belongs to nothing else: the answer, when they were asked a moment ago."""
    request = _being_asked(turn)
    if request is None:
        return False
    if turn.heard.text.casefold().strip(" .!") in CANCEL_WORDS:
        cancel(turn, request)
    else:
        _hear(turn, request)
    return True


def cancel_loose(turn: Turn) -> bool:
    """`/annulla` of a known person who has nothing else open; False when they were asked nothing."""
    request = _being_asked(turn)
    if request is not None:
        cancel(turn, request)
    return request is not None


def _being_asked(turn: Turn) -> AccessRequest | None:
    request = open_request(turn.session, turn.chat)
    if request is None or request.state is AccessState.WAITING or turn.now - request.touched_at > access.STAYS:
        return None
    return None if began_since(turn.session, turn.person.id, request.touched_at) else request


def _begin(turn: Turn, request: AccessRequest | None) -> None:
    if request is None and turn.scene is None and not turn.house.mail:
        _ = turn.html
        turn.say(paragraphs(_("Please write to us or call us:"), office_contacts(turn)))
        return
    referent = None
    if turn.scene is not None:
        turn.put_aside()
        referent = turn.session.get_one(Referent, turn.person.id)
    show(turn, request or access.begin(turn.session, turn.chat, turn.language, turn.now, referent=referent))


def _old_button(turn: Turn) -> None:
    _ = turn.html
    rows = ask_button(turn) if turn.scene is None else [[turn.to_menu()]]
    turn.say(_("This button is old and no longer does anything."), rows)


def _press(turn: Turn, request: AccessRequest, value: str) -> None:
    action, _sep, argument = value.partition("-")
    try:
        if value in ("cancel", "withdraw"):
            cancel(turn, request, sure=value == "withdraw")
        elif request.state is AccessState.WAITING:
            show(turn, request)
        elif action in ("org", "other"):
            _choose(turn, request, action, id_in(argument))
        elif action in ("fix", "back"):
            _again(turn, request, argument)
        elif value == "correct":
            _show_corrections(turn, request)
        elif value == "send":
            _send(turn, request)
        else:
            show(turn, request)
    except NotTaken as refused:
        show(turn, request, _sorry(turn, refused))


def _choose(turn: Turn, request: AccessRequest, action: str, number: int) -> None:
    organization = turn.session.get(Organization, number) if action == "org" else None
    if organization is not None:
        show(turn, access.take_organization(turn.session, request, organization, turn.now))
    else:
        show(turn, access.take_other_organization(turn.session, request, _typed(turn, number), turn.now))


def _typed(turn: Turn, inbox_id: int) -> str:
    """What they wrote in that message of theirs: a button has no room for it."""
    row = turn.session.get(Inbox, inbox_id)
    heard = hear(read(row.payload)) if row is not None else None
    return heard.text if heard is not None and heard.sender == turn.heard.sender else ""


def _again(turn: Turn, request: AccessRequest, what: str) -> None:
    """Empties one answer. Of a known person only the organisation is asked."""
    if what in (Asked.NAME, Asked.ORGANIZATION, Asked.EMAIL) and (
        request.referent_id is None or what == Asked.ORGANIZATION
    ):
        request = access.forget(turn.session, request, Asked(what), turn.now)
    show(turn, request)


def _send(turn: Turn, request: AccessRequest) -> None:
    if asked_next(request) not in (Asked.SUMMARY, Asked.CODE):
        show(turn, request)
    elif request.referent_id is not None:
        _say_sent(turn, access.send(turn.session, request, turn.now))
    else:
        show(turn, access.send_code(turn.session, request, turn.now, turn.house.key))


def _hear(turn: Turn, request: AccessRequest) -> None:
    asked = asked_next(request)
    request = access.remember(turn.session, request, turn.heard.message, asked, turn.heard.text)
    take(turn, request, asked)


def take(turn: Turn, request: AccessRequest, asked: Asked, lead: str = "") -> None:
    """What they wrote answers this. Not taken, they are told why."""
    text = turn.heard.text
    try:
        if asked is Asked.NAME:
            show(turn, access.take_name(turn.session, request, text, turn.now), lead)
        elif asked is Asked.ORGANIZATION:
            _search(turn, request, text)
        elif asked is Asked.EMAIL:
            show(turn, access.take_email(turn.session, request, text, turn.now), lead)
        elif asked is Asked.CODE:
            _say_sent(turn, access.confirm(turn.session, request, text, turn.now, turn.house.key))
        else:
            _ = turn.html
            show(turn, request, _("Please press one of the buttons below.") if asked is Asked.SUMMARY else "")
    except NotTaken as refused:
        show(turn, open_request(turn.session, turn.chat) or request, _sorry(turn, refused))


def _sorry(turn: Turn, refused: NotTaken) -> str:
    return "⚠️ " + turn.html(refused.sentence, **refused.values)


def cancel(turn: Turn, request: AccessRequest, *, sure: bool = False) -> None:
    """What is with the office already is not taken back by one tap: they would have to confirm it all again."""
    _ = turn.html
    waited = request.state is AccessState.WAITING
    if waited and not sure:
        asked = _("<b>Shall I withdraw your request?</b> The office no longer sees it; to get in you would ask again.")
        yes = _button(turn, request, N_("Yes, withdraw it"), "withdraw")
        turn.say(asked, [[yes], [_button(turn, request, N_("No, leave it with the office"), "show")]])
        return
    access.cancel(turn.session, request, turn.now)
    said = _("I have withdrawn your request.") if waited else _("All right, nothing has been sent.")
    turn.say(said, ask_button(turn) if turn.scene is None else [[turn.to_menu()]])


# -- what is shown -----------------------------------------------------------------------------------


def show(turn: Turn, request: AccessRequest, lead: str = "") -> None:
    """What is asked next, or where the request stands."""
    turn.speaks = Language(request.language) if turn.scene is None else None
    asked = asked_next(request)
    if asked is Asked.NAME:
        _show_name(turn, request, lead)
    elif asked is Asked.ORGANIZATION:
        _show_organization(turn, request, lead)
    elif asked is Asked.EMAIL:
        _show_email(turn, request, lead)
    elif asked is Asked.SUMMARY:
        _show_summary(turn, request, lead)
    elif asked is Asked.CODE:
        _show_code(turn, request, lead)
    else:
        _show_waiting(turn, request, lead)


def _button(turn: Turn, request: AccessRequest, msgid: str, value: str, /, **values: object) -> Button:
    return turn.button(msgid, f"a:{request.id}:{request.revision}:{value}", **values)


def _way_out(turn: Turn, request: AccessRequest) -> list[Button]:
    """Back, where there is something before, and cancel."""
    cancelling = _button(turn, request, N_("✖ Cancel"), "cancel")
    before = BEFORE.get(asked_next(request))
    if before is None or request.referent_id is not None:
        return [cancelling]
    return [_button(turn, request, N_("◀ Back"), f"back-{before}"), cancelling]


def _show_name(turn: Turn, request: AccessRequest, lead: str) -> None:
    _ = turn.html
    intro = _("Three questions, then a code by e-mail; a person of the office decides. What we do with it: /privacy")
    question = lines(_("<b>What is your name?</b>"), _("Write name and surname."))
    turn.say(paragraphs(lead or intro, question), [_way_out(turn, request)])


def _show_organization(turn: Turn, request: AccessRequest, lead: str) -> None:
    _ = turn.html
    question = _("<b>Which organisation do you work for?</b>")
    if request.referent_id is not None:
        question = _("<b>Which other organisation do you follow?</b>")
    hint = _("Write the municipality or the organisation, even only the first letters.")
    turn.say(paragraphs(lead, lines(question, hint)), [_way_out(turn, request)])


def _search(turn: Turn, request: AccessRequest, text: str) -> None:
    """One exact name is taken at once; else they choose, or keep what they typed."""
    exact = find_organization(turn.session, text)
    if exact is not None:
        show(turn, access.take_organization(turn.session, request, exact, turn.now))
        return
    _ = turn.html
    found = search_organizations(turn.session, text, MOST_FOUND)
    rows = [[turn.named(one.name, f"a:{request.id}:{request.revision}:org-{one.id}")] for one in found]
    typed = shortened(text, 30)
    keep = N_("None of these: it is “{typed}”") if found else N_("Yes, it is “{typed}”")
    if not found or len(text) >= WHOLE_WORD:
        rows.append([_button(turn, request, keep, f"other-{turn.inbox_id}", typed=typed)])
    question = _("<b>Which one is it?</b>")
    if not found:
        question = _("I do not know this organisation. <b>Is it written well?</b>")
    hint = _("Not there? Write it again in another way.")
    turn.say(paragraphs(lines(question, hint)), [*rows, _way_out(turn, request)])


def _show_email(turn: Turn, request: AccessRequest, lead: str) -> None:
    _ = turn.html
    question = lines(_("<b>Which is your work e-mail?</b>"), _("I will send you a code of six digits there."))
    turn.say(paragraphs(lead, question), [_way_out(turn, request)])


def _show_summary(turn: Turn, request: AccessRequest, lead: str) -> None:
    _ = turn.html
    parts = [lead, _("<b>Is everything right?</b>"), _facts(turn, request), _hint(turn, request)]
    if request.referent_id is not None:
        send = _button(turn, request, N_("✅ Right, send it to the office"), "send")
    else:
        send = _button(turn, request, N_("✅ Right, send me the code"), "send")
    fix = f"fix-{Asked.ORGANIZATION}" if request.referent_id is not None else "correct"
    correct = _button(turn, request, N_("✏️ Correct"), fix)
    turn.say(paragraphs(*parts), [[send], [correct], _way_out(turn, request)])


def _facts(turn: Turn, request: AccessRequest) -> str:
    _ = turn.html
    organization = request.organization
    if request.organization_id is not None:
        organization = turn.session.get_one(Organization, request.organization_id).name
    return lines(
        _("Name: {name}", name=request.name),
        _("Organisation: {organization}", organization=organization),
        _("E-mail: {email}", email=request.email) if request.email else "",
    )


def _hint(turn: Turn, request: AccessRequest) -> str:
    _ = turn.html
    if request.referent_id is not None:
        return ""
    if is_free_mail(request.email):
        return _("This is a private mailbox: the office will look more closely. If you have one at work, better that.")
    if looks_certified(request.email):
        return _("This looks like a PEC mailbox, which may refuse ordinary mail. If you have another one, better that.")
    return ""


def _show_corrections(turn: Turn, request: AccessRequest) -> None:
    _ = turn.html
    rows = [
        [_button(turn, request, N_("The name"), f"fix-{Asked.NAME}")],
        [_button(turn, request, N_("The organisation"), f"fix-{Asked.ORGANIZATION}")],
        [_button(turn, request, N_("The e-mail"), f"fix-{Asked.EMAIL}")],
        [_button(turn, request, N_("Nothing, go back"), "show")],
    ]
    turn.say(_("<b>What do you want to correct?</b>"), rows)


def _show_code(turn: Turn, request: AccessRequest, lead: str) -> None:
    _ = turn.html
    text = paragraphs(
        lead or _("I am sending you an e-mail at {email}.", email=request.email),
        _("<b>Write here the six digits you find in it.</b>"),
        _("Nothing arrives? Look in the unwanted mail too: the code is valid for {n} minutes.", n=30),
    )
    rows = [
        [_button(turn, request, N_("Send another code"), "send")],
        [_button(turn, request, N_("Another address"), f"fix-{Asked.EMAIL}")],
        _way_out(turn, request),
    ]
    turn.say(text, rows)


def _say_sent(turn: Turn, request: AccessRequest) -> None:
    _ = turn.html
    thanks = _("✅ Thank you, {name}: your request is with the office.", name=first_name(request.name))
    later = _("A person looks at it; you will be told here. There is nothing more to do.")
    turn.say(paragraphs(thanks, later), [[turn.to_menu()]] if turn.scene is not None else [])


def _show_waiting(turn: Turn, request: AccessRequest, lead: str) -> None:
    _ = turn.html
    day = show_date(local_date(request.touched_at, turn.house.zone), turn.language)
    where = _("Your request ({day}) is with the office. You will be told here.", day=day)
    rows = [[_button(turn, request, N_("Withdraw it"), "cancel")]]
    turn.say(paragraphs(lead, where, _facts(turn, request), office_contacts(turn)), rows)
