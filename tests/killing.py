"""Ending a process at any of its writes, for tests of what it leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from sqlalchemy import Engine, event

WRITES = ("INSERT", "UPDATE", "DELETE")


class KilledError(Exception):
    """The process ended here."""


@contextmanager
def killed_at(engine: Engine, number: int) -> Iterator[None]:
    """Ends whatever runs when it is about to write for the n-th time.

    To end at a statement that only reads leaves what ending at the next write leaves.
    """
    sent = count(1)

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(WRITES) and next(sent) == number:
            raise KilledError

    event.listen(engine, "before_cursor_execute", die)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", die)
