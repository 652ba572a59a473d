"""The only place that reads the clock; everything else is given `now`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time to an entry point."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratedClock:
    """A clock that runs `speed` times faster than the machine's, for demonstrations.

    Processes that share `started_at` (machine time) and `epoch` (told time) agree on the time.
    """

    started_at: datetime
    epoch: datetime
    speed: float

    def now(self) -> datetime:
        """The epoch plus the accelerated time since the start."""
        elapsed = datetime.now(UTC) - self.started_at
        return self.epoch + timedelta(seconds=elapsed.total_seconds() * self.speed)
