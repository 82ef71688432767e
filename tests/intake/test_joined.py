"""Mail about a question that was merged or split: where a reply belongs then."""

from sqlmodel import Session

from answering import joining
from answering.joining import Seen
from intake.questions import add_message
from storage.reply_addresses import About
from storage.tables import Channel, Message, Question, Referent
from tests.cast import Cast
from tests.intake.test_letters import mail_id
from tests.post import ADA, CARLA, OFFICE, a_mail
from tests.post_office import PostOffice

ZONE = "Europe/Rome"


def ada_asks_twice(session: Session, cast: Cast) -> tuple[Referent, Question, Message]:
    """In one thread."""
    ada = cast.a_referent(email=ADA)
    question = cast.a_question(ada, "Il ribasso?", channel=Channel.EMAIL)
    later = add_message(session, question, referent_id=ada.id, text="La DNSH?", channel=Channel.EMAIL, now=cast.now)
    session.refresh(question)
    return ada, question, later


def test_a_reply_to_the_address_of_a_merged_one_goes_where_it_is_now(session: Session, cast: Cast) -> None:
    post, olga = PostOffice(session, cast.now), cast.a_staff()
    ada = cast.a_referent(email=ADA)
    first, second = cast.a_question(ada), cast.a_question(ada)
    to = post.address_for(ada.id, About(question_id=second.id))
    joining.merge(session, Seen(second.id, 1), Seen(first.id, 1), olga.id, now=cast.now)

    by_token = post.arrives(a_mail(ADA, "Ancora", delivered_to=(OFFICE, to)))
    by_subject = post.arrives(a_mail(ADA, "E poi", subject=f"R: [Q-2026-{second.id:05}]"))

    assert (by_token.question_id, by_subject.question_id) == (first.id, first.id)


def test_which_mail_a_reply_answers_says_which_half_it_belongs_to(session: Session, cast: Cast) -> None:
    post, olga = PostOffice(session, cast.now), cast.a_staff()
    ada, question, later = ada_asks_twice(session, cast)
    to = post.address_for(ada.id, About(question_id=question.id))
    stays = post.a_mail_of_ours(ada.id, ADA, question_id=question.id)
    moves = post.a_mail_of_ours(ada.id, ADA, question_id=question.id, dedupe_key=f"answer:{later.id}")

    number = joining.split(session, Seen(question.id, question.version), [later.id], olga.id, now=cast.now, zone=ZONE)
    session.refresh(moves)
    to_the_new = post.arrives(a_mail(ADA, "Ancora", delivered_to=(to,), references=(mail_id(moves),)))
    to_the_old = post.arrives(a_mail(ADA, "E qui", delivered_to=(to,), references=(mail_id(stays),)))
    to_neither = post.arrives(a_mail(ADA, "Boh", delivered_to=(to,)))

    assert (to_the_new.question_id, to_the_old.question_id) == (number, question.id)
    assert to_neither.question_id == question.id


def test_carla_gets_nowhere_by_naming_a_mail_of_the_other_half(session: Session, cast: Cast) -> None:
    post, olga = PostOffice(session, cast.now), cast.a_staff()
    cast.a_referent("Carla Esempio", email=CARLA)
    ada, question, later = ada_asks_twice(session, cast)
    moves = post.a_mail_of_ours(ada.id, ADA, question_id=question.id, dedupe_key=f"answer:{later.id}")
    number = joining.split(session, Seen(question.id, question.version), [later.id], olga.id, now=cast.now, zone=ZONE)

    letter = post.arrives(a_mail(CARLA, "Ancora", references=(mail_id(moves),)))

    assert letter.question_id not in (number, question.id)
