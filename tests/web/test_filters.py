"""What templates may ask of a value."""

from stats.results import NotEstimable
from web import filters


def test_known__undefined_result__is_not():
    assert filters.is_known(0.0)
    assert not filters.is_known(NotEstimable("12 of 100 conversions needed"))
