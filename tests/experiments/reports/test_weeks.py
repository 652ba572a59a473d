"""ISO weeks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import InvalidError
from experiments.reports import weeks


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.times())
def test_bounds__of_the_week_of_a_moment__contain_it(day, hour):
    at = datetime.combine(day, hour, UTC)
    since, until = weeks.bounds(weeks.name(at))

    assert since <= at < until
    assert until - since == timedelta(days=7)
    assert since.isoweekday() == 1


def test_name__new_year_in_the_last_week__belongs_to_the_old_year():
    assert weeks.name(datetime(2027, 1, 1, tzinfo=UTC)) == "2026-W53"
    assert date.fromisocalendar(2026, 53, 5) == date(2027, 1, 1)


def test_ended_before__monday_morning__is_the_week_before():
    assert weeks.ended_before(datetime(2026, 3, 2, 0, 0, tzinfo=UTC)) == "2026-W09"


@pytest.mark.parametrize("name", ["2026-W54", "2026-W00", "2026-9", "last week", ""])
def test_bounds__no_such_week__says_what_a_week_looks_like(name):
    with pytest.raises(InvalidError, match="not an ISO week such as 2026-W09"):
        weeks.bounds(name)
