from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.design.allocation import Allocation
from experiments.design.schemas import PhaseIn
from experiments.errors import InvalidError

CURRENT = Allocation(coverage=0.5, weights={"control": 0.5, "a": 0.3, "b": 0.2})


def _changed(**fields: Any) -> Allocation:
    return CURRENT.changed(PhaseIn(reason="r", **fields))


def test_changed__more_coverage__keeps_the_weights() -> None:
    assert _changed(coverage=1.0) == Allocation(coverage=1.0, weights=CURRENT.weights)


def test_changed__other_weights__keep_the_coverage() -> None:
    weights = {"control": 0.2, "a": 0.4, "b": 0.4}
    assert _changed(weights=weights) == Allocation(coverage=0.5, weights=weights)


@pytest.mark.parametrize(
    ("fields", "pointer", "fix"),
    [
        ({"coverage": 0.4}, "/coverage", "can only grow"),
        ({"coverage": 0.5}, "/coverage", "nothing changes"),
        ({}, "/coverage", "nothing changes"),
        ({"weights": {"control": 0.5, "a": 0.5}}, "/weights", "a, b, control"),
        ({"weights": {"control": 0.5, "a": 0.3, "x": 0.2}}, "/weights", "a, b, control"),
        ({"weights": {"control": 0.5, "a": 0.3, "b": 0.3}}, "/weights", "sum to 1.1"),
        ({"weights": {"control": 0.5, "a": 0.5, "b": 0.0}}, "/weights/b", "above 0"),
    ],
)
def test_changed__unfit__names_field_and_fix(
    fields: dict[str, Any], pointer: str, fix: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        _changed(**fields)
    (problem,) = caught.value.problems
    assert problem.pointer == pointer
    assert fix in problem.detail


@given(parts=st.lists(st.integers(1, 50), min_size=3, max_size=8))
def test_without__variant__others_share_in_proportion(parts: list[int]) -> None:
    weights = {f"v{n}": part / sum(parts) for n, part in enumerate(parts)}
    left = Allocation(coverage=1.0, weights=weights).without("v1").weights
    assert sum(left.values()) == pytest.approx(1)
    assert "v1" not in left
    assert left["v0"] / left["v2"] == pytest.approx(parts[0] / parts[2])
