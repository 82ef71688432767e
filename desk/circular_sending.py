"""A communication before and while it leaves: previewed, tried on oneself, confirmed, followed, stopped, exported."""

from dataclasses import dataclass
from email.message import EmailMessage
from io import BytesIO
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from sqlmodel import Session
from starlette.responses import HTMLResponse, Response

from answering import circular_sending as rules
from answering.circular_words import Addressed, words_for
from answering.circulars import Written, checked
from answering.refusal import Refused
from delivery.letter import compose
from delivery.outbox import enclosures
from delivery.parcel import Enclosure, Letterhead, Parcel
from delivery.reasons import why_closed
from delivery.words import Words, plain_text, split_words
from desk.circular_page import Version, act, address, chosen_people, refused, the_draft, the_head
from desk.house import DeskHouse
from desk.labels import LABELS
from desk.pages import BEYOND, N_, Actor, House, Id, Manager, Reader, Refuse, redirect, render, speaker
from facts.calendar import within_working_hours
from facts.languages import Language, Speaker
from registry.cells import Cell
from registry.files import FILE_WRITERS, MEDIA_TYPES
from storage import addressees, audit, circulars
from storage.addressees import Told
from storage.people import WAYS, the_office
from storage.recipients import Reach
from storage.tables import Channel, Circular, CircularState, OutboxKind, OutboxState

router = APIRouter()

# The mail as it leaves has its styles in place, which our own pages forbid: it stands in a frame that can do nothing.
FRAME = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}
NOBODY_YET = "…"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one reader would get by one channel."""

    circular: Circular
    reader: Addressed
    words: Words
    files: tuple[Enclosure, ...]
    real: bool

    @property
    def text(self) -> str:
        """All that is said, without its markup."""
        return plain_text(self.words.html)

    @property
    def bubbles(self) -> list[Markup]:
        """Telegram's own markup, which has been escaped already."""
        return [Markup(part.html) for part in split_words(self.words)]  # noqa: S704 - as the dispatcher sends it


@router.get("/desk/circulars/{circular_id}/preview")
def preview(
    request: Request,
    house: House,
    signed: Reader,
    circular_id: Id,
    channel: Channel = Channel.TELEGRAM,
    language: Language = Language.IT,
) -> Response:
    with house.database.read() as session:
        shown = _shown(session, house, circular_id, channel, language)
        message = _mail(session, house, shown, channel) if channel is not Channel.TELEGRAM else None
        plain = message.get_body(("plain",)) if message is not None else None
        return render(
            request,
            "circular_preview.html",
            shown=shown,
            base=address(circular_id),
            channel=channel,
            ways=WAYS,
            in_language=language,
            subject=str(message["Subject"]) if message is not None else "",
            plain=plain.get_content() if plain is not None else "",
        )


@router.get("/desk/circulars/{circular_id}/preview/mail")
def mail_page(
    house: House,
    signed: Reader,
    circular_id: Id,
    channel: Channel = Channel.EMAIL,
    language: Language = Language.IT,
) -> Response:
    """The page of the mail, byte for byte, for the frame of the preview."""
    with house.database.read() as session:
        shown = _shown(session, house, circular_id, channel, language)
        body = _mail(session, house, shown, channel).get_body(("html",))
    assert body is not None
    return HTMLResponse(body.get_content(), headers=FRAME)


@router.post("/desk/circulars/{circular_id}/test")
def try_it(
    request: Request,
    house: House,
    signed: Actor,
    circular_id: Id,
    language: Annotated[Language, Form()] = Language.IT,
) -> Response:
    said = speaker(request)(N_("The test is on its way to your own mailbox."))
    now = house.clock()
    return act(
        request,
        house,
        signed,
        circular_id,
        lambda session: rules.send_test(session, circular_id, signed.staff_id, language, now=now),
        said,
    )


@router.get("/desk/circulars/{circular_id}/confirm")
def before_sending(request: Request, house: House, signed: Manager, circular_id: Id) -> Response:
    with house.database.read() as session:
        draft = the_draft(session, circular_id)
        ids, reach = chosen_people(session, house, draft)
        if not ids:
            _ = speaker(request)
            return redirect(request, f"{address(circular_id)}/people", _("First choose who gets it."), level="warning")
        checked(Written.of(draft))
        return render(
            request,
            "circular_confirm.html",
            circular=draft,
            base=address(circular_id),
            reach=reach,
            texts=_texts(session, house, circular_id, reach),
            files=circulars.files_of(session, circular_id),
            outside=not within_working_hours(house.clock(), house.zone),
        )


@router.post("/desk/circulars/{circular_id}/confirm")
def send(
    request: Request,
    house: House,
    signed: Manager,
    circular_id: Id,
    version: Version,
    people: Annotated[int, Form(ge=0, lt=BEYOND)] = 0,
) -> Response:
    """`people`: how many were shown. When they are others by now, somebody looks again."""
    with house.database.read() as session:
        the_head(session, circular_id)
    try:
        with house.database.write() as session:
            many = rules.confirm(
                session, circular_id, signed.staff_id, version=version, people=people, now=house.clock()
            )
    except Refused as no:
        return refused(request, house, signed, circular_id, no)
    _ = speaker(request)
    said = _.ngettext(
        "It is being sent to one person. You can stop it on this page.",
        "It is being sent to {n} people. You can stop it on this page.",
        many,
    )
    return redirect(request, address(circular_id), said)


@router.post("/desk/circulars/{circular_id}/stop")
def stop(request: Request, house: House, signed: Manager, circular_id: Id) -> Response:
    """One press: whoever sees a mistake has no time to be asked. What was kept back can be sent by a new draft."""
    with house.database.read() as session:
        the_head(session, circular_id)
    try:
        with house.database.write() as session:
            many = rules.stop(session, circular_id, signed.staff_id, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, circular_id, no)
    _ = speaker(request)
    said = _.ngettext("Stopped: one person does not get it.", "Stopped: {n} people do not get it.", many)
    return redirect(request, address(circular_id), said, level="warning")


@router.get("/desk/circulars/{circular_id}/progress")
def progress(request: Request, house: House, signed: Reader, circular_id: Id) -> Response:
    """How far it is, for the page that is open. When it is over, the page is loaded anew."""
    with house.database.read() as session:
        head = the_head(session, circular_id)
        counts = addressees.counts(session, circular_id)
        found = render(
            request, "circular_progress.html", circular=head.circular, counts=counts, base=address(circular_id)
        )
    if head.circular.state is not CircularState.SENDING:
        found.headers["HX-Refresh"] = "true"
    return found


@router.get("/desk/circulars/{circular_id}/export.{format}")
def export(request: Request, house: House, signed: Manager, circular_id: Id, format: str) -> Response:
    """Who got it, by what and when; who did not, and why. Written down before a byte leaves."""
    if format not in MEDIA_TYPES:
        raise Refuse(404)
    _, out = speaker(request), BytesIO()
    headers = [_("Referent"), _("Organisation"), _("Result"), _("Channel"), _("When"), _("Why not")]
    with house.database.read() as session:
        the_head(session, circular_id)
        lines = (_line(one, _, house.zone) for one in addressees.everybody(session, circular_id))
        count = FILE_WRITERS[format](out, headers, lines)
    with house.database.write() as session:
        who, what = ("staff", signed.staff_id), ("circular", circular_id)
        audit.record(session, house.clock(), who, "circular.export", what, rows=count)
    name = f"comunicazione-{circular_id}.{format}"
    return Response(
        out.getvalue(),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _line(one: Told, _: Speaker, zone: str) -> list[Cell]:
    row, why = one.outbox, one.why_not
    state = LABELS[OutboxState][OutboxState(row.state)] if row is not None and why is None else ""
    sent = row.sent_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if row is not None and row.sent_at else None
    if why is not None:
        reason = _(LABELS[type(why)][why])
    else:
        known = why_closed(row.error) if row is not None and row.state is not OutboxState.SENT else ""
        reason = _(known) if known else ""
    return [
        one.referent.name,
        ", ".join(one.organizations),
        _(state) if state else _("Not sent") if why is not None else _("Still to leave"),
        _(LABELS[Channel][Channel(row.channel)]) if row is not None else "",
        sent,
        reason,
    ]


def _shown(session: Session, house: DeskHouse, circular_id: int, channel: Channel, language: Language) -> Shown:
    if channel not in WAYS:
        raise Refuse(404)
    circular = the_head(session, circular_id).circular
    real = rules.sample(session, circular, language, house.clock())
    reader = real or Addressed(NOBODY_YET, language)
    ids = [one.id for one in circulars.files_of(session, circular_id)]
    words = words_for(circular, reader, channel, the_office(session).name, files=ids)
    return Shown(circular, reader, words, tuple(enclosures(session, ids).values()), real is not None)


def _texts(session: Session, house: DeskHouse, circular_id: int, reach: Reach) -> list[tuple[Shown, Channel, int]]:
    """What leaves, by each way and in each language in which somebody gets it, and how many do: the most first."""
    return [
        (_shown(session, house, circular_id, channel, Language(language)), channel, many)
        for (channel, language), many in sorted(reach.readers.items(), key=lambda it: (-it[1], it[0]))
    ]


def _mail(session: Session, house: DeskHouse, shown: Shown, channel: Channel) -> EmailMessage:
    """The mail of a reader; only the key of their page, which is made as it leaves, is not in it."""
    office = the_office(session)
    parcel = Parcel(
        id=0,
        attempt=1,
        kind=OutboxKind.CIRCULAR,
        channel=channel,
        address="referente@example.org",
        dedupe_key="preview",
        words=shown.words,
        referent_id=0,
        language=shown.reader.language,
        office=Letterhead(office.name, office.authority, office.hours, office.phone, office.email),
        personal_url=house.links.personal(NOBODY_YET),
        files=shown.files,
    )
    return compose(parcel, "raccordo@example.org", "", house.clock())
