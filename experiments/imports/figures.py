"""Figures of whole arms, from totals and from snapshots: one shape, one way to store them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from experiments.imports.fields import RefusedError
from experiments.imports.schemas import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric of one arm so far: the mean over its visitors, and squared deviations summed."""

    variant: str
    measure: str
    as_of: datetime
    visitors: int
    mean: float
    m2: float

    @property
    def place(self) -> tuple[str, str, datetime]:
        """What there can be only one figure of."""
        return self.variant, self.measure, self.as_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """The figures that one row tells, and of which experiment."""

    experiment: str
    experiment_name: str
    names: Mapping[str, str]
    started_at: datetime
    figures: tuple[Figure, ...]


def in_words(told: FigureRow) -> dict[str, str]:
    """What the row tells, for people."""
    words = {"experiment": told.experiment}
    for figure in told.figures:
        place = f"{figure.variant}: {figure.measure}"
        words[place] = f"{figure.mean:.6g} of {figure.visitors} by {figure.as_of:%Y-%m-%d %H:%M}"
    return words


def conversions(visitors: int, converted: float) -> tuple[float, float]:
    """Mean and summed squared deviations of a yes-or-no outcome.

    >>> conversions(4, 1)
    (0.25, 0.75)

    Raises:
        RefusedError: when more converted than there were visitors.
    """
    if converted > visitors:
        message = f"{converted:g} conversions of {visitors} visitors"
        raise RefusedError(message)
    rate = converted / visitors
    return rate, visitors * rate * (1 - rate)


def check_agreement(before: Figure | None, figure: Figure) -> None:
    """Refuse a figure that says otherwise than one that is there.

    Raises:
        RefusedError: naming both.
    """
    if before is None or (before.visitors, before.mean) == (figure.visitors, figure.mean):
        return
    message = (
        f"{figure.measure} of {figure.variant!r} at {figure.as_of:%Y-%m-%d %H:%M} is there already "
        f"with {before.visitors} visitors and mean {before.mean:g}, "
        f"here it is {figure.visitors} and {figure.mean:g}"
    )
    raise RefusedError(message, Refusal.CONFLICT)
