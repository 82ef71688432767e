"""A letter as a message of a thread: its words, and where they come from. Pure; decides nothing, shortens nothing."""

from datetime import datetime
from typing import Any

from facts.languages import N_, Language, speaking
from intake.questions import ByMail
from storage.tables import Letter

NO_WORDS = N_("(An e-mail without words.)")


def words_of(letter: Letter, language: Language, *, first: bool = False) -> str:
    """What was written, whole. A thread has no subjects: that of its `first` mail is its first line."""
    text = letter.text.strip()
    subject = " ".join(letter.subject.split())
    parts = [subject] if subject and (first or not text) and not text.startswith(subject) else []
    said = "\n\n".join([*parts, *([text] if text else [])])
    return said or speaking(language)(NO_WORDS)


def source_of(letter: Letter, referent_id: int, now: datetime, *, automatic: bool = False) -> dict[str, Any]:
    """By whom, by which door, how sure."""
    return {
        "referent_id": referent_id,
        "channel": letter.channel,
        "inbox_id": letter.inbox_id,
        "provider_id": letter.provider_id or None,
        "now": now,
        "mail": ByMail(standing=letter.standing, quoted=letter.quoted, automatic=automatic),
    }
