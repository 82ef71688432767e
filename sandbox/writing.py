"""The page on which a person of the simulation writes to the office: new, in reply, certified, automatic, returned."""

from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.correspondence import Correspondence, Correspondent, Kind
from sandbox.drawing import page
from sandbox.letters import REFUSED, Attached, Written, quotation, reply_subject, reply_to
from sandbox.mail import Mail

STRANGER = "altri"
FILES = 20
WRONG = {
    "who": "Scegli chi scrive.",
    "address": "Scrivi un indirizzo, per esempio dario@example.org.",
    "to": "Scrivi l'indirizzo a cui mandarla.",
    "kind": "Scegli come mandarla.",
    "pec": "Questa persona non ha una PEC: scegli un altro modo.",
    "born": "Questo nasce solo da una mail ricevuta: aprila nella posta e scegli Rispondi.",
    "status": "Scegli perché torna indietro.",
    "subject": "Scrivi l'oggetto.",
    "text": "Scrivi il testo.",
}


@dataclass
class Sheet:
    """The form as it was filled in. `who`: an address of somebody known, or STRANGER."""

    who: str = ""
    name: str = ""
    address: str = ""
    to: str = ""
    subject: str = ""
    text: str = ""
    quoted: str = ""
    kind: str = Kind.ORDINARY
    status: str = "5.1.1"
    forged: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, form: FormData) -> "Sheet":
        names = ("who", "name", "address", "to", "subject", "text", "quoted", "kind", "status")
        sheet = cls(forged=bool(form.get("forged")))
        for name in names:
            if isinstance(form.get(name), str):
                setattr(sheet, name, str(form[name]))
        if not sheet.who and sheet.address.strip():
            sheet.who = STRANGER  # they have written whom, and that says it
        return sheet


class WritingPages:
    """`/sandbox/mail/write`, with `?reply=` the number of a mail."""

    def __init__(self, correspondence: Correspondence) -> None:
        self.post = correspondence

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/sandbox/mail/write", self.blank, methods=["GET"]),
            Route("/sandbox/mail/write", self.send, methods=["POST"]),
        ]

    async def blank(self, request: Request) -> Response:
        answered = self._answered(request)
        if answered is None and "reply" in request.query_params:
            return page("mail_gone.html", 404)
        return self._page(self._begun(answered, request.query_params.get("as", "")), answered)

    async def send(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response(status_code=403)
        answered = self._answered(request)
        async with request.form(max_files=FILES) as form:
            sheet = Sheet.of(form)
            files = [
                await _attached(one) for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename
            ]
        writer = self._writer(sheet)
        self._check(sheet, writer, answered)
        if sheet.errors or writer is None:
            return self._page(sheet, answered, 422)
        kind = Kind(sheet.kind)
        written = Written(
            name=writer.name,
            address=writer.pec if kind is Kind.CERTIFIED else writer.email,
            to=self._certified_to(sheet) if kind is Kind.CERTIFIED else sheet.to.strip(),
            subject=sheet.subject,
            text=sheet.text,
            quoted=sheet.quoted,
            files=[one for one in files if one.name],
            answers=answered,
        )
        handed = await self.post.send(written, kind, forged=sheet.forged, status=sheet.status)
        if handed.refused:
            sheet.errors["sent"] = f"Raccordo non l'ha presa: {handed.refused}"
            return self._page(sheet, answered, 502)
        return RedirectResponse("/sandbox/mail?sent=1", 303)

    def _answered(self, request: Request) -> Mail | None:
        number = request.query_params.get("reply", "")
        known = number.isascii() and number.isdecimal() and len(number) < 9
        found = [one for one in self.post.mail.messages if known and one.number == int(number)]
        return found[0] if found else None

    def _begun(self, answered: Mail | None, who: str) -> Sheet:
        if answered is None:
            known = {one.email for one in self.post.people}
            return Sheet(who=who if who in known else "", to=self.post.office.email)
        recipient = answered.recipients[0].lower()
        writer = next((one for one in self.post.people if recipient in (one.email, one.pec)), None)
        kind = Kind.CERTIFIED if writer is not None and recipient == writer.pec else Kind.ORDINARY
        return Sheet(
            who=writer.email if writer is not None else STRANGER,
            address="" if writer is not None else recipient,
            to=reply_to(answered),
            subject=reply_subject(answered),
            quoted=quotation(answered),
            kind=kind,
        )

    def _writer(self, sheet: Sheet) -> Correspondent | None:
        if sheet.who != STRANGER:
            return next((one for one in self.post.people if one.email == sheet.who), None)
        address = sheet.address.strip().lower()
        return Correspondent(" ".join(sheet.name.split()), address, address)

    def _certified_to(self, sheet: Sheet) -> str:
        """Who writes by certified mail has looked up the office's certified address."""
        office, to = self.post.office, sheet.to.strip()
        return office.pec if office.pec and to == office.email else to

    def _check(self, sheet: Sheet, writer: Correspondent | None, answered: Mail | None) -> None:
        wrong = {
            "who": writer is None,
            "address": writer is not None and not _is_address(writer.email),
            "to": not _is_address(sheet.to.strip()),
            "kind": sheet.kind not in set(Kind),
            "pec": sheet.kind == Kind.CERTIFIED and writer is not None and not writer.pec,
            "born": sheet.kind in (Kind.BOUNCE, Kind.OUT_OF_OFFICE) and answered is None,
            "status": sheet.status not in REFUSED,
            "subject": sheet.kind != Kind.BOUNCE and not sheet.subject.strip(),
            "text": sheet.kind != Kind.BOUNCE and not sheet.text.strip(),
        }
        sheet.errors |= {name: WRONG[name] for name, is_wrong in wrong.items() if is_wrong}

    def _page(self, sheet: Sheet, answered: Mail | None, status: int = 200) -> Response:
        return page(
            "mail_write.html",
            status,
            sheet=sheet,
            answered=answered,
            people=self.post.people,
            office=self.post.office,
            stranger=STRANGER,
        )


async def _attached(file: UploadFile) -> Attached:
    return Attached(file.filename or "", file.content_type or "application/octet-stream", await file.read())


def _is_address(written: str) -> bool:
    if not written.isascii() or any(sign.isspace() or not sign.isprintable() for sign in written):
        return False
    try:
        found = Address(addr_spec=written)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return bool(found.username and found.domain)
