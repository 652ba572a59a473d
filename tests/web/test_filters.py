"""Numbers as pages show them."""

from datetime import datetime, timedelta, timezone

import pytest

from stats.results import NotEstimable
from web import filters


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (filters.count(12345), "12\u202f345"),
        (filters.percent(0.2091), "20.9%"),
        (filters.percent(0.0179), "1.79%"),
        (filters.percent(0), "0.0%"),
        (filters.lift(0.042), "+4.2%"),
        (filters.lift(-0.042), "\u22124.2%"),
        (filters.lift(-0.0001), "0.0%"),
        (filters.points(-0.0082), "\u22120.82 points"),
        (filters.figure(0.813, "dollars"), "0.813\u202fdollars"),
        (filters.figure(1234.5), "1\u202f234"),
        (filters.figure(0), "0"),
        (filters.score(-0.294), "\u22120.29"),
        (filters.p_value(0.00001), "< 0.0001"),
        (filters.p_value(0.0016), "0.0016"),
        (filters.p_value(0.734), "0.73"),
        (filters.span(86400 * 14), "14 days"),
        (filters.span(3600), "1 hour"),
        (filters.plural(1, "visitor"), "1 visitor"),
        (filters.plural(2, "person", "people"), "2 people"),
        (filters.payload({"a": "é"}), '{"a": "é"}'),
        (filters.payload("text"), "text"),
        (filters.share(0.5), "50%"),
        (filters.share(1 / 3), "33.3333%"),
        (filters.who("person:alice@example.org"), "alice@example.org"),
        (filters.who("job:decide"), "the job decide"),
    ],
)
def test_filter__value__is_shown_as_agreed(value, shown):
    assert value == shown


def test_every_number_filter__nothing__shows_a_dash():
    kinds = (
        "count",
        "percent",
        "share",
        "lift",
        "points",
        "figure",
        "p_value",
        "span",
        "date",
    )

    assert {getattr(filters, kind)(None) for kind in kinds} == {filters.NOTHING}


def test_moment__other_time_zone__is_told_in_utc():
    at = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert filters.as_of(at) == "as of 1 Mar 2026, 23:30 UTC"


def test_known__undefined_result__is_not():
    assert filters.is_known(0.0)
    assert not filters.is_known(NotEstimable("12 of 100 conversions needed"))
