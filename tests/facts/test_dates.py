from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.dates import last_day, read_date, show_date, show_moment, show_short_date, show_weekday
from facts.languages import Language
from facts.reading import Ambiguous, Unreadable

TODAY = date(2026, 11, 23)  # a Monday
TENTH = date(2026, 12, 10)  # a Thursday


@pytest.mark.parametrize(
    "written",
    [
        "10/12/2026",
        "10-12-26",
        "10.12.26",
        "10 12 2026",
        "2026-12-10",
        "2026/12/10",
        "10 dicembre 2026",
        "10 Dicembre",
        "10 dic 26",
        "10 dic. '26",
        "10-dic-2026",
        "10dicembre2026",
        "il 10 dicembre",
        "entro il 10/12/2026",
        "giovedì 10 dicembre 2026",
        "gio 10/12",
        "Giovedi' 10 dicembre",
        "giovedì, il 10 dicembre",
        "10/12",
        "10-12",
        "December 10, 2026",
        "10th of December 2026",
        "Thursday 10 Dec 2026",
        " 10/12/2026. ",
        "10\u00a0dicembre\u00a02026",
    ],
)
def test_a_date_is_read_as_people_write_it(written: str) -> None:
    assert read_date(written, today=TODAY) == TENTH


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("oggi", date(2026, 11, 23)),
        ("Domani", date(2026, 11, 24)),
        ("dopodomani", date(2026, 11, 25)),
        ("ieri", date(2026, 11, 22)),
        ("tomorrow", date(2026, 11, 24)),
        ("the day after tomorrow", date(2026, 11, 25)),
        ("fine mese", date(2026, 11, 30)),
        ("entro fine mese", date(2026, 11, 30)),
        ("1° dicembre 2026", date(2026, 12, 1)),
        ("1º dicembre", date(2026, 12, 1)),
        ("primo dicembre", date(2026, 12, 1)),
        ("l'8 dicembre", date(2026, 12, 8)),
        ("23/11", date(2026, 11, 23)),
        ("15 gennaio", date(2027, 1, 15)),
        ("3 mar 2027", date(2027, 3, 3)),
        ("mar 1/12/2026", date(2026, 12, 1)),
        ("marzo 3, 2027", date(2027, 3, 3)),
        ("29/2/2028", date(2028, 2, 29)),
        ("7 sett 2027", date(2027, 9, 7)),
        ("1 agosto 2027", date(2027, 8, 1)),
    ],
)
def test_a_day_is_found(written: str, day: date) -> None:
    assert read_date(written, today=TODAY) == day


@pytest.mark.parametrize(
    ("written", "candidates"),
    [
        ("10/11", (date(2026, 11, 10), date(2027, 11, 10))),
        ("31 luglio", (date(2026, 7, 31), date(2027, 7, 31))),
        ("29/2", (date(2024, 2, 29), date(2028, 2, 29))),
    ],
)
def test_a_far_day_without_a_year_is_asked_back(written: str, candidates: tuple[date, ...]) -> None:
    with pytest.raises(Ambiguous) as caught:
        read_date(written, today=TODAY)

    assert caught.value.candidates == candidates


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        (" . ", "empty"),
        ("dicembre 2026", "no-day"),
        ("dic 26", "no-day"),
        ("dicembre", "no-day"),
        ("fine dicembre 2026", "no-day"),
        ("12/2026", "no-day"),
        ("12/26", "no-day"),
        ("2026-12", "no-day"),
        ("2027", "no-day"),
        ("fine 2026", "no-day"),
        ("entro la fine del 2026", "no-day"),
        ("31/11/2026", "no-such-day"),
        ("31 novembre", "no-such-day"),
        ("29/02/2027", "no-such-day"),
        ("12/25/2026", "no-such-day"),
        ("0/12/2026", "no-such-day"),
        ("lunedì 10 dicembre 2026", "weekday"),
        ("01/01/1900", "year"),
        ("31/12/9999", "year"),
        ("presto", "not-a-date"),
        ("10 xyz 2026", "not-a-date"),
        ("10/12/026", "not-a-date"),
        ("10/12-2026", "not-a-date"),
    ],
)
def test_a_date_that_cannot_be_read_says_why(written: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_date(written, today=TODAY)

    assert caught.value.reason == reason
    assert caught.value.sentence


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from(list(Language)), st.booleans())
def test_a_date_shown_is_read_back_the_same(day: date, language: Language, short: bool) -> None:
    shown = show_short_date(day, language) if short else show_date(day, language)

    assert read_date(shown, today=TODAY) == day


@given(st.text(alphabet="0123456789/-. dicembrefine°'"))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        outcome: object = read_date(text, today=TODAY)
    except (Ambiguous, Unreadable) as error:
        outcome = error

    assert isinstance(outcome, date | Ambiguous | Unreadable)


@given(st.dates(date(1950, 1, 1), date(2100, 12, 1)))
def test_the_last_day_of_a_month_is_followed_by_another_month(day: date) -> None:
    last = last_day(day)

    assert (last.year, last.month) == (day.year, day.month)
    assert date.fromordinal(last.toordinal() + 1).day == 1


def test_a_day_that_is_near_is_shown_with_its_weekday() -> None:
    assert show_weekday(TENTH, Language.IT) == "giovedì 10 dicembre"
    assert show_weekday(TENTH, Language.EN) == "Thursday 10 December"


def test_moments_are_shown_in_local_time() -> None:
    instant = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)

    assert show_moment(instant, Language.IT, "Europe/Rome") == "23 novembre 2026, 14:05"
    assert show_moment(instant, Language.EN, "Europe/Rome") == "23 November 2026, 14:05"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        show_moment(datetime(2026, 11, 23, 13, 5), Language.IT, "Europe/Rome")  # noqa: DTZ001 - the point of the test
