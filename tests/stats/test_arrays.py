"""Numbers enter validated and leave masked with a reason."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats import arrays
from stats.arrays import Estimates, FloatArray, Reason, first_reason
from stats.errors import InvalidInputError
from stats.results import NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Estimates):
    first: FloatArray
    second: FloatArray


@given(st.lists(st.tuples(st.floats(), st.floats(), st.sampled_from(Reason)), min_size=1))
def test_estimates__built_from_anything__hold_only_finite_numbers_outside_the_mask(rows):
    first, second, reason = map(np.array, zip(*rows, strict=True))
    pair = Pair(reason=reason, first=first, second=second)
    assert np.isfinite(pair.first.compressed()).all()
    assert np.isfinite(pair.second.compressed()).all()
    defined = (reason == 0) & np.isfinite(first) & np.isfinite(second)
    assert (np.asarray(pair.reason) == 0).tolist() == defined.tolist()
    assert np.isnan(np.ma.getdata(pair.first)[~defined]).all()


def test_at__element_is_undefined__returns_the_reason_in_words():
    pair = Pair(reason=np.array([0, 3]), first=np.array([1.0, 2.0]), second=np.float64(5))
    assert pair.at(1) == NotEstimable(Reason.NO_VARIANCE.words)
    defined = pair.at(0)
    assert (defined.first, defined.second) == (1.0, 5.0)
    assert isinstance(defined.first, float)


def test_at__two_dimensions__takes_a_position():
    values = np.arange(6.0).reshape(2, 3)
    pair = Pair(reason=np.int8(0), first=values, second=-values)
    assert pair.at((1, 2)).second == -5.0


def test_estimates__scalar__holds_floats_or_the_masked_constant():
    assert Pair(reason=np.int8(0), first=1.0, second=2.0).first == 1.0
    assert Pair(reason=np.int8(1), first=1.0, second=2.0).first is np.ma.masked


def test_reasons__every_code__has_words():
    assert all(reason.words for reason in Reason)


def test_first_reason__known_reason__is_kept():
    found = first_reason(([True, True], Reason.NO_VARIANCE), known=[Reason.OK, Reason.NO_UNITS])
    assert found.tolist() == [Reason.NO_VARIANCE, Reason.NO_UNITS]


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (arrays.finite, [1.0, np.nan]),
        (arrays.finite, np.inf),
        (arrays.finite, "many"),
        (arrays.finite, None),
        (arrays.non_negative, [0.0, -1e-9]),
        (arrays.positive, [1.0, 0.0]),
        (arrays.counts, 5.5),
        (arrays.counts, -1),
        (arrays.probability, 1.0001),
        (arrays.open_probability, 1.0),
        (arrays.open_probability, 0.0),
    ],
)
def test_checks__impossible_number__name_the_field(check, bad):
    with pytest.raises(InvalidInputError, match="revenue") as raised:
        check("revenue", bad)
    assert raised.value.field == "revenue"


def test_checks__possible_number__return_float64():
    assert arrays.counts("visitors", [10**9, 0]).dtype == np.float64
    assert arrays.probability("rate", [0, 1]).tolist() == [0.0, 1.0]
