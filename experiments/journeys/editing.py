"""Small changes to a map that are no other path: order, words and rules of its nodes; pure."""

from collections.abc import Sequence
from typing import TypeVar

from experiments.errors import NotFoundError
from experiments.journeys.schemas import JourneyGraph, Stage, Touchpoint

Node = TypeVar("Node", Stage, Touchpoint)


def stage_moved(graph: JourneyGraph, key: str, by: int) -> JourneyGraph:
    """The map with a stage so many places later, or earlier; at the ends it stays."""
    return graph.model_copy(update={"stages": _moved(graph.stages, _stage(graph, key), by)})


def stage_written(graph: JourneyGraph, stage: Stage) -> JourneyGraph:
    """The map with a stage as it is given, in the place of the one with its key.

    Raises:
        NotFoundError: when the map has no such stage.
    """
    before = _stage(graph, stage.key)
    stages = [stage if each is before else each for each in graph.stages]
    return graph.model_copy(update={"stages": stages})


def touchpoint_moved(graph: JourneyGraph, key: str, by: int) -> JourneyGraph:
    """The map with a touchpoint so many places later in its stage, or earlier.

    Raises:
        NotFoundError: when the map has no such touchpoint.
    """
    stage, point = graph.stage_of(key), graph.touchpoint(key)
    if stage is None or point is None:
        raise NotFoundError("touchpoint", key)
    points = _moved(stage.touchpoints, point, by)
    return stage_written(graph, stage.model_copy(update={"touchpoints": points}))


def _stage(graph: JourneyGraph, key: str) -> Stage:
    found = graph.stage(key)
    if found is None:
        raise NotFoundError("stage", key)
    return found


def _moved(nodes: Sequence[Node], node: Node, by: int) -> list[Node]:
    others = [each for each in nodes if each is not node]
    place = min(max(list(nodes).index(node) + by, 0), len(others))
    others.insert(place, node)
    return others
