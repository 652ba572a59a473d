"""The cap: one for all arms, above zero, and nobody removed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stats.errors import InvalidInputError
from stats.results import NotEstimable
from stats.winsorising import winsor_cap, winsorise

VALUES = hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 1e9))


@given(VALUES, st.floats(0.5, 0.999))
def test_winsorise__any_revenue__keeps_everybody_and_the_order(values, level):
    cap = winsor_cap(values, level=level)
    if isinstance(cap, NotEstimable):
        assert not values.any()
        return
    capped = winsorise(values, cap=cap)
    assert capped.shape == values.shape
    assert capped.max() <= cap
    assert (capped[values <= cap] == values[values <= cap]).all()
    assert (winsorise(capped, cap=cap) == capped).all()


def test_winsor_cap__few_visitors_buy__is_not_zero():
    values = np.concatenate([np.zeros(990), np.full(9, 20.0), [50_000.0]])
    assert winsor_cap(values, level=0.9) < 5100
    assert winsor_cap(values, level=0.5) == 20.0


def test_winsor_cap__nobody_buys__is_undefined():
    assert winsor_cap(np.zeros(5)) == NotEstimable("no visitor has a value other than zero")


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan])
def test_winsor_cap__impossible_level__is_refused(level):
    with pytest.raises(InvalidInputError, match="level"):
        winsor_cap([1.0, 2.0], level=level)
