"""Looking up what is stored of a visitor, as quickly as the database can answer.

To take a connection from the pool, to begin, to roll back and to give it back takes several times
as long as the look-up itself. So a few connections stay out of the pool, each with a cursor of the
driver's own, on which every look-up is a transaction of itself.
"""

from collections import deque
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeftError

from experiments.assignment import queries as visitors
from experiments.assignment.schemas import Known
from experiments.database import AWAY
from experiments.errors import UnavailableError
from experiments.instances import queries as instances
from experiments.resolution.ruleset import Ruleset

KEPT = 8  # more may look at once; those take their connection from the pool and give it back


class _Seat(NamedTuple):
    """A connection that stays open, and the cursor on it."""

    connection: Connection
    cursor: DBAPICursor


class Lookups:
    """Looks up visitors in one database; safe to share among threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[_Seat] = deque()

    def known(self, ruleset: Ruleset, visitor: str) -> Known:
        """What is stored of a visitor, as far as this ruleset asks for it.

        Raises:
            UnavailableError: when the database cannot be reached, or has another layout than this
                code.
        """
        failures = (self._engine.dialect.loaded_dbapi.Error, DBAPIError, NoConnectionLeftError)
        with suppress(IndexError, *failures):  # none is idle, or the database began anew meanwhile
            return self._asked(self._idle.pop(), ruleset, visitor)
        try:
            return self._asked(self._opened(), ruleset, visitor)
        except failures as error:
            raise UnavailableError(AWAY) from error

    def close(self) -> None:
        """Let go of the connections."""
        while self._idle:
            self._idle.pop().connection.close()

    def _opened(self) -> _Seat:
        opened = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return _Seat(opened, opened.connection.cursor())

    def _asked(self, seat: _Seat, ruleset: Ruleset, visitor: str) -> Known:
        try:
            found = _known(seat.cursor, ruleset, visitor)
        except Exception:
            seat.connection.invalidate()
            seat.connection.close()
            raise
        if len(self._idle) < KEPT:
            self._idle.append(seat)
        else:
            seat.connection.close()
        return found


def _known(cursor: DBAPICursor, ruleset: Ruleset, visitor: str) -> Known:
    known = visitors.known(cursor, visitor, with_attributes=ruleset.reads_attributes)
    if known.visitor_id is None or not ruleset.reads_standing:
        return known
    return known._replace(standing=instances.standing(cursor, known.visitor_id))
