"""The numbers page: periods, tables, drawings, files; every role may look."""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from desk.numbers_period import AHEAD, BACKWARDS, NO_DAYS, Period, chosen_period, usual_period
from desk.numbers_tables import MAKERS
from desk.plots import WIDTH, Row, side_by_side, stacked
from storage.tables import Category, Channel, Circular, QuestionState, Staff
from tests.desk.conftest import Desk

TODAY = date(2026, 11, 24)
PAGE = "/desk/numbers"
FORMULA = "=1+1"


def a_month(desk: Desk) -> None:
    """Ada of Magenta asked twice by mail, was answered once after two hours; and wrote back to a circular."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent(organization=cast.an_organization("Magenta"))
        category = cast.add(Category(name="Rendicontazione", created_at=cast.now))
        circular = cast.add(Circular(created_by=desk.people["Olga"], created_at=cast.now, changed_at=cast.now))
        first = cast.a_question(ada, channel=Channel.EMAIL, category_id=category.id, state=QuestionState.ANSWERED)
        first.created_at = cast.now - timedelta(days=1)
        first.first_answer_at = first.created_at + timedelta(hours=2)
        cast.a_question(ada, channel=Channel.EMAIL)
        cast.a_question(ada, channel=Channel.TELEGRAM, circular_id=circular.id)


async def lines(desk: Desk, key: str, query: str = "") -> list[list[str]]:
    found = await desk.browser("Rita").get(f"{PAGE}/{key}.csv{query}")
    assert found.status_code == 200
    return list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", "Anna"])
async def test_whoever_may_look_at_the_desk_sees_the_numbers(desk: Desk, who: str) -> None:
    a_month(desk)

    found = await desk.browser(who).get(PAGE)

    assert found.status_code == 200
    assert 'href="/desk/numbers" aria-current="page"' in found.text


async def test_an_empty_desk_has_empty_tables_and_no_drawing(desk: Desk) -> None:
    found = await desk.browser("Rita").get(PAGE)

    assert found.status_code == 200
    assert 'role="img"' not in found.text


async def test_each_drawing_has_a_title_a_description_and_its_table(desk: Desk) -> None:
    a_month(desk)

    text = (await desk.browser("Rita").get(PAGE)).text

    drawings = re.findall(r'(?s)role="img" aria-labelledby="(\S+) (\S+)".*?</figure>\s*<div>\s*<table', text)
    assert len(drawings) == 4  # no update came
    assert all(f'<title id="{title}">' in text and f'<desc id="{desc}">' in text for title, desc in drawings)
    assert "La più lunga è «16 nov 2026», con" not in text
    assert "La più lunga è «23 nov 2026», con 3." in text


async def test_questions_stand_under_their_channel_and_replies_to_circulars_apart(desk: Desk) -> None:
    a_month(desk)

    header, *rows = await lines(desk, "questions")

    assert header == [
        "Settimana dal",
        "Telegram",
        "E-mail",
        "Posta certificata (PEC)",
        "Pagina personale",
        "Telefono",
        "Risposte a comunicazioni",
        "In tutto",
    ]
    assert rows[-1] == ["23 nov 2026", "0", "2", "0", "0", "0", "1", "3"]


async def test_a_phone_is_spared_what_is_nothing_but_shows_every_sum(desk: Desk) -> None:
    a_month(desk)

    page = (await desk.browser("Olga").get("/desk/numbers")).text

    left_out = re.findall(r'<td class="number nothing" data-label="([^"]+)">([^<]*)<', page)
    assert {shown for _label, shown in left_out} == {"0"}
    assert "In tutto" not in {label for label, _shown in left_out}
    assert "Risposta data" not in {label for label, _shown in left_out}  # here nothing tells something


async def test_each_body_stands_with_its_questions_and_over_time(desk: Desk) -> None:
    a_month(desk)

    assert (await lines(desk, "bodies"))[1:] == [["Magenta", "2", "1", "0"]]
    assert (await lines(desk, "bodies-over-time"))[1] == ["Magenta", "0", "0", "0", "0", "2", "2"]


async def test_time_to_the_first_answer_is_told_in_working_hours_by_category(desk: Desk) -> None:
    a_month(desk)

    assert (await lines(desk, "first-answers"))[1:] == [
        ["Tutte le domande", "", "2", "1", "2,0", "2,0", "100,0"],
        ["Senza categoria", "19", "1", "0", "", "", ""],
        ["Rendicontazione", "19", "1", "1", "2,0", "2,0", "100,0"],
    ]


async def test_what_waits_does_not_depend_on_the_period(desk: Desk) -> None:
    a_month(desk)

    now, then = (
        await lines(desk, "waiting"),
        await lines(desk, "waiting", "?period=days&since=2025-01-01&until=2025-01-02"),
    )

    assert now == then
    assert now[1:] == [["Nuova", "2", "24/11/2026", "0"], ["In attesa del referente", "0", "", ""]]


@pytest.mark.parametrize("key", MAKERS)
async def test_every_table_can_be_taken_along_to_excel(desk: Desk, key: str) -> None:
    a_month(desk)

    found = await desk.browser("Rita").get(f"{PAGE}/{key}.xlsx?period=year")

    sheet: Any = load_workbook(io.BytesIO(found.content)).active
    assert f"raccordo-{key}-2025-12-01-2026-11-24.xlsx" in found.headers["content-disposition"]
    assert [cell for row in sheet.iter_rows() for cell in row if cell.data_type in "fe"] == []


@pytest.mark.parametrize("address", ["nonsense.csv", "questions.exe", "questions.csv?period=days&since=1&until=2"])
async def test_a_file_that_is_none_is_not_there(desk: Desk, address: str) -> None:
    assert (await desk.browser("Rita").get(f"{PAGE}/{address}")).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["since=2026-11-24&until=2026-11-01", "since=&until=", "since=%00&until=9", "since=99999-01-01&until=" + "1" * 999],
)
async def test_days_that_are_none_are_told_and_stay_in_their_fields(desk: Desk, query: str) -> None:
    found = await desk.browser("Rita").get(f"{PAGE}?period=days&{query}")

    assert found.status_code == 422
    assert 'class="field-error"' in found.text
    assert "2026-11-24" not in query or 'value="2026-11-24"' in found.text


async def test_nonsense_for_a_period_is_the_last_month(desk: Desk) -> None:
    found = await desk.browser("Rita").get(f"{PAGE}?period=whatever")

    assert found.status_code == 200
    assert "dal 26 ott 2026 al 24 nov 2026" in found.text


async def test_numbers_can_be_read_in_english(desk: Desk) -> None:
    with desk.house.database.write() as session:
        session.get_one(Staff, desk.people["Rita"]).language = "en"

    found = await desk.browser("Rita").get(PAGE)

    assert "Time to the first answer" in found.text


# --- periods


@pytest.mark.parametrize(
    ("choice", "first", "unit", "stretches"),
    [
        ("month", date(2026, 10, 26), "week", 5),
        ("quarter", date(2026, 8, 31), "week", 13),
        ("year", date(2025, 12, 1), "month", 12),
    ],
)
def test_a_usual_period_ends_today(choice: str, first: date, unit: str, stretches: int) -> None:
    period = usual_period(choice, TODAY)

    assert (period.first, period.last, period.unit) == (first, TODAY, unit)
    assert len(period.stretches()) == stretches


def test_many_years_are_cut_into_years() -> None:
    period = chosen_period("0001-01-01", "9999-12-31", TODAY)

    assert (period.first, period.last, period.unit) == (date(2000, 1, 1), TODAY, "year")
    assert len(period.stretches()) == 27


def test_every_day_of_a_period_lies_in_one_stretch_by_the_clock_of_the_office() -> None:
    edges = Period("days", date(2026, 10, 20), TODAY).edges("Europe/Rome")

    local = [edge.astimezone(ZoneInfo("Europe/Rome")) for edge in edges]
    assert {one.hour for one in local} == {0}  # through the change to winter time
    assert (local[0].date(), local[-1].date()) == (date(2026, 10, 20), date(2026, 11, 25))
    assert sorted(edges) == list(edges)


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [("", "2026-11-01", NO_DAYS), ("2026-11-02", "2026-11-01", BACKWARDS), ("2026-12-01", "2026-12-02", AHEAD)],
)
def test_days_that_make_no_period_say_why(since: str, until: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        chosen_period(since, until, TODAY)


# --- drawings


def test_bars_are_as_long_as_their_numbers_and_stay_inside() -> None:
    plot = stacked(["a", "b"], [Row("one", [30, 10], ["40"]), Row("two", [None, 20], ["20"])])

    assert plot is not None
    first, second, third = plot.bars
    assert first.x + first.width < second.x
    assert third.width == pytest.approx(2 * second.width, abs=2)
    assert max(bar.x + bar.width for bar in plot.bars) <= WIDTH
    assert plot.longest == ("one", "40")


def test_two_series_stand_below_each_other() -> None:
    plot = side_by_side(["half", "ninth"], [Row("one", [Decimal("1.5"), Decimal(3)], ["1,5", "3"])])

    assert plot is not None
    half, ninth = plot.bars
    assert half.y + half.height < ninth.y
    assert ninth.width == pytest.approx(2 * half.width, abs=2)


def test_nothing_is_not_drawn() -> None:
    assert stacked(["a"], [Row("one", [0], ["0"])]) is None
    assert side_by_side(["a"], [Row("one", [None], [""])]) is None
    assert stacked(["a"], []) is None
