"""Effects by stage: the denominator, the gate, and its error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.errors import InvalidInputError
from stats.moments import Counts
from stats.results import NotEstimable
from stats.stage_to_end import stage_effects


def journey(*reached: int, visitors: int = 4000) -> Counts:
    return Counts(visitors=np.full(len(reached), visitors), conversions=reached)


def test_stage_effects__three_stages__use_everybody_randomised():
    effects = stage_effects(journey(2000, 400, 100), journey(2200, 430, 96))
    np.testing.assert_allclose(effects.effect_abs, [0.05, 0.0075, -0.001])


def test_stage_effects__weak_stage__closes_the_gate_for_all_later_ones():
    effects = stage_effects(journey(2000, 400, 100), journey(2200, 405, 200))
    assert effects.p_two_sided[2] < 1e-6
    assert effects.p_gatekept[2] == effects.p_gatekept[1] == effects.p_two_sided[1]
    assert effects.p_gatekept[0] == effects.p_two_sided[0]


def test_stage_effects__nobody_at_a_stage__closes_the_gate_and_says_why():
    effects = stage_effects(journey(2000, 0, 100), journey(2200, 0, 200))
    assert isinstance(effects.at(1), NotEstimable)
    assert effects.at(2).p_gatekept == 1.0


@given(st.lists(st.integers(1, 3999), min_size=1, max_size=6))
def test_stage_effects__any_journey__only_raises_p_values(reached):
    arms = journey(*reached), journey(*reversed(reached))
    effects = stage_effects(*arms)
    assert np.all(effects.p_gatekept >= effects.p_two_sided)
    assert np.all(np.diff(effects.p_gatekept) >= 0)
    np.testing.assert_allclose(stage_effects(*arms[::-1]).effect_abs, -effects.effect_abs)


def test_stage_effects__null_at_every_stage__claims_any_at_most_alpha():
    rng = np.random.default_rng(13)
    reached = [rng.binomial(4000, [0.5, 0.3, 0.1], (4000, 3)) for _ in range(2)]
    arms = [Counts(visitors=np.full((4000, 3), 4000), conversions=x) for x in reached]
    claimed = np.mean(np.any(stage_effects(*arms).p_gatekept <= 0.05, axis=1))
    assert claimed == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000))


def test_stage_effects__denominator_of_those_who_came_so_far__is_refused():
    funnel = Counts(visitors=[4000, 2000], conversions=[2000, 400])
    with pytest.raises(InvalidInputError, match="treatment"):
        stage_effects(journey(2000, 400), funnel)
