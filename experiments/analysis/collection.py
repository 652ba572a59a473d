"""Which metrics a readout is about, and where their figures come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from experiments.analysis import moments
from experiments.analysis.arrivals import arm_flows, contaminated
from experiments.analysis.data import Cell, ExperimentData
from experiments.analysis.protocol import Question
from experiments.analysis.schemas import Role
from experiments.analysis.stored import newest_stored, stored_cells, stored_split
from experiments.design.paths import judged_stages
from experiments.design.schemas import ExperimentOut, Level, Purpose, Source
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import JourneyGraph, Stage
from experiments.metrics.queries import metric
from experiments.metrics.schemas import MetricKind
from experiments.moments.engines import Engine
from experiments.moments.schemas import Answer, Inquiry, Population


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An experiment and the questions that its figures shall answer."""

    experiment: ExperimentOut
    questions: tuple[Question, ...]


def collect(
    session: Session, asked: Sequence[Asked], *, engine: Engine, as_of: datetime
) -> list[ExperimentData]:
    """Everything that readouts need, as it was known at `as_of`; all that is live in one pass."""
    live = [one for one in asked if one.experiment.source is Source.LIVE]
    found = engine.answer(session, [_inquiry(one) for one in live], as_of=as_of) if live else []
    answers = {one.experiment.id: answer for one, answer in zip(live, found, strict=True)}
    return [
        _live(session, one, answers[one.experiment.id], as_of=as_of)
        if one.experiment.id in answers
        else _stored(session, one.experiment, one.questions, as_of=as_of)
        for one in asked
    ]


def _inquiry(asked: Asked) -> Inquiry:
    primary = next(item.metric for item in asked.questions if Role.PRIMARY in item.roles)
    return Inquiry(
        population=Population(experiment=asked.experiment.id),
        metrics=tuple(item.metric for item in asked.questions),
        delays_of=primary.rule,
    )


def _live(session: Session, asked: Asked, answer: Answer, *, as_of: datetime) -> ExperimentData:
    experiment = asked.experiment
    kinds = {item.metric.key: item.metric.kind for item in asked.questions}
    return ExperimentData(
        cells={
            key: moments.cells(experiment, sums, is_ratio=kinds[key] is MetricKind.RATIO)
            for key, sums in answer.sums.items()
        },
        split=moments.split(experiment, answer),
        contaminated=contaminated(session, experiment.id, as_of=as_of),
        newest_at=answer.newest_at,
        flows=arm_flows(session, experiment.id, as_of=as_of),
        delays=moments.source_delays(answer),
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
