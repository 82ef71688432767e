"""Questions that everybody asks, with their answers, for everybody: a page, the same as JSON, and the map of the site.

Nobody signs in here and nobody is remembered: the page is the same for all who read the same language, and may be kept
by whoever passes it on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from markupsafe import escape
from starlette.responses import JSONResponse, Response

from answering.faq import Offer, in_language
from answering.likeness import Known, similar
from desk.pages import House, render, speaker
from facts.folding import fold, holds
from facts.languages import Language
from storage import faq
from storage.tables import Category, FaqEntry

router = APIRouter()

KEPT = "public, max-age=300"  # seconds: what an officer withdraws is gone within five minutes
PAGES = ("", "public/faq", "privacy", "accessibility")
MOST_TYPED = 200  # characters of a search


@dataclass(frozen=True, slots=True)
class Heap:
    """What stands under one heading; without a category, under none."""

    category: Category | None
    offers: Sequence[Offer]


@router.get("/public/faq")
def page(request: Request, house: House, q: str = "") -> Response:
    _the_same_for_all(request)
    language = speaker(request).language
    q = q[:MOST_TYPED].replace("\x00", "")
    with house.database.read() as session:
        rows = faq.published(session)
        shown = _matching(rows, q, language) if fold(q) else list(rows)
        heaps = [
            Heap(category, [in_language(entry, language) for entry, _category in group])
            for category, group in ((key, list(group)) for key, group in groupby(shown, key=lambda row: row[1]))
        ]
        response = render(request, "public/faq.html", heaps=heaps, q=q, any=bool(rows))
    response.headers["Cache-Control"] = KEPT
    return response


def _the_same_for_all(request: Request) -> None:
    """Whoever is signed in sees what everybody sees; and no browser is given anything to remember."""
    request.state.signed = None
    request.state.visit = ""
    request.state.language = None


def _matching(
    rows: Sequence[tuple[FaqEntry, Category | None]], q: str, language: Language
) -> list[tuple[FaqEntry, Category | None]]:
    """Those that hold every word; when none does, those that ask something like it."""
    offers = {entry.id: in_language(entry, language) for entry, _category in rows}
    words = fold(q).split()
    found = {it.id for it in offers.values() if holds(f"{it.question} {it.answer}", words)}
    if not found:
        found = set(similar(q, [Known(it.id, it.question, it.answer) for it in offers.values()]))
    return [row for row in rows if row[0].id in found]


@router.get("/public/faq.json")
def as_json(house: House) -> Response:
    with house.database.read() as session:
        rows, changed = faq.published(session), faq.published_at(session)
        entries = [_as_json(entry, category) for entry, category in rows]
    headers = {"Cache-Control": KEPT, "Access-Control-Allow-Origin": "*"}
    return JSONResponse({"changed_at": _instant(changed), "entries": entries}, headers=headers)


def _as_json(entry: FaqEntry, category: Category | None) -> dict[str, Any]:
    """Neither who wrote nor who published it, nor where it came from."""
    english = {"question": entry.question_en, "answer": entry.answer_en} if entry.question_en else None
    return {
        "id": entry.id,
        "category": category.name if category is not None else None,
        "it": {"question": entry.question, "answer": entry.answer},
        "en": english,
        "published_at": _instant(entry.published_at),
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


@router.get("/sitemap.xml")
def sitemap(house: House) -> Response:
    """The pages for everybody, for search engines."""
    addresses = (f"<url><loc>{escape(house.links.home() + path)}</loc></url>" for path in PAGES)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(addresses)}</urlset>\n'
    )
    return Response(content, media_type="application/xml", headers={"Cache-Control": KEPT})
