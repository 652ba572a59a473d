"""Files with cumulative figures over time, per experiment, arm and metric."""

from datetime import datetime, timedelta

from experiments.imports.fields import RefusedError, as_key, count, fill, number
from experiments.imports.figures import Figure, FigureRow, conversions
from experiments.imports.metrics import counted, summed
from experiments.imports.parts import FigureColumns, SnapshotMetric
from experiments.imports.reading import Row
from experiments.imports.schemas import SnapshotsMapping
from experiments.metrics.schemas import MetricIn, MetricKind


def metrics(mapping: SnapshotsMapping) -> list[MetricIn]:
    """The metrics that the mapping reads."""
    return [_metric(mapping.journey.key, it) for it in mapping.metrics]


def read(mapping: SnapshotsMapping, row: Row) -> FigureRow:
    """The figures that a row tells.

    Raises:
        RefusedError: when it cannot be read.
    """
    metric = _named(mapping, row)
    as_of = mapping.start + timedelta(days=number(mapping.day, row))
    arms = {as_key(fill(mapping.variant, row)): mapping.figures}
    if mapping.control is not None:
        arms[mapping.experiment.control] = mapping.control
    return FigureRow(
        experiment=as_key(fill(mapping.experiment.key, row)),
        experiment_name=fill(mapping.experiment.name, row),
        names={variant: variant for variant in arms},
        started_at=mapping.start,
        figures=tuple(
            _figure(variant, metric, columns, row, as_of=as_of) for variant, columns in arms.items()
        ),
    )


def _metric(journey: str, it: SnapshotMetric) -> MetricIn:
    if it.kind is MetricKind.SUM:
        return summed(journey, it.key, it.name)
    return counted(journey, it.key, it.name, kind=it.kind)


def _named(mapping: SnapshotsMapping, row: Row) -> SnapshotMetric:
    said = fill(mapping.metric, row)
    for metric in mapping.metrics:
        if metric.value == said:
            return metric
    known = ", ".join(metric.value for metric in mapping.metrics)
    message = f"metric {said!r} is not one of: {known}"
    raise RefusedError(message)


def _figure(
    variant: str, metric: SnapshotMetric, columns: FigureColumns, row: Row, *, as_of: datetime
) -> Figure:
    visitors, mean = count(columns.visitors, row), number(columns.mean, row)
    if visitors == 0:
        message = f"{columns.visitors} is 0, so nothing can be said of {variant!r}"
        raise RefusedError(message)
    if metric.kind is MetricKind.CONVERSION:
        # A rate tells its own variance, also where the file leaves it blank.
        mean, m2 = conversions(visitors, mean * visitors)
    else:
        m2 = visitors * _variance(columns, row)
    return Figure(
        variant=variant, measure=metric.key, as_of=as_of, visitors=visitors, mean=mean, m2=m2
    )


def _variance(columns: FigureColumns, row: Row) -> float:
    variance = number(columns.variance, row)
    if variance < 0:
        message = f"{columns.variance}: {variance:g} is negative, a variance is not"
        raise RefusedError(message)
    return variance
