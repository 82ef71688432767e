"""Who is let in, and who is not."""

import re
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from delivery.links import Links
from delivery.outbox import queue_to
from delivery.words import Words, with_secret
from intake.invitations import ChatTaken, accept, invitation_for, invite, leave, revoke, word_invitation
from storage.people import address_of, mark_unreachable, referent_at, referent_with_link
from storage.tables import (
    Address,
    Audit,
    Channel,
    Draft,
    DraftKind,
    DraftState,
    Invitation,
    Outbox,
    OutboxKind,
    OutboxState,
    Referent,
)
from tests.cast import Cast

LINKS = Links("https://raccordo.example.org", bot="RaccordoEsempioBot")
CHAT = "4001"


def _key(link: str) -> str:
    return link.rpartition("=")[2]


@pytest.fixture
def ada(cast: Cast) -> Referent:
    return cast.a_referent("Ada Esempio", email="ada@example.org")


def test_an_invitation_hands_over_both_links_and_queues_one_mail(
    session: Session, ada: Referent, now: datetime
) -> None:
    invited = invite(session, ada.id, now, LINKS)

    assert invited.mailed
    assert invited.start_link.startswith("https://t.me/RaccordoEsempioBot?start=")
    assert referent_with_link(session, invited.personal_link.rpartition("/")[2], now) == ada
    row = session.exec(select(Outbox)).one()
    assert (row.kind, row.channel, row.address) == (OutboxKind.INVITATION, Channel.EMAIL, "ada@example.org")
    assert row.body["subject"]


def test_a_copied_database_opens_no_door(session: Session, ada: Referent, now: datetime) -> None:
    invited = invite(session, ada.id, now, LINKS)

    row = session.exec(select(Outbox)).one()
    assert _key(invited.start_link) not in str(row.body)
    assert "start=" not in str(row.body)


def test_without_an_address_there_is_a_link_and_no_mail(session: Session, cast: Cast, now: datetime) -> None:
    invited = invite(session, cast.a_referent().id, now, LINKS)

    assert not invited.mailed
    assert session.exec(select(Outbox)).all() == []
    assert accept(session, _key(invited.start_link), CHAT, now)


def test_a_broken_address_gets_no_mail(session: Session, ada: Referent, now: datetime) -> None:
    mark_unreachable(session, Channel.EMAIL, "ada@example.org", "no such user", now)

    assert not invite(session, ada.id, now, LINKS).mailed


def _worded(session: Session, now: datetime) -> Words | None:
    row = session.exec(select(Outbox).order_by(col(Outbox.id).desc())).first()
    assert row is not None
    words = word_invitation(LINKS)(session, row, now)
    return with_secret(words) if words is not None else None


def test_the_mail_carries_a_key_of_its_own_that_opens(session: Session, ada: Referent, now: datetime) -> None:
    printed = invite(session, ada.id, now, LINKS).start_link

    words = _worded(session, now)

    assert words is not None
    found = re.search(r'<a href="([^"]*start=[^"]*)">', words.html)
    assert found is not None
    url = found[1]
    assert url != printed
    assert accept(session, _key(url), CHAT, now) == ada
    assert accept(session, _key(printed), CHAT, now) is None


def test_the_key_of_the_mail_is_said_and_not_written_down(session: Session, ada: Referent, now: datetime) -> None:
    invite(session, ada.id, now, LINKS)
    row = session.exec(select(Outbox)).one()

    words = word_invitation(LINKS)(session, row, now)

    assert words is not None
    assert "start=" not in str(words.to_json())


def test_the_mail_is_in_the_referents_language(session: Session, ada: Referent, now: datetime) -> None:
    invite(session, ada.id, now, LINKS)

    italian = _worded(session, now)
    ada.language = "en"
    english = _worded(session, now)

    assert italian is not None
    assert english is not None
    assert italian.html.startswith("Ciao Ada,")
    assert english.html.startswith("Hello Ada,")
    assert "https://raccordo.example.org/privacy" in italian.html


def test_the_mail_promises_updates_from_telegram_alone(session: Session, ada: Referent, now: datetime) -> None:
    invite(session, ada.id, now, LINKS)

    words = _worded(session, now)

    assert words is not None
    assert "mandi da Telegram gli aggiornamenti" in words.html
    assert "Dalla tua pagina vedi progetti e scadenze, fai domande" in words.html
    assert "in fondo a questa e-mail" in words.html


def test_a_name_with_markup_stays_text(session: Session, cast: Cast, now: datetime) -> None:
    eva = cast.a_referent("Eva<b>Esempio</b>", email="eva@example.org")
    invite(session, eva.id, now, LINKS)

    words = _worded(session, now)

    assert words is not None
    assert "Eva&lt;b&gt;Esempio" in words.html


def test_a_mail_whose_invitation_was_revoked_is_withheld(session: Session, ada: Referent, now: datetime) -> None:
    invite(session, ada.id, now, LINKS)
    revoke(session, ada.id, now)

    assert _worded(session, now) is None


def test_accepting_binds_the_chat_and_writes_it_down(session: Session, ada: Referent, now: datetime) -> None:
    key = _key(invite(session, ada.id, now, LINKS, by=None).start_link)

    assert accept(session, key, CHAT, now) == ada

    address = address_of(session, ada.id, Channel.TELEGRAM)
    assert address is not None
    assert (address.value, address.verified_at) == (CHAT, now)
    acts = session.exec(select(Audit.action).order_by(col(Audit.id))).all()
    assert acts == ["referent.invite", "invitation.accept"]


def test_who_is_let_in_is_told_what_nobody_could_tell_them(session: Session, ada: Referent, now: datetime) -> None:
    mark_unreachable(session, Channel.EMAIL, "ada@example.org", "550 recipient refused", now)
    queue_to(session, ada.id, Words("Ecco"), kind=OutboxKind.ANSWER, now=now, dedupe_key="answer:1")

    accept(session, _key(invite(session, ada.id, now, LINKS).start_link), CHAT, now)

    session.expire_all()
    row = session.exec(select(Outbox)).one()
    assert (row.state, row.channel, row.address) == (OutboxState.QUEUED, Channel.TELEGRAM, CHAT)


def test_looking_uses_nothing_up(session: Session, ada: Referent, now: datetime) -> None:
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    assert [invitation_for(session, key, now) for _ in range(3)] == [ada, ada, ada]
    assert accept(session, key, CHAT, now) == ada
    assert invitation_for(session, key, now) is None


def test_a_key_opens_once(session: Session, ada: Referent, now: datetime) -> None:
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    assert accept(session, key, CHAT, now) == ada
    assert accept(session, key, "4002", now) is None

    assert referent_at(session, Channel.TELEGRAM, "4002") is None


@pytest.mark.parametrize("days", [6.99, 7.01])
def test_a_key_opens_for_seven_days(session: Session, ada: Referent, now: datetime, days: float) -> None:
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    found = accept(session, key, CHAT, now + timedelta(days=days))

    assert found == (ada if days < 7 else None)


def test_a_revoked_key_opens_nothing(session: Session, ada: Referent, now: datetime) -> None:
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    assert revoke(session, ada.id, now) == 1
    assert revoke(session, ada.id, now) == 0

    assert accept(session, key, CHAT, now) is None


def test_a_new_invitation_makes_the_earlier_one_useless(session: Session, ada: Referent, now: datetime) -> None:
    first = _key(invite(session, ada.id, now, LINKS).start_link)
    second = _key(invite(session, ada.id, now, LINKS).start_link)

    assert accept(session, first, CHAT, now) is None
    assert accept(session, second, CHAT, now) == ada


def test_a_key_sent_to_an_address_that_is_no_longer_theirs_opens_nothing(
    session: Session, ada: Referent, now: datetime
) -> None:
    key = _key(invite(session, ada.id, now, LINKS).start_link)
    email = address_of(session, ada.id, Channel.EMAIL)
    assert email is not None
    email.value = "ada.nuova@example.org"
    session.flush()

    assert accept(session, key, CHAT, now) is None


@pytest.mark.parametrize("key", ["", "x", "' OR 1=1 --", "à" * 500])
def test_an_unknown_key_opens_nothing(session: Session, ada: Referent, now: datetime, key: str) -> None:
    invite(session, ada.id, now, LINKS)

    assert invitation_for(session, key, now) is None
    assert accept(session, key, CHAT, now) is None


def test_another_persons_chat_is_refused_and_the_key_stays_good(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio")
    cast.a_referent("Carla Esempio", chat=int(CHAT))
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    with pytest.raises(ChatTaken):
        accept(session, key, CHAT, now)

    assert accept(session, key, "4002", now) == ada


def test_a_new_chat_takes_the_place_of_the_old_one(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio", chat=4000, email="ada@example.org")
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    accept(session, key, CHAT, now)

    values = session.exec(select(Address.value).where(Address.referent_id == ada.id)).all()
    assert sorted(values) == [CHAT, "ada@example.org"]


def test_the_same_chat_may_be_linked_again(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio", chat=int(CHAT))
    key = _key(invite(session, ada.id, now, LINKS).start_link)

    assert accept(session, key, CHAT, now) == ada
    assert referent_at(session, Channel.TELEGRAM, CHAT) == ada


def test_leaving_unlinks_the_chat_and_cancels_what_was_begun(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio", chat=int(CHAT), email="ada@example.org")
    bruno = cast.a_referent("Bruno Esempio", chat=4002)
    for referent, state in ((ada, DraftState.OPEN), (ada, DraftState.SENT), (bruno, DraftState.OPEN)):
        cast.add(
            Draft(
                kind=DraftKind.QUESTION,
                referent_id=referent.id,
                channel=Channel.TELEGRAM,
                state=state,
                created_at=now,
                touched_at=now,
            )
        )

    assert leave(session, CHAT, now) == ada

    assert referent_at(session, Channel.TELEGRAM, CHAT) is None
    assert referent_at(session, Channel.EMAIL, "ada@example.org") == ada
    session.expire_all()
    states = session.exec(select(Draft.state).order_by(col(Draft.id))).all()
    assert states == [DraftState.CANCELLED, DraftState.SENT, DraftState.OPEN]
    assert leave(session, CHAT, now) is None


def test_no_key_is_kept_as_it_is(session: Session, ada: Referent, now: datetime) -> None:
    invited = invite(session, ada.id, now, LINKS)

    row = session.exec(select(Invitation)).one()
    assert _key(invited.start_link) not in row.model_dump().values()
