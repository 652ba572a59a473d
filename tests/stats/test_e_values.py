"""E-values against numerical mixtures, simulation and their algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from stats.e_values import (
    average_log_e,
    conversion_count_e_value,
    harm_e_value,
    msprt_normal,
)
from stats.errors import InvalidInputError
from stats.results import NotEstimable

COUNT = st.integers(0, 10**9)
SHARE = st.floats(0.01, 0.99)


def mixture_by_quadrature(control, treatment, share, weight, upper):
    prior = stats.beta(weight * share, weight * (1 - share))

    def ratio(q):
        return prior.pdf(q) * (q / share) ** treatment * ((1 - q) / (1 - share)) ** control

    return integrate.quad(ratio, 0, upper, limit=200)[0] / prior.cdf(upper)


@pytest.mark.parametrize(
    ("control", "treatment", "share"), [(30, 12, 0.5), (90, 4, 0.1), (5, 9, 0.4)]
)
def test_count_e_values__small_counts__equal_the_mixture_by_quadrature(control, treatment, share):
    two_sided = conversion_count_e_value(control, treatment, treatment_share=share)
    harm = harm_e_value(control, treatment, treatment_share=share)
    expected = [mixture_by_quadrature(control, treatment, share, 100.0, u) for u in (1.0, share)]
    np.testing.assert_allclose(
        np.exp([two_sided.log_e_value, harm.log_e_value]), expected, rtol=1e-7
    )


def test_msprt__one_effect__equals_the_mixture_by_quadrature():
    noise, tau, effect = 0.3, 0.5, 1.1
    density = stats.norm(0, tau).pdf
    mixture = integrate.quad(
        lambda d: density(d) * np.exp((effect * d - d**2 / 2) / noise**2), -10, 10
    )[0]
    evidence = msprt_normal(effect, variance_of_effect=noise**2, tau=tau)
    assert float(evidence.log_e_value) == pytest.approx(np.log(mixture), rel=1e-8)


def test_msprt__no_variance__says_so():
    assert isinstance(msprt_normal(0.1, variance_of_effect=0.0, tau=0.1).at(), NotEstimable)


@given(COUNT, COUNT, SHARE, st.integers(1, 10**6))
def test_harm_e_value__more_conversions_of_treatment__never_raise_the_evidence(
    control, treatment, share, more
):
    fewer = harm_e_value(control, treatment, treatment_share=share).log_e_value
    extra = harm_e_value(control, treatment + more, treatment_share=share).log_e_value
    worse = harm_e_value(control + more, treatment, treatment_share=share).log_e_value
    rounding = 1e-15 * 30 * (control + treatment + more) + 1e-9
    assert extra <= fewer + rounding
    assert worse >= fewer - rounding


@given(COUNT, COUNT, SHARE, st.floats(0.1, 1e5))
def test_count_e_values__any_counts__are_finite(control, treatment, share, concentration):
    for method in (conversion_count_e_value, harm_e_value):
        evidence = method(
            control, treatment, treatment_share=share, concentration=concentration
        ).at()
        assert np.isfinite(evidence.log_e_value)
        assert 0 <= evidence.p_always_valid <= 1


@given(COUNT, COUNT, SHARE)
def test_conversion_count_e_value__arms_exchanged__is_the_same(control, treatment, share):
    one = conversion_count_e_value(control, treatment, treatment_share=share)
    other = conversion_count_e_value(treatment, control, treatment_share=1 - share)
    np.testing.assert_allclose(one.log_e_value, other.log_e_value, rtol=1e-6, atol=1e-4)


def test_harm_e_value__no_conversion_yet__is_no_evidence():
    assert float(harm_e_value(0, 0, treatment_share=0.3).log_e_value) == pytest.approx(0.0)


def test_harm_e_value__dead_variant_in_many_arrays__is_found_in_one_pass():
    evidence = harm_e_value([[50, 50], [0, 5]], [[0, 60], [0, 4]], treatment_share=0.5)
    np.testing.assert_array_equal(
        evidence.log_e_value > np.log(1000), [[True, False], [False, False]]
    )


def test_harm_e_value__null_watched_at_every_conversion__alarms_at_most_alpha():
    rng = np.random.default_rng(5)
    treatment = np.cumsum(rng.random((4000, 500)) < 0.3, axis=1)
    control = np.arange(1, 501) - treatment
    log_e = harm_e_value(control, treatment, treatment_share=0.3, concentration=20).log_e_value
    alarms = np.mean(np.max(log_e, axis=1) >= np.log(20))
    assert alarms <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)
    assert alarms > 0.005


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=6))
def test_average_log_e__any_values__lie_between_the_extremes(logs):
    combined = float(average_log_e(logs))
    assert min(logs) - 1e-9 <= combined <= max(logs) + 1e-9


@pytest.mark.parametrize(
    ("control", "treatment", "share", "field"),
    [
        (-1, 5, 0.5, "conversions_control"),
        (5, 2.5, 0.5, "conversions_treatment"),
        (5, 5, 1.0, "treatment_share"),
    ],
)
def test_harm_e_value__impossible_input__names_the_field(control, treatment, share, field):
    with pytest.raises(InvalidInputError, match=field):
        harm_e_value(control, treatment, treatment_share=share)


def test_average_log_e__nothing_to_combine__is_refused():
    with pytest.raises(InvalidInputError, match="log_e_values"):
        average_log_e([])
