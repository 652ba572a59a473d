"""Life tables add, and refuse impossible counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.errors import InvalidInputError
from stats.life_tables import LifeTable

VISITORS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), min_size=1, max_size=60)


@given(VISITORS, VISITORS)
def test_life_tables__added__equal_the_table_of_all_visitors(first, second):
    grid = np.arange(1, 13)

    def table(visitors):
        durations, causes = np.array(visitors).T
        rows = [np.sum((durations == grid[:, None]) & (causes == c), axis=1) for c in range(3)]
        return LifeTable(times=grid, events=rows[1:], censored=rows[0])

    together, apart = table(first + second), table(first) + table(second)
    np.testing.assert_array_equal(together.events, apart.events)
    np.testing.assert_array_equal(together.at_risk, apart.at_risk)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"times": [2, 1]}, "times"),
        ({"events": [[1, -1]]}, "events"),
        ({"events": [1, 1]}, "events"),
        ({"censored": [1]}, "censored"),
    ],
)
def test_life_table__impossible_counts__name_the_field(change, field):
    with pytest.raises(InvalidInputError, match=field):
        LifeTable(**({"times": [1, 2], "events": [[1, 1]], "censored": [0, 0]} | change))
