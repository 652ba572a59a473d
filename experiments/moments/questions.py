"""Inquiries as numbered rows: what the generated SQL joins instead of knowing any metric."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from experiments.database import MICROSECOND
from experiments.metrics.schemas import EventRule, MetricKind, MetricOut
from experiments.moments.schemas import AMOUNT_SCALE, Inquiry, Population

HOUR = timedelta(hours=1) // MICROSECOND
UNLIMITED = 10**17
"""No visitor brings more than a hundred thousand million; a squared sum keeps inside 38 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Events of a name, those that a condition lets through, with a property that is an amount."""

    number: int
    event: EventRule
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One metric of one population, and how a visitor's hits become their outcome.

    The outcome is `per_hit` for each hit plus the amounts if `is_valued`, at most `most`; of one
    that `is_met_once` only the first hit matters.
    """

    number: int
    population: int
    metric: MetricOut
    rule: int
    below: int | None
    is_valued: bool
    is_met_once: bool
    scale: int
    per_hit: int
    most: int

    @property
    def window(self) -> int:
        """Microseconds from the exposure on in which events count."""
        return self.metric.window_hours * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Hits within a span that are grouped once, for every slot whose outcome they tell."""

    number: int
    population: int
    rule: int
    below: int | None
    span: int

    def tells(self, slot: Slot) -> bool:
        """Whether a slot of the same population needs no track of its own.

        The first hit of a longer span tells whether there was one in a shorter.
        """
        is_long_enough = self.span == slot.window or (slot.is_met_once and self.span > slot.window)
        return (self.rule, self.below) == (slot.rule, slot.below) and is_long_enough


@dataclass(slots=True)
class Questions:
    """Everything that is asked at once, each rule and population once."""

    populations: list[Population] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    tracks: dict[int, Track] = field(default_factory=dict)
    """By slot: where its hits are grouped."""
    rules: list[Rule] = field(default_factory=list)
    delays: dict[int, int] = field(default_factory=dict)
    """By population: the rule whose events shall tell how late they come."""

    @property
    def is_valued(self) -> bool:
        """Whether any outcome is made of amounts."""
        return any(slot.is_valued for slot in self.slots)

    @property
    def has_ratios(self) -> bool:
        """Whether any outcome has a denominator."""
        return any(slot.below is not None for slot in self.slots)

    @property
    def has_counts(self) -> bool:
        """Whether it matters for any outcome how many hits there were."""
        return any(slot.metric.kind is MetricKind.COUNT for slot in self.slots)

    @property
    def experiments(self) -> set[int]:
        """Every experiment that a population is of."""
        alone = {population.experiment for population in self.populations}
        return alone | {
            population.beside for population in self.populations if population.beside is not None
        }

    @property
    def names(self) -> set[str]:
        """Every name of an event that counts for something."""
        return {rule.event.event for rule in self.rules}

    def rule(self, event: EventRule, amount: str = "") -> int:
        """The number of a rule; a new one when nobody asked for it before."""
        for known in self.rules:
            if known.event == event and known.amount == amount:
                return known.number
        self.rules.append(Rule(number=len(self.rules), event=event, amount=amount))
        return len(self.rules) - 1


def numbered(inquiries: Sequence[Inquiry]) -> Questions:
    """Number everything that the inquiries ask for."""
    asked = Questions()
    for number, inquiry in enumerate(inquiries):
        asked.populations.append(inquiry.population)
        slots = list(_slots(asked, number, inquiry.metrics))
        asked.slots += slots
        asked.tracks |= _tracks(slots)
        if inquiry.delays_of is not None:
            # Whatever the condition: every event of that name tells how its source does.
            asked.delays[number] = asked.rule(EventRule(event=inquiry.delays_of.event))
    return asked


def _slots(asked: Questions, population: int, metrics: Iterable[MetricOut]) -> Iterable[Slot]:
    for place, metric in enumerate(metrics, start=len(asked.slots)):
        is_valued = metric.kind in {MetricKind.SUM, MetricKind.RATIO}
        cap = metric.winsorise_above
        scale = AMOUNT_SCALE if is_valued or cap is not None else 1
        most = UNLIMITED if cap is None else min(round(cap * AMOUNT_SCALE), UNLIMITED)
        is_met_once = metric.kind is MetricKind.CONVERSION
        yield Slot(
            number=place,
            population=population,
            metric=metric,
            rule=asked.rule(metric.rule, metric.value_property if is_valued else ""),
            below=None if metric.denominator is None else asked.rule(metric.denominator),
            is_valued=is_valued,
            is_met_once=is_met_once,
            scale=1 if is_met_once else scale,
            per_hit=0 if is_valued else 1 if is_met_once else scale,
            most=1 if is_met_once else most,
        )


def _tracks(slots: Sequence[Slot]) -> dict[int, Track]:
    """The tracks of one population, by slot; those that others can share are laid first."""
    found: list[Track] = []
    by_slot = {}
    for slot in sorted(slots, key=lambda slot: (slot.is_met_once, -slot.window)):
        track = next((track for track in found if track.tells(slot)), None)
        if track is None:
            track = Track(
                number=slot.number,
                population=slot.population,
                rule=slot.rule,
                below=slot.below,
                span=slot.window,
            )
            found.append(track)
        by_slot[slot.number] = track
    return by_slot
