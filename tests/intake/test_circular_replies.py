"""Replies by mail to what staff wrote first: each person's become one question that says what it answers."""

import pytest
from sqlmodel import Session

from intake.incoming import Incoming
from storage.circulars import key_of
from storage.message_ids import message_id_of
from storage.reply_addresses import About
from storage.tables import Circular, CircularState, LetterKind, LetterState, Outbox, OutboxKind, Referent
from tests.cast import Cast
from tests.post import ADA, BRUNO, a_mail, by_dmarc
from tests.post_office import PostOffice


@pytest.fixture
def post(session: Session, cast: Cast) -> PostOffice:
    return PostOffice(session, cast.now)


@pytest.fixture
def ada(cast: Cast) -> Referent:
    return cast.a_referent("Ada Esempio", cast.an_organization(), email=ADA)


@pytest.fixture
def circular(cast: Cast) -> Circular:
    row: Circular = cast.add(
        Circular(
            state=CircularState.SENT,
            subject="Avviso",
            text="Chiudiamo",
            created_by=cast.a_staff().id,
            created_at=cast.now,
            changed_at=cast.now,
        )
    )
    return row


@pytest.fixture
def told(post: PostOffice, ada: Referent, circular: Circular) -> Outbox:
    """The mail that Ada got."""
    return post.a_mail_of_ours(ada.id, ADA, kind=OutboxKind.CIRCULAR, dedupe_key=key_of(circular.id, ada.id))


def by_token(post: PostOffice, told: Outbox, **other: object) -> Incoming:
    to = post.address_for(told.referent_id or 0, About(outbox_id=told.id))
    return a_mail(ADA, "Va bene, ma quando riaprite?", delivered_to=(to,), **other)


def test_a_reply_becomes_a_question_that_says_what_it_answers(
    post: PostOffice, told: Outbox, circular: Circular
) -> None:
    letter = post.arrives(by_token(post, told))

    (question,) = post.questions()
    assert (question.circular_id, question.referent_id) == (circular.id, told.referent_id)
    assert (letter.state, letter.outbox_id) == (LetterState.THREADED, told.id)


def test_a_reply_is_known_by_the_mail_it_names_too(post: PostOffice, told: Outbox, circular: Circular) -> None:
    names = message_id_of(told.id, told.dedupe_key, "ufficio.example.org")

    post.arrives(a_mail(ADA, "Ricevuto", references=(names,), **by_dmarc(ADA)))

    assert [one.circular_id for one in post.questions()] == [circular.id]


def test_a_second_reply_goes_into_the_thread_of_the_first(post: PostOffice, told: Outbox) -> None:
    post.arrives(by_token(post, told))

    post.arrives(by_token(post, told))

    (question,) = post.questions()
    assert len(post.messages(question.id)) == 2


def test_who_is_out_of_office_asks_nothing(post: PostOffice, told: Outbox) -> None:
    letter = post.arrives(by_token(post, told, kind=LetterKind.AUTO_REPLY))

    assert post.questions() == []
    assert (letter.state, letter.outbox_id) == (LetterState.FILED, told.id)


def test_who_got_it_forwarded_asks_a_question_about_nothing(post: PostOffice, cast: Cast, told: Outbox) -> None:
    cast.a_referent("Bruno Esempio", email=BRUNO)
    names = message_id_of(told.id, told.dedupe_key, "ufficio.example.org")

    post.arrives(a_mail(BRUNO, "Anche per me?", references=(names,)))

    assert [one.circular_id for one in post.questions()] == [None]
