"""Exact sums of live experiments, in the shapes that a readout is made of."""

from collections.abc import Iterable, Mapping

from experiments.analysis.data import Cell, Delays, SourceDelay, SplitCount
from experiments.design.schemas import ExperimentOut
from experiments.moments.schemas import Answer, Sums

MINUTES_PER_HOUR = 60


def cells(experiment: ExperimentOut, sums: Iterable[Sums], *, is_ratio: bool) -> list[Cell]:
    """The sufficient statistics of one metric in every arm and phase."""
    variants, phases = _names(experiment)
    found = [
        cell(item, variants[item.variant], phases[item.phase], is_ratio=is_ratio) for item in sums
    ]
    return sorted(found, key=lambda one: (one.variant, one.phase))


def cell(sums: Sums, variant: str, phase: int, *, is_ratio: bool) -> Cell:
    """Means and co-moments out of exact sums: divided only once, and so rounded only once."""
    size = 2 if is_ratio else 1
    units = (sums.scale, 1)[:size]
    totals = (sums.y, sums.d)[:size]
    products = ((sums.yy, sums.yd), (sums.yd, sums.dd))
    n = max(sums.matured, 1)
    return Cell(
        variant=variant,
        phase=phase,
        visitors=sums.visitors,
        matured=sums.matured,
        conversions=sums.conversions,
        means=tuple(total / (n * unit) for total, unit in zip(totals, units, strict=True)),
        comoments=tuple(
            tuple(
                (n * products[row][column] - totals[row] * totals[column])
                / (n * units[row] * units[column])
                for column in range(size)
            )
            for row in range(size)
        ),
        observed_conversions=sums.observed_conversions,
        observed_total=sums.observed_y / sums.scale,
        delays=_delays(sums),
    )


def split(experiment: ExperimentOut, answer: Answer) -> list[SplitCount]:
    """How many visitors were first exposed, by phase, hour and arm."""
    variants, phases = _names(experiment)
    found = [
        SplitCount(
            phase=phases[item.phase],
            hour=item.hour,
            variant=variants[item.variant],
            visitors=item.visitors,
        )
        for item in answer.joined
    ]
    return sorted(found, key=lambda one: (one.phase, one.hour or 0, one.variant))


def source_delays(answer: Answer) -> list[SourceDelay]:
    """How many events of a metric came from each source after the exposure, and how many late."""
    return [
        SourceDelay(source=item.source, events=item.events, late=item.late) for item in answer.sent
    ]


def _names(experiment: ExperimentOut) -> tuple[Mapping[int, str], Mapping[int, int]]:
    return (
        {variant.id: variant.key for variant in experiment.variants},
        {phase.id: phase.number for phase in experiment.phases},
    )


def _delays(sums: Sums) -> Delays | None:
    n = sums.conversions
    if not n:
        return None
    squares = n * sums.delay_squares - sums.delay**2
    return Delays(mean=sums.delay / (n * MINUTES_PER_HOUR), m2=squares / (n * MINUTES_PER_HOUR**2))
