"""The filter bar of the queue: what its address says, what may be chosen, what is kept under a name. Decides nothing.

Whatever is no choice of ours is as if it was not there: an address is typed, kept and passed on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement
from sqlmodel import Session

from desk.security import SignedIn
from storage import categories, filters, queue, tags
from storage.filters import Narrowed
from storage.local_roles import workers, works_somewhere
from storage.queue import View
from storage.tables import Channel, SavedFilter

NOBODY = "nobody"
NUMBERS = ("category", "tag", "municipality", "programme")
CHOICES = (*NUMBERS, "channel", "who", "urgent", "late", "entrusted")
MOST_LETTERS = 200
CHANNELS = (Channel.TELEGRAM, Channel.EMAIL, Channel.PEC, Channel.WEB, Channel.PHONE)


@dataclass(frozen=True, slots=True)
class Saved:
    """A kept filter in the list above the queue. `count`: up to `MOST_COUNTED`."""

    kept: SavedFilter
    owner: str
    query: str
    count: int
    current: bool


def chosen(params: Mapping[str, str]) -> dict[str, str]:
    """What is chosen, of what may be: the rest is left out."""
    found = {name: params.get(name, "") for name in CHOICES}
    return {name: value for name, value in found.items() if _means_something(name, value)}


def _means_something(name: str, value: str) -> bool:
    if name in NUMBERS:
        return _is_number(value)
    if name == "channel":
        return value in CHANNELS
    if name == "who":
        return value == NOBODY or _is_number(value)
    return bool(value)


def narrowed(params: Mapping[str, str], staff_id: int) -> Narrowed:
    """What the address asks for, of whoever looks."""
    wanted = chosen(params)
    number = {name: int(wanted[name]) for name in NUMBERS if name in wanted}
    who = wanted.get("who")
    return Narrowed(
        category_id=number.get("category"),
        tag_id=number.get("tag"),
        organization_id=number.get("municipality"),
        programme_id=number.get("programme"),
        channel=Channel(wanted["channel"]) if "channel" in wanted else None,
        staff_id=None if who is None else 0 if who == NOBODY else int(who),
        urgent="urgent" in wanted,
        late="late" in wanted,
        entrusted_to=staff_id if "entrusted" in wanted else None,
    )


def query_of(params: Mapping[str, str]) -> str:
    """The filter as it is kept: the heap and what is chosen, always in the same order."""
    view = params.get("view", "")
    return urlencode({"view": view if view in set(View) else View.NEW} | dict(sorted(chosen(params).items())))


def list_of(params: Mapping[str, str]) -> str:
    """The list as it was seen: its filter and the words looked for, which no filter keeps."""
    words = params.get("q", "").strip()[:MOST_LETTERS]
    return query_of(params) + (f"&{urlencode({'q': words})}" if words else "")


def read(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, max_num_fields=30)) if query.count("&") < 30 else {}


def bar(session: Session, signed: SignedIn, params: Mapping[str, str], view: View, now: datetime) -> dict[str, Any]:
    """What the template shows above the list. Closed, the bar is a link: what may be chosen is read when it opens."""
    here, entrusted = query_of({**params, "view": view}), works_somewhere(session, signed.staff_id)
    wanted, works = chosen(params), signed.may_act or entrusted
    is_open = bool(wanted or params.get("bar"))
    return {
        "chosen": wanted,
        "bar_open": is_open,
        "filter_query": here,
        "list_query": list_of({**params, "view": view}),
        "has_entrusted": entrusted,
        "works": works,
        "saved": saved(session, signed, here, now),
        # What is done with many at once offers these, too.
        "categories": categories.active_categories(session) if works or is_open else (),
        "known_tags": tags.active_tags(session) if works or is_open else (),
        "colleagues": workers(session) if works or is_open else (),
        "municipalities": filters.municipalities(session) if is_open else (),
        "programmes": filters.programmes(session) if is_open else (),
        "channels": CHANNELS,
    }


def saved(session: Session, signed: SignedIn, here: str, now: datetime) -> Sequence[Saved]:
    kept = filters.saved_for(session, signed.staff_id)
    queries = [query_of(read(one.query)) for one, _ in kept]
    heaps = [_heap(query, signed.staff_id, now) for query in queries]
    counts = queue.count_some(session, signed.staff_id, heaps, filters.MOST_COUNTED)
    return [
        Saved(one, owner, query, count, query == here)
        for (one, owner), query, count in zip(kept, queries, counts, strict=True)
    ]


def _heap(query: str, staff_id: int, now: datetime) -> tuple[View, list[ColumnElement[bool]]]:
    params = read(query)
    return View(params["view"]), filters.conditions(narrowed(params, staff_id), now)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
