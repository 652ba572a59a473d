from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from experiments.assignment.identity import Claim, Sight, reconcile, together

START = datetime(2026, 3, 2, tzinfo=UTC)
times = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
claims = st.builds(
    Claim,
    variant_id=st.integers(1, 3),
    phase_id=st.integers(1, 2),
    bucket=st.integers(0, 9),
    propensity=st.just(0.5),
    method=st.just("hash"),
    assigned_at=times,
    contaminated=st.just(False),
)
sights = st.builds(Sight, first_at=times, count=st.integers(1, 9))


def claim(variant_id: int, hours: int) -> Claim:
    return Claim(
        variant_id=variant_id,
        phase_id=1,
        bucket=0,
        propensity=0.5,
        method="hash",
        assigned_at=START + timedelta(hours=hours),
        contaminated=False,
    )


def test_reconcile__two_arms__the_earlier_stands_and_both_are_contaminated() -> None:
    standing, later = reconcile(claim(2, 5), claim(1, 3))
    assert (standing.variant_id, later.variant_id) == (1, 2)
    assert standing.contaminated
    assert later.contaminated


def test_reconcile__same_arm__nobody_is_contaminated() -> None:
    standing, later = reconcile(claim(1, 5), claim(1, 3))
    assert not standing.contaminated
    assert not later.contaminated


@given(st.lists(claims, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_reconcile__any_order__the_same_claim_stands(found: list[Claim], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # Hypothesis hands out a Random
    forwards = reduce(lambda one, other: reconcile(one, other)[0], found)
    backwards = reduce(lambda one, other: reconcile(one, other)[0], shuffled)
    assert forwards == backwards
    assert forwards.contaminated == (len({item.variant_id for item in found}) > 1)


@given(st.lists(sights, min_size=2, max_size=5))
def test_together__any_order__earliest_stands_and_counts_add(found: list[Sight]) -> None:
    whole = reduce(together, found)
    assert whole == reduce(together, reversed(found))
    assert whole.first_at == min(item.first_at for item in found)
    assert whole.count == sum(item.count for item in found)
