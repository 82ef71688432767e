"""Whether the service lives, is ready, and in what figures. Names nobody; asks no sign-in and sets no cookie."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, PlainTextResponse, Response

from desk.house import Check, DeskHouse
from desk.pages import House
from facts.calendar import local_date
from storage import figures
from storage.inbox import arrivals
from storage.outbox import oldest_waiting, outbox_counts

router = APIRouter()


@router.get("/healthz")
def alive() -> Response:
    """The process answers. Touches nothing else, so that a slow database does not get it killed."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(house: House) -> Response:
    """Every part with its state; 503 when one is not ok."""
    checks = [_database(house), *house.readiness()]
    ok = all(check.ok for check in checks)
    parts = {check.name: {"ok": check.ok, "detail": check.detail} for check in checks}
    return JSONResponse({"ready": ok, "checks": parts}, 200 if ok else 503)


@router.get("/metrics")
def metrics(house: House) -> Response:
    """Figures for Prometheus, counted in the database: the same from whichever process answers."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(house))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _database(house: DeskHouse) -> Check:
    try:
        with house.database.read() as session:
            figures.question_counts(session)
    except Exception as error:
        return Check("database", ok=False, detail=type(error).__name__)
    return Check("database", ok=True)


class _Figures(Collector):
    def __init__(self, house: DeskHouse) -> None:
        self.house = house

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not count the whole database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = self.house.clock()
        with self.house.database.read() as session:
            inbox, outbox = arrivals(session), outbox_counts(session)
            questions, oldest = figures.question_counts(session), oldest_waiting(session, now)
            late = figures.late_count(session, local_date(now, self.house.zone))
        yield _by_state("raccordo_inbox_rows", "Things that came in, by state", inbox)
        yield _by_state("raccordo_outbox_rows", "Messages that leave, by state", outbox)
        yield _by_state("raccordo_questions", "Questions, by state", questions)
        yield _one("raccordo_obligations_late", "Updates past their day and not received", late)
        waited = (now - oldest).total_seconds() if oldest else 0
        yield _one("raccordo_outbox_oldest_due_seconds", "How long the oldest due message has waited", waited)


def _by_state(name: str, what: str, counts: Mapping[Any, int]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=["state"])
    for state, number in counts.items():
        family.add_metric([str(state)], number)
    return family


def _one(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)
