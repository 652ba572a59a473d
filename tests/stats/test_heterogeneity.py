"""Heterogeneity over personas against statsmodels and simulation."""

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from stats.effects import z_effect
from stats.heterogeneity import interaction_test, persona_deviations, shrunk_effects
from stats.multiplicity import adjust_p_values
from stats.results import NotEstimable

EFFECTS = np.array([0.021, -0.004, 0.013, 0.002])
SE = np.array([0.006, 0.004, 0.007, 0.009])


def test_interaction__four_personas__agrees_with_meta_analysis_of_statsmodels():
    test = interaction_test(z_effect(EFFECTS, SE)).at()
    expected = combine_effects(EFFECTS, SE**2)
    assert test.q == pytest.approx(expected.q)
    assert test.i_squared == pytest.approx(expected.i2)
    assert test.df == 3


def test_deviations__one_persona__is_compared_with_the_pooled_others():
    deviations = persona_deviations(z_effect(EFFECTS, SE))
    others = combine_effects(EFFECTS[1:], SE[1:] ** 2)
    assert deviations.deviation[0] == pytest.approx(EFFECTS[0] - others.mean_effect_fe)
    assert deviations.se[0] == pytest.approx(np.hypot(SE[0], others.sd_eff_w_fe))
    np.testing.assert_allclose(
        deviations.p_holm, adjust_p_values(np.asarray(deviations.p_two_sided), "holm")
    )


def test_shrunk__four_personas__lie_between_their_own_and_the_mean_by_their_noise():
    meta = combine_effects(EFFECTS, SE**2, method_re="dl")
    own = meta.tau2 / (meta.tau2 + SE**2)
    shrunk = shrunk_effects(z_effect(EFFECTS, SE))
    np.testing.assert_allclose(shrunk.weight, own)
    mean = meta.mean_effect_fe
    np.testing.assert_allclose(shrunk.effect, mean + own * (EFFECTS - mean))


def test_shrunk__no_more_spread_than_chance__is_the_mean_for_everybody():
    shrunk = shrunk_effects(z_effect([0.01, 0.011, 0.009], [0.01, 0.01, 0.01]))
    np.testing.assert_allclose(shrunk.effect, 0.01)


def test_heterogeneity__persona_without_data__is_left_out():
    gap = z_effect(np.insert(EFFECTS, 1, 0.0), np.insert(SE, 1, 0.0))
    assert interaction_test(gap).at() == interaction_test(z_effect(EFFECTS, SE)).at()
    deviations = persona_deviations(gap)
    assert isinstance(deviations.at(1), NotEstimable)
    np.testing.assert_allclose(
        np.delete(deviations.p_holm, 1), persona_deviations(z_effect(EFFECTS, SE)).p_holm
    )


def test_heterogeneity__single_persona__cannot_differ_and_says_so():
    single = z_effect([0.02], [0.01])
    assert isinstance(interaction_test(single).at(), NotEstimable)
    assert isinstance(persona_deviations(single).at(0), NotEstimable)


def test_heterogeneity__same_effect_everywhere__is_called_different_at_most_alpha():
    rng = np.random.default_rng(16)
    effects = z_effect(0.01 + rng.normal(size=(3000, 4)) * SE, np.broadcast_to(SE, (3000, 4)))
    noise = np.sqrt(0.05 * 0.95 / 3000)
    assert np.mean(interaction_test(effects).p_value <= 0.05) == pytest.approx(0.05, abs=4 * noise)
    claimed = np.any(persona_deviations(effects).p_holm <= 0.05, axis=1)
    assert np.mean(claimed) <= 0.05 + 4 * noise
