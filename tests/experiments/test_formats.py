"""Numbers as people read them."""

from datetime import datetime, timedelta, timezone

import pytest

from experiments import formats


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (formats.count(12345), "12\u202f345"),
        (formats.percent(0.2091), "20.9%"),
        (formats.percent(0.0179), "1.79%"),
        (formats.percent(0), "0.0%"),
        (formats.lift(0.042), "+4.2%"),
        (formats.lift(-0.042), "\u22124.2%"),
        (formats.lift(-0.0001), "0.0%"),
        (formats.points(-0.0082), "\u22120.82 points"),
        (formats.figure(0.813, "dollars"), "0.813\u202fdollars"),
        (formats.figure(1234.5), "1\u202f234"),
        (formats.figure(0), "0"),
        (formats.amount(0.304, "conversion"), "30.4%"),
        (formats.amount(0.304, "sum", "EUR"), "0.304\u202fEUR"),
        (formats.amount(None, "conversion"), "\u2013"),
        (formats.difference(-0.0082, "conversion"), "\u22120.82 points"),
        (formats.difference(-4.5, "sum", "EUR"), "\u22124.50\u202fEUR"),
        (formats.score(-0.294), "\u22120.29"),
        (formats.p_value(0.00001), "< 0.0001"),
        (formats.p_value(0.0016), "0.0016"),
        (formats.p_value(0.734), "0.73"),
        (formats.span(86400 * 14), "14 days"),
        (formats.span(3600), "1 hour"),
        (formats.plural(1, "visitor"), "1 visitor"),
        (formats.plural(2, "person", "people"), "2 people"),
        (formats.payload({"a": "é"}), '{"a": "é"}'),
        (formats.payload("text"), "text"),
        (formats.share(0.5), "50%"),
        (formats.share(1 / 3), "33.3333%"),
        (formats.who("person:alice@example.org"), "alice@example.org"),
        (formats.who("job:decide"), "the job decide"),
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

    assert {getattr(formats, kind)(None) for kind in kinds} == {formats.NOTHING}


def test_moment__other_time_zone__is_told_in_utc():
    at = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert formats.as_of(at) == "as of 1 Mar 2026, 23:30 UTC"
