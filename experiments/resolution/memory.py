"""What is stored of the visitors who asked a moment ago, so that a repeat reads nothing."""

from threading import Lock
from time import monotonic

from experiments.assignment.schemas import Known

KEEP_SECONDS = 1.0
CAPACITY = 20_000
MARKS = 1 << 20  # one byte each
MOST_MARKED = MARKS // 4


class Memory:
    """Remembers visitors for one to two seconds, and at most `capacity` twice over.

    Two generations: what is asked for again is in the younger; when that is full or old enough it
    becomes the elder and the elder is forgotten. So nothing that another process changes (ids tied
    together, attributes, a person erased) is overlooked for longer than two generations.

    That somebody was here at all is marked for much longer, in a byte that a few others share:
    whoever was is worth a look into the database, of a stranger there is nothing to be found.
    """

    def __init__(self, *, keep_seconds: float = KEEP_SECONDS, capacity: int = CAPACITY) -> None:
        self._keep_seconds = keep_seconds
        self._capacity = capacity
        self._turning = Lock()
        self._unmark()
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
        mark = hash(visitor) % MARKS
        if not self._marks[mark]:
            self._marks[mark] = 1
            self._marked += 1
            if self._marked > MOST_MARKED:
                self._unmark()

    def has_met(self, visitor: str) -> bool:
        """Whether a visitor was here; now and then it says so of a stranger."""
        return bool(self._marks[hash(visitor) % MARKS])

    def forget(self) -> None:
        """Forget everybody."""
        self._young: dict[str, Known] = {}
        self._elder: dict[str, Known] = {}
        self._turn_at = monotonic() + self._keep_seconds

    def _unmark(self) -> None:
        self._marks = bytearray(MARKS)
        self._marked = 0

    def _turn(self) -> None:
        with self._turning:
            if monotonic() < self._turn_at and len(self._young) < self._capacity:
                return  # another thread was first
            is_recent = monotonic() < self._turn_at + self._keep_seconds
            self._elder = self._young if is_recent else {}
            self._young = {}
            self._turn_at = monotonic() + self._keep_seconds
