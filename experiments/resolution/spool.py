"""A bounded file for what could not be recorded while the database was away.

Each process writes a file of its own and holds a lock on it. Whoever can lock a file, because it
is their own or because its writer is gone, replays it: recording the same visit twice changes
nothing, so that being killed between recording and deleting is harmless.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO, Any
from uuid import uuid4

import orjson

from experiments.assignment.recording import Meeting, Visit
from experiments.assignment.schemas import Known, StoredArm
from experiments.database import from_micros, to_micros
from experiments.logs import logger

LARGEST_BYTES = 64_000_000
AT_ONCE = 1000
SUFFIX = ".spool"

log = logger("spool")


class Spool:
    """Keeps visits on disk until they can be recorded; beyond `largest_bytes` they are lost."""

    def __init__(self, folder: Path, *, largest_bytes: int = LARGEST_BYTES) -> None:
        self._folder = folder
        self._largest_bytes = largest_bytes
        self._lock = Lock()
        self._replaying = Lock()
        self._file: IO[bytes] | None = None

    def add(self, visitor: str, at: datetime, meetings: Sequence[Meeting]) -> None:
        """Keep what a visitor met, on disk before this returns."""
        line = orjson.dumps([visitor, to_micros(at), meetings], default=tuple) + b"\n"
        with self._lock:
            file = self._file = self._file or self._opened()
            if file.tell() + len(line) > self._largest_bytes:
                log.error("the spool is full; an exposure is lost", visitor=visitor)
                return
            file.write(line)
            file.flush()
            os.fdatasync(file.fileno())

    def replay(self, record: Callable[[Sequence[Visit]], object]) -> int:
        """Record everything that waits, here and where a process ended; how much it was.

        One replay at a time: who comes second waits, and finds nothing left.

        Raises:
            UnavailableError: from `record`, when the database is still away; nothing is forgotten.
        """
        with self._replaying:
            self.close()
            return sum(_replayed(path, record) for path in sorted(self._folder.glob(f"*{SUFFIX}")))

    def close(self) -> None:
        """Let go of the file; what waits in it is replayed by whoever comes next."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def is_empty(self) -> bool:
        """Whether nothing waits here, and nothing of a process that ended."""
        return not any(self._folder.glob(f"*{SUFFIX}"))

    def _opened(self) -> IO[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{uuid4().hex}{SUFFIX}"
        new = path.with_suffix(".new")
        file = new.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Found only once it is locked; else it could be taken for the file of a process that ended.
        new.rename(path)
        return file


def _replayed(path: Path, record: Callable[[Sequence[Visit]], object]) -> int:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # another process replayed it
        return 0
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # its writer lives
            return 0
        visits = list(_visits(file))
        for start in range(0, len(visits), AT_ONCE):
            record(visits[start : start + AT_ONCE])
        path.unlink(missing_ok=True)
    log.info("recorded what had waited for the database", visits=len(visits))
    return len(visits)


def _visits(lines: Iterable[bytes]) -> Iterable[Visit]:
    for line in lines:
        try:
            visitor, at, items = orjson.loads(line)
        except orjson.JSONDecodeError:  # the last line of a process that was killed
            continue
        meetings = [_meeting(item) for item in items]
        yield Visit(visitor, from_micros(at), partial(_missing, meetings))


def _meeting(item: list[Any]) -> Meeting:
    experiment_id, arm, propensity, is_new, is_seen = item
    return Meeting(experiment_id, StoredArm(*arm), propensity, is_new, is_seen)


def _missing(meetings: Sequence[Meeting], stored: Known) -> list[Meeting]:
    """What is not recorded yet; whoever got an arm meanwhile keeps it."""
    return [
        item._replace(
            is_new=item.experiment_id not in stored.arms,
            is_seen=item.is_seen and item.experiment_id not in stored.exposed,
        )
        for item in meetings
    ]
