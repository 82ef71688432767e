"""A reply to a reminder on its whole way: from its bytes to what it changes, and to nothing when it is not sure."""

import pytest
from sqlmodel import col, select

from intake.catalogue import Catalogue
from intake.mail import read
from intake.post.filled import update_reader
from storage.reply_addresses import About
from storage.tables import Draft, Letter, LetterState, OutboxKind, Question, Standing, Update
from tests.cast import Cast
from tests.intake.replying import ADA, Correspondence, a_correspondence, quoted
from tests.post import OFFICE
from tests.post_office import PostOffice


def replies(ada: Correspondence, text: str, *, to: str = OFFICE, sender: str = ADA) -> Letter:
    """Without a word of which mail it answers: only the address says it."""
    post = PostOffice(ada.session, ada.now, update_reader(Catalogue()))
    raw = f"From: Ada <{sender}>\r\nTo: {to}\r\nSubject: R: Promemoria\r\nMessage-ID: <1@x.example.org>\r\n\r\n{text}"
    return post.arrives(read(raw.replace("\n", "\r\n").replace("\r\r", "\r").encode(), own=post.house.own))


def address(ada: Correspondence) -> str:
    return PostOffice(ada.session, ada.now).address_for(ada.ada.id, About(outbox_id=ada.reminder.id))


def test_nothing_new_by_return_of_mail_is_an_update(cast: Cast) -> None:
    ada = a_correspondence(cast)

    letter = replies(ada, f"Nessuna novità\n\n{quoted(ada.text)}", to=address(ada))

    assert (letter.state, letter.standing) == (LetterState.UPDATE, Standing.REPLY)
    newest = cast.session.exec(select(Update).order_by(col(Update.id).desc())).first()
    assert newest is not None
    assert newest.referent_id == ada.ada.id
    assert cast.session.exec(select(Question)).all() == []


def test_what_was_filled_in_becomes_a_draft_and_one_summary(cast: Cast) -> None:
    ada = a_correspondence(cast)

    letter = replies(ada, f"Ecco.\n\n{ada.quoted(('(%): 45', '(%): 50'))}", to=address(ada))

    assert letter.state is LetterState.UPDATE
    assert len(cast.session.exec(select(Draft)).all()) == 1
    assert [one.kind for one in ada.summaries] == [OutboxKind.AUTO_REPLY]


@pytest.mark.parametrize("sender", [ADA, "altra@example.org"])
def test_without_the_address_nothing_is_recorded(cast: Cast, sender: str) -> None:
    ada = a_correspondence(cast)
    before = len(cast.session.exec(select(Update)).all())
    to = OFFICE if sender == ADA else address(ada)

    letter = replies(ada, "Nessuna novità", to=to, sender=sender)

    assert letter.state in (LetterState.THREADED, LetterState.HELD)
    assert len(cast.session.exec(select(Update)).all()) == before
    assert cast.session.exec(select(Draft)).all() == []


def test_other_words_are_a_question_about_that_project(cast: Cast) -> None:
    ada = a_correspondence(cast)

    letter = replies(ada, f"Che cosa devo scrivere?\n\n{quoted(ada.text)}", to=address(ada))

    question = cast.session.get_one(Question, letter.question_id)
    assert letter.state is LetterState.THREADED
    assert question.project_id is not None
