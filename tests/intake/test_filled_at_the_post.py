"""Updates by mail from the post office's door on: who may make them, and what becomes of the rest of the mail."""

import pytest
from sqlmodel import Session, col, select

from delivery.words import plain_text
from intake.catalogue import Catalogue
from intake.incoming import Incoming
from intake.post.filled import update_reader
from storage.message_ids import message_id_of
from storage.reply_addresses import About
from storage.tables import Channel, Draft, LetterState, Outbox, OutboxKind, Standing, Update
from tests.cast import Cast
from tests.intake.replying import Correspondence, a_correspondence, quoted
from tests.post import ADA, BRUNO, CARLA, a_mail, by_dmarc, certified
from tests.post_office import PostOffice

FIFTY = ("(%): 45", "(%): 50")


@pytest.fixture
def post(session: Session, cast: Cast) -> PostOffice:
    return PostOffice(session, cast.now, update_reader(Catalogue()))


def mail_id(row: Outbox) -> str:
    return message_id_of(row.id, row.dedupe_key, "ufficio.example.org")


def recorded(session: Session) -> list[Update]:
    return list(session.exec(select(Update).where(col(Update.inbox_id).is_not(None))).all())


def by_token(post: PostOffice, ada: Correspondence, text: str, **other: str) -> Incoming:
    to = post.address_for(ada.ada.id, About(outbox_id=ada.reminder.id))
    return a_mail(ADA, text, delivered_to=(to,), **other)


def test_to_the_address_with_the_token_it_is_recorded(post: PostOffice, cast: Cast) -> None:
    ada = a_correspondence(cast)

    letter = post.arrives(by_token(post, ada, "Nessuna novità"))

    (update,) = recorded(post.session)
    assert (letter.standing, letter.state, letter.update_id) == (Standing.REPLY, LetterState.UPDATE, update.id)
    assert (letter.outbox_id, post.questions()) == (ada.reminder.id, [])
    (answer,) = post.automatic()
    assert answer.inbox_id == letter.inbox_id


@pytest.mark.parametrize(
    ("sure", "channel"), [({"pec": certified()}, Channel.PEC), (by_dmarc(ADA), Channel.EMAIL)], ids=["pec", "dmarc"]
)
def test_so_it_is_when_they_are_known_otherwise(
    post: PostOffice, cast: Cast, sure: dict[str, object], channel: Channel
) -> None:
    ada = a_correspondence(cast)

    letter = post.arrives(a_mail(ADA, "Nessuna novità", references=(mail_id(ada.reminder),), **sure), channel)

    assert letter.state is LetterState.UPDATE
    assert [one.channel for one in recorded(post.session)] == [channel]


@pytest.mark.parametrize(
    "unsure",
    [{}, {"pec": certified(Standing.UNTRUSTED)}, by_dmarc(CARLA)],
    ids=["nothing", "untrusted", "another domain"],
)
@pytest.mark.parametrize("filled", [True, False])
def test_a_from_line_alone_records_nothing(
    post: PostOffice, cast: Cast, unsure: dict[str, object], filled: bool
) -> None:
    ada = a_correspondence(cast)
    text, below = ("", ada.quoted(FIFTY)) if filled else ("Nessuna novità", ada.quoted())

    letter = post.arrives(a_mail(ADA, text, quoted=below, references=(mail_id(ada.reminder),), **unsure))

    assert letter.state is LetterState.THREADED
    assert (recorded(post.session), post.session.exec(select(Draft)).all()) == ([], [])


def test_another_s_reminder_is_nobody_s_to_answer(post: PostOffice, cast: Cast) -> None:
    ada = a_correspondence(cast)
    cast.a_referent("Bruno Esempio", email=BRUNO)

    letter = post.arrives(a_mail(BRUNO, "Nessuna novità", references=(mail_id(ada.reminder),), **by_dmarc(BRUNO)))

    assert letter.state is LetterState.THREADED
    assert recorded(post.session) == []


def test_the_same_mail_by_two_doors_is_recorded_once(post: PostOffice, cast: Cast) -> None:
    ada = a_correspondence(cast)
    mail = by_token(post, ada, "Nessuna novità")

    post.arrives(mail)
    post.arrives(mail)

    assert (len(recorded(post.session)), len(post.automatic())) == (1, 1)


def test_the_summary_is_answered_at_the_same_address_and_goes_on_with_the_draft(post: PostOffice, cast: Cast) -> None:
    ada = a_correspondence(cast)
    post.arrives(by_token(post, ada, "", quoted=ada.quoted(FIFTY)))
    (summary,) = post.automatic()
    said = quoted(plain_text(str(summary.body["html"])).replace("120.000,00\n", "130.000,00\n"))

    letter = post.arrives(a_mail(ADA, "", quoted=said, references=(mail_id(summary),), **by_dmarc(ADA)))

    (draft,) = post.session.exec(select(Draft)).all()
    assert (draft.answers["progress"], draft.answers["spent"]) == ("50", "130000")
    assert (letter.state, letter.draft_id) == (LetterState.UPDATE, draft.id)
    assert len(post.automatic()) == 2


def test_other_words_are_a_question_as_ever(post: PostOffice, cast: Cast) -> None:
    ada = a_correspondence(cast)

    letter = post.arrives(by_token(post, ada, "Chi devo chiamare?", quoted=ada.quoted()))

    assert (letter.state, len(post.questions())) == (LetterState.THREADED, 1)
    kinds = select(Outbox.kind).where(Outbox.kind == OutboxKind.AUTO_REPLY)
    assert len(post.session.exec(kinds).all()) == 1
