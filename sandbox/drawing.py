"""Draws the pages of the sandbox; refuses to load anything from elsewhere."""

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

HERE = Path(__file__).parent
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'self'; form-action 'self'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
INVITATION = re.compile(r"https://t\.me/\w+\?start=([A-Za-z0-9_-]{1,64})")
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]»'’]")

templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True)


def linked(text: str) -> Markup:
    """The text, escaped, with its web addresses as links; an invitation opens in the simulated chat."""
    out, at = Markup(), 0
    for found in LINK.finditer(text):
        out += escape(text[at : found.start()]) + _link(found.group())
        at = found.end()
    return out + escape(text[at:])


def _link(url: str) -> Markup:
    invitation = INVITATION.fullmatch(url)
    if invitation is None:
        return Markup('<a href="{0}" target="_blank" rel="noreferrer">{0}</a>').format(url)
    link = Markup('<a href="/sandbox/chat?start={}">{}</a> <em>(si apre nella chat simulata)</em>')
    return link.format(invitation[1], url)


templates.filters["linked"] = linked
templates.filters["name"] = lambda address: parseaddr(address)[0] or parseaddr(address)[1] or address


def page(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(templates.get_template(template).render(**values), status, headers=HEADERS)
