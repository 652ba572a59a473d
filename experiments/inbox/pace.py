"""How often a sender may send, counted in this process."""

from math import ceil

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from experiments.clock import SystemClock
from experiments.errors import TooOftenError


class Pace:
    """Counts the requests of each token, when there is a limit."""

    def __init__(self, per_minute: int | None) -> None:
        self._allowed = None if per_minute is None else RateLimitItemPerMinute(per_minute)
        self._counting = SlidingWindowCounterRateLimiter(MemoryStorage())

    def keep(self, token_id: int) -> None:
        """Count a request.

        Raises:
            TooOftenError: when the token has made all its requests of this minute.
        """
        if self._allowed is None or self._counting.hit(self._allowed, str(token_id)):
            return
        left = self._counting.get_window_stats(self._allowed, str(token_id))
        # By the machine's clock, as the package counts; a demonstration's clock runs faster.
        raise TooOftenError(max(1, ceil(left.reset_time - SystemClock().now().timestamp())))
