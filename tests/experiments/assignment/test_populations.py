import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.assignment.bucketing import bucket, choose, ranges
from experiments.assignment.populations import BLOCK, Population, buckets

ids = st.text(max_size=40)


@pytest.mark.parametrize(
    ("seed", "value", "expected"),
    [("seed", "a", 505), ("s", "é", 8605), ("s", "日本", 984), ("s", "😀", 2801)],
)
def test_buckets__known_answers__never_change(seed: str, value: str, expected: int) -> None:
    assert buckets(seed, [value]).tolist() == [expected]


@given(seed=ids, values=st.lists(st.text(max_size=30), max_size=20))
def test_buckets__any_texts__equal_the_scalar(seed: str, values: list[str]) -> None:
    assert buckets(seed, values).tolist() == [bucket(seed, value) for value in values]


def test_buckets__lone_surrogate__equals_the_scalar() -> None:
    assert buckets("s", ["\ud800x"]).tolist() == [bucket("s", "\ud800x")]


def test_arms__more_than_a_block__agree_with_the_hash_of_each() -> None:
    values = [f"visitor-{number}" for number in range(BLOCK + 10)]
    stretches = tuple(ranges([0.2, 0.8], 0.5))
    found = Population.of(values).arms("salt", stretches)
    chosen = [choose(bucket("salt", value), stretches) for value in values]
    assert [None if arm == len(stretches) else arm for arm in found.tolist()] == chosen


def test_arms__nobody__is_empty() -> None:
    assert Population.of([]).arms("salt", ((0.0, 1.0),)).tolist() == []


def test_buckets__many_visitors__are_even_and_independent_between_seeds() -> None:
    values = [f"visitor-{number}" for number in range(100_000)]
    one, other = buckets("one", values), buckets("other", values)
    counts, _, _ = np.histogram2d(one, other, bins=10)
    statistic = float(((counts - 1000) ** 2 / 1000).sum())
    assert statistic < 148.2  # chi-square, 99 degrees of freedom, p = 0.001
