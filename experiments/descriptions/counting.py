"""Counts of an experiment's visitors, under the names that its arms and groups have."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from experiments.analysis.data import Cell
from experiments.analysis.moments import cell
from experiments.descriptions.personas import by_persona
from experiments.design.schemas import ExperimentOut
from experiments.metrics.schemas import MetricKind, MetricOut
from experiments.moments.duck import DuckEngine
from experiments.moments.groups import groupings, members
from experiments.moments.schemas import paired

Cells = Mapping[str, Mapping[str, list[Cell]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Visitors of one arm and phase who left at one step, converted or not followed farther."""

    variant: str
    phase: int
    step: int
    converted: bool
    visitors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """The cells of a metric by an attribute: by value, then by variant, one per phase."""

    attribute: str
    cells: Cells


def followed(
    session: Session,
    experiment: ExperimentOut,
    *,
    engine: DuckEngine,
    metric: MetricOut,
    as_of: datetime,
) -> list[Followed]:
    """How long every visitor was followed, in whole steps, and whether they converted in them."""
    variants, phases = _names(experiment)
    return [
        Followed(
            variant=variants[row.variant],
            phase=phases[row.phase],
            step=row.step,
            converted=row.converted,
            visitors=row.visitors,
        )
        for row in engine.follow(session, experiment.id, metric=metric, as_of=as_of)
    ]


def divisions(
    session: Session,
    experiment: ExperimentOut,
    *,
    engine: DuckEngine,
    metric: MetricOut,
    as_of: datetime,
) -> list[Division]:
    """The cells of a metric by persona and by every attribute that makes a few groups."""
    variants, phases = _names(experiment)
    found = groupings(session, experiment.id)
    rows = members(session, experiment.id, found)
    if by := by_persona(session, experiment.id, number=-len(found) - 1):
        found, rows = [by[0], *found], [*by[1], *rows]
    answers = engine.answer_by(session, experiment.id, found, rows, metric=metric, as_of=as_of)
    divided = []
    for grouping, answer in zip(found, answers, strict=True):
        cells: dict[str, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
        for sums in answer.sums[metric.key]:
            arm, place = paired(sums.variant)
            variant, phase = variants[arm], phases[sums.phase]
            made = cell(sums, variant, phase, is_ratio=metric.kind is MetricKind.RATIO)
            cells[_named(grouping.values[place])][variant].append(made)
        divided.append(Division(attribute=grouping.attribute, cells=cells))
    return divided


def _names(experiment: ExperimentOut) -> tuple[dict[int, str], dict[int, int]]:
    return (
        {variant.id: variant.key for variant in experiment.variants},
        {phase.id: phase.number for phase in experiment.phases},
    )


def _named(value: str) -> str:
    """A value as people write it: text without quotes, yes and no."""
    plain = json.loads(value)
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    return plain if isinstance(plain, str) else value
