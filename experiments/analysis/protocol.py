"""What a readout is asked: the arms, phases, metrics and plan of one experiment, at one time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from experiments.analysis.belief import STATED_PRIOR
from experiments.analysis.schemas import Role
from experiments.design.plans import Plan
from experiments.design.schemas import ExperimentOut, Source
from experiments.metrics.schemas import MetricOut
from stats.priors import MixturePrior

DAY = timedelta(days=1)
DEFAULT_N_STAR = 10_000.0
"""Where always-valid intervals are narrowest when the plan does not say how many will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One metric with the roles it plays."""

    metric: MetricOut
    roles: tuple[Role, ...]
    stage: str | None = None
    margin: float | None = None

    @property
    def window(self) -> timedelta:
        """How long after the exposure events count."""
        return timedelta(hours=self.metric.window_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Everything a readout needs to know beside the data."""

    experiment: str
    as_of: datetime
    control: str
    treatments: tuple[str, ...]
    weights: dict[int, dict[str, float]]
    plan: Plan
    questions: tuple[Question, ...]
    calendar_fraction: float
    matured_days: float
    finished: bool
    prior: MixturePrior = STATED_PRIOR
    called: Mapping[str, str] = field(default_factory=dict)

    @property
    def variants(self) -> tuple[str, ...]:
        """Every arm, control first."""
        return (self.control, *self.treatments)

    @property
    def planned_visitors(self) -> float | None:
        """Visitors that the plan expects in a treatment and the control together."""
        weekly = self.plan.visitors_per_week
        if weekly is None:
            return None
        return weekly * self.plan.maximum_days / 7 * 2 / len(self.variants)

    @property
    def n_star(self) -> float:
        """Visitors at which always-valid intervals are narrowest."""
        return self.planned_visitors or DEFAULT_N_STAR


def protocol(
    experiment: ExperimentOut,
    questions: tuple[Question, ...],
    *,
    as_of: datetime,
    prior: MixturePrior = STATED_PRIOR,
) -> Protocol:
    """The protocol of `experiment` at `as_of`.

    The calendar runs over the planned recruitment, delayed by the primary metric's window: it
    reaches 1 when the last visitor of the plan has matured, and depends on nothing observed.
    """
    window = _primary_window(experiment, questions)
    matured = _matured_time(experiment, window, as_of=as_of)
    calendar = (as_of - window - (experiment.started_at or as_of)) / DAY
    fraction = max(calendar, 0.0) / experiment.plan.maximum_days
    is_total = experiment.source is Source.TOTALS
    return Protocol(
        experiment=experiment.key,
        as_of=as_of,
        control=experiment.control.key,
        treatments=tuple(variant.key for variant in experiment.treatments),
        weights={phase.number: _shares(phase.weights) for phase in experiment.phases},
        plan=experiment.plan,
        questions=questions,
        calendar_fraction=1.0 if is_total else min(fraction, 1.0),
        matured_days=matured / DAY,
        finished=is_total or fraction >= 1 or _all_matured(experiment, window, as_of=as_of),
        prior=prior,
        called={variant.key: variant.called for variant in experiment.variants},
    )


def _primary_window(experiment: ExperimentOut, questions: tuple[Question, ...]) -> timedelta:
    # Imported figures arrive with their windows already over.
    if experiment.source is not Source.LIVE:
        return timedelta(0)
    return next(item.window for item in questions if Role.PRIMARY in item.roles)


def _matured_time(experiment: ExperimentOut, window: timedelta, *, as_of: datetime) -> timedelta:
    """How much of the recruitment's calendar has matured."""
    start = experiment.started_at or as_of
    end = min(as_of - window, experiment.stopped_at or as_of)
    return max(end - start, timedelta(0))


def _all_matured(experiment: ExperimentOut, window: timedelta, *, as_of: datetime) -> bool:
    return experiment.stopped_at is not None and experiment.stopped_at + window <= as_of


def _shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {variant: weight / total for variant, weight in weights.items() if weight > 0}
