"""Importing a file by its mapping, and showing how it would be read."""

from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from experiments.audit.schemas import Actor
from experiments.imports import event_rows, snapshots, totals, visitors
from experiments.imports.batches import read_row
from experiments.imports.book import Book, Progress
from experiments.imports.fields import RefusedError
from experiments.imports.figures import in_words
from experiments.imports.flows import (
    Order,
    import_events,
    import_snapshots,
    import_totals,
    import_visitors,
)
from experiments.imports.mapping import file_form, needed_columns
from experiments.imports.reading import Row, check_columns, columns, rows
from experiments.imports.schemas import (
    AnyMapping,
    EventsMapping,
    ImportSummary,
    PreviewRow,
    SnapshotsMapping,
    TotalsMapping,
    VisitorsMapping,
)

PREVIEW_ROWS = 10


def run(
    engine: Engine,
    mapping: AnyMapping,
    path: Path,
    *,
    refused_path: Path | None = None,
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
    progress: Progress,
) -> ImportSummary:
    """Import a file; it opens its own transactions, one a chunk, because files are large.

    It can be killed anywhere and run again: what is stored already is recognised.

    Args:
        engine: where to store.
        mapping: what the columns mean.
        path: the CSV (also `.gz`) or Parquet file.
        refused_path: where refused rows go; beside the file when not given.
        rng: makes the salts of new experiments.
        actor: who imports.
        now: the time at which the data count as received.
        progress: told the rows done and all rows, after each chunk.

    Raises:
        MalformedError: when the file cannot be read; nothing is written.
        InvalidError: when file and mapping do not fit; nothing is written.
        ConflictError: when the experiment exists and these data cannot belong to it.
    """
    form = file_form(mapping)
    beside = path.with_name(f"{path.name}.rejected.csv")
    book = Book(
        path,
        _checked_columns(mapping, path),
        kind=mapping.kind,
        refused_path=refused_path or beside,
        progress=progress,
    )
    order = Order(engine=engine, path=path, form=form, book=book, rng=rng, actor=actor, now=now)
    return book.summary(_flow(order, mapping))


def preview(mapping: AnyMapping, path: Path, *, limit: int = PREVIEW_ROWS) -> list[PreviewRow]:
    """The first rows as they would be read; nothing is written.

    Raises:
        MalformedError: when the file cannot be read.
        InvalidError: when file and mapping do not fit.
    """
    _checked_columns(mapping, path)
    first = islice(rows(path, file_form(mapping)), limit)
    return [_previewed(mapping, row) for row in first]


def _checked_columns(mapping: AnyMapping, path: Path) -> tuple[str, ...]:
    found = columns(path, file_form(mapping))
    check_columns(path, found, needed_columns(mapping))
    return found


def _flow(order: Order, mapping: AnyMapping) -> list[str]:
    match mapping:
        case VisitorsMapping():
            return import_visitors(order, mapping)
        case EventsMapping():
            return import_events(order, mapping)
        case TotalsMapping():
            return import_totals(order, mapping)
        case SnapshotsMapping():
            return import_snapshots(order, mapping)


def _previewed(mapping: AnyMapping, row: Row) -> PreviewRow:
    try:
        reading = read_row(partial(_in_words, mapping), row)
    except RefusedError as error:
        return PreviewRow(line=row.line, reading={}, problem=error.reason)
    return PreviewRow(line=row.line, reading=reading, problem="")


def _in_words(mapping: AnyMapping, row: Row) -> dict[str, str]:
    match mapping:
        case VisitorsMapping():
            return visitors.in_words(visitors.read(mapping, row))
        case EventsMapping():
            return event_rows.in_words(event_rows.read(mapping, row))
        case TotalsMapping():
            return in_words(totals.read(mapping, row))
        case SnapshotsMapping():
            return in_words(snapshots.read(mapping, row))
