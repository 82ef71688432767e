"""A database is brought into order once, however many processes start on it at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlmodel import func, select

from app.furnish import prepare
from intake.forms.builtin import KEYS
from storage.database import Database
from storage.tables import FormVersion, Organization
from tests.postgres import new_database


def test_processes_that_start_together_on_a_new_database_all_come_up(postgres_server: str, now: datetime) -> None:
    url = new_database(postgres_server, "together")
    together = threading.Barrier(4)

    def start() -> None:
        database = Database(url)
        together.wait(30)
        prepare(database, lambda: now)
        database.close()

    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(start) for _ in range(4)]:
            one.result(timeout=60)

    database = Database(url)
    with database.read() as session:
        assert session.exec(select(func.count()).select_from(FormVersion)).one() == len(KEYS)
        codes = session.exec(select(Organization.istat_code)).all()
    assert len(codes) == len(set(codes)) == 133
    database.close()
