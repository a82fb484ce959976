"""Numbers, prices and dates, as pages write them."""

from contextlib import suppress
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.extract.values import (
    UnreadableError,
    boolean,
    iso_date,
    number,
    price,
    whole_number,
)

NUMBERS = {
    "5": 5, "-5.20": -5.2, "−5,3": -5.3, "+7": 7, "1,234.50": 1234.5, "1.234,50": 1234.5,
    "1 234,5": 1234.5, "1 234 567": 1234567, "1'234.50": 1234.5, "1.234.567": 1234567,
    "12.3456": 12.3456, "0.123": 0.123, "0,5": 0.5, "1,5": 1.5, "12,34": 12.34, "4.5 out of 5": 4.5,
    "5,-": 5, "about 20 km": 20, "10 20 30": 10, "12,34,567.50": 1234567.5, "1’234.–": 1234,
    "1234567,891": 1234567.891, "v2": 2,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_a_number_is_read_in_the_one_way_that_it_can_be(text: str, value: float) -> None:
    """Marks of thousands, signs and what stands around it."""
    assert number(text) == value


@pytest.mark.parametrize("text", ["1.234", "1,234", "€ 1.234", "-12,345", "999.999 pieces"])
def test_what_can_be_a_thousand_or_one_and_a_bit_is_ambiguous(text: str) -> None:
    """Until somebody says which sign stands before decimals."""
    with pytest.raises(UnreadableError, match="ambiguous: say `decimal: ','`"):
        number(text)
    with pytest.raises(UnreadableError, match="ambiguous"):
        price(text)


def test_a_hint_decides() -> None:
    """Of the field, by the user."""
    assert (number("1.234", "."), number("1.234", ",")) == (1.234, 1234)
    assert (price("1,234 $", ","), price("1,234 $", ".")) == ((1.234, "$"), (1234, "$"))


WRONG = [
    "192.168.1.1", "1.2.3", "1.23.45", "03.04.2026", "1.5k", "1,5 Mio. €", "1e5", ".5", "$ .99",
    "١٬٢٣٤٫٥٠", "１２３．４５円", "1,2,3"
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_looks_like_a_number_and_is_another_thing_is_none(text: str) -> None:
    """A wrong number is worse than none: versions, addresses, thousands, other digits."""
    for read in (number, price):
        with pytest.raises(UnreadableError):
            read(text)


@pytest.mark.parametrize(
    ("text", "decimal"), [("$1,234.50", ","), ("12.5 €", ","), ("1,5 €", "."), ("1.234,50", ".")]
)
def test_a_hint_that_does_not_fit_is_not_obeyed(text: str, decimal: str) -> None:
    """The field is for pages that write otherwise; ten times as much would be no price."""
    for read in (number, price):
        with pytest.raises(UnreadableError, match="in one way"):
            read(text, decimal)


@pytest.mark.parametrize("text", ["from 5.99 to 10 EUR", "2 x 3,99 €", "€19.90 €14.90"])
def test_a_price_among_other_numbers_is_not_picked(text: str) -> None:
    """The rule must find it alone."""
    with pytest.raises(UnreadableError, match="several numbers"):
        price(text)


def test_long_texts_are_read_in_no_time() -> None:
    """Blanks by the thousand are no reason to try each of them."""
    began = monotonic()
    for text in ("-" + " " * 1_000_000 + "x", "1" * 1_000_000, "1," * 500_000):
        for read in (number, whole_number, price, iso_date):
            with suppress(UnreadableError):
                read(text)
    assert monotonic() - began < 1


@pytest.mark.parametrize("text", ["", "none", "½", "...", "9" * 400, "-", "MCMXCIX"])
def test_what_is_no_number_is_none(text: str) -> None:
    """And what no number can hold is none either."""
    with pytest.raises(UnreadableError, match="is no number"):
        number(text)


WHOLE = {
    "1234567890123456789": 1234567890123456789,
    "1.234": 1234,
    "1,234": 1234,
    "12": 12,
    "-1 000": -1000,
    "3.0": 3,
    "7 reviews": 7,
}


@pytest.mark.parametrize(("text", "value"), WHOLE.items())
def test_a_whole_number_has_no_decimals_to_be_confused_by(text: str, value: int) -> None:
    """So three digits behind a sign are thousands."""
    assert whole_number(text) == value


def test_a_number_with_decimals_is_no_whole_one() -> None:
    """It is not rounded; and what begins with 0 is no thousand."""
    for text, decimal in (("4.5", None), ("0.500", None), ("4.125", ".")):
        with pytest.raises(UnreadableError, match="no whole number"):
            whole_number(text, decimal)


PRICES = {
    "£5": (5, "£"), "€ 1.234,50": (1234.5, "€"), "$1,234.50": (1234.5, "$"), "5 zł": (5, "zł"),
    "EUR 0.99": (0.99, "EUR"), "1'234.50 CHF": (1234.5, "CHF"), "-5,00 €": (-5, "€"),
    "19": (19, None), "$ -3.50": (-3.5, "$"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), PRICES.items())
def test_a_price_has_an_amount_and_perhaps_a_currency(text: str, value: object) -> None:
    """As the page writes it."""
    assert price(text) == value


@pytest.mark.parametrize("text", ["", "Free", "on request", "€"])
def test_without_an_amount_there_is_no_price(text: str) -> None:
    """Free may be nothing, or mean something else."""
    with pytest.raises(UnreadableError, match="is no price"):
        price(text)


DATES = {
    "2026-04-03": "2026-04-03",
    "2026-04-03T10:00:00Z": "2026-04-03T10:00:00+00:00",
    "2026-04-03 10:00": "2026-04-03T10:00:00",
    "20260403": "2026-04-03",
    "Fri, 03 Apr 2026 20:36:07 GMT": "2026-04-03T20:36:07+00:00",
    "13/04/2026": "2026-04-13",
    "04/13/2026": "2026-04-13",
    "03.03.2026": "2026-03-03",
    "2026/04/03": "2026-04-03",
    "3. April 2026, 14:30 Uhr": "2026-04-03T14:30:00",
    "April 3rd, 2026": "2026-04-03",
    "le 5 mars 2026": "2026-03-05",
    "1 апреля 2026": "2026-04-01",
    "2026年4月3日": "2026-04-03",
}


@pytest.mark.parametrize(("text", "value"), DATES.items())
def test_a_date_comes_out_as_iso_8601(text: str, value: str) -> None:
    """In numbers and in words, with its time if there is one."""
    assert iso_date(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2026",
        "03.04.2026",
        "3-4-26",
        "Date: 03/04/2026 10:00",
        "03 04 2026",
        "03 / 04/2026",
        "26/03/04",
    ],
)
def test_a_date_in_march_or_in_april_is_ambiguous(text: str) -> None:
    """Until somebody says the order."""
    with pytest.raises(UnreadableError, match="ambiguous: say `order: DMY`"):
        iso_date(text)
    assert iso_date("03/04/2026", "DMY") == "2026-04-03"
    assert iso_date("03/04/2026", "MDY") == "2026-03-04"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "May 2026",
        "yesterday",
        "2 days ago",
        "soon",
        "x" * 1000,
        "1712102400",
        "1712102400000",
        "10 x16",
    ],
)
def test_what_names_no_day_is_no_date(text: str) -> None:
    """The same page is the same row, on whichever day it is read."""
    with pytest.raises(UnreadableError, match="is no date"):
        iso_date(text)


def test_the_language_of_the_page_helps() -> None:
    """Beyond the twenty that are always tried."""
    assert iso_date("3 aprill 2026", language="et") == "2026-04-03"
    with pytest.raises(UnreadableError):
        iso_date("3 aprill 2026 x", language="nonsense")


def test_a_boolean_says_no_in_a_few_words() -> None:
    """Anything else that is found is a yes."""
    assert [boolean(text) for text in ("no", "FALSE", " off ", "0")] == [False] * 4
    assert [boolean(text) for text in ("yes", "1", "in stock")] == [True] * 3


@given(text=st.text())
def test_any_text_is_a_value_or_unreadable(text: str) -> None:
    """And nothing else is raised."""
    for read in (number, whole_number, price, boolean, iso_date):
        with suppress(UnreadableError):
            read(text)


@given(
    value=st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False),
    marks=st.sampled_from([(",", "."), (".", ","), ("\u00a0", ","), ("'", "."), (" ", ".")]),
)
def test_a_number_that_was_written_is_read(value: object, marks: tuple[str, str]) -> None:
    """With two decimals there is no doubt, in whichever country."""
    thousands, decimal = marks
    text = f"{value:,.2f}".replace(",", "t").replace(".", decimal).replace("t", thousands)
    assert number(text) == float(f"{value}")
