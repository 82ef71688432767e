"""The page on which a form is filled in: shown, saved, and told what another door has changed meanwhile.

Works without scripts; with them the same page is saved by itself. Looking changes nothing. What is not theirs
answers 404.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from desk.fill_actions import Done, after_post, answers_in, repetitions
from desk.fill_draft import Opened, first_open, open_draft, save
from desk.fill_files import Arrived, arrived, enclose
from desk.fill_page import FormPage, id_of
from desk.fill_reading import Difference, Posted, differences, read_post
from desk.fill_views import conflict_view, dropped_lines, lines_of, telegram_link
from desk.house import DeskHouse
from desk.pages import House, Id, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from desk.security import HEADERS, MOST_FIELDS
from storage.attachments import leave_draft, let_go
from storage.begun import update_from
from storage.desk_people import note_use
from storage.drafts import change_draft
from storage.tables import DraftState, Referent

router = APIRouter()

TRIES = 3
PLACE_OF = {"Permissions-Policy": HEADERS["Permissions-Policy"].replace("geolocation=()", "geolocation=(self)")}
HERE, THERE = "here", "there"


async def _sent(request: Request) -> FormData:
    return await request.form(max_fields=MOST_FIELDS)


Sent = Annotated[FormData, Depends(_sent)]


class _Moved(Exception):
    """Another door was quicker, by a moment."""


@dataclass(frozen=True)
class Visit:
    """Somebody who has sent the form of a draft from their page."""

    request: Request
    house: DeskHouse
    token: str
    me: Referent
    draft_id: int
    posted: Posted

    @property
    def address(self) -> str:
        return f"/r/{self.token}/drafts/{self.draft_id}"


@dataclass(frozen=True)
class Outcome:
    """What became of a form that was sent: kept (`done`), or held back because of `differences`.

    `opened` is the draft as it is now.
    """

    opened: Opened
    done: Done | None = None
    differences: Sequence[Difference] = ()
    files: Arrived = field(default_factory=Arrived)


@router.get("/r/{token}/drafts/{draft_id}")
def page(request: Request, house: House, token: str, draft_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        sent = update_from(session, me.id, draft_id)
        if sent is not None:
            return redirect(request, f"/r/{token}/sent/{sent.id}")
        opened = open_draft(session, house, me, draft_id)
    return _form_page(Visit(request, house, token, me, draft_id, Posted(0)), opened, opened.page())


@router.post("/r/{token}/drafts/{draft_id}")
def answer(request: Request, house: House, token: str, draft_id: Id, sent: Sent) -> Response:
    """The whole form, by any of its buttons."""
    visit = _visit(request, house, token, draft_id, sent)
    if visit is None:
        return closed(request)
    receipt = _receipt(visit)
    if receipt:
        return redirect(request, receipt)
    visit = replace(visit, posted=_chosen(visit.posted, sent))
    outcome = _keep(visit, sent)
    return _conflict_page(visit, outcome) if outcome.done is None else _after(visit, outcome, outcome.done)


@router.post("/r/{token}/drafts/{draft_id}/answers")
@router.post("/r/{token}/drafts/{draft_id}/files")
def answer_in_passing(request: Request, house: House, token: str, draft_id: Id, sent: Sent) -> Response:
    """The same by a script: answers with the form as it is now, to be put in place of what has changed."""
    visit = _visit(request, house, token, draft_id, sent)
    if visit is None:
        return closed(request)
    outcome = _keep(visit, sent)
    if outcome.done is None:
        response = _conflict_page(visit, outcome, whole=False)
        response.headers.update({"HX-Retarget": "#fill-main", "HX-Reswap": "innerHTML"})
        return response
    complete = visit.posted.complete
    with house.database.read() as session:
        values = _form_values(visit, session, outcome.opened, _shown_page(visit, outcome))
        said = _said(request, outcome.done)
        values |= {"complete": complete, "said": said, "saved": True, "failed": False}
        values |= {"looks": visit.posted.looks, "arrives": ""}
        response = render(request, "fill_part.html", **values)
    focus = _focus(visit, outcome)
    if focus:
        response.headers["X-Focus"] = quote(focus, safe=":")
    return response


@router.get("/r/{token}/drafts/{draft_id}/remove")
def before_removing(
    request: Request, house: House, token: str, draft_id: Id, key: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        opened = open_draft(session, house, me, draft_id)
        if key not in repetitions(opened.filling):
            raise Refuse(404)
        lines = lines_of(opened, answers_in(opened.filling, key))
        return render(request, "fill_remove.html", token=token, opened=opened, key=key, id_of=id_of, lines=lines)


@router.get("/r/{token}/drafts/{draft_id}/discard")
def before_discarding(request: Request, house: House, token: str, draft_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        opened = open_draft(session, house, me, draft_id)
        return render(request, "fill_discard.html", token=token, opened=opened)


@router.post("/r/{token}/drafts/{draft_id}/discard")
def discard(request: Request, house: House, token: str, draft_id: Id) -> Response:
    now = house.clock()
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        work = open_draft(session, house, me, draft_id).work
        if not change_draft(session, draft_id, work.revision, now, state=DraftState.CANCELLED):
            raise Refuse(409)
        leave_draft(session, draft_id)
        note_use(session, token, now)
    _ = speaker(request)
    return redirect(request, f"/r/{token}", _("The form is thrown away. Nothing of it was sent."))


@router.get("/r/{token}/drafts/{draft_id}/telegram")
def before_telegram(request: Request, house: House, token: str, draft_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        opened = open_draft(session, house, me, draft_id)
        link = telegram_link(session, house, opened)
        if not link:
            raise Refuse(404)
        return render(request, "fill_telegram.html", token=token, opened=opened, link=link)


# --- keeping


def _visit(request: Request, house: DeskHouse, token: str, draft_id: int, sent: FormData) -> Visit | None:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
    return None if me is None else Visit(request, house, token, me, draft_id, read_post(sent.multi_items()))


def _receipt(visit: Visit) -> str:
    """Where it leads when it was sent meanwhile: perhaps they went back to a page of before."""
    with visit.house.database.read() as session:
        sent = update_from(session, visit.me.id, visit.draft_id)
    return f"/r/{visit.token}/sent/{sent.id}" if sent else ""


def _keep(visit: Visit, sent: FormData) -> Outcome:
    """Reads without holding anybody up, then writes if nobody was quicker; else reads again."""
    posted, opened = visit.posted, _opened(visit)
    files = arrived(visit.house, opened, sent.multi_items(), speaker(visit.request))
    for _try in range(TRIES):
        if posted.revision != opened.work.revision:
            found = differences(opened.filling, posted, opened.notes.unread, opened.language)
            if found:
                return Outcome(opened, differences=found, files=files)
        done = after_post(opened, posted)
        kept = _write(visit, done, files)
        if kept is not None:
            return Outcome(kept, done, files=files)
        opened = _opened(visit)
    raise Refuse(409)


def _opened(visit: Visit) -> Opened:
    with visit.house.database.read() as session:
        return open_draft(session, visit.house, visit.me, visit.draft_id)


def _write(visit: Visit, done: Done, files: Arrived) -> Opened | None:
    """The draft as it is afterwards; None when another door was quicker by a moment, and then nothing is kept."""
    now = visit.house.clock()
    step = first_open(done.opened, [visit.posted.step]) if visit.posted.action == "telegram" else ""
    with suppress(_Moved), visit.house.database.write() as session:
        opened = enclose(session, done.opened, files, now)
        if done.files:
            let_go(session, done.files, visit.draft_id)
        kept = save(session, opened, step, now)
        if kept is None:
            raise _Moved  # out of the block: what was written in it is taken back
        note_use(session, visit.token, now)
        return kept
    return None


def _chosen(posted: Posted, sent: FormData) -> Posted:
    """Of two answers to a question, the one that was picked: here is as if it had just been written."""
    if posted.action not in ("resolve", "all-here", "all-there"):
        return posted
    everything = {"all-here": HERE, "all-there": THERE}.get(posted.action)
    picked = {key: everything or sent.get(f"choose:{key}") for key in posted.shown}
    here = {key: "!" for key, which in picked.items() if which == HERE}
    open_ones = {key: "?" for key, which in picked.items() if which not in (HERE, THERE)}
    return replace(posted, shown=here | open_ones, revision=-1 if open_ones else posted.revision)


# --- answering


def _after(visit: Visit, outcome: Outcome, done: Done) -> Response:
    """Where each button leads."""
    request, _ = visit.request, speaker(visit.request)
    verb = visit.posted.action.partition(":")[0]
    if verb == "send":
        return _to_summary(visit, outcome)
    if verb in ("telegram", "discard"):
        return redirect(request, f"{visit.address}/{verb}")
    if done.confirm:
        return redirect(request, f"{visit.address}/remove?key={quote(done.confirm)}")
    saving = verb in ("", "save")
    shown = _shown_page(visit, outcome)
    if shown.errors and saving:
        return _form_page(visit, outcome.opened, shown, status=422)
    flash = _said(request, done) or (_("What you wrote is saved.") if saving else "")
    focus = _focus(visit, outcome)
    return redirect(request, f"{visit.address}#{focus}" if focus else visit.address, flash)


def _to_summary(visit: Visit, outcome: Outcome) -> Response:
    """Only what is complete, and of which every doubt was answered, goes on."""
    shown = outcome.opened.page(complete=True, refused=outcome.files.refused)
    if not shown.errors and not shown.doubts:
        return redirect(visit.request, f"{visit.address}/summary")
    return _form_page(visit, outcome.opened, shown, status=422, complete=True)


def _shown_page(visit: Visit, outcome: Outcome) -> FormPage:
    return outcome.opened.page(complete=visit.posted.complete, refused=outcome.files.refused)


def _said(request: Request, done: Done) -> str:
    """What a button has to say for itself."""
    _ = speaker(request)
    if done.kept:
        return _("The form has changed meanwhile: look again before you add or remove something.")
    if done.taken_over == 0:
        return _("Nothing of last time could be taken over: the questions are different by now.")
    if done.taken_over is not None:
        return _.ngettext(
            "One answer of last time was taken over: check it.",
            "{n} answers of last time were taken over: check them.",
            done.taken_over,
        )
    return ""


def _focus(visit: Visit, outcome: Outcome) -> str:
    """The place on the page where the person goes on after a button."""
    verb, _colon, what = visit.posted.action.partition(":")
    if verb == "add":
        return f"s-{id_of(what)}:{outcome.opened.filling.instance.repetitions(what)}"
    if verb in ("remove", "removed"):
        return f"another-{id_of(what[: what.rindex('[')])}" if "[" in what else ""
    if verb in ("same", "unfile"):
        return f"f-{id_of(what.rpartition('@')[2])}"
    return "fill-title" if verb in ("undo", "dismiss", "repeat-last") else ""


def _form_page(visit: Visit, opened: Opened, shown: FormPage, *, status: int = 200, complete: bool = False) -> Response:
    failed = status == 422
    with visit.house.database.read() as session:
        values = _form_values(visit, session, opened, shown)
        response = render(
            visit.request,
            "fill_form.html",
            status=status,
            **values,
            complete=complete,
            said="",
            saved=failed,
            failed=failed,
        )
    response.headers.update(PLACE_OF)
    return response


def _form_values(visit: Visit, session: Session, opened: Opened, shown: FormPage) -> dict[str, Any]:
    step = opened.items.get(opened.work.step)
    here = id_of(step.key) if step else ""
    in_chat = opened.begun.draft.state is DraftState.OPEN
    return {
        "token": visit.token,
        "address": visit.address,
        "opened": opened,
        "shown": shown,
        "dropped": dropped_lines(opened),
        "telegram": telegram_link(session, visit.house, opened),
        "step": here,
        "arrives": here if in_chat and not shown.errors else "",  # who comes from the chat goes on at its question
    }


def _conflict_page(visit: Visit, outcome: Outcome, *, whole: bool = True) -> Response:
    """What is different, question by question. Nothing of it is kept yet, and nothing is lost."""
    template = "fill_conflict.html" if whole else "fill_conflict_part.html"
    values = conflict_view(outcome.opened, outcome.differences)
    return render(visit.request, template, status=409, address=visit.address, opened=outcome.opened, **values)
