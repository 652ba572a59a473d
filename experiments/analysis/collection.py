"""Which metrics a readout is about, and where their figures come from."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from experiments.analysis.arrivals import arm_flows, source_delays
from experiments.analysis.data import Cell, ExperimentData
from experiments.analysis.moments import contaminated, live_cells, live_split, newest_exposure
from experiments.analysis.protocol import Question
from experiments.analysis.schemas import Role
from experiments.analysis.stored import newest_stored, stored_cells, stored_split
from experiments.design.paths import judged_stages
from experiments.design.schemas import ExperimentOut, Level, Purpose, Source
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import JourneyGraph, Stage
from experiments.metrics.queries import metric


def questions(session: Session, experiment: ExperimentOut) -> tuple[Question, ...]:
    """The metrics of an experiment, each once with all its roles, then the later stages' goals."""
    graph = journeys.version(session, experiment.journey, experiment.base_version).graph
    stages: dict[str, str] = {}
    for stage in _later_stages(graph, experiment):
        stages.setdefault(stage.goal_metric, stage.key)
    margins = {guardrail.metric: guardrail.margin for guardrail in experiment.guardrails}
    return tuple(
        Question(
            metric=metric(session, key),
            roles=_roles(key, experiment, stages),
            stage=stages.get(key),
            margin=margins.get(key),
        )
        for key in dict.fromkeys([*experiment.metrics, *stages])
    )


def collect(
    session: Session,
    experiment: ExperimentOut,
    asked: Sequence[Question],
    *,
    as_of: datetime,
) -> ExperimentData:
    """Everything a readout needs, live or imported, as it was known at `as_of`."""
    if experiment.source is Source.LIVE:
        return _live(session, experiment, asked, as_of=as_of)
    return _stored(session, experiment, asked, as_of=as_of)


def _live(
    session: Session, experiment: ExperimentOut, asked: Sequence[Question], *, as_of: datetime
) -> ExperimentData:
    primary = next(item.metric for item in asked if Role.PRIMARY in item.roles)
    return ExperimentData(
        cells={
            item.metric.key: live_cells(session, experiment.id, metric=item.metric, as_of=as_of)
            for item in asked
        },
        split=live_split(session, experiment.id, as_of=as_of),
        contaminated=contaminated(session, experiment.id, as_of=as_of),
        newest_at=newest_exposure(session, experiment.id, as_of=as_of),
        flows=arm_flows(session, experiment.id, as_of=as_of),
        delays=source_delays(session, experiment.id, metric=primary, as_of=as_of),
    )


def _stored(
    session: Session, experiment: ExperimentOut, asked: Sequence[Question], *, as_of: datetime
) -> ExperimentData:
    cells: dict[str, list[Cell]] = {
        item.metric.key: stored_cells(session, experiment, metric=item.metric, as_of=as_of)
        for item in asked
    }
    return ExperimentData(
        cells=cells,
        split=stored_split(cells[experiment.primary_metric]),
        contaminated=0,
        newest_at=newest_stored(session, experiment.id, as_of=as_of),
    )


def _later_stages(graph: JourneyGraph, experiment: ExperimentOut) -> list[Stage]:
    """What is judged later: of a path what all paths lead to, else from the touchpoint on."""
    if experiment.purpose is Purpose.HOLDOUT:
        return graph.stages
    if experiment.level is Level.PATH:
        return judged_stages(experiment, graph)
    touchpoint = experiment.touchpoint
    holds = [any(point.key == touchpoint for point in stage.touchpoints) for stage in graph.stages]
    return graph.stages[holds.index(True) :] if True in holds else []


def _roles(key: str, experiment: ExperimentOut, stages: dict[str, str]) -> tuple[Role, ...]:
    guarded = {guardrail.metric for guardrail in experiment.guardrails}
    plays = {
        Role.PRIMARY: key == experiment.primary_metric,
        Role.SECONDARY: key in experiment.secondary_metrics,
        Role.GUARDRAIL: key in guarded,
        Role.STAGE: key in stages,
    }
    return tuple(role for role, is_played in plays.items() if is_played)
