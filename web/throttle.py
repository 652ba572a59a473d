"""Slows down whoever guesses passwords."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(minutes=5)
FAILURES_ALLOWED = 8
KEYS_REMEMBERED = 10_000


@dataclass(slots=True)
class Throttle:
    """Counts recent failures per key (address and e-mail) in this process."""

    _failures: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def is_open(self, key: str, now: datetime) -> bool:
        """Whether another attempt is allowed."""
        with self._lock:
            return len(self._recent(key, now)) < FAILURES_ALLOWED

    def failed(self, key: str, now: datetime) -> None:
        """Remember a failed attempt."""
        with self._lock:
            recent = self._recent(key, now)
            recent.append(now)
            if len(self._failures) >= KEYS_REMEMBERED:
                self._failures.clear()
            self._failures[key] = recent

    def _recent(self, key: str, now: datetime) -> deque[datetime]:
        recent = self._failures.get(key, deque())
        while recent and now - recent[0] > WINDOW:
            recent.popleft()
        return recent
