""" "Remind me tomorrow" under a reminder, and what a chat that closes and opens again brings about."""

from datetime import date, timedelta

from sqlmodel import col, select

from answering import answer as answers
from delivery.callbacks import tomorrow
from reminders.sweep import remind_one
from storage.people import address_of
from storage.tables import Channel, Obligation, Outbox, OutboxKind, OutboxState, Snooze, Step
from tests.bot.conftest import Stage
from tests.bot.talk import Phone


def reminded(stage: Stage, due_on: date, message_id: str = "77") -> Obligation:
    """Ada was reminded of the market, in this message of her chat."""
    obligation = stage.owed(due_on)
    stage.cast.add(
        Step(obligation_id=obligation.id, rung_id=2, offset_days=-1, due_at=stage.cast.now - timedelta(hours=1))
    )
    while remind_one(stage.session, stage.cast.now):
        pass
    for row in stage.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER, Outbox.address == "11")):
        row.state, row.provider_id = OutboxState.SENT, message_id
    stage.session.flush()
    return obligation


def presses_tomorrow(phone: Phone, message_id: str = "77") -> Phone:
    query = {"id": "1", "from": phone.message()["from"], "data": tomorrow()}
    return phone.sends({"callback_query": query | {"message": phone.message() | {"message_id": int(message_id)}}})


def snoozed(stage: Stage) -> list[tuple[int, int]]:
    return [(row.referent_id, row.obligation_id) for row in stage.session.exec(select(Snooze))]


def membership(phone: Phone, status: str) -> Phone:
    who = phone.message()["from"]
    change = {"chat": {"id": phone.chat, "type": "private"}, "from": who, "date": 0}
    return phone.sends({"my_chat_member": change | {"new_chat_member": {"status": status}}})


def test_it_says_plainly_when_it_comes_again(stage: Stage) -> None:
    obligation = reminded(stage, stage.today + timedelta(days=1))

    presses_tomorrow(stage.ada)

    assert stage.ada.text == (
        "Va bene: ti scrivo di nuovo domani mattina, mercoledì 25 novembre.\nSe lo mandi prima, non ti scrivo."
    )
    assert snoozed(stage) == [(stage.referent.id, obligation.id)]


def test_before_a_weekend_it_names_the_day(stage: Stage) -> None:
    reminded(stage, stage.today + timedelta(days=1))
    stage.ada.now += timedelta(days=3)

    presses_tomorrow(stage.ada)

    assert "ti scrivo di nuovo lunedì 30 novembre, di mattina" in stage.ada.text


def test_pressed_twice_it_says_the_same_and_changes_nothing(stage: Stage) -> None:
    reminded(stage, stage.today + timedelta(days=1))
    first = presses_tomorrow(stage.ada).text

    assert presses_tomorrow(stage.ada).text == first
    assert len(snoozed(stage)) == 1


def test_when_it_is_done_meanwhile_there_is_nothing_to_remind_of(stage: Stage) -> None:
    reminded(stage, stage.today + timedelta(days=1))
    stage.reported(stage.cast.now)

    presses_tomorrow(stage.ada)

    assert "Non manca più niente" in stage.ada.text
    assert snoozed(stage) == []


def test_carla_puts_off_nothing_of_adas(stage: Stage) -> None:
    reminded(stage, stage.today + timedelta(days=1))

    presses_tomorrow(stage.carla)

    assert "Non manca più niente" in stage.carla.text
    assert snoozed(stage) == []


def test_who_blocks_the_bot_gets_by_mail_what_waits(stage: Stage) -> None:
    question = stage.cast.a_question(stage.referent)
    answers.answer(stage.session, question.id, stage.cast.a_staff().id, "Ecco.", version=1, now=stage.cast.now)

    membership(stage.ada, "kicked")

    rows = stage.session.exec(select(Outbox).order_by(col(Outbox.id))).all()
    assert [(row.channel, row.state) for row in rows] == [
        (Channel.TELEGRAM, OutboxState.MOVED),
        (Channel.EMAIL, OutboxState.QUEUED),
    ]
    assert stage.ada.heard == []


def test_who_comes_back_is_told_the_answer_and_what_is_still_due(stage: Stage) -> None:
    membership(stage.bruno, "kicked")
    question = stage.cast.a_question(stage.colleague)
    answers.answer(stage.session, question.id, stage.cast.a_staff().id, "Ecco.", version=1, now=stage.cast.now)
    obligation = reminded(stage, stage.today + timedelta(days=1))

    membership(stage.bruno, "member")

    stage.session.expire_all()
    (answer,) = stage.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.ANSWER)).all()
    assert (answer.state, answer.address) == (OutboxState.QUEUED, "12")
    assert snoozed(stage) == [(stage.colleague.id, obligation.id)]
    address = address_of(stage.session, stage.colleague.id, Channel.TELEGRAM)
    assert address is not None
    assert address.unreachable_since is None
