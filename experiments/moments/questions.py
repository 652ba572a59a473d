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

    The outcome is `per_hit` for each hit plus the amounts if `is_valued`, at most `most`.
    """

    number: int
    population: int
    metric: MetricOut
    rule: int
    below: int | None
    is_valued: bool
    scale: int
    per_hit: int
    most: int

    @property
    def window(self) -> int:
        """Microseconds from the exposure on in which events count."""
        return self.metric.window_hours * HOUR


@dataclass(slots=True)
class Questions:
    """Everything that is asked at once, each rule and population once."""

    populations: list[Population] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
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
        asked.slots += list(_slots(asked, number, inquiry.metrics))
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
        is_counted_once = metric.kind is MetricKind.CONVERSION
        yield Slot(
            number=place,
            population=population,
            metric=metric,
            rule=asked.rule(metric.rule, metric.value_property if is_valued else ""),
            below=None if metric.denominator is None else asked.rule(metric.denominator),
            is_valued=is_valued,
            scale=1 if is_counted_once else scale,
            per_hit=0 if is_valued else 1 if is_counted_once else scale,
            most=1 if is_counted_once else most,
        )
