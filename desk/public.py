"""Pages for everybody: landing, privacy notice, accessibility declaration; and the link that turns strangers' pages to
the other language. Shows nothing of anybody."""

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from desk.pages import House, render
from desk.security import set_cookie
from desk.tongues import CHOICE, NAMES, inside

router = APIRouter()

ROBOTS = "User-agent: *\nDisallow: /desk\nDisallow: /r/\nDisallow: /metrics\nDisallow: /language\n"
YEAR = 365 * 86_400


@router.get("/")
def landing(request: Request) -> Response:
    return render(request, "public/landing.html")


@router.get("/privacy")
def privacy(request: Request) -> Response:
    return render(request, "public/privacy.html")


@router.get("/accessibility")
def accessibility(request: Request) -> Response:
    return render(request, "public/accessibility.html")


@router.get("/language")
def speak(house: House, lang: str = "", back: str = "") -> Response:
    """Keeps the choice in this browser and goes back; a language that we do not speak chooses nothing."""
    response = RedirectResponse(inside(back), status_code=303)
    if lang in NAMES:
        set_cookie(house, response, CHOICE, lang, seconds=YEAR)
    return response


@router.get("/robots.txt")
def robots(house: House) -> Response:
    return PlainTextResponse(f"{ROBOTS}Sitemap: {house.links.home()}sitemap.xml\n")


@router.get("/.well-known/security.txt")
def security_txt(request: Request, house: House) -> Response:
    """RFC 9116. `Expires` is required there; a year from now is the longest it recommends."""
    email = request.state.office.email
    contact = f"mailto:{email}" if email else house.links.privacy()
    expires = (house.clock() + timedelta(days=364)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return PlainTextResponse(
        f"Contact: {contact}\nExpires: {expires}\nPreferred-Languages: it, en\n"
        f"Canonical: {house.links.home()}.well-known/security.txt\n"
    )
