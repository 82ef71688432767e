"""What certified mail means: by whichever mailbox of ours it comes, from a person, an organisation, a provider."""

from dataclasses import replace

import pytest
from sqlmodel import Session, select

from intake.incoming import PecKind
from storage.message_ids import message_id_of
from storage.tables import Address, Channel, LetterKind, LetterState, Outbox, Receipt, Referent, Standing
from tests.cast import Cast
from tests.post import PEC, a_mail, certified
from tests.post_office import PostOffice

STRANGER = "sconosciuta@altrove.example.org"
ADA_CERTIFIED = "ada@pec.example.org"


@pytest.fixture
def post(session: Session, cast: Cast) -> PostOffice:
    return PostOffice(session, cast.now)


@pytest.fixture
def ada(cast: Cast) -> Referent:
    referent = cast.a_referent("Ada Esempio", cast.an_organization(), email="ada@example.org")
    cast.add(Address(referent_id=referent.id, channel=Channel.PEC, value=ADA_CERTIFIED, created_at=cast.now))
    return referent


def test_a_certified_mail_of_a_known_organisation_is_held_with_its_name(post: PostOffice, cast: Cast) -> None:
    melzo = cast.an_organization("Melzo", pec="Comune@pec.melzo.example.org")

    letter = post.arrives(a_mail("comune@pec.melzo.example.org", pec=certified()), Channel.PEC)

    assert (letter.state, letter.standing, letter.channel) == (LetterState.HELD, Standing.CERTIFIED, Channel.PEC)
    assert letter.about["organization"] == melzo.id
    assert [one.channel for one in post.automatic()] == [Channel.PEC]


@pytest.mark.parametrize("mailbox", [Channel.PEC, Channel.EMAIL])
def test_a_certified_mail_of_a_known_person_is_theirs_by_either_mailbox(
    post: PostOffice, ada: Referent, mailbox: Channel
) -> None:
    letter = post.arrives(a_mail(ADA_CERTIFIED, pec=certified()), mailbox)

    (message,) = post.messages(letter.question_id or 0)
    assert (message.standing, message.channel, message.referent_id) == (Standing.CERTIFIED, Channel.PEC, ada.id)
    assert [one.channel for one in post.automatic()] == [Channel.PEC]


def test_where_no_certified_mail_can_leave_it_is_answered_as_it_came(post: PostOffice, ada: Referent) -> None:
    post.house = replace(post.house, sends_certified=False)

    letter = post.arrives(a_mail(ADA_CERTIFIED, pec=certified()), Channel.EMAIL)

    assert letter.channel is Channel.EMAIL


@pytest.mark.parametrize(
    "envelope", [certified(Standing.UNTRUSTED), certified(kind=PecKind.ANOMALY), certified(Standing.UNVERIFIED)]
)
def test_what_only_looks_certified_stays_ordinary_mail(post: PostOffice, ada: Referent, envelope: object) -> None:
    letter = post.arrives(a_mail(ADA_CERTIFIED, pec=envelope), Channel.EMAIL)

    assert letter.channel is Channel.EMAIL


def test_an_untrusted_envelope_is_answered_by_nobody(post: PostOffice) -> None:
    letter = post.arrives(a_mail(STRANGER, pec=certified(Standing.UNTRUSTED)), Channel.PEC)

    assert (letter.state, letter.standing) == (LetterState.HELD, Standing.UNTRUSTED)
    assert post.automatic() == []


@pytest.mark.parametrize(("whose", "noted"), [(PEC, 1), (ADA_CERTIFIED, 0)])
def test_a_receipt_for_a_mail_of_somebody_else_says_nothing_of_ours(
    post: PostOffice, session: Session, ada: Referent, whose: str, noted: int
) -> None:
    ours: Outbox = post.a_mail_of_ours(ada.id, ADA_CERTIFIED, channel=Channel.PEC)
    name = message_id_of(ours.id, ours.dedupe_key, "pec.example.org")
    receipt = replace(certified(kind=PecKind.DELIVERED), sender=whose, refers_to=name, recipients=(ADA_CERTIFIED,))

    letter = post.arrives(
        a_mail("posta-certificata@gestore.example", kind=LetterKind.RECEIPT, pec=receipt), Channel.PEC
    )

    assert letter.state is LetterState.FILED
    assert len(session.exec(select(Receipt)).all()) == noted
