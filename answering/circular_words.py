"""What a circular says to one person: its placeholders, the language they read, why they get it. Sends nothing.

Staff's text is plain: nothing of it is ever taken for markup. A placeholder that nobody knows is refused, not left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape
from sqlmodel import Session

from answering.refusal import Refused
from delivery.callbacks import answer_circular
from delivery.words import Button, Words
from facts.languages import N_, Language, Speaker, speaking
from storage.circulars import received
from storage.people import organizations_of, projects_of
from storage.tables import Channel, Circular, Referent

LONGEST_SUBJECT = 120  # what a mail's subject keeps
MOST_PROJECTS = 20  # named in one message
# As staff may write them, in either language.
PLACEHOLDERS: Mapping[str, str] = {
    "name": "name",
    "nome": "name",
    "organization": "organization",
    "ente": "organization",
    "projects": "projects",
    "progetti": "projects",
}
OFFERED = {Language.IT: "{nome}, {ente}, {progetti}", Language.EN: "{name}, {organization}, {projects}"}
_PLACE = re.compile(r"\{([^{}\n]*)\}")


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who reads it, as far as the text speaks of them."""

    name: str
    language: Language = Language.IT
    organizations: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


def addressed(session: Session, referent: Referent) -> Addressed:
    return Addressed(
        referent.name,
        Language(referent.language),
        tuple(one.name for one in organizations_of(session, referent.id)),
        tuple(one.title for one in projects_of(session, referent.id)),
    )


def check_places(text: str) -> None:
    """`Refused` when something in braces is no placeholder of ours: it would reach everybody as it stands."""
    for found in _PLACE.finditer(text):
        if _key(found) not in PLACEHOLDERS:
            raise Refused(
                N_("{what} is no placeholder. Those that are, are listed below the text."), what=f"{{{found[1][:40]}}}"
            )


def texts_for(circular: Circular, language: Language) -> tuple[str, str]:
    """Subject and text as this reader gets them: in English when there are English ones."""
    if language is Language.EN and circular.text_en:
        return circular.subject_en, circular.text_en
    return circular.subject, circular.text


def filled(text: str, reader: Addressed) -> str:
    """The text with its placeholders filled, still plain."""
    values = _values(speaking(reader.language), reader)
    return _PLACE.sub(lambda found: values.get(PLACEHOLDERS.get(_key(found), ""), found[0]), text)


def words_for(
    circular: Circular, reader: Addressed, channel: Channel, office: str, *, files: Sequence[int] = ()
) -> Words:
    """As it leaves by this channel. `office`: who signs where there is no letterhead."""
    _ = speaking(reader.language, html=True)
    subject, text = (filled(one, reader) for one in texts_for(circular, reader.language))
    subject = _short(" ".join(subject.split()))
    said = escape(text.strip())
    if channel is not Channel.TELEGRAM:
        return Words(f"{said}\n\n<i>{_why(_, reader)}</i>", subject, files=tuple(files))
    how = _("To answer, reply to this message or press the button.")
    signed = escape(office)
    html = Markup("<b>{}</b>\n\n{}\n\n{}\n\n<i>{} {}</i>").format(subject, said, signed, _why(_, reader), how)
    button = Button(speaking(reader.language)(N_("Answer this")), data=answer_circular(circular.id))
    return Words(str(html), subject, buttons=((button,),), files=tuple(files))


def told(session: Session, referent: Referent) -> Sequence[tuple[int, str, datetime]]:
    """Number, subject as they read it, and day of what they were told lately."""
    reader = addressed(session, referent)
    rows = received(session, referent.id)
    return [(one.id, filled(texts_for(one, reader.language)[0], reader), at) for one, at in rows]


def _short(subject: str) -> str:
    """What a placeholder made long is cut: below files, Telegram allows little."""
    return subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1].rstrip()}…"


def _why(_: Speaker, reader: Addressed) -> str:
    if not reader.organizations:
        return _("You get this message because you are a contact of this office.")
    names = ", ".join(reader.organizations)
    return _("You get this message because you are a contact of this office for {organizations}.", organizations=names)


def _key(found: re.Match[str]) -> str:
    return found[1].strip().casefold()


def _values(_: Speaker, reader: Addressed) -> dict[str, str]:
    shown = list(reader.projects[:MOST_PROJECTS])
    more = len(reader.projects) - len(shown)
    if more:
        shown.append(_.ngettext("and one more", "and {n} more", more))
    return {
        "name": reader.name,
        "organization": ", ".join(reader.organizations) or _("your organisation"),
        "projects": ", ".join(shown) or _("no project"),
    }
