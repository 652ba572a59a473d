"""Counting the exposures that clients report by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection
from sqlmodel import Session

from experiments.assignment.bucketing import bucket
from experiments.assignment.recording import Meeting, Met, record_reported
from experiments.assignment.schemas import StoredArm
from experiments.database import from_micros
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


class Report(NamedTuple):
    """What a client says it has shown, to whom under which id, and when, in microseconds."""

    viewed: Viewed
    visitor: str
    visitor_id: int
    at: int


def count(connection: Connection, experiments: Experiments, reports: Sequence[Report]) -> None:
    """Count reported exposures; what speaks of nothing that runs counts nowhere."""
    met = [found for report in reports if (found := _met(experiments, report)) is not None]
    if met:
        record_reported(connection, met)


def _met(experiments: Experiments, report: Report) -> Met | None:
    experiment = experiments.get(report.viewed.experiment)
    if experiment is None:
        return None
    variant = _variant(experiment, report.viewed.variant)
    phase = _phase(experiment, from_micros(report.at))
    if variant is None or phase is None:
        return None
    arm = StoredArm(variant.id, phase.id, bucket(experiment.salt, report.visitor))
    propensity = phase.weights.get(variant.key, variant.weight)
    meeting = Meeting(experiment.id, arm, propensity, is_new=True, is_seen=True)
    return Met(report.visitor_id, report.at, meeting)


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
