"""What is stored of the visitors who asked a moment ago, so that a repeat reads nothing."""

from threading import Lock
from time import monotonic

from experiments.assignment.schemas import Known

KEEP_SECONDS = 1.0
CAPACITY = 20_000


class Memory:
    """Remembers visitors for one to two seconds, and at most `capacity` twice over.

    Two generations: what is asked for again is in the younger; when that is full or old enough it
    becomes the elder and the elder is forgotten. So nothing that another process changes (ids tied
    together, attributes, a person erased) is overlooked for longer than two generations.
    """

    def __init__(self, *, keep_seconds: float = KEEP_SECONDS, capacity: int = CAPACITY) -> None:
        self._keep_seconds = keep_seconds
        self._capacity = capacity
        self._turning = Lock()
        self.forget()

    def get(self, visitor: str) -> Known | None:
        """What is stored of a visitor, if it is remembered."""
        if monotonic() >= self._turn_at:
            self._turn()
        return self._young.get(visitor) or self._elder.get(visitor)

    def put(self, visitor: str, known: Known) -> None:
        """Remember what is stored of a visitor."""
        if len(self._young) >= self._capacity:
            self._turn()
        self._young[visitor] = known

    def forget(self) -> None:
        """Forget everybody."""
        self._young: dict[str, Known] = {}
        self._elder: dict[str, Known] = {}
        self._turn_at = monotonic() + self._keep_seconds

    def _turn(self) -> None:
        with self._turning:
            if monotonic() < self._turn_at and len(self._young) < self._capacity:
                return  # another thread was first
            is_recent = monotonic() < self._turn_at + self._keep_seconds
            self._elder = self._young if is_recent else {}
            self._young = {}
            self._turn_at = monotonic() + self._keep_seconds
