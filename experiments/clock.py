"""The only place that reads the clock; everything else is given `now`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from struct import Struct
from typing import Protocol

_SECONDS = Struct("d")


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


@dataclass(frozen=True, slots=True)
class SteppedClock:
    """A clock that somebody moves by hand, shared by several processes through a file.

    A demonstration moves it as fast as the machine keeps up, so that a slow machine takes longer
    and tells the same story.
    """

    path: Path

    def now(self) -> datetime:
        """The time that was set last."""
        return datetime.fromtimestamp(_SECONDS.unpack(self.path.read_bytes())[0], UTC)

    def set(self, at: datetime) -> None:
        """Move the clock; a reader sees the time before or the time after, never half of each."""
        with self.path.open("r+b" if self.path.exists() else "wb", buffering=0) as file:
            file.write(_SECONDS.pack(at.timestamp()))
