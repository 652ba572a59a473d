"""What becomes of the rows of one chunk."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from experiments.imports.fields import RefusedError
from experiments.imports.reading import Row
from experiments.imports.schemas import Refusal

SOURCE = "import"
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One row that was not stored, and why."""

    row: Row
    error: RefusedError


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts while rows are stored."""

    rows: int = 0
    stored: int = 0
    repeated: int = 0
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, row: Row, error: RefusedError) -> None:
        """Count a row as refused."""
        self.refused.append(Refused(row=row, error=error))

    def refuse_all(self, rows: Iterable[Row], error: RefusedError) -> None:
        """Count rows as refused for one reason."""
        for row in rows:
            self.refuse(row, error)

    @property
    def reasons(self) -> Counter[Refusal]:
        """How many rows were refused, by kind of reason."""
        return Counter(refused.error.refusal for refused in self.refused)


def read_row(read: Callable[[Row], Told], row: Row) -> Told:
    """What a row tells.

    Raises:
        RefusedError: when it is not whole, or says what cannot be read.
    """
    if row.problem:
        raise RefusedError(row.problem)
    return read(row)
