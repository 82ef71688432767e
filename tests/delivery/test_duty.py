"""One dispatcher at a time: who takes over from a dead one, and when nobody sends at all."""

from delivery.limits import Limits
from storage.tables import Office, Outbox, OutboxKind, OutboxState
from tests.delivery.wiring import Bench, put, said


async def test_what_a_dead_process_was_sending_is_resent_marked_at_the_next_start(bench: Bench) -> None:
    answer = bench.queue("answer", kind=OutboxKind.ANSWER)
    again = bench.queue("many times", address="200")
    claim = await bench.dispatcher.one_pass()  # claimed, committed, and then the power goes
    assert len(claim.parcels) == 2
    with bench.database.write() as session:
        row = session.get(Outbox, again)
        assert row is not None
        row.possible_duplicate, row.attempts = True, 5
        session.add(row)

    bench.dispatcher = bench.new_dispatcher("one")
    await bench.drain()

    assert bench.row(answer).state is OutboxState.SENT
    assert bench.row(answer).possible_duplicate
    assert bench.row(again).state is OutboxState.UNCERTAIN
    assert said(bench.telegram.sent) == ["<i>(possibile duplicato)</i>\n\nanswer"]


async def test_two_dispatchers_never_send_the_same_message(bench: Bench) -> None:
    with bench.database.write() as session:
        for number in range(100):
            put(session, bench.clock.now, f"{number}", address=str(number))
    other = Bench(bench.database, bench.clock, telegram=bench.telegram, owner="two", limits=Limits(enabled=False))

    for turn in range(40):
        await (bench if turn % 2 else other).step()

    assert len(bench.telegram.sent) == len(set(said(bench.telegram.sent))) == 100


async def test_another_process_takes_over_when_the_first_is_gone(bench: Bench) -> None:
    await bench.step()
    other = Bench(bench.database, bench.clock, telegram=bench.telegram, owner="two", limits=Limits(enabled=False))
    bench.queue("Ciao")

    assert not (await other.step()).parcels
    bench.clock.forward(seconds=11)
    await other.drain()

    assert said(bench.telegram.sent) == ["Ciao"]


async def test_a_success_that_comes_after_the_take_over_still_counts(bench: Bench) -> None:
    outbox_id = bench.queue("Ciao")
    await bench.step()  # sent; its result not yet written
    bench.clock.forward(seconds=11)
    other = Bench(bench.database, bench.clock, owner="two", limits=Limits(enabled=False), in_flight={})
    other.dispatcher.senders = {}
    await other.step()
    assert bench.row(outbox_id).state is OutboxState.RETRY

    await bench.step()

    assert bench.row(outbox_id).state is OutboxState.SENT


async def test_a_restored_database_sends_nothing_until_released(bench: Bench) -> None:
    with bench.database.write() as session:
        session.add(Office(id=1, name="Ufficio esempio", dispatch_stopped=True))
    bench.queue("Ciao")

    await bench.drain()
    assert not bench.telegram.tried

    with bench.database.write() as session:
        office = session.get(Office, 1)
        assert office is not None
        office.dispatch_stopped = False
    bench.clock.forward(seconds=5)
    await bench.drain()
    assert said(bench.telegram.sent) == ["Ciao"]
