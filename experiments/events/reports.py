"""Counting the exposures that clients report by themselves."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from experiments.assignment import queries as visitors
from experiments.assignment import service as assignment
from experiments.assignment.bucketing import bucket
from experiments.assignment.identity import Claim
from experiments.assignment.schemas import AssignedBy
from experiments.design import queries as design
from experiments.design.schemas import ExperimentOut, PhaseOut, VariantOut
from experiments.errors import NotFoundError
from experiments.events.exposures import Viewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiments:
    """The experiments that a batch speaks of, each looked up once."""

    session: Session
    found: dict[str, ExperimentOut | None] = field(default_factory=dict)

    def get(self, key: str) -> ExperimentOut | None:
        """The experiment of that key, if there is one."""
        if key not in self.found:
            try:
                self.found[key] = design.experiment(self.session, key)
            except NotFoundError:
                self.found[key] = None
        return self.found[key]


def count(
    experiments: Experiments, report: Viewed, *, visitor: str, visitor_id: int, at: datetime
) -> None:
    """Count a reported exposure; whoever has no arm yet is in the one that they were shown."""
    experiment = experiments.get(report.experiment)
    if experiment is None:
        return
    variant, phase = _variant(experiment, report.variant), _phase(experiment, at)
    if variant is None or phase is None:
        return
    claim = Claim(
        variant_id=variant.id,
        phase_id=phase.id,
        bucket=bucket(experiment.salt, visitor),
        propensity=phase.weights.get(variant.key, variant.weight),
        method=AssignedBy.REPORT,
        assigned_at=at,
        contaminated=False,
    )
    session = experiments.session
    ids = {"experiment_id": experiment.id, "visitor_id": visitor_id}
    assignment.assign(session, claim, **ids)
    stored = visitors.assignment(session, **ids)
    if stored.variant_id != variant.id:
        assignment.contaminate(session, **ids)
    assignment.expose(session, **ids, variant_id=stored.variant_id, phase_id=stored.phase_id, at=at)


def _variant(experiment: ExperimentOut, said: str) -> VariantOut | None:
    """The variant of that key, or of that position, as some clients say."""
    by_key = {variant.key: variant for variant in experiment.variants}
    if said in by_key or not (said.isascii() and said.isdigit()):
        return by_key.get(said)
    position = int(said)
    return experiment.variants[position] if position < len(experiment.variants) else None


def _phase(experiment: ExperimentOut, at: datetime) -> PhaseOut | None:
    """The phase that was open at a time, if the experiment was taking visitors then."""
    if experiment.stopped_at is not None and at >= experiment.stopped_at:
        return None
    opened = [phase for phase in experiment.phases if phase.started_at <= at]
    return max(opened, key=lambda phase: phase.number, default=None)
