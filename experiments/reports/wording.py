"""What visitors read before and after a change of the standard, in the words they read."""

from sqlmodel import Session

from experiments.journeys import queries
from experiments.journeys.schemas import JourneyGraph, Slot
from experiments.reports.schemas import Reworded

Place = tuple[str, str]


def reworded(session: Session, journey: str, before: int, after: int) -> list[Reworded]:
    """The slots that show something else in version `after` than in version `before`."""
    earlier = _slots(queries.version(session, journey, before).graph)
    later = _slots(queries.version(session, journey, after).graph)
    said = {(item.key, item.number): item.payload for item in queries.contents(session, journey)}
    return [
        Reworded(
            touchpoint=place[0],
            slot=place[1],
            before=said[earlier[place].content, earlier[place].content_version],
            after=said[slot.content, slot.content_version],
        )
        for place, slot in later.items()
        if place in earlier and earlier[place] != slot
    ]


def _slots(graph: JourneyGraph) -> dict[Place, Slot]:
    return {
        (point.name, slot.key): slot
        for stage in graph.stages
        for point in stage.touchpoints
        for slot in point.slots
    }
