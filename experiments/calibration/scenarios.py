"""What is simulated: the site, the plan, the ramp, and the hidden truth of every experiment."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from experiments.analysis.belief import STATED_PRIOR
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.schemas import Role
from experiments.design.plans import Plan
from experiments.metrics.schemas import EventRule, MetricKind, MetricOut
from stats.arrays import FloatArray
from stats.priors import MixturePrior

CONTROL = "control"
PRIMARY = "primary"
GUARDRAIL = "guardrail"
START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""

HOUR = timedelta(hours=1)
HOURS_PER_DAY = 24

WEEK_TRAFFIC = np.array([1.1, 1.1, 1.05, 1.05, 1.0, 0.8, 0.9])
WEEK_CONVERSION = np.array([0.9, 0.9, 0.9, 0.9, 1.0, 1.25, 1.15])
DAY_TRAFFIC = 1 - 0.8 * np.cos(2 * np.pi * (np.arange(HOURS_PER_DAY) + 0.5) / HOURS_PER_DAY)
"""People come by day rather than by night, and convert more on weekends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """From which hour on which part of the visitors sees a treatment, all of them together."""

    from_hour: int
    treated: float


STEADY = (Ramp(from_hour=0, treated=0.5),)
RAMPED = (
    Ramp(from_hour=0, treated=0.05),
    Ramp(from_hour=72, treated=0.2),
    Ramp(from_hour=168, treated=0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of experiment on one kind of site.

    Attributes:
        kind: kind of the primary metric.
        treatments: variants beside the control.
        ramps: the phases; variants share the treated part evenly.
        visitors_per_day: of all arms together.
        rate: share of the control's visitors that convert.
        guardrail_rate: the same for a guardrail; None without one.
        margin: relative margin of the guardrail.
        days: planned recruitment.
        window_hours: conversion window, a multiple of `look_hours`.
        look_hours: hours between two looks.
        minimum_lift: smallest relative change worth finding, by plan.
        prior: what past experiments say about the size of effects.
    """

    kind: MetricKind = MetricKind.CONVERSION
    treatments: int = 1
    ramps: tuple[Ramp, ...] = STEADY
    visitors_per_day: float = 1000.0
    rate: float = 0.05
    guardrail_rate: float | None = None
    margin: float = 0.02
    days: int = 28
    window_hours: int = 24
    look_hours: int = 1
    minimum_lift: float = 0.1
    prior: MixturePrior = STATED_PRIOR

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm, control first."""
        return (CONTROL, *(f"variant-{number + 1}" for number in range(self.treatments)))

    @property
    def looks(self) -> int:
        """Looks from the first matured visitor to the end of the horizon."""
        return self.days * HOURS_PER_DAY // self.look_hours

    @property
    def lag(self) -> int:
        """Steps between an exposure and the end of its window."""
        return self.window_hours // self.look_hours

    @property
    def steps(self) -> int:
        """Steps of the calendar, from the first exposure to the last look."""
        return self.looks + self.lag

    @property
    def starts(self) -> list[int]:
        """The step at which each phase starts."""
        return [ramp.from_hour // self.look_hours for ramp in self.ramps]

    @property
    def shares(self) -> FloatArray:
        """Planned share of every arm in every phase, shape (phases, arms)."""
        treated = np.array([ramp.treated for ramp in self.ramps])
        each = np.repeat(treated[:, None] / self.treatments, self.treatments, axis=1)
        return np.hstack([1 - treated[:, None], each])

    @property
    def plan(self) -> Plan:
        """What was agreed before the start."""
        return Plan(
            minimum_lift=self.minimum_lift,
            maximum_days=self.days,
            visitors_per_week=round(self.visitors_per_day * 7),
        )

    @property
    def questions(self) -> tuple[Question, ...]:
        """The primary metric, and the guardrail if there is one."""
        primary = Question(metric=_metric(PRIMARY, self.kind, self), roles=(Role.PRIMARY,))
        if self.guardrail_rate is None:
            return (primary,)
        metric = _metric(GUARDRAIL, MetricKind.CONVERSION, self)
        return (primary, Question(metric=metric, roles=(Role.GUARDRAIL,), margin=self.margin))

    def calendar_fraction(self, look: int) -> float:
        """Elapsed share of the horizon at a look, counted from 1."""
        return look / self.looks

    def as_of(self, look: int) -> datetime:
        """When a look is taken."""
        return START + (look + self.lag) * self.look_hours * HOUR

    def protocol(self, look: int, *, name: str) -> Protocol:
        """What the readout of a look is asked."""
        return Protocol(
            experiment=name,
            as_of=self.as_of(look),
            control=CONTROL,
            treatments=self.arms[1:],
            weights={
                number: dict(zip(self.arms, shares, strict=True))
                for number, shares in enumerate(self.shares.tolist(), start=1)
            },
            plan=self.plan,
            questions=self.questions,
            calendar_fraction=self.calendar_fraction(look),
            matured_days=look * self.look_hours / HOURS_PER_DAY,
            finished=look == self.looks,
            prior=self.prior,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is hidden in each experiment and arm; arrays of shape (experiments, arms).

    Attributes:
        arrivals: share of the arm's visitors that is really recorded.
        rates: true rate of the primary metric among those.
        values: factor on what a conversion is worth.
        guardrail_rates: true rate of the guardrail.
    """

    arrivals: FloatArray
    rates: FloatArray
    values: FloatArray
    guardrail_rates: FloatArray

    def part(self, first: int, last: int) -> "Truth":
        """The experiments from `first` up to, not including, `last`."""
        return Truth(
            arrivals=self.arrivals[first:last],
            rates=self.rates[first:last],
            values=self.values[first:last],
            guardrail_rates=self.guardrail_rates[first:last],
        )


def alike(scenario: Scenario, experiments: int, *, lift: float = 0.0) -> Truth:
    """Treatments that all differ from the control by the same relative lift, or by nothing."""
    shape = (experiments, len(scenario.arms))
    is_treated = np.arange(shape[1]) > 0
    factors = np.broadcast_to(np.where(is_treated, 1 + lift, 1.0), shape)
    is_rate = scenario.kind is MetricKind.CONVERSION
    return Truth(
        arrivals=np.ones(shape),
        rates=scenario.rate * (factors if is_rate else np.ones(shape)),
        values=np.ones(shape) if is_rate else factors,
        guardrail_rates=np.full(shape, scenario.guardrail_rate or 0.0),
    )


def _metric(key: str, kind: MetricKind, scenario: Scenario) -> MetricOut:
    return MetricOut(
        id=1,
        key=key,
        name=key,
        kind=kind,
        rule=EventRule(event=key),
        value_property="" if kind is MetricKind.CONVERSION else "value",
        denominator=EventRule(event="order") if kind is MetricKind.RATIO else None,
        window_hours=scenario.window_hours,
        direction="increase",
        winsorise_above=None,
        unit="",
        description="",
        created_at=START,
    )
