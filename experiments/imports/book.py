"""Keeping the book of an import: counts in the database, refused rows in a file, progress."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from experiments.imports.batches import Refused, Tally
from experiments.imports.models import ImportRun
from experiments.imports.reading import content_hash
from experiments.imports.schemas import ImportSummary, Kind, Refusal

Progress = Callable[[int, int], None]


class Book:
    """The running account of one import."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        kind: Kind,
        refused_path: Path,
        progress: Progress,
    ) -> None:
        self._path = path
        self._columns = columns
        self._kind = kind
        self._expected = 0
        self._refused_path = refused_path
        self._progress = progress
        self._run_id = 0
        self._rows = self._stored = self._repeated = 0
        self._reasons: Counter[Refusal] = Counter()

    def expect(self, rows: int) -> None:
        """Learn how many rows there will be."""
        self._expected = rows

    def open(self, session: Session, *, now: datetime) -> None:
        """Write down that the import began."""
        run = ImportRun(
            kind=self._kind,
            file_name=self._path.name,
            content_hash=content_hash(self._path),
            started_at=now,
        )
        session.add(run)
        session.flush()
        self._run_id = run.id or 0
        # What an earlier import left would be taken for the result of this one.
        self._refused_path.unlink(missing_ok=True)

    def add(self, session: Session, tally: Tally) -> None:
        """Count a chunk, in the transaction that stores it."""
        self._rows += tally.rows
        self._stored += tally.stored
        self._repeated += tally.repeated
        self._reasons += tally.reasons
        run = session.get_one(ImportRun, self._run_id)
        run.rows, run.stored, run.repeated = self._rows, self._stored, self._repeated
        run.rejected = self._reasons.total()
        run.reasons = {refusal.value: count for refusal, count in self._reasons.items()}
        session.flush()

    def settle(self, tally: Tally) -> None:
        """Tell of a chunk, once it is stored."""
        if tally.refused:
            self._write_refused(tally.refused)
        self._progress(self._rows, self._expected)

    def close(self, session: Session, *, now: datetime) -> None:
        """Write down that the import came to its end."""
        session.get_one(ImportRun, self._run_id).finished_at = now
        session.flush()

    def summary(self, experiments: list[str]) -> ImportSummary:
        """What became of the rows."""
        refused = self._reasons.total()
        return ImportSummary(
            kind=self._kind,
            file=self._path.name,
            rows=self._rows,
            stored=self._stored,
            repeated=self._repeated,
            rejected=refused,
            reasons=dict(self._reasons),
            rejected_file=str(self._refused_path) if refused else None,
            experiments=experiments,
        )

    def _write_refused(self, refused: list[Refused]) -> None:
        is_new = not self._refused_path.exists()
        with self._refused_path.open("a", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            if is_new:
                writer.writerow(["line", "reason", *self._columns])
            writer.writerows(
                [
                    one.row.line,
                    one.error.reason,
                    *(one.row.values.get(name) for name in self._columns),
                ]
                for one in refused
            )
