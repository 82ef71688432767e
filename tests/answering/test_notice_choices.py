"""What each of the staff is told and when: soon, in the morning's digest, never; and only what they may act on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from answering import approval, moves
from answering.answer import Said
from answering.notice_kinds import KINDS, wishes_of
from answering.notices import notify_one, word_notice
from delivery.links import Links
from storage.database import Database
from storage.tables import (
    Audience,
    Audit,
    Category,
    Channel,
    LocalRole,
    Mention,
    Message,
    NoticeKind,
    NoticeWhen,
    Outbox,
    OutboxState,
    Question,
    Role,
    Staff,
)
from storage.waiting import choose
from tests.answering.test_notices import ask_for_access, notify_all, stuck
from tests.cast import Cast

LINKS = Links("https://raccordo.example")
EIGHT = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # Tuesday, in Milan
NEVER = dict.fromkeys(NoticeKind, NoticeWhen.NEVER)


def only(session: Session, person: Staff, kind: NoticeKind, when: NoticeWhen) -> None:
    """They hear of this alone."""
    choose(session, person.id, NEVER | {kind: when})


def newest(session: Session) -> Outbox:
    row = session.exec(select(Outbox).order_by(col(Outbox.id).desc())).first()
    assert row is not None
    return row


def html(session: Session) -> str:
    return str(newest(session).body["html"])


def test_every_kind_is_known_to_the_registry() -> None:
    assert set(KINDS) == set(NoticeKind)


def test_who_has_not_chosen_hears_soon_of_what_is_theirs_to_mend(session: Session, cast: Cast) -> None:
    olga, vera = cast.a_staff("Olga Esempio"), cast.a_staff("Vera Esempio", Role.VOLUNTEER)
    rita = cast.a_staff("Rita Esempio", Role.READER)

    assert wishes_of(session, olga)[NoticeKind.FAILED] is NoticeWhen.SOON
    assert wishes_of(session, olga)[NoticeKind.OVERDUE] is NoticeWhen.DAILY
    assert wishes_of(session, vera)[NoticeKind.FAILED] is NoticeWhen.DAILY
    assert {NoticeKind.POST, NoticeKind.APPROVAL} & set(wishes_of(session, vera)) == set()
    assert set(wishes_of(session, rita)) == {NoticeKind.MENTIONED}


def test_a_reader_with_a_role_somewhere_is_asked_what_they_want_of_questions(session: Session, cast: Cast) -> None:
    rita = cast.a_staff("Rita Esempio", Role.READER)
    category = cast.add(Category(name="Appalti", created_at=cast.now))
    cast.add(LocalRole(staff_id=rita.id, category_id=category.id, role=Role.OFFICER, created_at=cast.now))

    assert set(wishes_of(session, rita)) == set(NoticeKind) - {NoticeKind.POST, NoticeKind.FAILED}


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_never_is_never(session: Session, cast: Cast, now: datetime, kind: NoticeKind) -> None:
    olga = everything_waits(session, cast, now)
    choose(session, olga.id, NEVER)
    assert notify_all(session, now) == []

    only(session, olga, kind, NoticeWhen.SOON)

    assert notify_all(session, now) == ["olga@example.org"]


def everything_waits(session: Session, cast: Cast, now: datetime) -> Staff:
    """One of each kind, for Olga."""
    olga, ugo = cast.a_staff("Olga Esempio", email="olga@example.org"), cast.a_staff("Ugo Esempio", notices=False)
    vera, ada = cast.a_staff("Vera Esempio", Role.VOLUNTEER, notices=False), cast.a_referent()
    new, given, late, proposed = (cast.a_question(ada) for _ in range(4))
    new.due_at, late.due_at = now + timedelta(hours=2), now - timedelta(hours=1)
    session.flush()
    moves.assign(session, given.id, ugo.id, olga.id, version=1, now=now)
    approval.propose(session, proposed.id, Said(vera, "Sì"), version=1, now=now)
    mention(cast, given, ugo, olga)
    ask_for_access(cast)
    stuck(session, now)
    return olga


def mention(cast: Cast, question: Question, by: Staff, whom: Staff) -> Mention:
    note = cast.add(
        Message(
            question_id=question.id,
            audience=Audience.STAFF,
            staff_id=by.id,
            text="Parole riservate",
            channel=Channel.WEB,
            created_at=cast.now,
        )
    )
    row: Mention = cast.add(Mention(message_id=note.id, staff_id=whom.id, created_at=cast.now))
    return row


def test_a_mail_says_why_it_comes_and_where_to_change_that(session: Session, cast: Cast, now: datetime) -> None:
    olga = everything_waits(session, cast, now)
    only(session, olga, NoticeKind.NEW, NoticeWhen.SOON)

    notify_all(session, now)

    assert "perché vuoi sapere subito di: nuove domande." in html(session)
    assert "https://raccordo.example/desk/account#notices" in html(session)
    assert "approvazione" not in html(session)


def test_all_kinds_stand_in_one_mail_and_none_names_a_person(session: Session, cast: Cast, now: datetime) -> None:
    olga = everything_waits(session, cast, now)
    choose(session, olga.id, dict.fromkeys(NoticeKind, NoticeWhen.SOON))

    assert notify_all(session, now) == ["olga@example.org"]

    for words in ("in ritardo", "entro poche ore", "ti nomina", "in mano", "aspetta", "approvazione", "accesso"):
        assert words in html(session), words
    for words in ("Ada", "Vera", "Ugo", "Dario", "riservate"):
        assert words not in html(session), words


# --- the digest


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (EIGHT - timedelta(minutes=1), False),
        (EIGHT, True),
        (EIGHT + timedelta(hours=5), True),  # the house was down at eight
        (EIGHT + timedelta(days=4), False),  # Saturday
        (datetime(2026, 12, 8, 7, 0, tzinfo=UTC), False),  # a holiday
        (datetime(2026, 7, 7, 6, 0, tzinfo=UTC), True),  # in summer eight comes earlier
    ],
)
def test_the_digest_comes_at_eight_on_working_days(session: Session, cast: Cast, moment: datetime, told: bool) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.NEW, NoticeWhen.DAILY)
    cast.now = moment - timedelta(hours=12)
    cast.a_question(cast.a_referent())

    assert notify_all(session, moment) == (["olga@example.org"] if told else [])


def test_the_digest_comes_once_a_day_and_again_the_next(session: Session, cast: Cast) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.NEW, NoticeWhen.DAILY)
    cast.now = EIGHT - timedelta(hours=12)
    ada = cast.a_referent()
    cast.a_question(ada)

    first = notify_all(session, EIGHT)
    cast.a_question(ada)
    same_day = notify_all(session, EIGHT + timedelta(hours=9))
    next_day = notify_all(session, EIGHT + timedelta(days=1))

    assert (first, same_day, next_day) == (["olga@example.org"], [], ["olga@example.org"])
    assert newest(session).body["subject"].startswith("Stamattina: 2 domande aspettano")


def test_nothing_to_say_is_no_digest(session: Session, cast: Cast) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    choose(session, olga.id, dict.fromkeys(NoticeKind, NoticeWhen.DAILY))

    assert notify_all(session, EIGHT) == []


def test_a_digest_takes_nothing_from_what_is_told_soon(session: Session, cast: Cast) -> None:
    """A mail of 7:50 holds back the question of 7:55 until 8:05; the digest in between must not swallow it."""
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    choose(session, olga.id, NEVER | {NoticeKind.NEW: NoticeWhen.SOON, NoticeKind.POST: NoticeWhen.DAILY})
    ada = cast.a_referent()
    cast.now = EIGHT - timedelta(minutes=10)
    cast.a_question(ada)
    ask_for_access(cast)
    notify_all(session, cast.now)
    cast.now = EIGHT - timedelta(minutes=5)
    cast.a_question(ada)

    digest = notify_all(session, EIGHT)
    soon = notify_all(session, EIGHT + timedelta(minutes=6))

    assert (digest, soon) == (["olga@example.org"], ["olga@example.org"])
    assert newest(session).body["subject"].startswith("2 domande aspettano")


def test_a_digest_worded_when_all_is_done_is_withheld(session: Session, cast: Cast) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.NEW, NoticeWhen.DAILY)
    cast.now = EIGHT - timedelta(hours=12)
    question = cast.a_question(cast.a_referent())
    notify_all(session, EIGHT)
    row = newest(session)
    before = word_notice(LINKS)(session, row, EIGHT)

    moves.take(session, question.id, olga.id, version=1, now=EIGHT)

    assert before is not None
    assert word_notice(LINKS)(session, row, EIGHT) is None


def test_a_digest_that_did_not_arrive_makes_no_notice_of_itself(session: Session, cast: Cast, now: datetime) -> None:
    olga = cast.a_staff("Olga Esempio")
    only(session, olga, NoticeKind.FAILED, NoticeWhen.SOON)
    row = stuck(session, now)
    row.dedupe_key = "digest:1:2026-11-24"
    session.flush()

    assert notify_all(session, now) == []


# --- time that runs out


def test_what_runs_out_is_told_once_and_again_when_somebody_wrote_since(
    session: Session, cast: Cast, now: datetime
) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.EXPIRING, NoticeWhen.SOON)
    question = cast.a_question(cast.a_referent())
    question.due_at = now + timedelta(hours=5)  # 10 in the morning: 15 is more than four working hours away
    session.flush()

    early = notify_all(session, now)
    soon = notify_all(session, now + timedelta(hours=1))
    again = notify_all(session, now + timedelta(hours=2))
    question.last_message_at = now + timedelta(hours=2, minutes=30)
    session.flush()
    written = notify_all(session, now + timedelta(hours=3))

    assert (early, soon, again, written) == ([], ["olga@example.org"], [], ["olga@example.org"])
    assert newest(session).body["subject"] == f"La domanda n. {question.id} sta per scadere"


def test_working_hours_count_over_the_weekend(session: Session, cast: Cast) -> None:
    friday = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)  # 16 in Milan: two hours are left, two more on Monday
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.EXPIRING, NoticeWhen.SOON)
    cast.now = friday
    question = cast.a_question(cast.a_referent())
    question.due_at = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
    session.flush()

    assert notify_all(session, friday - timedelta(minutes=30)) == []
    assert notify_all(session, friday) == ["olga@example.org"]


def test_what_is_late_is_told_once_a_day_and_not_at_night(session: Session, cast: Cast, now: datetime) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.OVERDUE, NoticeWhen.SOON)
    question = cast.a_question(cast.a_referent())
    question.due_at = now + timedelta(hours=1)
    session.flush()

    told = [
        notify_all(session, moment)
        for moment in (
            now,
            now + timedelta(hours=1),
            now + timedelta(hours=4),
            EIGHT + timedelta(hours=18),  # in the middle of the night
            EIGHT + timedelta(days=1),
            EIGHT + timedelta(days=1, hours=3),
        )
    ]

    assert told == [[], ["olga@example.org"], [], [], ["olga@example.org"], []]
    logged = session.exec(select(Audit.detail).where(Audit.action == "staff.notice")).all()
    assert [row["overdue"] for row in logged] == [[question.id]] * 2


def test_what_is_late_stands_in_its_own_mail_when_that_is_worded_again(
    session: Session, cast: Cast, now: datetime
) -> None:
    olga = cast.a_staff("Olga Esempio")
    only(session, olga, NoticeKind.OVERDUE, NoticeWhen.SOON)
    question = cast.a_question(cast.a_referent())
    question.due_at = now - timedelta(hours=1)
    session.flush()
    notify_all(session, now)

    words = word_notice(LINKS)(session, newest(session), now + timedelta(minutes=1))

    assert words is not None
    assert "Una domanda è in ritardo." in words.html


def test_a_colleague_s_work_that_is_late_is_the_colleague_s(session: Session, cast: Cast, now: datetime) -> None:
    olga, ugo = cast.a_staff("Olga Esempio", email="olga@example.org"), cast.a_staff("Ugo", email="ugo@example.org")
    for person in (olga, ugo):
        only(session, person, NoticeKind.OVERDUE, NoticeWhen.SOON)
    question = cast.a_question(cast.a_referent())
    moves.take(session, question.id, ugo.id, version=1, now=now)
    session.refresh(question)
    question.due_at = now
    session.flush()

    assert notify_all(session, now) == ["ugo@example.org"]


# --- what is one's own


def test_what_one_took_oneself_is_no_news_and_what_a_colleague_gave_is(
    session: Session, cast: Cast, now: datetime
) -> None:
    olga, ugo = cast.a_staff("Olga Esempio", email="olga@example.org"), cast.a_staff("Ugo", notices=False)
    only(session, olga, NoticeKind.MINE, NoticeWhen.SOON)
    ada = cast.a_referent()
    taken, given = cast.a_question(ada), cast.a_question(ada)
    moves.take(session, taken.id, olga.id, version=1, now=now)

    alone = notify_all(session, now)
    moves.assign(session, given.id, ugo.id, olga.id, version=1, now=now + timedelta(minutes=1))
    with_it = notify_all(session, now + timedelta(minutes=2))

    assert (alone, with_it) == ([], ["olga@example.org"])
    assert f"/desk/questions/{given.id}" in html(session)


def test_a_note_that_names_somebody_is_told_until_they_look(session: Session, cast: Cast, now: datetime) -> None:
    rita = cast.a_staff("Rita Esempio", Role.READER, email="rita@example.org")
    ugo = cast.a_staff("Ugo Esempio", notices=False)
    question = cast.a_question(cast.a_referent())
    row = mention(cast, question, ugo, rita)

    told = notify_all(session, now)
    row.seen_at = now
    session.flush()

    assert told == ["rita@example.org"]
    assert f"/desk/questions/{question.id}" in html(session)
    assert word_notice(LINKS)(session, newest(session), now) is None


def test_of_questions_that_are_not_theirs_to_work_on_nobody_hears(session: Session, cast: Cast, now: datetime) -> None:
    category = cast.add(Category(name="Appalti", created_at=now))
    rita = cast.a_staff("Rita Esempio", Role.READER, email="rita@example.org")
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    vera = cast.a_staff("Vera Esempio", Role.VOLUNTEER, notices=False)
    for person, role in ((rita, Role.VOLUNTEER), (olga, Role.READER)):
        cast.add(LocalRole(staff_id=person.id, category_id=category.id, role=role, created_at=now))
    ada = cast.a_referent()
    inside = cast.a_question(ada, category_id=category.id)
    first = notify_all(session, now)
    later = now + timedelta(hours=1)
    approval.propose(session, inside.id, Said(vera, "Sì"), version=1, now=later)

    assert first == ["rita@example.org"]
    assert notify_all(session, later) == []


def test_the_mail_goes_once_when_two_processes_look(session: Session, cast: Cast) -> None:
    olga = cast.a_staff("Olga Esempio", email="olga@example.org")
    only(session, olga, NoticeKind.NEW, NoticeWhen.DAILY)
    cast.now = EIGHT - timedelta(hours=12)
    cast.a_question(cast.a_referent())

    first, second = notify_one(session, EIGHT, LINKS), notify_one(session, EIGHT, LINKS)

    assert (first, second) == (True, False)
    assert newest(session).state is OutboxState.QUEUED


def test_two_processes_in_the_same_instant_write_one_digest(database: Database) -> None:
    with database.write() as session:
        cast = Cast(session, EIGHT - timedelta(hours=12))
        olga = cast.a_staff("Olga Esempio", email="olga@example.org")
        only(session, olga, NoticeKind.NEW, NoticeWhen.DAILY)
        cast.a_question(cast.a_referent())
    together = threading.Barrier(2)

    def look() -> bool:
        together.wait()
        with database.write() as session:
            return notify_one(session, EIGHT, LINKS)

    with ThreadPoolExecutor(2) as pool:
        done = [one.result() for one in [pool.submit(look), pool.submit(look)]]

    assert sorted(done) == [False, True]
    with database.read() as session:
        assert len(session.exec(select(Outbox)).all()) == 1
