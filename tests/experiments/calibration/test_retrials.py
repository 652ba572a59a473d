"""The simulated probations: the screen leaves out only looks that end nothing."""

import numpy as np

from experiments.calibration.retrials import PROBATION, _end, _look, _suspicious, studies
from experiments.calibration.scenarios import alike
from experiments.calibration.worlds import simulate
from experiments.decisions.retrial import Ending, rule


def test_end__every_look_through_the_rule__is_the_same(rng):
    truth = alike(PROBATION, 6, lift=-0.3)
    panel = simulate(PROBATION, truth, rng=rng)
    screened = [_end(panel, number, looks=looks) for number, looks in enumerate(_suspicious(panel))]
    everything = np.ones(PROBATION.looks, dtype=bool)
    assert screened == [_end(panel, number, looks=everything) for number in range(6)]
    assert Ending.DEMOTE in screened


def test_look__last_one__always_ends_a_probation(rng):
    panel = simulate(PROBATION, alike(PROBATION, 2), rng=rng)
    last = rule(_look(panel, 0, PROBATION.looks), PROBATION.plan)
    assert last.ending is not Ending.WAIT
    assert rule(_look(panel, 0, 1), PROBATION.plan).ending is Ending.WAIT


def test_batch__winners_nothing_and_losers__are_told_apart(rng):
    (study,) = studies()
    rows = {row.name: row.figure for row in study.rows(study.batch(30, rng))}
    assert rows["losers taken back"] > 0.4
    assert rows["true winners taken back"] < 0.2
    assert rows["losers verified"] == 0
    assert rows["realised interval holds it"] > 0.8
