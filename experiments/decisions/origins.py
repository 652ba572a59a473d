"""Since which version each node of a map is what it is; pure."""

from collections.abc import Sequence
from typing import Any

from experiments.journeys.schemas import JourneyGraph


def origins(published: Sequence[tuple[int, JourneyGraph]]) -> dict[str, int]:
    """The number of the version that made each node of the newest map what it is.

    Args:
        published: number and map of every version that was the standard, the oldest first.

    Returns:
        By node: `stages/aware`, `touchpoints/hero` or `touchpoints/hero/slots/headline`.
    """
    since: dict[str, int] = {}
    before: dict[str, Any] = {}
    for number, graph in published:
        now = _nodes(graph)
        since = {
            node: since[node] if node in before and before[node] == value else number
            for node, value in now.items()
        }
        before = now
    return since


def _nodes(graph: JourneyGraph) -> dict[str, Any]:
    """Every stage, touchpoint and slot, each without what lies inside it."""
    found: dict[str, Any] = {}
    for stage in graph.stages:
        found[f"stages/{stage.key}"] = stage.model_dump(exclude={"touchpoints"})
        for point in stage.touchpoints:
            place = f"touchpoints/{point.key}"
            found[place] = (stage.key, point.model_dump(exclude={"slots"}))
            found |= {f"{place}/slots/{slot.key}": slot.model_dump() for slot in point.slots}
    return found
