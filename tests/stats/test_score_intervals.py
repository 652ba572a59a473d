"""Score intervals against published examples, the likelihood they rest on, and statsmodels."""

import numpy as np
import pytest
from scipy import optimize

from stats import score_intervals
from stats.arrays import Reason
from stats.moments import Counts


@pytest.mark.parametrize(
    ("treatment", "control", "limits"),
    [  # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 6
        ((56, 70), (48, 80), (0.0528, 0.3382)),
        ((9, 10), (3, 10), (0.1700, 0.8406)),
        ((6, 7), (2, 7), (0.0342, 0.8534)),
        ((5, 56), (0, 29), (-0.0326, 0.1933)),
        ((0, 10), (0, 20), (-0.1658, 0.2844)),
        ((0, 10), (0, 10), (-0.2879, 0.2879)),
        ((10, 10), (0, 20), (0.7156, 1.0000)),
        ((10, 10), (0, 10), (0.6636, 1.0000)),
    ],
)
def test_miettinen_nurminen__published_examples__agree_to_four_digits(treatment, control, limits):
    arms = [Counts(visitors=n, conversions=x) for x, n in (control, treatment)]
    interval = score_intervals.miettinen_nurminen(*arms)
    assert (interval.ci_low, interval.ci_high) == pytest.approx(limits, abs=6e-5)


def test_restricted_rate__maximises_the_likelihood():
    def minus_log_likelihood(p, d=0.03, x_a=50, n_a=1000, x_b=65, n_b=900):
        q = p + d
        treatment = x_b * np.log(q) + (n_b - x_b) * np.log(1 - q)
        return -(treatment + x_a * np.log(p) + (n_a - x_a) * np.log(1 - p))

    bounds = {"bounds": (1e-6, 0.9), "method": "bounded", "options": {"xatol": 1e-12}}
    best = optimize.minimize_scalar(minus_log_likelihood, **bounds).x
    rate = score_intervals._restricted_rate(np.float64(0.03), 1000.0, 50.0, 900.0, 65.0)
    assert rate == pytest.approx(best, abs=1e-7)


def test_statsmodels_score_interval__small_counts_without_solution__is_undefined():
    control, treatment = Counts(visitors=10, conversions=0), Counts(visitors=10, conversions=0)
    interval = score_intervals.score_interval_statsmodels(control, treatment)
    assert interval.at().reason == Reason.NOT_REACHED.words
