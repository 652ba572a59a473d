"""One writer per process and database: requests that arrive together share one transaction.

A commit that waits for the disk costs the same for one item as for hundreds, and two writers of
one SQLite file only get in each other's way. So every request hands its item to one thread, which
takes whatever has come meanwhile, writes it in one transaction and tells each caller only when
the transaction is durable. It waits for more only as long as more comes: those who were answered
together ask again together.
"""

import atexit
import os
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock, Thread
from time import monotonic, sleep
from typing import Any, Generic, TypeAlias, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from experiments.clock import Clock
from experiments.database import connect_writer
from experiments.errors import OverloadedError, UnavailableError
from experiments.inbox.schemas import Item, Kind, Result
from experiments.inbox.service import set_aside
from experiments.logs import logger

LINGER_SECONDS = 0.001
LOOK_SECONDS = 0.0001
BATCH_SIZE = 20_000
CAPACITY = 100_000
PATIENCE_SECONDS = 15.0
TRIES = 3
DEADLOCKS = frozenset({"40P01", "40001"})  # PostgreSQL: deadlock, serialization failure

NOT_NOW = (OperationalError, InterfaceError, ProgrammingError)
"""The database is away, busy, or has another layout than this code: it may go well later."""

log = logger("inbox")


class Handed(Generic[Item, Result]):
    """An item on its way, and where its caller waits; a `Future` takes several times as long."""

    __slots__ = ("_done", "_outcome", "item", "kind", "size")

    def __init__(self, kind: Kind[Item, Result], item: Item, size: int) -> None:
        self.kind, self.item, self.size = kind, item, size
        self._outcome: Result | Exception | None = None
        self._done = Lock()
        self._done.acquire()

    def settle(self, outcome: Result | Exception) -> None:
        """Tell the caller."""
        self._outcome = outcome
        self._done.release()

    def result(self, timeout: float = PATIENCE_SECONDS) -> Result:
        """Wait until the item is durable.

        Raises:
            NotStoredError: when the database refuses this very item, now among the dead letters.
            UnavailableError: when it was not stored, in time or at all; sending it again is safe.
        """
        if not self._done.acquire(timeout=timeout):
            message = "The database did not answer in time; try again in a moment."
            raise UnavailableError(message)
        self._done.release()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return cast(Result, self._outcome)


Waiting: TypeAlias = Handed[Any, Any]


class GroupCommit:
    """Collects what requests submit and commits it together.

    The thread starts with the first item, so that a process that forks afterwards starts its own.
    What waits is bounded by `capacity`, counted in the sizes that callers give: beyond it callers
    are refused at once, because a queue without end answers nobody in time.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        linger_seconds: float = LINGER_SECONDS,
        batch_size: int = BATCH_SIZE,
        capacity: int = CAPACITY,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._linger_seconds = linger_seconds
        self._batch_size = batch_size
        self._capacity = capacity
        self._begin_empty()
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forget_parent(itself))

    def submit(
        self, kind: Kind[Item, Result], item: Item, *, size: int = 1
    ) -> Handed[Item, Result]:
        """Hand an item to the writer, whose word on it can be waited for.

        Raises:
            OverloadedError: when as much waits as may wait.
            UnavailableError: when the process is about to end.
        """
        entry = Handed(kind, item, size)
        with self._changed:
            if self._is_stopping:
                message = "The server is about to stop; try again in a moment."
                raise UnavailableError(message)
            if self._waiting + size > self._capacity and self._queue:
                raise OverloadedError
            self._queue.append(entry)
            self._waiting += size
            self._start_once()
            self._changed.notify()
        return entry

    def store(self, kind: Kind[Item, Result], item: Item, *, size: int = 1) -> Result:
        """Submit an item and wait until it is durable.

        Raises:
            NotStoredError: when the database refuses this very item.
            UnavailableError: when it was not stored in time; whoever sends it again is safe.
        """
        return self.submit(kind, item, size=size).result()

    def stop(self) -> None:
        """Refuse what comes from now on, write what waits, and end the thread."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
        atexit.unregister(self.stop)

    def _begin_empty(self) -> None:
        self._queue: deque[Waiting] = deque()
        self._waiting = 0
        self._changed = Condition()
        self._thread: Thread | None = None
        self._connection: Connection | None = None
        self._is_stopping = False

    def forget_parent(self) -> None:
        """Begin anew in a forked child: thread, queue and connections are the parent's."""
        self._engine.dispose(close=False)
        self._begin_empty()

    def _start_once(self) -> None:
        if self._thread is None:
            # A daemon, since the interpreter would otherwise wait for it before it tells it to end.
            self._thread = Thread(target=self._run, name="group-commit", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def _run(self) -> None:
        while batch := self._collect():
            for entry, outcome in zip(batch, self._outcomes(batch), strict=True):
                entry.settle(outcome)

    def _collect(self) -> list[Waiting]:
        """What is written together; nothing when the time has come to end."""
        with self._changed:
            while not self._queue and not self._is_stopping:
                self._changed.wait()
        self._linger()
        with self._changed:
            return list(self._taken())

    def _linger(self) -> None:
        """Wait as long as more comes, but not for long."""
        until, seen = monotonic() + self._linger_seconds, 0
        while seen < self._waiting < self._batch_size and monotonic() < until:
            if self._is_stopping:
                return
            seen = self._waiting
            sleep(LOOK_SECONDS)

    def _taken(self) -> Iterable[Waiting]:
        size = 0
        while self._queue and (size == 0 or size + self._queue[0].size <= self._batch_size):
            entry = self._queue.popleft()
            size += entry.size
            self._waiting -= entry.size
            yield entry

    def _outcomes(self, batch: list[Waiting]) -> list[object]:
        """The result of each entry, or the error to tell its caller."""
        try:
            return self._committed(batch)
        except NOT_NOW as error:
            log.warning("nothing can be stored now", items=len(batch), error=str(error))
            message = "The database is away, busy, or not migrated yet; try again in a moment."
            return [UnavailableError(message) for _ in batch]
        except Exception as error:  # the thread must outlive whatever one batch can do to it
            log.exception("a batch was lost")
            return [error for _ in batch]

    def _committed(self, batch: list[Waiting]) -> list[object]:
        for _ in range(TRIES - 1):
            try:
                with self._begun() as connection:
                    return _written(connection, batch)
            except NOT_NOW as error:
                if not _may_go_better_at_once(error):
                    raise
            except Exception as error:  # one of them is the culprit; the others must not suffer
                log.warning("a batch is written item by item", error=repr(error))
                break
        with self._begun() as connection:
            return [self._written_alone(connection, entry) for entry in batch]

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A transaction on the connection that is the writer's own, so that none must be tried."""
        if self._connection is None:
            self._connection = connect_writer(self._engine)
        with self._connection.begin():
            yield self._connection

    def _written_alone(self, connection: Connection, entry: Waiting) -> object:
        try:
            with connection.begin_nested():
                return _written(connection, [entry])[0]
        except NOT_NOW:
            raise
        except Exception as error:  # whatever is wrong with it, it is kept with the reason
            kind, item = entry.kind, entry.item
            if kind.rescue is not None:
                return kind.rescue(connection, item)
            body = kind.describe(item)
            return set_aside(connection, error, kind=kind.name, body=body, at=self._clock.now())


def _written(connection: Connection, batch: list[Waiting]) -> list[object]:
    """The results in the order of the batch; items of one kind are written in one call."""
    places: dict[str, list[int]] = {}
    for place, entry in enumerate(batch):
        places.setdefault(entry.kind.name, []).append(place)
    results: list[object] = [None] * len(batch)
    for chosen in places.values():
        kind = batch[chosen[0]].kind
        found = kind.write(connection, [batch[place].item for place in chosen])
        for place, result in zip(chosen, found, strict=True):
            results[place] = result
    return results


def _may_go_better_at_once(error: DBAPIError) -> bool:
    """Whether two waited for each other, or the connection had gone while nothing came."""
    is_deadlock = getattr(error.orig, "sqlstate", None) in DEADLOCKS
    return is_deadlock or error.connection_invalidated


def _forget_parent(itself: weakref.ref[GroupCommit]) -> None:
    alive = itself()
    if alive is not None:
        alive.forget_parent()
