"""Is this experiment worth starting: days, visitors and smallest effect of a sequential plan.

The plan mirrors the promotion gate: one-sided group-sequential bounds, alpha shared by the
variants after the reserve for running late, guardrails tested at their own alpha (the *power* is
what is shared among them), and only visitors whose conversion window is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import finite, open_probability, positive
from stats.errors import InvalidInputError
from stats.sequential_power import sequential_drift, sequential_power
from stats.spending import Spending, obrien_fleming

_FIXED_POINT_STEPS = 60
_WEEK = 7
_MOST_VISITORS = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMetric:
    """What is known of a metric before the test.

    Attributes:
        mean: mean per visitor; for a conversion its rate.
        sd: standard deviation per visitor; None for a conversion, whose rate implies it.
    """

    mean: float
    sd: float | None = None

    def __post_init__(self) -> None:
        if self.sd is None:
            open_probability("mean", self.mean)
        else:
            finite("mean", self.mean)
            positive("sd", self.sd)

    def variance(self, mean: float) -> float:
        """Return the variance per visitor when the mean is `mean`."""
        if self.sd is not None:
            return self.sd**2
        rate = min(max(mean, 0.0), 1.0)
        return rate * (1 - rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGuardrail:
    """A metric that may not get worse by `margin_abs` (above zero, in its unit), at `alpha`."""

    metric: PlannedMetric
    margin_abs: float
    alpha: float = 0.05

    def __post_init__(self) -> None:
        positive("margin_abs", self.margin_abs)
        open_probability("alpha", self.alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Who will come: visitors a day, shares of the arms (control first), and for how long.

    Attributes:
        visitors_per_day: visitors entering the experiment per day, all arms together.
        shares: planned shares of the arms, control first; normalised.
        horizon_days: declared length of the test.
        maturation_days: days until a visitor's conversion window is over.
    """

    visitors_per_day: float
    shares: Sequence[float]
    horizon_days: float
    maturation_days: float = 0.0

    def __post_init__(self) -> None:
        positive("visitors_per_day", self.visitors_per_day)
        positive("shares", self.shares)
        positive("horizon_days", self.horizon_days)
        if finite("maturation_days", self.maturation_days) < 0:
            raise InvalidInputError("maturation_days", "must not be negative")
        if len(self.shares) < 2:
            raise InvalidInputError("shares", "must name control and at least one variant")

    @property
    def matured_visitors(self) -> float:
        """Visitors of all arms who have matured at the horizon."""
        return self.visitors_per_day * max(self.horizon_days - self.maturation_days, 0.0)

    def variance_times_visitors(self, control: float, treatment: float) -> float:
        """Return variance of the effect times all visitors, for the variant least seen."""
        total = sum(self.shares)
        return total * (control / self.shares[0] + treatment / min(self.shares[1:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """What a plan can achieve, for the variant with the least traffic.

    Attributes:
        visitors_needed: matured visitors of all arms needed for the wanted effect and guardrails.
        days_needed: days until they have matured, in whole weeks.
        power: probability of crossing the bound within the horizon under the wanted effect.
        guardrail_powers: probability that each guardrail passes when nothing got worse.
        power_with_guardrails: lower bound of the probability that all of it succeeds.
        mde_abs: smallest effect found within the horizon with the wanted power, or None.
        feasible: whether the wanted power is reached within the horizon.
        verdict: the same in words.
    """

    visitors_needed: int
    days_needed: int
    power: float
    guardrail_powers: tuple[float, ...]
    power_with_guardrails: float
    mde_abs: float | None
    feasible: bool
    verdict: str


def plan_experiment(
    primary: PlannedMetric,
    traffic: Traffic,
    *,
    effect_abs: float,
    guardrails: Sequence[PlannedGuardrail] = (),
    alpha: float = 0.05,
    reserve: float = 0.005,
    power: float = 0.8,
    min_conversions: int = 100,
    spending: Spending = obrien_fleming,
) -> ExperimentPlan:
    """Say whether a sequential experiment can find an effect in the time given.

    Args:
        primary: the metric decided on.
        traffic: visitors, shares and days.
        effect_abs: improvement worth finding, above zero, in the unit of the metric. For a
            metric where lower is better plan with the improvement as a positive number.
        guardrails: metrics that must be shown not to get worse.
        alpha: error of the experiment, shared by its variants.
        reserve: part of alpha kept for tests that run past their horizon.
        power: wanted probability that the variant and all guardrails succeed. With g guardrails
            each of the g + 1 may fail with (1 - power) / (g + 1).
        min_conversions: conversions per arm that the gate asks for, when `primary` is a rate.
        spending: error-spending function of the bounds.

    Returns:
        The plan, which says in words when it cannot succeed.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Schultzberg, Ankargren and Frånberg (2024), Risk-aware product decisions in A/B tests
        with multiple metrics, arXiv:2402.11609 (shared power for guardrails).

    >>> plan = plan_experiment(
    ...     PlannedMetric(mean=0.05),
    ...     Traffic(visitors_per_day=1000, shares=[0.5, 0.5], horizon_days=28),
    ...     effect_abs=0.005)
    >>> plan.feasible, plan.days_needed, plan.verdict
    (False, 56, 'needs 56 days, 28 are planned')
    """
    variants = len(traffic.shares) - 1
    if not 0 <= reserve < open_probability("alpha", alpha):
        raise InvalidInputError("reserve", "must be at least zero and below alpha")
    share = (alpha - reserve) / variants
    each = 1 - (1 - float(open_probability("power", power))) / (1 + len(guardrails))
    drift = sequential_drift(each, alpha=share, spending=spending)
    spread = _spread(primary, traffic, float(positive("effect_abs", effect_abs)))
    needs = [_visitors(spread, drift, effect_abs), _minimum(primary, traffic, min_conversions)]
    needs += [_guardrail_visitors(guardrail, traffic, power=each) for guardrail in guardrails]
    matured = traffic.matured_visitors
    reached = sequential_power(
        effect_abs * np.sqrt(matured / spread), alpha=share, spending=spending
    )
    passing = tuple(_guardrail_power(guardrail, traffic) for guardrail in guardrails)
    return _judged(
        traffic,
        visitors=max(needs),
        power=float(reached),
        guardrail_powers=passing,
        mde_abs=_mde(primary, traffic, drift) if matured > 0 else None,
    )


def _spread(metric: PlannedMetric, traffic: Traffic, effect_abs: float) -> float:
    return traffic.variance_times_visitors(
        metric.variance(metric.mean), metric.variance(metric.mean + effect_abs)
    )


def _minimum(metric: PlannedMetric, traffic: Traffic, min_conversions: int) -> float:
    """Return the visitors that give every arm its minimum of conversions."""
    if metric.sd is not None:
        return 0.0
    return min_conversions / metric.mean * sum(traffic.shares) / min(traffic.shares)


def _visitors(spread: float, drift: float, effect_abs: float) -> float:
    """Return the visitors at which `effect_abs` is `drift` standard errors large."""
    if drift * np.sqrt(spread) >= effect_abs * np.sqrt(_MOST_VISITORS):
        raise InvalidInputError("effect_abs", "or a margin is too small, beside its metric")
    return float(spread * (drift / effect_abs) ** 2)


def _guardrail_visitors(guardrail: PlannedGuardrail, traffic: Traffic, *, power: float) -> float:
    drift = float(scipy.special.ndtri(power) - scipy.special.ndtri(guardrail.alpha))
    return _visitors(_spread(guardrail.metric, traffic, 0.0), drift, guardrail.margin_abs)


def _guardrail_power(guardrail: PlannedGuardrail, traffic: Traffic) -> float:
    spread = _spread(guardrail.metric, traffic, 0.0)
    drift = guardrail.margin_abs * np.sqrt(traffic.matured_visitors / spread)
    return float(scipy.special.ndtr(drift + scipy.special.ndtri(guardrail.alpha)))


def _mde(metric: PlannedMetric, traffic: Traffic, drift: float) -> float | None:
    """Find the effect equal to `drift` of its own standard errors, or None beyond a rate of 1."""
    effect = 0.0
    for _ in range(_FIXED_POINT_STEPS):
        effect = drift * np.sqrt(_spread(metric, traffic, effect) / traffic.matured_visitors)
    if metric.sd is None and metric.mean + effect > 1:
        return None
    return float(effect)


def _judged(
    traffic: Traffic,
    *,
    visitors: float,
    power: float,
    guardrail_powers: tuple[float, ...],
    mde_abs: float | None,
) -> ExperimentPlan:
    days = np.ceil(visitors / traffic.visitors_per_day) + traffic.maturation_days
    weeks = max(int(np.ceil(days / _WEEK)), 1)
    feasible = weeks * _WEEK <= traffic.horizon_days
    return ExperimentPlan(
        visitors_needed=int(np.ceil(visitors)),
        days_needed=weeks * _WEEK,
        power=power,
        guardrail_powers=guardrail_powers,
        power_with_guardrails=max(0.0, power - sum(1 - passing for passing in guardrail_powers)),
        mde_abs=mde_abs,
        feasible=feasible,
        verdict=_verdict(traffic, days=weeks * _WEEK, feasible=feasible),
    )


def _verdict(traffic: Traffic, *, days: int, feasible: bool) -> str:
    if traffic.matured_visitors == 0:
        return "cannot succeed: no visitor's conversion window is over before the horizon"
    if feasible:
        return f"{traffic.horizon_days:g} days are enough"
    return f"needs {days} days, {traffic.horizon_days:g} are planned"
