from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.languages import Language
from facts.numbers import read_cents, read_percentage, show_cents, show_number, show_percentage
from facts.reading import Ambiguous, Unreadable


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("0", 0),
        ("1234", 123_400),
        ("1234,5", 123_450),
        ("1234,56", 123_456),
        ("1234.5", 123_450),
        ("1.234,56", 123_456),
        ("1.234.567", 123_456_700),
        ("1.234.567,89", 123_456_789),
        ("1,234.56", 123_456),
        ("1,234,567", 123_456_700),
        ("1'234,56", 123_456),
        ("1’234’567.80", 123_456_780),
        ("1 234 567,8", 123_456_780),
        ("1\u00a0234,56\u00a0€", 123_456),
        ("1\u2009234", 123_400),
        ("€ 1.234,56", 123_456),
        ("EUR 12,30", 1_230),
        ("12 euro", 1_200),
        ("12euro", 1_200),
        ("1,2 mln", 120_000_000),
        ("1,2mln €", 120_000_000),
        ("1,234 milioni di euro", 123_400_000),
        ("1.2 mln", 120_000_000),
        ("un milione", 100_000_000),
        ("350mila", 35_000_000),
        ("350 mila euro", 35_000_000),
        ("150k", 15_000_000),
        ("2 miliardi", 200_000_000_000),
        ("0.50", 50),
        ("0,5", 50),
        ("12,00", 1_200),
        ("12,000000", 1_200),
    ],
)
def test_an_amount_is_read_as_italians_write_it(written: str, cents: int) -> None:
    assert read_cents(written) == cents


@pytest.mark.parametrize(
    ("written", "candidates"),
    [
        ("1.234", (123_400,)),  # 1,234 € is no amount: it is not offered rounded
        ("150.000 €", (15_000_000, 15_000)),
        ("1,234", (123_400,)),
        ("12.34", (1_234, 123_400)),
        ("1234.56", (123_456, 12_345_600)),
        ("1.25 mln", (125_000_000, 12_500_000_000)),
        ("1.250 mln", (125_000_000_000, 125_000_000)),
    ],
)
def test_an_amount_that_may_mean_something_else_is_asked_back_and_never_rounded(
    written: str, candidates: tuple[int, ...]
) -> None:
    with pytest.raises(Ambiguous) as caught:
        read_cents(written)

    assert caught.value.candidates == candidates


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        (" € ", "empty"),
        ("tanti", "not-a-number"),
        ("12 gatti", "not-a-number"),
        ("1.23.456", "not-a-number"),
        ("1 23", "not-a-number"),
        ("12,", "not-a-number"),
        ("1.234.56", "not-a-number"),
        ("1,234,56", "not-a-number"),
        ("1'234.567,8", "not-a-number"),
        ("-5", "negative"),
        ("− 5 €", "negative"),
        ("1234,567", "decimals"),
        ("0.123", "decimals"),
        ("99999999999999", "too-large"),
        ("1/2", "not-a-number"),
    ],
)
def test_an_amount_that_cannot_be_read_says_why(written: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_cents(written)

    assert caught.value.reason == reason
    assert caught.value.sentence


@given(st.integers(0, 10**14))
def test_an_amount_shown_in_italian_is_read_back_the_same(cents: int) -> None:
    assert read_cents(show_cents(cents, Language.IT)) == cents


@given(st.text(alphabet="0123456789.,' €kmilan-"))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        outcome: object = read_cents(text)
    except (Ambiguous, Unreadable) as error:
        outcome = error

    if isinstance(outcome, Ambiguous):
        assert len(set(outcome.candidates)) in (1, 2)
    else:
        assert isinstance(outcome, Unreadable) or (isinstance(outcome, int) and outcome >= 0)


@pytest.mark.parametrize(
    ("written", "percentage"),
    [
        ("0", "0"),
        ("33,3", "33.3"),
        ("33.3 %", "33.3"),
        ("50 per cento", "50"),
        ("50percento", "50"),
        ("100,0%", "100"),
        ("0.50", "0.5"),
    ],
)
def test_a_percentage_is_read(written: str, percentage: str) -> None:
    assert read_percentage(written) == Decimal(percentage)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        ("metà", "not-a-percentage"),
        ("100,1", "out-of-range"),
        ("1.000", "one-decimal"),
        ("33,33", "one-decimal"),
        ("-1", "negative"),
        ("12.34", "one-decimal"),
    ],
)
def test_a_percentage_that_cannot_be_read_says_why(written: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_percentage(written)

    assert caught.value.reason == reason


def test_numbers_are_shown_in_each_language() -> None:
    assert show_cents(123_450, Language.IT) == "1.234,50\u00a0€"
    assert show_cents(123_450, Language.EN) == "€1,234.50"
    assert show_percentage(Decimal("33.3"), Language.IT) == "33,3%"
    assert show_percentage(Decimal("50.0"), Language.EN) == "50%"
    assert show_number(12_345, Language.IT) == "12.345"
    assert show_number(Decimal("1234.5"), Language.EN) == "1,234.5"
