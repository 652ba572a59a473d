"""The rules that a journey's map must keep; pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from experiments.errors import Problem
from experiments.journeys.schemas import ContentOut, JourneyGraph, Slot, Touchpoint

Contents = Mapping[tuple[str, int], ContentOut]
"""Content by key and number."""


def problems(
    graph: JourneyGraph,
    *,
    metrics: Collection[str],
    contents: Contents,
    for_publishing: bool = False,
) -> list[Problem]:
    """What is wrong with the map, each with its place; content must be approved to be published.

    Args:
        graph: the map.
        metrics: keys of the metrics in the catalogue.
        contents: what the slots may show.
        for_publishing: whether the map is about to become the standard.
    """
    return [
        *_doubled_keys(graph),
        *_unknown_stages(graph),
        *_unreachable_goal(graph),
        *_missing_metrics(graph, metrics),
        *_unfit_slots(graph, contents, for_publishing=for_publishing),
    ]


def reachable(graph: JourneyGraph, start: str) -> set[str]:
    """Keys of the stages that can be entered from `start`, itself included."""
    following = {stage.key: stage.next for stage in graph.stages}
    found: set[str] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key in following and key not in found:
            found.add(key)
            waiting.extend(following[key])
    return found


def reachable_from_entries(graph: JourneyGraph) -> set[str]:
    """Keys of the stages that can be entered at all."""
    return set().union(*(reachable(graph, entry) for entry in graph.entry_points))


def touchpoints(graph: JourneyGraph) -> Iterator[tuple[str, Touchpoint]]:
    """Every touchpoint with its JSON pointer."""
    for number, stage in enumerate(graph.stages):
        for place, touchpoint in enumerate(stage.touchpoints):
            yield f"/graph/stages/{number}/touchpoints/{place}", touchpoint


def slots(graph: JourneyGraph) -> Iterator[tuple[str, Slot]]:
    """Every slot with its JSON pointer."""
    for pointer, touchpoint in touchpoints(graph):
        for place, slot in enumerate(touchpoint.slots):
            yield f"{pointer}/slots/{place}", slot


def _doubled_keys(graph: JourneyGraph) -> Iterator[Problem]:
    stages = [(f"/graph/stages/{n}", stage.key) for n, stage in enumerate(graph.stages)]
    points = [(pointer, touchpoint.key) for pointer, touchpoint in touchpoints(graph)]
    places = [(pointer, slot.key) for pointer, slot in slots(graph)]
    for kind, keys in (("stage", stages), ("touchpoint", points), ("slot", places)):
        uses = Counter(key for _, key in keys)
        for pointer, key in keys:
            if uses[key] > 1:
                detail = f"{uses[key]} {kind}s have the key {key!r}; give each its own"
                yield Problem(f"{pointer}/key", detail)


def _unknown_stages(graph: JourneyGraph) -> Iterator[Problem]:
    named = [(f"/graph/entry_points/{n}", key) for n, key in enumerate(graph.entry_points)]
    named.append(("/graph/goal", graph.goal))
    for number, stage in enumerate(graph.stages):
        named += [(f"/graph/stages/{number}/next/{n}", key) for n, key in enumerate(stage.next)]
    for pointer, key in named:
        if graph.stage(key) is None:
            yield Problem(pointer, f"there is no stage {key!r}; add it or name another")


def _unreachable_goal(graph: JourneyGraph) -> Iterator[Problem]:
    for number, entry in enumerate(graph.entry_points):
        known = graph.stage(entry) is not None and graph.stage(graph.goal) is not None
        if known and graph.goal not in reachable(graph, entry):
            detail = (
                f"the goal {graph.goal!r} cannot be reached from {entry!r}; "
                "connect the stages between them with `next`"
            )
            yield Problem(f"/graph/entry_points/{number}", detail)


def _missing_metrics(graph: JourneyGraph, metrics: Collection[str]) -> Iterator[Problem]:
    named = [
        (f"/graph/stages/{n}/goal_metric", stage.goal_metric)
        for n, stage in enumerate(graph.stages)
    ]
    for pointer, touchpoint in touchpoints(graph):
        if touchpoint.promise is not None and touchpoint.promise.metric is not None:
            named.append((f"{pointer}/promise/metric", touchpoint.promise.metric))
    for pointer, key in named:
        if key not in metrics:
            yield Problem(pointer, f"there is no metric {key!r}; create it or name another")


def _unfit_slots(
    graph: JourneyGraph, contents: Contents, *, for_publishing: bool
) -> Iterator[Problem]:
    for pointer, slot in slots(graph):
        content = contents.get((slot.content, slot.content_version))
        name = f"content {slot.content!r} version {slot.content_version}"
        if content is None:
            yield Problem(f"{pointer}/content", f"there is no {name}; add it or name another")
        elif content.type is not slot.type:
            detail = f"{name} is of type {content.type}, the slot of type {slot.type}"
            yield Problem(f"{pointer}/type", f"{detail}; change one of them")
        elif for_publishing and content.approved_at is None:
            yield Problem(f"{pointer}/content", f"{name} is not approved; approve it first")
