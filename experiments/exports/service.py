"""Exporting what SQL holds, in the order in which it was stored."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from experiments.database import EPOCH, fetched, peeking, to_micros
from experiments.exports.schemas import Format, Part, Period
from experiments.exports.sources import SOURCES, Source
from experiments.exports.writing import opened

CHUNK = 50_000


def export(
    engine: Engine,
    part: Part,
    path: Path,
    *,
    form: Format,
    period: Period,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write the rows of a period to a new file; how many. `progress` is told how many so far.

    Raises:
        ConflictError: when there is a file of that name.
    """
    source, written = SOURCES[part], 0
    with opened(path, form, source.schema) as write:
        for rows in _chunks(engine, source, period, now=now):
            write(source.table(rows))
            written += len(rows)
            progress(written)
    return written


def _chunks(
    engine: Engine, source: Source, period: Period, *, now: datetime
) -> Iterator[Sequence[Sequence[Any]]]:
    since, until = to_micros(period.since or EPOCH), to_micros(period.until or now)
    last = 0
    while True:
        with peeking(engine) as cursor:
            rows = fetched(cursor, source.statement, last, since, until, CHUNK)
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]
