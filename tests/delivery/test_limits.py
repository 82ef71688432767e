"""Never faster than the provider allows, and never slower than that."""

from hypothesis import given
from hypothesis import strategies as st

from delivery.lanes import Lanes
from delivery.limits import Limits
from delivery.results import THROTTLE_WEIGHT
from sandbox.limits import Limits as TelegramsLimits
from storage.tables import Channel

GAPS = st.lists(st.floats(min_value=0, max_value=3, allow_nan=False), min_size=1, max_size=150)


def allowed(limits: Limits, address: str, at: float) -> bool:
    if max(limits.bot_wait(at), limits.chat_wait(address, at)) > 0:
        return False
    send(limits, address, at)
    return True


def send(limits: Limits, address: str, at: float, messages: int = 1) -> None:
    """It arrives at once."""
    limits.set_off(address, messages)
    limits.arrived(address, at, messages)


def most_in(window: float, times: list[float]) -> int:
    return max((sum(1 for other in times if start <= other < start + window) for start in times), default=0)


@given(GAPS)
def test_a_chat_never_gets_more_than_its_burst_and_one_a_second(gaps: list[float]) -> None:
    limits, at, sent = Limits(), 1000.0, []
    for gap in gaps:
        at += gap
        if allowed(limits, "7", at):
            sent.append(at)

    for seconds in (1, 10, 60):
        assert most_in(seconds, sent) <= 5 + seconds


@given(GAPS)
def test_a_group_never_gets_more_than_twenty_in_any_minute(gaps: list[float]) -> None:
    limits, at, sent = Limits(chat_per_second=100, chat_burst=100), 1000.0, []
    for gap in gaps:
        at += gap
        if allowed(limits, "-7", at):
            sent.append(at)

    assert most_in(60, sent) <= 20


@given(st.lists(st.floats(min_value=0, max_value=0.2, allow_nan=False), min_size=1, max_size=200))
def test_the_bot_never_sends_more_than_its_rate(gaps: list[float]) -> None:
    limits, at, sent = Limits(), 1000.0, []
    for number, gap in enumerate(gaps):
        at += gap
        if allowed(limits, str(number), at):
            sent.append(at)

    assert most_in(1, sent) <= 60
    assert most_in(5, sent) <= 30 + 150


@given(GAPS, st.sampled_from(["7", "-7"]))
def test_waiting_as_long_as_told_is_enough(gaps: list[float], address: str) -> None:
    limits, at = Limits(), 1000.0
    for gap in gaps:
        at += gap
        wait = max(limits.bot_wait(at), limits.chat_wait(address, at))
        at += wait
        assert max(limits.bot_wait(at), limits.chat_wait(address, at)) < 1e-6
        send(limits, address, at)


def test_a_clock_that_goes_back_gives_nothing_away_and_locks_nobody_out() -> None:
    limits = Limits()
    for _ in range(5):
        send(limits, "7", 1000.0)

    assert limits.chat_wait("7", 500.0) == 1.0
    assert limits.chat_wait("7", 501.0) == 0.0


FLIGHTS = st.lists(
    st.tuples(st.floats(0, 0.3), st.floats(0, 2), st.floats(0, 1), st.integers(1, 3)), min_size=1, max_size=200
)


@given(FLIGHTS)
def test_the_provider_refuses_nothing_however_long_each_message_is_on_its_way(
    flights: list[tuple[float, float, float, int]],
) -> None:
    limits, provider, at = Limits(), TelegramsLimits(bot_burst=30, chat_burst=5), 1000.0
    counted: list[tuple[float, int]] = []  # when, and by which chat
    back: list[tuple[float, int]] = []
    for gap, way, answer, chat in flights:
        at += gap
        for done, whom in sorted(one for one in back if one[0] <= at):
            limits.arrived(str(whom), done)
            back.remove((done, whom))
        if max(limits.bot_wait(at), limits.chat_wait(str(chat), at)) == 0:
            limits.set_off(str(chat))
            counted.append((at + way, chat))
            back.append((at + way + answer, chat))

    assert all(provider.refuses(chat, moment) == 0 for moment, chat in sorted(counted))


def test_many_that_leave_late_do_not_meet_those_that_are_chosen_next() -> None:
    limits = Limits()
    for chat in range(30):
        limits.set_off(str(chat))  # at 1000; the provider counts them at 1002

    assert limits.bot_wait(1001.0) > 0
    for chat in range(30):
        limits.arrived(str(chat), 1002.0)

    assert limits.bot_wait(1002.0) > 0
    assert limits.bot_wait(1002.5, 15) == 0


def test_what_was_not_kept_did_not_set_off() -> None:
    limits = Limits()
    for chat in range(30):
        limits.set_off(str(chat))
    limits.on_their_way([("1", 1), ("2", 2)])

    assert limits.bot_wait(1000.0, 27) == 0
    assert limits.bot_wait(1000.0, 28) > 0


def test_without_limits_everything_passes() -> None:
    limits = Limits(enabled=False)

    assert all(allowed(limits, "7", 1000.0) for _ in range(1000))


def test_chats_that_are_quiet_are_forgotten() -> None:
    limits = Limits(bot_per_second=1e9)
    for number in range(20_000):
        send(limits, str(number), 1000.0 + number)

    assert len(limits._chats) <= 5_000


def test_a_troubled_channel_pauses_longer_each_time_and_recovers_at_once() -> None:
    health = Lanes().of(Channel.TELEGRAM)
    pauses = []
    at = 1000.0
    for _ in range(9):
        health.failed(at)
        pauses.append(max(0.0, health.paused_until - at))
        at += 100

    assert pauses == [0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert health.width(at, 30) == 1
    assert health.succeeded(at)
    assert health.width(at, 30) == 30


def test_what_was_on_its_way_when_the_pause_began_does_not_make_it_longer() -> None:
    health = Lanes().of(Channel.TELEGRAM)

    for _ in range(30):
        health.failed(1000.0)

    assert health.paused_until == 1001.0


def test_chats_that_have_to_wait_do_not_pause_the_channel_while_others_get_through() -> None:
    health, at = Lanes().of(Channel.TELEGRAM), 1000.0
    for _ in range(10):
        health.succeeded(at)
        for _ in range(100):
            at += 0.04
            health.failed(at, THROTTLE_WEIGHT)
    through = health.paused_until

    for _ in range(100):
        at += 0.04
        health.failed(at, THROTTLE_WEIGHT)

    assert through == 0.0
    assert health.paused_until > 0, "for five seconds nobody got through: now it is the bot that has to wait"


def test_an_album_waits_for_all_its_parts_and_is_counted_whole() -> None:
    limits = Limits()
    for _ in range(3):
        send(limits, "7", 0.0)

    assert limits.chat_wait("7", 0.0, 4) == 2.0, "two of four are free"
    assert limits.chat_wait("7", 0.0, 10) == 3.0, "more than the burst can never be free: a full bucket will do"
    send(limits, "7", 3.0, messages=10)

    assert limits.chat_wait("7", 3.0) == 6.0, "what comes after it waits for all"


def test_an_album_fits_into_a_groups_minute() -> None:
    limits = Limits(chat_burst=100)
    send(limits, "-7", 0.0, messages=15)

    assert limits.chat_wait("-7", 1.0, 5) == 0.0
    assert limits.chat_wait("-7", 1.0, 6) == 59.0
