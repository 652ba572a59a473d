"""Where the paths of an experiment part, and which stages they have in common again; pure."""

from collections.abc import Sequence

from experiments.journeys.graph import reachable
from experiments.journeys.schemas import JourneyGraph, Stage, Touchpoint
from experiments.shapes import Out


class Divergence(Out):
    """Where paths part: the last stage that they share, and what is asked for first after it.

    Asking for any of `touchpoints` is arriving where the paths part, in every arm: also in one
    that leaves the touchpoint out, which would have been shown it.
    """

    stage: str
    touchpoints: tuple[str, ...]


def divergence(base: JourneyGraph, others: Sequence[JourneyGraph]) -> Divergence | None:
    """Where the paths part; None when they do not, or part before the first common stage."""
    if any(other.entry_points != base.entry_points for other in others):
        return None
    parting = next((stage.key for stage in _in_order(base) if _differs(stage, others)), None)
    if parting is None:
        return None
    differing = (key for other in others for key in differing_touchpoints(base, other))
    return Divergence(stage=parting, touchpoints=tuple(dict.fromkeys(differing)))


def differing_touchpoints(base: JourneyGraph, other: JourneyGraph) -> list[str]:
    """Touchpoints of either map that are not in the other, or not the same, or not in the place."""
    before, after = _places(base, other), _places(other, base)
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


def common_later_stages(
    base: JourneyGraph, others: Sequence[JourneyGraph], *, after: str
) -> list[Stage]:
    """Stages that everybody can still reach after the paths parted, whichever path they walk."""
    reached = [reachable(graph, after) for graph in (base, *others)]
    common = set.intersection(*reached) - {after}
    return [
        stage
        for stage in base.stages
        if stage.key in common and all(_enters_alike(stage, other) for other in others)
    ]


def _in_order(graph: JourneyGraph) -> list[Stage]:
    """The stages in the order in which they can be entered first; those of the map break ties."""
    found: list[str] = []
    waiting = list(graph.entry_points)
    while waiting:
        key = waiting.pop(0)
        stage = graph.stage(key)
        if stage is not None and key not in found:
            found.append(key)
            # Whoever is beside the path has left it, so that a way through there comes last.
            waiting += sorted(stage.next, key=lambda item: _is_beside(graph, item))
    return [stage for key in found for stage in graph.stages if stage.key == key]


def _is_beside(graph: JourneyGraph, key: str) -> bool:
    stage = graph.stage(key)
    return stage is not None and stage.kind.is_beside


def _differs(stage: Stage, others: Sequence[JourneyGraph]) -> bool:
    return any(other.stage(stage.key) not in (stage, None) for other in others)


def _enters_alike(stage: Stage, other: JourneyGraph) -> bool:
    there = other.stage(stage.key)
    return there is not None and (there.entry_rule, there.goal_metric) == (
        stage.entry_rule,
        stage.goal_metric,
    )


def _places(graph: JourneyGraph, other: JourneyGraph) -> dict[str, tuple[str, str, Touchpoint]]:
    """Stage, neighbour before and definition of each touchpoint, by key.

    Only what both maps have in that stage is a neighbour, so that one that comes or goes does not
    make others differ.
    """
    places = {}
    for stage in graph.stages:
        there = other.stage(stage.key)
        common = {point.key for point in there.touchpoints} if there else set()
        neighbour = ""
        for point in stage.touchpoints:
            places[point.key] = (stage.key, neighbour, point)
            neighbour = point.key if point.key in common else neighbour
    return places
