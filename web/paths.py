"""The picture of an experiment on paths: the base beside every path, and where they part."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.design.paths import Walked, maps, parting
from experiments.design.schemas import ExperimentIn, ExperimentOut, Level
from experiments.errors import InvalidError
from experiments.journeys.divergence import differing_touchpoints
from experiments.journeys.schemas import JourneyGraph, Stage, Touchpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A touchpoint of a path, and whether the paths differ in it."""

    name: str
    differs: bool
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stage of a path: whether another path lacks it, and whether the paths part behind it."""

    name: str
    points: tuple[Point, ...]
    only_here: bool
    parts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One column of the picture."""

    name: str
    stops: tuple[Stop, ...]


def paths(experiment: ExperimentIn | ExperimentOut, base: JourneyGraph) -> tuple[Path, ...]:
    """The columns, the control first; none when this is no experiment on paths or one cannot be."""
    if experiment.level is not Level.PATH:
        return ()
    variants: Sequence[Walked] = experiment.variants
    try:
        made, parted = maps(variants, base), parting(variants, base)
    except InvalidError:
        return ()
    stage = parted.stage if parted else ""
    names = [variant.name or variant.key for variant in experiment.variants]
    control = next(item for item in experiment.variants if item.control)
    columns = [(control.name or control.key, base, list(made.values()))]
    columns += [(names[number], graph, [base]) for number, graph in made.items()]
    return tuple(
        Path(name=name, stops=tuple(_stop(each, graph, others, stage) for each in graph.stages))
        for name, graph, others in columns
    )


def _stop(stage: Stage, graph: JourneyGraph, others: Sequence[JourneyGraph], parting: str) -> Stop:
    differing = {key for other in others for key in differing_touchpoints(graph, other)}
    return Stop(
        name=stage.name,
        points=tuple(_point(point, differing) for point in stage.touchpoints),
        only_here=any(other.stage(stage.key) is None for other in others),
        parts=stage.key == parting,
    )


def _point(point: Touchpoint, differing: set[str]) -> Point:
    waits = f", after {point.wait_hours} h" if point.wait_hours else ""
    about = ", ".join(point.channels) + waits
    return Point(name=point.name, differs=point.key in differing, about=about)
