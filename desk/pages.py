"""How a page is made: render, refuse, redirect, say a word in passing. Knows no page in particular, decides nothing.

How a page module is written
----------------------------
1. `desk/things.py` holds plain `def` functions on `router = APIRouter()`; add the module to `PAGES` in `desk/app.py`.
2. Who may: `signed: Reader` (any staff), `signed: Actor` (may act: not readers), `signed: Manager` (officers and
   administrators), `signed: Admin`. Not signed in: the sign-in page; wrong role: 403. `house: House` gives database,
   clock, links, files. Both need no `Depends`.
3. Looking: `with house.database.read() as session:` and `return render(request, "things.html", …)` **inside** it.
4. Changing: `with house.database.write() as session:` around the call of the room that has the rule, then
   `return redirect(request, "/desk/things", _("The thing is saved."))` **after** it, so that a commit that fails
   never answers well. The block is in the page and not in a `Depends(…)` generator, on purpose: FastAPI enters and
   leaves those in different threads of one pool of 40, and 40 people waiting for the one writer would leave no
   thread to the writer itself.
5. CSRF is checked for every POST before your function runs; each `<form method="post">` starts with
   `{{ csrf_field() }}`. Nothing else to do.
6. Refusals: `raise Refuse(404)`; `raise Refuse(422, N_("The date is in the past."))`. A form to be corrected is
   rendered again with `status=422` and the errors beside the fields (macro `field`).
7. `_ = speaker(request)` for sentences in Python; in templates `_("…")`, values always by name and escaped.
   Foreign text is only ever `{{ text }}` (escaped) or `{{ text|paragraphs }}`; never `|safe`.
8. Templates extend `base.html` (blocks `title`, `content`; `{% set section = "things" %}` marks the navigation) and
   `{% import "macros.html" as ui with context %}`: `ui.page_header`, `ui.empty`, `ui.table`/`ui.cell`, `ui.field`,
   `ui.select`, `ui.textarea`, `ui.pages`, `ui.badge`, `ui.icon`. No inline style or script: our policy forbids them.
9. A number in the address is `thing_id: Id`: nonsense, and what no database could hold, is a page that is not there.
   One in a form is `thing: FormNumber`.
10. Filters: `moment`, `day`, `ago`, `euro`, `tenths`, `paragraphs`, `leading` (a label before its value),
    `label` (the words for any of our StrEnums).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Path, Request
from itsdangerous import BadData, URLSafeSerializer
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import AfterValidator
from starlette.responses import HTMLResponse, RedirectResponse, Response

from desk import filters, security, tongues
from desk.assets import Marked
from desk.house import DeskHouse
from desk.navigation import SECTIONS, entries_of, sections_for
from desk.security import NotAllowed, NotSignedIn, SignedIn
from facts.languages import N_, Language, Speaker, speaking
from storage.tables import Role

PAGE_SIZE = 50
KEYS = "raccordo_keys"  # the cookie of a browser that does not listen to single keys

# A number in an address. From 2^31 on PostgreSQL would answer with an error; such a page does not exist.
BEYOND = 2**31
Id = Annotated[int, Path(ge=1, lt=BEYOND)]
# One in a form: what no database could hold becomes a number that nothing has.
FormNumber = Annotated[int, Form(), AfterValidator(lambda number: min(max(number, -1), BEYOND - 1))]

__all__ = [
    "BEYOND",
    "KEYS",
    "N_",
    "PAGE_SIZE",
    "Actor",
    "Admin",
    "FormNumber",
    "House",
    "Id",
    "Manager",
    "Page",
    "Pages",
    "Reader",
    "Refuse",
    "redirect",
    "render",
    "speaker",
]

SENTENCES = {
    400: N_("We could not read this request. Go back and try again."),
    403: N_("This page is not for your account. If you need it, ask an administrator."),
    404: N_("This page does not exist, or it is no longer here."),
    405: N_("This address does not work like that. Go back and try again."),
    409: N_("Somebody else was quicker. Look again at how things stand, then decide."),
    413: N_("This is too large. Send a smaller file."),
    422: N_("Something in the form is missing or not right. Go back and correct it."),
    429: N_("Too many attempts. Wait a little, then try again."),
    500: N_("Something went wrong on our side. Try again in a moment."),
}


class Refuse(Exception):
    """The answer is no: an HTTP status and a sentence for the reader (a msgid, with its values)."""

    def __init__(self, status: int, sentence: str = "", **values: object) -> None:
        super().__init__(sentence or str(status))
        self.status = status
        self.sentence = sentence or SENTENCES.get(status, SENTENCES[500])
        self.values = values


# --- who is asking


def the_house(request: Request) -> DeskHouse:
    house: DeskHouse = request.app.state.house
    return house


def _signed(request: Request) -> SignedIn:
    signed: SignedIn | None = request.state.signed
    if signed is None:
        raise NotSignedIn
    return signed


# FastAPI takes a plain function to a thread and back, each time; what only looks at the request is spared the way.


async def _house(request: Request) -> DeskHouse:
    return the_house(request)


async def _reader(request: Request) -> SignedIn:
    return _signed(request)


async def _actor(request: Request) -> SignedIn:
    signed = _signed(request)
    if not signed.may_act:
        raise NotAllowed
    return signed


async def _manager(request: Request) -> SignedIn:
    signed = _signed(request)
    if not signed.may_manage:
        raise NotAllowed
    return signed


async def _admin(request: Request) -> SignedIn:
    signed = _signed(request)
    if signed.role is not Role.ADMIN:
        raise NotAllowed
    return signed


House = Annotated[DeskHouse, Depends(_house)]
Reader = Annotated[SignedIn, Depends(_reader)]
Actor = Annotated[SignedIn, Depends(_actor)]
Manager = Annotated[SignedIn, Depends(_manager)]
Admin = Annotated[SignedIn, Depends(_admin)]


# --- pages of a list


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list: `offset` for the query, then `counted(total)` for the template's `ui.pages`."""

    number: int
    total: int = 0
    size: int = PAGE_SIZE

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

    def counted(self, total: int) -> "Pages":
        return Pages(self.number, total, self.size)


async def page_number(page: int = 1) -> Pages:
    """From `?page=`; nonsense is the first page."""
    return Pages(min(max(page, 1), 100_000))


Page = Annotated[Pages, Depends(page_number)]


# --- answers


def speaker(request: Request, *, html: bool = False) -> Speaker:
    """Says sentences in the reader's language: of staff and, on a personal page, of its referent, who set
    `request.state.language`; else in that of strangers (`desk/tongues.py`)."""
    return speaking(_state(request, "language") or tongues.language_for(request), html=html)


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page, with everything that every page needs."""
    house = the_house(request)
    flash = _take_flash(request)
    response = HTMLResponse(
        _environment.get_template(template).render(**_always(request, house), flash=flash, **values), status
    )
    if flash:
        security.drop_cookie(house, response, FLASH)
    if _state(request, "language") is None:
        response.headers["Vary"] = tongues.VARIES
    visit = security.visit_cookie(house)
    if _state(request, "signed") is None and _state(request, "visit") and visit not in request.cookies:
        security.set_cookie(house, response, visit, request.state.visit)
    return response


def piece(template: str, say: Speaker, zone: str, **values: Any) -> Markup:
    """A part of pages that stands by itself: it knows neither request nor reader, and may be kept."""
    shown = _environment.get_template(template).render(_=say, language=say.language, zone=zone, **values)
    return Markup(shown)  # noqa: S704 - our own template, which escapes


def redirect(request: Request, url: str, flash: str = "", *, level: str = "success") -> RedirectResponse:
    """See other: after a form, so that reloading sends nothing twice. `flash` is said on the next page."""
    response = RedirectResponse(url, status_code=303)
    if flash:
        house = the_house(request)
        value = _flashes(house).dumps([level, str(flash)])
        security.set_cookie(house, response, FLASH, value, seconds=60)
    return response


def saved_mail(number: int, content: bytes) -> Response:
    """A raw mail, only ever to be saved: inside our pages it would run as ours."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="e-mail-{number}.eml"',
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        },
    )


def refusal(request: Request, status: int, sentence: str = "", values: Mapping[str, object] | None = None) -> Response:
    """A whole page that says no, kindly."""
    said = speaker(request)(sentence or SENTENCES.get(status, SENTENCES[500]), **(values or {}))
    return render(request, "error.html", status=status, sentence=said, code=status)


# --- a word in passing

FLASH = "raccordo_flash"


def _flashes(house: DeskHouse) -> URLSafeSerializer:
    return URLSafeSerializer(house.secret_key, salt="raccordo.desk.flash")


def _take_flash(request: Request) -> tuple[str, str] | None:
    cookie = request.cookies.get(FLASH)
    if not cookie:
        return None
    try:
        level, text = _flashes(the_house(request)).loads(cookie)
    except (BadData, ValueError, TypeError):
        return None
    return str(level), str(text)


# --- the template's world


def _state(request: Request, name: str) -> Any:
    return getattr(request.state, name, None)


def _always(request: Request, house: DeskHouse) -> dict[str, Any]:
    signed: SignedIn | None = _state(request, "signed")
    say = speaker(request, html=True)
    return {
        "_": say,
        "request": request,
        "language": say.language,
        "in_other": _in_the_other(request, say.language),
        "signed": signed,
        "office": _state(request, "office") or security.office_of(house),
        "house": house,
        "zone": house.zone,
        "now": house.clock(),
        "entries": entries_of(sections_for(signed)),
        "sections": {one.key: one for one in SECTIONS},
        "waiting_in": dict(
            zip(("access", "letters", "circulars"), _state(request, "waiting") or (0, 0, 0), strict=True)
        ),
        "all_stopped": bool(_state(request, "all_stopped")),
        "keys_on": request.cookies.get(KEYS) != "off",
        "csrf_field": lambda: _csrf_field(request),
        "url_with": lambda **changes: _url_with(request, changes),
    }


def _in_the_other(request: Request, language: Language) -> tuple[Language, str, str] | None:
    """For strangers: the other language, its name, and the address that turns this page to it.

    A page whose address holds a key turns by itself: no other address may carry the key.
    """
    if _state(request, "language") is not None:
        return None
    other = tongues.the_other(language)
    if "token" in request.path_params:
        return other, tongues.NAMES[other], _url_with(request, {tongues.CHOICE: other.value})
    back = _url_with(request, {tongues.CHOICE: None})
    return other, tongues.NAMES[other], f"/language?{urlencode({tongues.CHOICE: other.value, 'back': back})}"


def _csrf_field(request: Request) -> Markup:
    if not hasattr(request.state, "signed"):
        return Markup("")
    token = security.masked(security.csrf_of(request))
    return Markup(f'<input type="hidden" name="csrf" value="{token}">')  # noqa: S704 - letters and digits of our own


def _url_with(request: Request, changes: Mapping[str, object]) -> str:
    """This page's address with some of its parameters changed; None and empty ones left out."""
    kept = {**request.query_params, **changes}
    query = urlencode({name: str(value) for name, value in kept.items() if value not in (None, "")})
    return f"{request.url.path}?{query}" if query else request.url.path


def _environment_of_the_desk() -> Environment:
    environment = Environment(
        loader=PackageLoader("desk"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Marked],
    )
    environment.filters.update(filters.FILTERS)
    environment.policies["json.dumps_function"] = json.dumps
    return environment


_environment = _environment_of_the_desk()
