"""What is asked of the events, and the sums that answer it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from experiments.metrics.schemas import EventRule, MetricOut

AMOUNT_SCALE = 1_000_000
"""Amounts are added as whole millionths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The visitors exposed to an experiment, or those also exposed to another one beside it.

    Beside another, everybody's variant is a pair: `paired` tells the two apart.
    """

    experiment: int
    beside: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What shall be known of a population: its metrics, and how late one rule's events come."""

    population: Population
    metrics: tuple[MetricOut, ...]
    delays_of: EventRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """One metric in one arm and phase: exact sums over visitors whose window is over, or is not.

    `y` is the outcome in units of 1 / `scale`, `d` the denominator of a ratio, `delay` the whole
    minutes that converters took.
    """

    variant: int
    phase: int
    visitors: int
    matured: int
    conversions: int = 0
    observed_conversions: int = 0
    y: int = 0
    yy: int = 0
    d: int = 0
    dd: int = 0
    yd: int = 0
    observed_y: int = 0
    delay: int = 0
    delay_squares: int = 0
    scale: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """How many visitors were first exposed in one hour since 1970 in one arm and phase."""

    variant: int
    phase: int
    hour: int
    visitors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How many events of one source came after the exposure, and how many of them late."""

    source: str
    events: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that is known of one population."""

    sums: Mapping[str, Sequence[Sums]] = field(default_factory=dict)
    joined: Sequence[Joined] = ()
    newest_at: datetime | None = None
    sent: Sequence[Sent] = ()


PAIR = 1 << 31


def paired(variant: int) -> tuple[int, int]:
    """The variant in the experiment and the variant in the one beside it."""
    return divmod(variant, PAIR)
