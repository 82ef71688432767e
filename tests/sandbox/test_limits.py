"""How often a bot may write."""

from sandbox.limits import Limits
from sandbox.telegram import Person, TelegramSandbox
from tests.sandbox.conftest import Caller, Clock


async def test_a_chat_takes_a_small_burst_and_then_one_message_a_second(
    call: Caller, ada: Person, clock: Clock
) -> None:
    burst = [await call("sendMessage", chat_id=ada.id, text=str(n)) for n in range(7)]
    clock.now += 1
    later = await call("sendMessage", chat_id=ada.id, text="dopo")

    assert [answer["ok"] for answer in burst] == [True] * 6 + [False]
    assert burst[-1] == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
    assert later["ok"]


async def test_without_limits_nothing_is_refused(clock: Clock) -> None:
    telegram = TelegramSandbox("1:x", limits=False, clock=clock)

    assert telegram.bot.limits is None


def test_a_bot_sends_about_thirty_messages_a_second_to_all_chats() -> None:
    limits = Limits()

    passed = sum(limits.refuses(chat, 1000.0) == 0 for chat in range(1, 100))
    after_a_second = sum(limits.refuses(chat, 1001.0) == 0 for chat in range(100, 200))

    assert (passed, after_a_second) == (33, 30)


def test_a_group_takes_twenty_messages_a_minute() -> None:
    limits = Limits(chat_burst=100)

    waits = [limits.refuses(-5, 1000.0) for _ in range(21)]

    assert waits == [0] * 20 + [60]
    assert limits.refuses(-5, 1060.0) == 0


def test_an_album_passes_when_all_of_it_fits_the_minute_of_its_group() -> None:
    limits = Limits(chat_burst=100)

    first = limits.refuses(-5, 1000.0, 15)
    later = limits.refuses(-5, 1030.0, 5)
    no_room = limits.refuses(-5, 1040.0, 10)

    assert (first, later, no_room) == (0, 0, 20)
    assert limits.refuses(-5, 1060.0, 10) == 0
