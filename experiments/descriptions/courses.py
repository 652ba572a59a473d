"""How the arms convert as time passes: survival curves over phases that are never pooled."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from experiments.analysis.schemas import Estimate
from experiments.descriptions.counting import Followed
from experiments.descriptions.schemas import Course, TimeToConvert
from experiments.moments.following import STEPS
from stats.arrays import FloatArray
from stats.life_tables import LifeTable
from stats.projection import project_conversion
from stats.results import NotEstimable
from stats.survival import kaplan_meier

MINUTES_PER_HOUR = 60
NOT_FOLLOWED = NotEstimable("nobody was followed to the end of the window yet")


def time_to_convert(
    counts: Sequence[Followed], variants: Sequence[str], *, window_hours: int
) -> TimeToConvert:
    """The courses of the arms, the control first.

    A curve stands for phases in which somebody was followed through the whole window, each with
    its share of all visitors; while there is none, for the first phase, as far as it goes.

    Args:
        counts: visitors by arm, phase, and the step at which they left.
        variants: keys of the arms, in their order.
        window_hours: length of the metric's window.
    """
    hours = np.arange(1, STEPS + 1) * window_hours / MINUTES_PER_HOUR
    weights = _weights(counts)
    return TimeToConvert(
        hours=[round(float(hour), 3) for hour in hours],
        courses=[
            _course(variant, _tables(counts, variant, weights, hours), weights)
            for variant in variants
        ],
    )


def _weights(counts: Sequence[Followed]) -> dict[int, int]:
    """Visitors of every phase that counts."""
    visitors: Counter[int] = Counter()
    for row in counts:
        visitors[row.phase] += row.visitors
    full = {row.phase for row in counts if row.step == STEPS and not row.converted}
    chosen = full or set(sorted(visitors)[:1])
    return {phase: visitors[phase] for phase in sorted(chosen)}


def _tables(
    counts: Sequence[Followed], variant: str, weights: dict[int, int], hours: FloatArray
) -> dict[int, LifeTable]:
    """The life table of an arm in each phase in which it has visitors."""
    found: dict[int, LifeTable] = {}
    for phase in weights:
        table = np.zeros((2, STEPS))
        for row in counts:
            if (row.variant, row.phase) == (variant, phase):
                table[int(row.converted), row.step - 1] += row.visitors
        if table.any():
            found[phase] = LifeTable(times=hours, events=table[1:], censored=table[0])
    return found


def _course(variant: str, tables: dict[int, LifeTable], weights: dict[int, int]) -> Course:
    if not tables:
        unknown: list[float | None] = [None] * STEPS
        nobody = NotEstimable("nobody of this arm was followed yet")
        return Course(
            variant=variant,
            visitors=0,
            converted=unknown,
            low=unknown,
            high=unknown,
            half_hours=nobody,
            projected=nobody,
        )
    shares = np.array([float(weights[phase]) for phase in tables])
    shares /= shares.sum()
    converted, margin = _curve(list(tables.values()), shares)
    return Course(
        variant=variant,
        visitors=int(sum(table.at_risk[0] for table in tables.values())),
        converted=_known(converted),
        low=_known(np.clip(converted - margin[0], 0, 1)),
        high=_known(np.clip(converted + margin[1], 0, 1)),
        half_hours=_half(next(iter(tables.values())).times, converted),
        projected=_projected(list(tables.values()), shares),
    )


def _curve(tables: list[LifeTable], shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The weighted share converted by each time, and how far its limits lie below and above."""
    curves = [kaplan_meier(table) for table in tables]
    survival = np.array([np.ma.filled(curve.survival, np.nan) for curve in curves])
    low = np.array([np.ma.filled(curve.ci_low, np.nan) for curve in curves])
    high = np.array([np.ma.filled(curve.ci_high, np.nan) for curve in curves])
    squares = shares[:, None] ** 2
    below = np.sqrt((squares * (high - survival) ** 2).sum(axis=0))
    above = np.sqrt((squares * (survival - low) ** 2).sum(axis=0))
    return 1 - shares @ survival, np.array([below, above])


def _half(hours: FloatArray, converted: FloatArray) -> float | NotEstimable:
    """When half of those had converted who convert inside the window."""
    if not np.isfinite(converted[-1]):
        return NOT_FOLLOWED
    if converted[-1] == 0:
        return NotEstimable("nobody converted")
    return float(hours[int(np.argmax(converted >= converted[-1] / 2))])


def _projected(tables: list[LifeTable], shares: FloatArray) -> Estimate | NotEstimable:
    value, low, high = 0.0, 0.0, 0.0
    for table, share in zip(tables, shares, strict=True):
        found = project_conversion(table, window=float(table.times[-1])).at()
        if isinstance(found, NotEstimable):
            return NOT_FOLLOWED
        value += share * float(found.projected)
        low += (share * float(found.projected - found.ci_low)) ** 2
        high += (share * float(found.ci_high - found.projected)) ** 2
    return Estimate(value=value, ci_low=value - low**0.5, ci_high=value + high**0.5)


def _known(values: FloatArray) -> list[float | None]:
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]
