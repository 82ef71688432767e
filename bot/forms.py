"""The forms beside the usual one: which there are, and beginning one. Asks no question of theirs."""

from dataclasses import replace

from bot import choosing, updating
from bot.heard import id_in
from bot.markup import lines, paragraphs
from bot.own_projects import own_lines
from bot.recap import form_title
from bot.screens import show_step
from bot.steps import ORGANIZATION
from bot.turn import BLANK, Turn
from facts.languages import N_
from intake.catalogue import InUse
from intake.forms.builtin import PROJECT_UPDATE
from intake.forms.nodes import About
from storage.drafts import unfinished_updates
from storage.forms import asked_version, forms_in_use, newest_of
from storage.people import organizations_of
from storage.reports import open_for
from storage.tables import Draft

MOST = 20


def show_forms(turn: Turn) -> None:
    """One button for each."""
    _, turn.recall = turn.html, True
    turn.put_aside()
    found = [turn.house.catalogue.newest(turn.session, one.key) for one in forms_in_use(turn.session)]
    others = [one for one in found if one.form.key != PROJECT_UPDATE][:MOST]
    if not others:
        turn.say(_("There are no other forms at the moment."), [[turn.to_menu()]])
        return
    rows = [[turn.named(f"🗂 {form_title(one.form, turn.language)}", f"f:{one.form_id}")] for one in others]
    turn.say(
        paragraphs(
            lines(_("<b>Which form would you like to fill in?</b>")),
            _("To report on a project use “Update a project”."),
        ),
        [*rows, [turn.to_menu()]],
    )


def begin(turn: Turn, argument: str) -> None:
    """`<form>`: the newest version of a form that is in use."""
    form_id = id_in(argument)
    if form_id not in {one.id for one in forms_in_use(turn.session)}:
        _ = turn.html
        turn.say(_("This form is no longer in use."), [[turn.to_menu()]])
        return
    form = turn.house.catalogue.version(turn.session, newest_of(turn.session, form_id))
    if form.form.about is About.ORGANIZATION:
        _for_organization(turn, form)
    else:
        _for_project(turn, form)


def begin_owed(turn: Turn, argument: str) -> None:
    """`<obligation>` of an organisation of theirs: by a form that tells of it, or the update of one of its projects."""
    obligation_id = id_in(argument)
    own = organizations_of(turn.session, turn.person.id)
    obligation = open_for(turn.session, obligation_id, [one.id for one in own])
    version_id = asked_version(turn.session, obligation_id)
    _ = turn.html
    if obligation is None or version_id is None:
        turn.say(_("This deadline is already covered: nothing more to do."), [[turn.to_menu()]])
        return
    form = turn.house.catalogue.version(turn.session, version_id)
    if form.form.about is About.PROJECT:
        _for_project(turn, form)
        return
    begun = _begun_for(turn, form, obligation.organization_id)
    if begun is not None:
        updating.resume(turn, begun.id, obligation_id)
        return
    turn.begin(replace(BLANK, form_version_id=version_id, step=ORGANIZATION, obligation_id=obligation_id))
    assert obligation.organization_id is not None
    choosing.choose_organization(turn, obligation.organization_id)


def _begun_for(turn: Turn, form: InUse, organization_id: int | None) -> Draft | None:
    """The same form that was begun for the organisation, and has something in it."""
    return next(
        (
            draft
            for draft, _title in unfinished_updates(turn.session, turn.person.id)
            if draft.organization_id == organization_id and draft.form_version_id == form.version_id and draft.answers
        ),
        None,
    )


def _for_project(turn: Turn, form: InUse) -> None:
    found = own_lines(turn)
    _ = turn.html
    if not found:
        turn.say(
            _("I see no project of yours yet. Ask the office to add it: you can write to them with /domanda."),
            [[turn.button(N_("❓ Ask a question"), "m:question")], [turn.to_menu()]],
        )
        return
    choosing.begin(turn, version_id=form.version_id)
    if len(found) == 1:
        choosing.choose_project(turn, found[0].id)
    else:
        show_step(turn)


def _for_organization(turn: Turn, form: InUse) -> None:
    found = organizations_of(turn.session, turn.person.id)
    _ = turn.html
    if not found:
        turn.say(
            _("I do not know yet which organisation you write for. Ask the office: write to them with /domanda."),
            [[turn.button(N_("❓ Ask a question"), "m:question")], [turn.to_menu()]],
        )
        return
    turn.begin(replace(BLANK, form_version_id=form.version_id, step=ORGANIZATION))
    if len(found) == 1:
        choosing.choose_organization(turn, found[0].id)
    else:
        show_step(turn)
