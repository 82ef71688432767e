"""A reply in hand: who wrote it, in which mail, to whom it is answered. Holds things; does nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facts.languages import Language
from intake.catalogue import Catalogue
from intake.incoming import Incoming
from intake.post.asking import Asked
from storage.tables import Letter, Referent


@dataclass(frozen=True)
class ReplyCase:
    session: Session
    incoming: Incoming
    letter: Letter
    referent: Referent
    catalogue: Catalogue
    zone: str
    now: datetime

    @property
    def language(self) -> Language:
        return Language(self.referent.language)


@dataclass(frozen=True)
class Told:
    """What a reminder told of, as it stands now: `asked` is what is still theirs, by the obligation's id.

    `still_open`: which of it is still owed.
    """

    asked: Mapping[int, Asked]
    still_open: frozenset[int]
