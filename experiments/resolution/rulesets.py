"""What is live, in memory: read again off the request path within a second of a change."""

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from sqlalchemy import Engine

from experiments.accounts.passwords import hash_secret
from experiments.accounts.queries import grants
from experiments.accounts.schemas import Grant, StandingGrant
from experiments.audit.queries import changes
from experiments.clock import Clock
from experiments.database import reading
from experiments.logs import logger
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Place, climb
from experiments.resolution.queries import Reader
from experiments.resolution.ruleset import Ruleset

POLL_SECONDS = 0.5

log = logger("resolution")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """What was read together: the ruleset, who may ask, and the state of the audit trail then."""

    state: tuple[int, int] | None = None
    ruleset: Ruleset = field(default_factory=Ruleset)
    grants: Mapping[str, StandingGrant] = field(default_factory=dict)
    by_secret: dict[str, StandingGrant] = field(default_factory=dict)  # filled as they are used


class RulesetCache:
    """The newest ruleset that could be read; a broken one never replaces a good one.

    The first request reads it and starts a thread that looks every `poll_seconds` whether
    something changed, reads it anew if so, and then swaps one reference. Requests only ever take
    the reference.
    """

    def __init__(self, engine: Engine, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._beginning = Lock()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._held = _Snapshot()
        self._reader = Reader()
        self._tasks: list[Callable[[], object]] = [self.look]

    def accompany(self, task: Callable[[], object]) -> None:
        """Do something else, too, whenever it is looked."""
        self._tasks.append(task)

    def current(self) -> Ruleset:
        """What is live."""
        if self._thread is None:
            self._begin()
        return self._held.ruleset

    def grant(self, secret: str, *, clock: Clock) -> Grant | None:
        """What the bearer of a secret may do, as far as it is known here."""
        if self._thread is None:
            self._begin()
        held = self._held
        found = held.by_secret.get(secret)
        if found is None:
            found = held.grants.get(hash_secret(secret))
            if found is None:
                return None
            held.by_secret[secret] = found
        is_for_ever = found.expires_at is None  # as most are: then nobody asks the time
        return found.grant if is_for_ever or found.holds(clock.now()) else None

    def look(self) -> None:
        """Read everything anew if something changed."""
        held = self._held
        try:
            with reading(self._engine) as session:
                state = changes(session)
                if state == held.state:
                    return
                fresh = _Snapshot(
                    state=state, ruleset=self._reader.read(session), grants=grants(session)
                )
            _try_out(fresh.ruleset)
        except Exception:  # whatever is wrong out there, the last good answer stands
            log.exception("the ruleset could not be read", kept=held.ruleset.version)
        else:
            self._held = fresh

    def turn(self) -> None:
        """Do everything that is done regularly."""
        for task in self._tasks:
            try:
                task()
            except Exception:  # the thread must outlive what it does
                log.exception("a regular task failed")

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        with self._beginning:
            if self._thread is None:
                self.look()
                # It holds no reference, so that a cache that nobody uses any more can go.
                watched = (weakref.ref(self), self._stopping, self._poll_seconds)
                self._thread = Thread(target=_follow, args=watched, name="ruleset", daemon=True)
                self._thread.start()


def _follow(watched: "weakref.ref[RulesetCache]", stopping: Event, seconds: float) -> None:
    while not stopping.wait(seconds):
        cache = watched()
        if cache is None:
            return
        cache.turn()
        del cache


def _try_out(rules: Ruleset) -> None:
    """Ask once for everything, so that what cannot be evaluated is found before it is live."""
    for journey in rules.journeys.values():
        for point in journey.touchpoints.values():
            climb(rules, Place(journey.key, point.key), Question("try-out", {"id": "try-out"}))
