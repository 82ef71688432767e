"""What one is told by mail, and when: one choice for each kind of news. Touches nobody else's.

The kinds and what each means are in `answering/notice_kinds.py`; the switch for all of them is on the account's form.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from sqlmodel import Session
from starlette.responses import Response

from answering.notice_kinds import wishes_of
from desk.pages import N_, House, Reader, redirect, speaker
from facts.languages import Speaker
from storage import audit
from storage.tables import NoticeKind, NoticeWhen, Staff
from storage.waiting import choose

router = APIRouter()

TITLES = {
    NoticeKind.NEW: N_("New questions that nobody has taken"),
    NoticeKind.MINE: N_("What happens to my questions"),
    NoticeKind.MENTIONED: N_("Notes that name me"),
    NoticeKind.EXPIRING: N_("Questions about to run out of time"),
    NoticeKind.OVERDUE: N_("Questions that are late"),
    NoticeKind.APPROVAL: N_("Answers to be approved"),
    NoticeKind.POST: N_("Requests for access and e-mails to be sorted"),
    NoticeKind.FAILED: N_("Messages of ours that did not arrive"),
}
WHEN = {
    NoticeWhen.SOON: N_("As it comes"),
    NoticeWhen.DAILY: N_("In the morning's digest"),
    NoticeWhen.NEVER: N_("Never"),
}


class Wishes(BaseModel):
    """The form: what is missing stays as it was."""

    new: NoticeWhen | None = None
    mine: NoticeWhen | None = None
    mentioned: NoticeWhen | None = None
    expiring: NoticeWhen | None = None
    overdue: NoticeWhen | None = None
    approval: NoticeWhen | None = None
    post: NoticeWhen | None = None
    failed: NoticeWhen | None = None


@router.post("/desk/account/notices")
def choose_notices(request: Request, house: House, signed: Reader, wishes: Annotated[Wishes, Form()]) -> Response:
    with house.database.write() as session:
        own = wishes_of(session, session.get_one(Staff, signed.staff_id))
        sent = {kind: getattr(wishes, kind.value) or own[kind] for kind in own}
        choose(session, signed.staff_id, {kind: wish for kind, wish in sent.items() if wish is not own[kind]})
        about = ("staff", signed.staff_id)
        audit.record(session, house.clock(), about, "staff.notices", about)
    _ = speaker(request)
    return redirect(request, "/desk/account#notices", _("Saved. From now on it is so."))


def shown(session: Session, person: Staff, _: Speaker) -> list[tuple[str, str, str]]:
    """One choice a line: name, title, what is chosen now."""
    own = wishes_of(session, person)
    return [(kind.value, _(title), own[kind].value) for kind, title in TITLES.items() if kind in own]


def choices(_: Speaker) -> list[tuple[str, str]]:
    return [(when.value, _(word)) for when, word in WHEN.items()]
