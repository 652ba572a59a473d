"""Drawing the counts of many experiments at once."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from experiments.calibration.panels import Panel, Track
from experiments.calibration.scenarios import (
    DAY_TRAFFIC,
    GUARDRAIL,
    HOURS_PER_DAY,
    PRIMARY,
    WEEK_CONVERSION,
    WEEK_TRAFFIC,
    Scenario,
    Truth,
)
from experiments.metrics.schemas import MetricKind
from stats.arrays import FloatArray

IntArray: TypeAlias = npt.NDArray[np.int64]

VALUE_SPREAD = 0.8
"""Standard deviation of the logarithm of what a conversion is worth."""

COIN = 2.0**-6
"""Smallest unit of value; a power of two, which floating-point numbers add exactly."""

SECOND_ORDER = 0.3
"""Share of the converted visitors who order twice; both orders are worth the same."""


def simulate(scenario: Scenario, truth: Truth, *, rng: np.random.Generator) -> Panel:
    """Draw what every experiment of `truth` would have counted, step by step."""
    arriving, conversion = _site(scenario)
    visitors = rng.poisson(arriving * truth.arrivals[:, None, :])
    chances = np.minimum(conversion[:, None] * truth.rates[:, None, :], 1.0)
    conversions = rng.binomial(visitors, chances)
    tracks = {PRIMARY: _primary(scenario, conversions, values=truth.values, rng=rng)}
    if scenario.guardrail_rate is not None:
        kept = rng.binomial(visitors, truth.guardrail_rates[:, None, :])
        tracks[GUARDRAIL] = rate_track(cumulative(kept))
    return Panel(scenario=scenario, visitors=cumulative(visitors), tracks=tracks)


def rate_track(conversions: FloatArray, *, observed: FloatArray | None = None) -> Track:
    """The track of a metric that is 0 or 1, from cumulative conversions by arrival."""
    return Track(
        conversions=conversions,
        observed=conversions if observed is None else observed,
        totals=conversions[..., None],
        products=conversions[..., None, None],
    )


def _site(scenario: Scenario) -> tuple[FloatArray, FloatArray]:
    """Visitors expected per step and arm, and the factor on conversion per step."""
    hours = np.arange(scenario.steps) * scenario.look_hours
    weekday = hours // HOURS_PER_DAY % 7
    by_hour = DAY_TRAFFIC[hours % HOURS_PER_DAY] if scenario.look_hours == 1 else 1.0
    traffic = WEEK_TRAFFIC[weekday] * by_hour * scenario.look_hours / HOURS_PER_DAY
    phases = np.searchsorted(scenario.starts, np.arange(scenario.steps), side="right") - 1
    arriving = scenario.visitors_per_day * traffic[:, None] * scenario.shares[phases]
    return arriving, WEEK_CONVERSION[weekday]


def _primary(
    scenario: Scenario, conversions: IntArray, *, values: FloatArray, rng: np.random.Generator
) -> Track:
    if scenario.kind is MetricKind.CONVERSION:
        return rate_track(cumulative(conversions))
    totals, products = _worth(scenario, conversions, values=values, rng=rng)
    counted = cumulative(conversions)
    return Track(
        conversions=counted,
        observed=counted,
        totals=cumulative(totals),
        products=cumulative(products),
    )


def _worth(
    scenario: Scenario, conversions: IntArray, *, values: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Sums over the converted visitors of value (and orders), and of their products."""
    cell = np.repeat(np.arange(conversions.size), conversions.ravel())
    factors = np.broadcast_to(values[:, None, :], conversions.shape).ravel()
    drawn = rng.lognormal(-(VALUE_SPREAD**2) / 2, VALUE_SPREAD, size=cell.size) * factors[cell]
    # Whole coins, so that differences of running sums are exact.
    value: FloatArray = np.ceil(drawn / COIN) * COIN
    quantities: list[FloatArray] = [value]
    if scenario.kind is MetricKind.RATIO:
        orders = np.where(rng.random(cell.size) < SECOND_ORDER, 2.0, 1.0)
        quantities = [value * orders, orders]

    def summed(weights: FloatArray) -> FloatArray:
        counted = np.bincount(cell, weights, minlength=conversions.size)
        return np.asarray(counted, np.float64).reshape(conversions.shape)

    totals = np.stack([summed(item) for item in quantities], axis=-1)
    rows = [np.stack([summed(a * b) for b in quantities], axis=-1) for a in quantities]
    return totals, np.stack(rows, axis=-2)


def cumulative(counts: FloatArray | IntArray) -> FloatArray:
    """Running sums over the steps, with a zero in front."""
    sums = np.zeros((counts.shape[0], counts.shape[1] + 1, *counts.shape[2:]))
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums
