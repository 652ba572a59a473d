"""Merging a variant into the standard journey: what conflicts, and the map that results; pure."""

from experiments.journeys.schemas import JourneyGraph, Slot


def changed_nodes(
    before: JourneyGraph, after: JourneyGraph, *, touchpoint: str, slot: str
) -> tuple[str, ...]:
    """The nodes that a message experiment writes to and that differ between two maps."""
    first, second = before.slot(touchpoint, slot), after.slot(touchpoint, slot)
    return () if first == second else (f"touchpoints/{touchpoint}/slots/{slot}",)


def with_content(
    graph: JourneyGraph, *, touchpoint: str, slot: str, content: str, number: int
) -> JourneyGraph:
    """The map with another standard content in one slot."""
    stages = []
    for stage in graph.stages:
        points = [
            point.model_copy(update={"slots": _replaced(point.slots, slot, content, number)})
            if point.key == touchpoint
            else point
            for point in stage.touchpoints
        ]
        stages.append(stage.model_copy(update={"touchpoints": points}))
    return graph.model_copy(update={"stages": stages})


def _replaced(slots: list[Slot], key: str, content: str, number: int) -> list[Slot]:
    update = {"content": content, "content_version": number}
    return [slot.model_copy(update=update) if slot.key == key else slot for slot in slots]
