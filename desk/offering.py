"""Published answers shown on a personal page before a question is sent, and what its writer says of them.

Once for each question, and never to who attaches a file: a browser would lose it, and it asks about that file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form

from answering.faq import Offer, offers_for
from answering.likeness import OFFERED
from desk.house import DeskHouse
from desk.pages import BEYOND, FormNumber
from facts.languages import Language
from storage.faq import count_opinion


@dataclass(frozen=True, slots=True)
class Opinion:
    """`seen`: what was shown to them. `helped`: the one that was their answer. `offered`: they have been asked."""

    seen: tuple[int, ...] = ()
    helped: int = 0
    offered: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """What the page shows instead of sending: answers like the question, or that one of them helped."""

    offers: Sequence[Offer] = ()
    helped: bool = False


NOTHING_SEEN = Opinion()


def _opinion(
    seen: Annotated[list[int] | None, Form()] = None,
    helped: FormNumber = 0,
    offered: Annotated[str, Form()] = "",
) -> Opinion:
    known = tuple(one for one in seen or () if 0 < one < BEYOND)[:OFFERED]
    return Opinion(known, helped if helped in known else 0, bool(offered))


Said = Annotated[Opinion, Depends(_opinion)]


def before_sending(house: DeskHouse, language: Language, text: str, opinion: Opinion) -> Before | None:
    """None: send it."""
    if opinion.helped:
        with house.database.write() as session:
            count_opinion(session, [opinion.helped], helped=True)
        return Before(helped=True)
    if opinion.offered:
        return None
    with house.database.read() as session:
        offers = offers_for(session, text, language)
    return Before(offers) if offers else None
