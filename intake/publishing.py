"""Publishes forms: each time a new version, which is never changed. Refuses what would break what is already asked.

Exception
└── FormRefused         the sentence says why; nothing was changed
    ├── CannotPublish
    └── CannotRetire
"""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from facts.languages import N_, Language, Speaker, speaking
from intake.forms.document import from_document, to_document
from intake.forms.nodes import About, Definition
from intake.forms.outcomes import Sentence
from intake.forms.xlsform.findings import sentence
from intake.forms.xlsform.reading import Reading
from storage import audit
from storage.forms import add_form, deadlines_asking, form_with, hold_form, newest_version
from storage.tables import Form, FormProposal, FormVersion

SAME = N_("This is what version {number} of “{title}” asks already: there is nothing to publish.")
OTHER_SUBJECT = N_(
    "“{title}” is filled in for {old}, this file says {new}. Give the form another form_id: it is another form."
)
OVERTAKEN = N_("Meanwhile somebody else has published a version of this form. Look at the differences again.")
STILL_ASKED = N_("“{title}” is still asked by active deadlines: {deadlines}. Stop them first.")
_SUBJECTS = {About.PROJECT: N_("a project"), About.ORGANIZATION: N_("an organisation")}


class FormRefused(Exception):
    """Nothing was changed."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(why.msgid)
        self.sentence = why

    def say(self, _: Speaker) -> str:
        return self.sentence.say(_)


class CannotPublish(FormRefused):
    """It would change nothing, or what answers are about, or go over another's work."""


class CannotRetire(FormRefused):
    """Somebody still owes answers to it."""


def hindrance(session: Session, form: Definition) -> CannotPublish | None:
    """Why it could not be published now."""
    row, newest = form_with(session, form.key), newest_version(session, form.key)
    if row is None or newest is None:
        return None
    if row.about != form.about:
        old, new = _SUBJECTS[About(row.about)], _SUBJECTS[form.about]
        return CannotPublish(sentence(OTHER_SUBJECT, title=row.title, old=_in(old), new=_in(new)))
    if row.retired_at is None and newest.definition == to_document(form):
        return CannotPublish(sentence(SAME, number=newest.number, title=row.title))
    return None


def publish(
    session: Session, form: Definition, *, now: datetime, source: str = "", by: int | None = None
) -> FormVersion:
    """The next version of the form with this key, or its first. Retired, it is in use again. Raises CannotPublish."""
    title = form.title[form.languages[0]]
    row = form_with(session, form.key)
    row = hold_form(session, row.id) if row is not None else add_form(session, form.key, title, form.about)
    if row is None:
        raise CannotPublish(sentence(OVERTAKEN))
    refused = hindrance(session, form)
    if refused is not None:
        raise refused
    newest = newest_version(session, form.key)
    row.title, row.retired_at = title, None
    session.add(row)
    number = newest.number + 1 if newest is not None else 1
    version = FormVersion(
        form_id=row.id,
        number=number,
        definition=to_document(form),
        source=source,
        published_by=by,
        published_at=now,
    )
    session.add(version)
    session.flush()
    who = ("staff", by) if by is not None else ("system", None)
    audit.record(session, now, who, "form.publish", ("form", row.id), number=number)
    return version


def propose(
    session: Session, reading: Reading, *, name: str, content: bytes, by: int | None, now: datetime
) -> FormProposal:
    """Keeps a file as it came, with the form that was read in it, if any: to be looked at, and published or not."""
    definition = to_document(reading.form) if reading.form is not None else {}
    row = FormProposal(name=name, content=content, definition=definition, staff_id=by, created_at=now)
    session.add(row)
    session.flush()
    who = ("staff", by) if by is not None else ("system", None)
    audit.record(session, now, who, "form.propose", ("form-proposal", row.id), problems=len(reading.problems))
    return row


def publish_proposal(
    session: Session, row: FormProposal, *, by: int | None, now: datetime, after: int | None = None
) -> FormVersion:
    """Once. Raises CannotPublish; the caller has seen that it is free of problems and not published yet.

    `after`: the number of the version, 0 for none, with which a person has compared it; None when nobody has.
    """
    form = from_document(row.definition)
    newest = newest_version(session, form.key)
    if after is not None and after != (newest.number if newest is not None else 0):
        raise CannotPublish(sentence(OVERTAKEN))
    version = publish(session, form, now=now, source=row.name, by=by)
    row.version_id = version.id
    session.add(row)
    session.flush()
    return version


def discard(session: Session, row: FormProposal, *, by: int, now: datetime) -> None:
    """The file is gone; whoever has it may upload it again. The caller has seen that it is not published."""
    session.delete(row)
    audit.record(session, now, ("staff", by), "form.discard", ("form-proposal", row.id))


def retire(session: Session, form: Form, *, by: int, now: datetime) -> None:
    """Nobody begins it any more; what was begun is finished, what was sent stays. Raises CannotRetire."""
    hold_form(session, form.id)
    if form.retired_at is not None:
        return
    asking = deadlines_asking(session, form.id)
    if asking:
        titles = ", ".join(f"“{deadline.title}”" for deadline, _number in asking)
        raise CannotRetire(sentence(STILL_ASKED, title=form.title, deadlines=titles))
    form.retired_at = now
    session.add(form)
    audit.record(session, now, ("staff", by), "form.retire", ("form", form.id))


def revive(session: Session, form: Form, *, by: int, now: datetime) -> None:
    """In use again, with the version it had last."""
    hold_form(session, form.id)
    if form.retired_at is None:
        return
    form.retired_at = None
    session.add(form)
    audit.record(session, now, ("staff", by), "form.revive", ("form", form.id))


def _in(msgid: str) -> Callable[[Language], str]:
    return lambda language: speaking(language)(msgid)
