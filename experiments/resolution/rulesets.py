"""The ruleset in memory: looked at by every request, read again when something changed."""

from threading import Lock
from time import monotonic

from sqlalchemy import Engine
from sqlmodel import Session

from experiments.audit.queries import live_version
from experiments.database import reading
from experiments.logs import logger
from experiments.resolution.queries import ruleset
from experiments.resolution.ruleset import Ruleset

POLL_SECONDS = 1.0

log = logger("resolution")


class RulesetCache:
    """The newest ruleset that could be read; a broken one never replaces a good one."""

    def __init__(self, engine: Engine, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._lock = Lock()
        self._looked_at: float | None = None
        self._held = Ruleset()

    def current(self) -> Ruleset:
        """What is live, at most `poll_seconds` of machine time old.

        One request looks whether something changed; those that come meanwhile do not wait for
        it, except before the very first look.
        """
        if self._is_due() and self._lock.acquire(blocking=self._looked_at is None):
            try:
                if self._is_due():
                    self._look()
            finally:
                self._lock.release()
        return self._held

    def _is_due(self) -> bool:
        return self._looked_at is None or monotonic() - self._looked_at >= self._poll_seconds

    def _look(self) -> None:
        try:
            with reading(self._engine) as session:
                self._held = self._newest(session)
        except Exception:  # whatever is wrong out there, the last good answer stands
            log.exception("the ruleset could not be read", kept=self._held.version)
        self._looked_at = monotonic()

    def _newest(self, session: Session) -> Ruleset:
        if self._looked_at is not None and live_version(session) == self._held.version:
            return self._held
        return ruleset(session)
