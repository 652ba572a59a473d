"""Gathering the figures of a file by experiment, and storing those of one experiment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, select

from experiments.analysis.models import StoredMoments
from experiments.design.schemas import ExperimentOut
from experiments.imports import bulk
from experiments.imports.batches import Tally
from experiments.imports.fields import RefusedError
from experiments.imports.figures import Figure, FigureRow, check_agreement
from experiments.imports.reading import Row
from experiments.metrics.schemas import MetricOut

MAX_ARMS = 20
Place = tuple[str, str, datetime]


@dataclass(slots=True, kw_only=True)
class Series:
    """All figures of one experiment, in the order of the file."""

    experiment: str
    name: str
    started_at: datetime
    names: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[Row, FigureRow]] = field(default_factory=list)
    figures: dict[Place, Figure] = field(default_factory=dict)

    def take(self, row: Row, told: FigureRow) -> None:
        """Add a row.

        Raises:
            RefusedError: when it contradicts an earlier row.
        """
        for figure in told.figures:
            check_agreement(self.figures.get(figure.place), figure)
        self.figures |= {figure.place: figure for figure in told.figures}
        self.names |= told.names
        self.started_at = min(self.started_at, told.started_at)
        self.rows.append((row, told))

    def check(self, *, control: str) -> None:
        """Refuse what is not a comparison; `control` is empty when any arm will do.

        Raises:
            RefusedError: when there are too few or too many arms, or the control is missing.
        """
        arms = ", ".join(self.names)
        problem = ""
        if len(self.names) < 2:
            problem = f"has one arm only ({arms}), nothing to compare"
        elif len(self.names) > MAX_ARMS:
            problem = f"has {len(self.names)} arms; at most {MAX_ARMS} can be compared"
        elif control and control not in self.names:
            problem = f"has no arm {control!r} to be the control; its arms are: {arms}"
        if problem:
            message = f"experiment {self.experiment!r} {problem}"
            raise RefusedError(message)

    @property
    def stopped_at(self) -> datetime:
        """The time of the newest figure."""
        return max(figure.as_of for figure in self.figures.values())


def gather(
    told_rows: Iterable[tuple[Row, FigureRow]], *, control: str, tally: Tally
) -> list[Series]:
    """The experiments that the rows tell of; what cannot be compared is refused."""
    found: dict[str, Series] = {}
    for row, told in told_rows:
        series = found.setdefault(told.experiment, _empty(told))
        try:
            series.take(row, told)
        except RefusedError as error:
            tally.refuse(row, error)
    return [series for series in found.values() if _is_comparison(series, control, tally)]


def store(
    session: Session,
    series: Series,
    *,
    experiment: ExperimentOut,
    metrics: Mapping[str, MetricOut],
    tally: Tally,
) -> None:
    """Store the figures of one experiment; what is there already stays as it is."""
    known = _known(session, experiment, metrics)
    new: dict[Place, Figure] = {}
    for row, told in series.rows:
        try:
            for figure in told.figures:
                check_agreement(known.get(figure.place), figure)
        except RefusedError as error:
            tally.refuse(row, error)
            continue
        fresh = {figure.place: figure for figure in told.figures if figure.place not in known}
        tally.stored += bool(fresh)
        tally.repeated += not fresh
        new |= fresh
    bulk.add(
        session, StoredMoments, [_record(figure, experiment, metrics) for figure in new.values()]
    )


def _empty(told: FigureRow) -> Series:
    return Series(experiment=told.experiment, name=told.experiment_name, started_at=told.started_at)


def _is_comparison(series: Series, control: str, tally: Tally) -> bool:
    try:
        series.check(control=control)
    except RefusedError as error:
        tally.refuse_all((row for row, _ in series.rows), error)
        return False
    return True


def _known(
    session: Session, experiment: ExperimentOut, metrics: Mapping[str, MetricOut]
) -> dict[Place, Figure]:
    variants = {variant.id: variant.key for variant in experiment.variants}
    measures = {metric.id: measure for measure, metric in metrics.items()}
    query = select(StoredMoments).where(StoredMoments.experiment_id == experiment.id)
    figures = (
        Figure(
            variant=variants[row.variant_id],
            measure=measures[row.metric_id],
            as_of=row.as_of,
            visitors=row.visitors,
            mean=row.mean,
            m2=row.m2,
        )
        for row in session.exec(query)
        if row.metric_id in measures
    )
    return {figure.place: figure for figure in figures}


def _record(
    figure: Figure, experiment: ExperimentOut, metrics: Mapping[str, MetricOut]
) -> bulk.Record:
    variants = {variant.key: variant.id for variant in experiment.variants}
    return {
        "experiment_id": experiment.id,
        "variant_id": variants[figure.variant],
        "metric_id": metrics[figure.measure].id,
        "as_of": figure.as_of,
        "visitors": figure.visitors,
        "mean": figure.mean,
        "m2": figure.m2,
    }
