import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.assignment.bucketing import (
    arms_by_bucket,
    bucket,
    choose,
    fnv1a32,
    ranges,
)
from experiments.assignment.namespaces import former_hash, in_namespace

SDK_CASES = Path(
    os.environ.get("SDK_CASES")
    or Path(__file__).parents[4] / "shared/golden/growthbook-sdk-cases.json"
)
HASHES = {1: former_hash, 2: lambda seed, value: bucket(seed, value) / 10_000}

shares = st.lists(st.integers(1, 100), min_size=2, max_size=6).map(
    lambda parts: [part / sum(parts) for part in parts]
)
ids = st.text(max_size=40)


def sdk_cases(group: str) -> list[object]:
    if not SDK_CASES.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{SDK_CASES} is absent"))]
    cases: list[object] = json.loads(SDK_CASES.read_text())[group]
    return cases


@pytest.mark.parametrize(
    ("text", "expected"), [("", 2166136261), ("a", 3826002220), ("foobar", 3214735720)]
)
def test_fnv1a32__published_vectors__are_met(text: str, expected: int) -> None:
    assert fnv1a32(text) == expected


@pytest.mark.parametrize(
    ("seed", "value", "expected"),
    [
        ("seed", "a", 505),
        ("seed", "b", 2696),
        ("foo", "ab", 2575),
        ("foo", "def", 2019),
        ("welcome-banner", "user-1", 9075),
        ("checkout-cta", "42", 2038),
        ("s", "é", 8605),
        ("s", "日本", 984),
        ("s", "😀", 2801),
    ],
)
def test_bucket__known_answers__never_change(seed: str, value: str, expected: int) -> None:
    assert bucket(seed, value) == expected


@pytest.mark.parametrize("case", sdk_cases("hash"))
def test_bucket__sdk_case__agrees(case: tuple[str, str, int, float | None]) -> None:
    seed, value, version, expected = case
    if version not in HASHES:
        assert expected is None
        return
    assert HASHES[version](seed, value) == expected


@pytest.mark.parametrize("case", sdk_cases("inNamespace"))
def test_in_namespace__sdk_case__agrees(
    case: tuple[str, str, tuple[str, float, float], bool],
) -> None:
    _, visitor, namespace, expected = case
    assert in_namespace(visitor, namespace) is expected


@pytest.mark.parametrize("case", sdk_cases("getBucketRange"))
def test_ranges__sdk_case__agrees(
    case: tuple[str, tuple[int, float, list[float] | None], list[list[float]]],
) -> None:
    _, (count, coverage, weights), expected = case
    found = ranges(weights or [1 / count] * count, coverage)
    assert np.asarray(found) == pytest.approx(np.asarray(expected))


@pytest.mark.parametrize("case", sdk_cases("chooseVariation"))
def test_choose__sdk_case__agrees(
    case: tuple[str, float, list[tuple[float, float]], int],
) -> None:
    _, number, stretches, expected = case
    found = choose(round(number * 10_000), stretches)
    assert (-1 if found is None else found) == expected


@pytest.mark.parametrize(
    ("weights", "coverage"),
    [([0.5, 0.5], 1.0), ([0.2, 0.3, 0.5], 0.1), ([1 / 3] * 3, 0.77777), ([0.99, 0.01], 0.0)],
)
def test_arms_by_bucket__any_allocation__agrees_with_choose(
    weights: list[float], coverage: float
) -> None:
    stretches = tuple(ranges(weights, coverage))
    table = arms_by_bucket(stretches)
    chosen = [choose(number, stretches) for number in range(10_000)]
    assert [None if arm == len(stretches) else arm for arm in table] == chosen


@given(weights=shares, low=st.floats(0, 1), high=st.floats(0, 1), number=st.integers(0, 9999))
def test_choose__coverage_grows__nobody_moves(
    weights: list[float], low: float, high: float, number: int
) -> None:
    before, after = sorted((low, high))
    arm = choose(number, ranges(weights, before))
    assert arm is None or choose(number, ranges(weights, after)) == arm


@given(weights=shares, coverage=st.floats(0, 1))
def test_ranges__any_allocation__each_arm_gets_its_share_of_the_coverage(
    weights: list[float], coverage: float
) -> None:
    widths = [end - start for start, end in ranges(weights, coverage)]
    assert widths == pytest.approx([coverage * weight for weight in weights])
