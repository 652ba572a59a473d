"""Slows down whoever guesses passwords."""

from flask import current_app
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

FAILURES_ALLOWED = 8
ALLOWED = RateLimitItemPerMinute(FAILURES_ALLOWED, multiples=5)


def limiter() -> MovingWindowRateLimiter:
    """Counts failures of the last five minutes in this process."""
    return MovingWindowRateLimiter(MemoryStorage())


def is_open(key: str) -> bool:
    """Whether another attempt is allowed for this key (address and e-mail)."""
    return _limiter().test(ALLOWED, key)


def failed(key: str) -> None:
    """Remember a failed attempt."""
    _limiter().hit(ALLOWED, key)


def _limiter() -> MovingWindowRateLimiter:
    found: MovingWindowRateLimiter = current_app.extensions["login_limiter"]
    return found
