"""How many calls a token may make in a minute, told in every answer."""

from math import ceil

from flask import Response, current_app, g
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from werkzeug.exceptions import TooManyRequests

from api.requests import runtime
from experiments.accounts.schemas import Grant
from experiments.clock import SystemClock

WINDOW_SECONDS = 60


def limiter() -> SlidingWindowCounterRateLimiter:
    """Counts calls in this process."""
    return SlidingWindowCounterRateLimiter(MemoryStorage())


def count() -> None:
    """Count this call.

    Raises:
        TooManyRequests: when the token has made all its calls of this minute.
    """
    granted: Grant = g.grant
    counting: SlidingWindowCounterRateLimiter = current_app.extensions["api_rate"]
    allowed = RateLimitItemPerMinute(runtime().settings.api_calls_per_minute)
    permitted = counting.hit(allowed, str(granted.token_id))
    left = counting.get_window_stats(allowed, str(granted.token_id))
    seconds = max(1, ceil(left.reset_time - SystemClock().now().timestamp()))
    g.rate = {
        "RateLimit-Policy": f'"token";q={allowed.amount};w={WINDOW_SECONDS}',
        "RateLimit": f'"token";r={left.remaining};t={seconds}',
    }
    if not permitted:
        message = f"This token has made its {allowed.amount} calls of this minute; wait."
        raise TooManyRequests(message, retry_after=seconds)


def tell(response: Response) -> Response:
    """Add to an answer how many calls are left."""
    response.headers.extend(g.get("rate", {}))
    return response
