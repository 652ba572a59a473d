"""Sufficient statistics that were imported as totals or snapshots, in the shapes of live ones."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.analysis.data import Cell, SplitCount
from experiments.analysis.models import StoredMoments
from experiments.design.schemas import ExperimentOut
from experiments.metrics.schemas import MetricKind, MetricOut


def stored_cells(
    session: Session, experiment: ExperimentOut, *, metric: MetricOut, as_of: datetime
) -> list[Cell]:
    """The newest figures of every arm that were true by `as_of`."""
    keys = {variant.id: variant.key for variant in experiment.variants}
    query = (
        select(StoredMoments)
        .where(
            StoredMoments.experiment_id == experiment.id,
            StoredMoments.metric_id == metric.id,
            col(StoredMoments.as_of) <= as_of,
        )
        .order_by(col(StoredMoments.as_of))
    )
    newest = {row.variant_id: row for row in session.exec(query)}
    phase = experiment.phases[0].number
    return [
        _cell(row, variant=keys[variant_id], phase=phase, kind=metric.kind)
        for variant_id, row in sorted(newest.items())
    ]


def stored_split(cells: Sequence[Cell]) -> list[SplitCount]:
    """The visitors of every arm; at which hour they came is not known."""
    return [
        SplitCount(phase=cell.phase, hour=None, variant=cell.variant, visitors=cell.visitors)
        for cell in cells
    ]


def newest_stored(session: Session, experiment_id: int, *, as_of: datetime) -> datetime | None:
    """The time of the newest imported figures."""
    query = (
        select(StoredMoments.as_of)
        .where(StoredMoments.experiment_id == experiment_id, col(StoredMoments.as_of) <= as_of)
        .order_by(col(StoredMoments.as_of).desc())
    )
    return session.exec(query).first()


def _cell(row: StoredMoments, *, variant: str, phase: int, kind: MetricKind) -> Cell:
    total = row.mean * row.visitors
    conversions = round(total) if kind is MetricKind.CONVERSION else None
    return Cell(
        variant=variant,
        phase=phase,
        visitors=row.visitors,
        matured=row.visitors,
        conversions=conversions,
        means=(row.mean,),
        comoments=((row.m2,),),
        observed_conversions=conversions,
        observed_total=total,
    )
