"""What a simulated year is worth, from what a server would say of it."""

from datetime import UTC, datetime
from math import exp
from typing import Any

import pytest

from experiments.replay.schemas import Proof
from experiments.simulation.portfolio import PAGE, Trial, Truth
from experiments.simulation.score import Fate, score
from experiments.simulation.year import Played
from experiments.simulation.year_page import page

APPLIED = [{"promotion": {"applied_at": "2026-02-05T00:00:00Z", "rolled_back_at": None}}]
DEMOTED = [
    {"promotion": {"applied_at": "2026-01-01T00:00:00Z", "rolled_back_at": "2026-03-12T01:00:00Z"}}
]
LEFT = [{"promotion": None}]
ALL = Proof(logged=10, equal=10, differing=[])


def year(*told: tuple[Truth, list[dict[str, Any]], str]) -> Played:
    """A year of one experiment for each truth, with its decisions and its probation's state."""
    trials = [
        Trial(key=f"t{number}", touchpoint=PAGE, slot="part-1", round=0, truth=truth)
        for number, (truth, _, _) in enumerate(told)
    ]
    keys = [trial.key for trial in trials]
    return Played(
        trials=[*trials, Trial(key="late", touchpoint=PAGE, slot="p", round=1, truth=Truth.BETTER)],
        experiments={
            key: {"status": "promoted" if told[n][1] is APPLIED else "kept", "variants": []}
            for n, key in enumerate(keys)
        },
        decisions={key: told[n][1] for n, key in enumerate(keys)},
        probations={key: {"state": told[n][2]} for n, key in enumerate(keys) if told[n][2]},
        shipped={
            "measured": {"value": 0.3, "ci_low": 0.1, "ci_high": 0.5},
            "claimed": {"reason": "nothing was promoted"},
            "wins": [],
        },
        visitors=100,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def fate(fates: list[Fate], truth: Truth) -> Fate:
    return next(item for item in fates if item.truth is truth)


def test_score__promotions_of_every_kind__then_counted_by_truth() -> None:
    played = year(
        (Truth.BETTER, APPLIED, "verified"),
        (Truth.BETTER, LEFT, ""),
        (Truth.SOURING, APPLIED, "demoted"),
        (Truth.NOTHING, APPLIED, "unverified"),
        (Truth.HARMFUL, LEFT, ""),
    )
    found = score(played, ALL, days=70, seconds=60)
    better = fate(found.fates, Truth.BETTER)
    assert (better.experiments, better.promoted, better.verified) == (2, 1, 1)
    assert better.endings == {"promoted": 1, "kept": 1}
    assert fate(found.fates, Truth.SOURING).demoted == 1
    assert (found.begun, found.experiments) == (5, 6)
    assert (found.mistakes, found.no_gain, found.harmful_verified) == (1, 2, 0)
    assert found.missed == []
    assert "+30.0% (+10.0% to +50.0%)" in page(found, rounds=5, holdback=0.3, holdout=0.2)
    assert "nothing was promoted" in page(found, rounds=5, holdback=0.3, holdout=0.2)


@pytest.mark.parametrize("truth", [Truth.HARMFUL, Truth.DEAD, Truth.SOURING])
def test_score__harm_verified__then_missed(truth: Truth) -> None:
    found = score(year((truth, APPLIED, "verified")), ALL, days=70, seconds=60)
    assert found.missed == ["1 harmful promotions verified of 1"]


@pytest.mark.parametrize(
    "replayed", [Proof(logged=10, equal=9, differing=[]), Proof(logged=0, equal=0, differing=[])]
)
def test_score__replay_differs_or_says_nothing__then_missed(replayed: Proof) -> None:
    found = score(year((Truth.BETTER, APPLIED, "verified")), replayed, days=70, seconds=60)
    assert len(found.missed) == 1


def test_score__truth_of_what_was_shipped__is_that_of_the_days_on_which_it_stood() -> None:
    base, better, worse = (1 / (1 + exp(-odds)) for odds in (-0.3, 0.2, -1.0))
    half = score(year((Truth.BETTER, APPLIED, "")), ALL, days=70, seconds=60)
    assert half.truth == pytest.approx((better / base - 1) / 2)  # from day 35 on
    gone = score(year((Truth.SOURING, DEMOTED, "demoted")), ALL, days=140, seconds=60)
    assert gone.truth == pytest.approx((worse / base - 1) / 2)  # until day 70
    none = score(year((Truth.BETTER, LEFT, "")), ALL, days=70, seconds=60)
    assert none.truth == pytest.approx(0)
