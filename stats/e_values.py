"""Evidence that may be looked at any time: e-values for effects and for counts of conversions.

An e-value of 1/alpha rejects at alpha, whenever it is reached. Log e-values of successive phases
add; those of several variants or metrics, however dependent, are averaged by `average_log_e`.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    counts,
    finite,
    first_reason,
    non_negative,
    open_probability,
    positive,
    undefined_is_masked,
)
from stats.errors import InvalidInputError
from stats.sample_ratio import dirichlet_multinomial_log_e

_NO_EVIDENCE = -700.0  # floor of a log e-value; its exponential is still above zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Estimates):
    """Evidence against a null hypothesis at one moment.

    Attributes:
        log_e_value: natural log of the e-value; reject at -log(alpha).
        p_always_valid: min(1, 1/e), valid at any stopping time.
    """

    log_e_value: FloatArray
    p_always_valid: FloatArray


@undefined_is_masked
def msprt_normal(effect: Numbers, *, variance_of_effect: Numbers, tau: Numbers) -> Evidence:
    """Return the mixture sequential probability ratio of an effect against none.

    Args:
        effect: estimated effects, shape (...).
        variance_of_effect: their squared standard errors.
        tau: standard deviation of the effects expected, in the unit of the effect.

    Returns:
        Evidence of the broadcast shape; undefined without variance.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Robbins (1970), doi:10.1214/aoms/1177696786; Johari, Koomen, Pekelis and Walsh (2022),
        Operations Research 70, doi:10.1287/opre.2021.2135.

    >>> evidence = msprt_normal(0.005, variance_of_effect=7.10489e-6, tau=0.005).at()
    >>> print(f"{evidence.log_e_value:.3f} {evidence.p_always_valid:.3f}")
    0.616 0.540
    """
    delta, noise = finite("effect", effect), non_negative("variance_of_effect", variance_of_effect)
    spread = positive("tau", tau) ** 2
    shrinkage = spread / (noise + spread)
    log_e = np.log1p(-shrinkage) / 2 + delta**2 / noise * shrinkage / 2
    return _evidence(log_e, nothing=noise == 0, reason=Reason.NO_VARIANCE)


def conversion_count_e_value(
    conversions_control: Numbers,
    conversions_treatment: Numbers,
    *,
    treatment_share: Numbers,
    concentration: Numbers = 100.0,
) -> Evidence:
    """Return the exact evidence that two arms convert differently, from conversions alone.

    Given a conversion, it belongs to the treatment with probability `treatment_share` when both
    arms convert alike, whatever the baseline does over time.

    Args:
        conversions_control: conversions of control, shape (...).
        conversions_treatment: conversions of treatment, broadcast.
        treatment_share: treatment's planned share of the traffic of the two arms, in (0, 1).
        concentration: weight of the Dirichlet prior around the share; large for small effects.

    Returns:
        Evidence of the broadcast shape.

    Raises:
        InvalidInputError: an argument that no data could have produced.

    References:
        Lindon and Malek (2022), Anytime-valid inference for multinomial count data,
        arXiv:2011.03567.

    >>> evidence = conversion_count_e_value(700, 840, treatment_share=0.5, concentration=400).at()
    >>> print(f"{evidence.log_e_value:.3f} {evidence.p_always_valid:.3f}")
    4.269 0.014
    """
    control, treatment, share, weight = _count_arguments(
        conversions_control, conversions_treatment, treatment_share, concentration
    )
    return _evidence(_log_mixture_ratio(control, treatment, share, weight))


@undefined_is_masked
def harm_e_value(
    conversions_control: Numbers,
    conversions_treatment: Numbers,
    *,
    treatment_share: Numbers,
    concentration: Numbers = 100.0,
) -> Evidence:
    """Return the exact evidence that treatment converts less than control.

    The prior of `conversion_count_e_value` is cut to shares below the planned one, so that the
    null is "treatment is at least as good". It needs no minimum of data, finds a dead variant
    within hours, and never falls when control converts more or treatment less. For an outcome
    where lower is better (complaints), exchange the arms and give control's share.

    Args:
        conversions_control: conversions of control, shape (...).
        conversions_treatment: conversions of treatment, broadcast.
        treatment_share: treatment's planned share of the traffic of the two arms, in (0, 1).
        concentration: weight of the Dirichlet prior around the share; small for dead variants.

    Returns:
        Evidence of the broadcast shape.

    Raises:
        InvalidInputError: an argument that no data could have produced.

    References:
        Lindon and Malek (2022), arXiv:2011.03567; Ramdas et al. (2023), Game-theoretic
        statistics and safe anytime-valid inference, doi:10.1214/23-STS894.

    >>> dead = harm_e_value(15, 0, treatment_share=0.5, concentration=10).at()
    >>> bool(dead.p_always_valid < 0.01)
    True
    """
    control, treatment, share, weight = _count_arguments(
        conversions_control, conversions_treatment, treatment_share, concentration
    )
    a, b = weight * share, weight * (1 - share)
    below = scipy.special.betainc(a + treatment, b + control, share) / scipy.special.betainc(
        a, b, share
    )
    both_sides = _log_mixture_ratio(control, treatment, share, weight)
    return _evidence(np.maximum(both_sides + np.log(below), _NO_EVIDENCE))


def average_log_e(log_e_values: Numbers, *, axis: int = -1) -> FloatArray:
    """Combine evidence of dependent variants or metrics into evidence that any is not null.

    Args:
        log_e_values: log e-values, combined along `axis`.
        axis: axis of the variants or metrics.

    Returns:
        Log of the arithmetic mean of the e-values, an e-value under any dependence.

    Raises:
        InvalidInputError: a value is not finite or there is none.

    References:
        Vovk and Wang (2021), Annals of Statistics 49, doi:10.1214/20-AOS2020.

    >>> round(float(average_log_e([0.0, np.log(7.0)])), 4) == round(float(np.log(4.0)), 4)
    True
    """
    logs = finite("log_e_values", log_e_values)
    if logs.ndim == 0 or logs.shape[axis] == 0:
        raise InvalidInputError("log_e_values", "must hold at least one value to combine")
    return np.asarray(scipy.special.logsumexp(logs, axis=axis) - np.log(logs.shape[axis]))


def _evidence(
    log_e: FloatArray, *, nothing: Numbers = False, reason: Reason = Reason.NO_INFORMATION
) -> Evidence:
    return Evidence(
        reason=first_reason((nothing, reason)),
        log_e_value=log_e,
        p_always_valid=np.exp(-np.maximum(log_e, 0)),
    )


def _count_arguments(
    control: Numbers, treatment: Numbers, share: Numbers, concentration: Numbers
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return (
        counts("conversions_control", control),
        counts("conversions_treatment", treatment),
        open_probability("treatment_share", share),
        positive("concentration", concentration),
    )


def _log_mixture_ratio(
    control: FloatArray, treatment: FloatArray, share: FloatArray, weight: FloatArray
) -> FloatArray:
    observed = np.stack(np.broadcast_arrays(treatment, control), axis=-1)
    shares = np.stack([share, 1 - share], axis=-1)
    return dirichlet_multinomial_log_e(observed, shares, concentration=weight)
