"""How each kind of file is stored: in chunks, each of them whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from sqlalchemy import Engine
from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.database import transaction
from experiments.design import imported, queries
from experiments.design.schemas import ExperimentIn, ExperimentOut, Source
from experiments.errors import ConflictError, InvalidError
from experiments.imports import (
    event_rows,
    experiment,
    series,
    snapshots,
    totals,
    visitor_store,
    visitors,
)
from experiments.imports.batches import Tally, read_row
from experiments.imports.book import Book
from experiments.imports.fields import RefusedError, moment
from experiments.imports.figures import FigureRow
from experiments.imports.journey import ensure_journey, ensure_tested_journey
from experiments.imports.metrics import metric_key
from experiments.imports.parts import When
from experiments.imports.reading import FileForm, Row, rows
from experiments.imports.schemas import (
    EventsMapping,
    Refusal,
    SnapshotsMapping,
    TotalsMapping,
    VisitorsMapping,
)
from experiments.imports.series import Series
from experiments.metrics import queries as metric_queries
from experiments.metrics.schemas import MetricIn, MetricOut

CHUNK_VISITORS = 2000
CHUNK_EVENTS = 500
CHUNK_EXPERIMENTS = 200
Item = TypeVar("Item")
Told = TypeVar("Told")
Told_contra = TypeVar("Told_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one import works on, and with what."""

    engine: Engine
    path: Path
    form: FileForm
    book: Book
    rng: np.random.Generator
    actor: Actor
    now: datetime

    def rows(self) -> Iterator[Row]:
        """Every row of the file."""
        return rows(self.path, self.form)


class Store(Protocol[Told_contra]):
    """Stores the rows of a chunk that could be read."""

    def __call__(
        self, session: Session, told: Sequence[tuple[Row, Told_contra]], *, tally: Tally
    ) -> None:
        """Store them and count."""


def import_visitors(order: Order, mapping: VisitorsMapping) -> list[str]:
    """Store a file with a row per visitor; the key of the experiment that it tells of."""
    read = partial(visitors.read, mapping)
    _check_readable(order, read)
    times = _times(order, mapping.at)
    first = min(times)
    last = first + timedelta(days=mapping.days) if mapping.is_undated else max(times)
    metrics = visitors.metrics(mapping)
    wanted = experiment.of_visitors(mapping, metrics, lasted=last - first)
    with transaction(order.engine) as session:
        order.book.open(session, now=order.now)
        ensure_tested_journey(session, mapping.journey, metrics, actor=order.actor, now=order.now)
        found = _made(session, order, wanted, started_at=first)
    place = visitor_store.Place(journey=mapping.journey.key, experiment=found, now=order.now)
    _store_rows(order, read, partial(visitor_store.store, place=place), size=CHUNK_VISITORS)
    with transaction(order.engine) as session:
        imported.complete(session, {found.key: last}, actor=order.actor, now=order.now)
        order.book.close(session, now=order.now)
    return [found.key]


def import_events(order: Order, mapping: EventsMapping) -> list[str]:
    """Store a file with a row per event; it tells of no experiment."""
    _check_readable(order, partial(event_rows.read, mapping))
    _times(order, mapping.at)
    with transaction(order.engine) as session:
        order.book.open(session, now=order.now)
        if mapping.journey is not None:
            ensure_journey(session, mapping.journey, actor=order.actor, now=order.now)
    read = event_rows.Reader(mapping)
    _store_rows(order, read, partial(event_rows.store, now=order.now), size=CHUNK_EVENTS)
    with transaction(order.engine) as session:
        order.book.close(session, now=order.now)
    return []


def import_totals(order: Order, mapping: TotalsMapping) -> list[str]:
    """Store a file with a row per arm; keys of the experiments that it tells of."""
    metrics = totals.metrics(mapping)
    return _import_series(order, mapping, metrics, partial(totals.read, mapping))


def import_snapshots(order: Order, mapping: SnapshotsMapping) -> list[str]:
    """Store a file with figures over time; keys of the experiments that it tells of."""
    metrics = snapshots.metrics(mapping)
    return _import_series(order, mapping, metrics, partial(snapshots.read, mapping))


def _import_series(
    order: Order,
    mapping: TotalsMapping | SnapshotsMapping,
    metrics: list[MetricIn],
    read: Callable[[Row], FigureRow],
) -> list[str]:
    tally = Tally()
    told = list(_told(order.rows(), read, tally))
    order.book.expect(len(told) + len(tally.refused))
    found = series.gather(told, control=mapping.experiment.control, tally=tally)
    _check_some(found, tally)
    tally.rows = len(tally.refused)
    with transaction(order.engine) as session:
        order.book.open(session, now=order.now)
        ensure_tested_journey(session, mapping.journey, metrics, actor=order.actor, now=order.now)
        order.book.add(session, tally)
    order.book.settle(tally)
    for chunk in _chunks(found, CHUNK_EXPERIMENTS):
        _store_series(order, mapping, metrics, chunk)
    with transaction(order.engine) as session:
        order.book.close(session, now=order.now)
    return [one.experiment for one in found]


def _store_series(
    order: Order,
    mapping: TotalsMapping | SnapshotsMapping,
    metrics: list[MetricIn],
    chunk: list[Series],
) -> None:
    tally = Tally(rows=sum(len(one.rows) for one in chunk))
    source = Source.TOTALS if isinstance(mapping, TotalsMapping) else Source.SNAPSHOTS
    wanted = {one.experiment: experiment.of_series(mapping, metrics, series=one) for one in chunk}
    with transaction(order.engine) as session:
        known = _metrics_by_measure(session, mapping.journey.key, metrics)
        there = queries.named(session, list(wanted))
        fitting = [one for one in chunk if _fits(one, wanted, there, source=source, tally=tally)]
        new = [one for one in fitting if one.experiment not in there]
        imported.adopt(
            session,
            [wanted[one.experiment] for one in new],
            source=source,
            started_at={one.experiment: one.started_at for one in new},
            rng=order.rng,
            actor=order.actor,
            now=order.now,
        )
        made = queries.named(session, [one.experiment for one in fitting])
        for one in fitting:
            series.store(session, one, experiment=made[one.experiment], metrics=known, tally=tally)
        ends = {one.experiment: one.stopped_at for one in fitting}
        imported.complete(session, ends, actor=order.actor, now=order.now)
        order.book.add(session, tally)
    order.book.settle(tally)


def _fits(
    one: Series,
    wanted: Mapping[str, ExperimentIn],
    there: Mapping[str, ExperimentOut],
    *,
    source: Source,
    tally: Tally,
) -> bool:
    if one.experiment not in there:
        return True
    try:
        experiment.check_same(there[one.experiment], wanted[one.experiment], source)
    except ConflictError as error:
        refused = RefusedError(str(error), Refusal.CONFLICT)
        tally.refuse_all((row for row, _ in one.rows), refused)
        return False
    return True


def _made(
    session: Session, order: Order, wanted: ExperimentIn, *, started_at: datetime
) -> ExperimentOut:
    """The experiment of a file with a row per visitor."""
    there = queries.named(session, [wanted.key])
    if there:
        experiment.check_same(there[wanted.key], wanted, Source.LIVE)
        return there[wanted.key]
    imported.adopt(
        session,
        [wanted],
        source=Source.LIVE,
        started_at={wanted.key: started_at},
        rng=order.rng,
        actor=order.actor,
        now=order.now,
    )
    return queries.experiment(session, wanted.key)


def _metrics_by_measure(
    session: Session, journey: str, metrics: Iterable[MetricIn]
) -> dict[str, MetricOut]:
    return {
        metric.key.removeprefix(metric_key(journey, "")): metric_queries.metric(session, metric.key)
        for metric in metrics
    }


def _store_rows(
    order: Order, read: Callable[[Row], Told], store: Store[Told], *, size: int
) -> None:
    for chunk in _chunks(order.rows(), size):
        tally = Tally(rows=len(chunk))
        told = list(_told(chunk, read, tally))
        with transaction(order.engine) as session:
            store(session, told, tally=tally)
            order.book.add(session, tally)
        order.book.settle(tally)


def _check_readable(order: Order, read: Callable[[Row], Told]) -> None:
    """Refuse a file none of whose rows can be read, before anything is written."""
    tally = Tally()
    _check_some(list(islice(_told(order.rows(), read, tally), 1)), tally)


def _times(order: Order, at: When) -> list[datetime]:
    """When the rows happened; also shows that the file can be read to its end."""
    found, count = [], 0
    for row in order.rows():
        count += 1
        with suppress(RefusedError):
            found.append(moment(at, row))
    order.book.expect(count)
    return found


def _check_some(found: Sized, tally: Tally) -> None:
    if not found:
        first = tally.refused[0] if tally.refused else None
        why = f"line {first.row.line}: {first.error.reason}" if first else "it has no rows"
        raise InvalidError.at("", f"nothing in the file can be read as the mapping says; {why}")


def _told(
    rows: Iterable[Row], read: Callable[[Row], Told], tally: Tally
) -> Iterator[tuple[Row, Told]]:
    for row in rows:
        try:
            yield row, read_row(read, row)
        except RefusedError as error:
            tally.refuse(row, error)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while chunk := list(islice(waiting, size)):
        yield chunk
