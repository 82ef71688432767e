"""When it is asked what is new to the staff: as soon as a row came, else once a minute, and never more often."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from app import sweep
from app.sweep import LOOK_EVERY, Sweeper
from delivery.links import Links
from storage.database import Database
from tests.cast import Cast


async def test_nothing_new_is_one_cheap_look_until_a_minute_is_over(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked = [now], []

    def nobody(_: Session, at: datetime, __: Links) -> bool:
        asked.append(at)
        return False

    monkeypatch.setattr(sweep, "notify_one", nobody)
    sweeper = Sweeper(database, lambda: clock[0], Links("https://raccordo.example"), "Europe/Rome")

    async def pass_after(delta: timedelta) -> int:
        clock[0] += delta
        await sweeper()
        return len(asked)

    first, second = await pass_after(timedelta()), await pass_after(timedelta(seconds=5))
    with database.write() as session:
        cast = Cast(session, now)
        cast.a_question(cast.a_referent())
    came = await pass_after(timedelta(seconds=5))
    still = await pass_after(timedelta(seconds=5))
    later = await pass_after(LOOK_EVERY)

    assert (first, second, came, still, later) == (1, 1, 2, 2, 3)
