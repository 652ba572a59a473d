"""Files with a row per arm: visitors, conversions, sums."""

from datetime import datetime, timedelta

from experiments.imports.fields import RefusedError, as_key, count, fill, moment, number
from experiments.imports.figures import Figure, FigureRow, conversions
from experiments.imports.metrics import counted, summed
from experiments.imports.parts import TotalAmount
from experiments.imports.reading import Row
from experiments.imports.schemas import TotalsMapping
from experiments.metrics.schemas import MetricIn


def metrics(mapping: TotalsMapping) -> list[MetricIn]:
    """The metrics that the mapping reads, the later stages first."""
    reached = [counted(mapping.journey.key, it.key, it.name) for it in mapping.outcomes]
    return reached + [
        summed(mapping.journey.key, it.key, it.name, unit=it.unit) for it in mapping.amounts
    ]


def read(mapping: TotalsMapping, row: Row) -> FigureRow:
    """The totals that a row tells.

    Raises:
        RefusedError: when it cannot be read.
    """
    began = moment(mapping.at, row)
    variant = as_key(fill(mapping.variant, row))
    name = fill(mapping.variant_name, row) if mapping.variant_name else variant
    visitors = count(mapping.visitors, row)
    if visitors == 0:
        message = f"{mapping.visitors} is 0, so nothing can be said of {variant!r}"
        raise RefusedError(message)
    moments = {it.key: conversions(visitors, count(it.column, row)) for it in mapping.outcomes} | {
        it.key: _amounts(visitors, it, row) for it in mapping.amounts
    }
    return FigureRow(
        experiment=as_key(fill(mapping.experiment.key, row)),
        experiment_name=fill(mapping.experiment.name, row),
        names={variant: name},
        started_at=began,
        figures=_figures(variant, moments, visitors, began + timedelta(days=mapping.days)),
    )


def _figures(
    variant: str, moments: dict[str, tuple[float, float]], visitors: int, as_of: datetime
) -> tuple[Figure, ...]:
    return tuple(
        Figure(variant=variant, measure=measure, as_of=as_of, visitors=visitors, mean=mean, m2=m2)
        for measure, (mean, m2) in moments.items()
    )


def _amounts(visitors: int, amount: TotalAmount, row: Row) -> tuple[float, float]:
    total, squares = number(amount.sum, row), number(amount.squares, row)
    m2 = squares - total**2 / visitors
    if m2 < 0:
        message = (
            f"{amount.squares}: {squares:g} is too small to be the sum of squares of "
            f"{visitors} amounts that sum to {total:g}"
        )
        raise RefusedError(message)
    return total / visitors, m2
