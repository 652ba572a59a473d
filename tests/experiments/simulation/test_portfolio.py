"""The experiments of a simulated year and their hidden truths."""

from collections import Counter

import numpy as np
import pytest

from experiments.simulation.portfolio import BANNER, BANNER_SLOTS, PAGE_SLOTS, Truth, portfolio


@pytest.mark.parametrize("seed", range(5))
def test_portfolio__five_rounds__then_sixty_experiments_of_every_truth(seed: int) -> None:
    trials = portfolio(5, np.random.default_rng(seed))
    assert len({trial.key for trial in trials}) == 60
    places = Counter((trial.slot, trial.round) for trial in trials)
    assert set(places.values()) == {1}
    assert {slot for slot, _ in places} == {*PAGE_SLOTS, *BANNER_SLOTS}
    counts = Counter(trial.truth for trial in trials)
    assert counts[Truth.NOTHING] == 27
    assert counts[Truth.BETTER] == 9
    assert min(counts[truth] for truth in Truth) >= 3


@pytest.mark.parametrize("rounds", [1, 5])
def test_portfolio__lost_exposures__then_only_where_exposures_are_reported(rounds: int) -> None:
    trials = portfolio(rounds, np.random.default_rng(3))
    assert {trial.touchpoint for trial in trials if trial.truth is Truth.SPLIT} == {BANNER}
