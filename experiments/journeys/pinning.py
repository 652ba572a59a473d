"""Which version people in flight walk while the standard goes on; pure.

Whoever is under way keeps the *path* of the version they began with. What was published since says
who of them changes path: nobody (`pinned`), each at their next stage, or everybody now. The content
of a slot that both paths share follows the standard, so that a better message reaches them too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from experiments.journeys.schemas import InFlight, JourneyGraph, Slot, Stage, Touchpoint
from experiments.shapes import Out


class Publication(Out):
    """A version that became the standard, and what it meant for people in flight."""

    number: int
    graph: JourneyGraph
    published_at: datetime
    in_flight: InFlight


def in_force(publications: Sequence[Publication], at: datetime) -> Publication | None:
    """The standard at a time; before the first publication the first one, for imported history."""
    earlier = [item for item in publications if item.published_at <= at]
    if earlier:
        return earlier[-1]
    return publications[0] if publications else None


def walked(
    publications: Sequence[Publication], number: int, *, until: datetime, at_next_stage: bool
) -> Publication:
    """What somebody walks who was on version `number`, after what was published until a time.

    Args:
        publications: every publication, the oldest first.
        number: the version they were on.
        until: later publications do not count.
        at_next_stage: whether they enter another stage at that time.
    """
    current = next(item for item in publications if item.number == number)
    following = publications[publications.index(current) + 1 :]
    before = current
    for item in following:
        if item.published_at > until:
            break
        is_path_new = path_of(item.graph) != path_of(before.graph)
        if not is_path_new:
            moves = before is current
        else:
            moves = item.in_flight is InFlight.NOW or (
                at_next_stage and item.in_flight is InFlight.NEXT_STAGE
            )
        current = item if moves else current
        before = item
    return current


def carried(publications: Sequence[Publication], number: int) -> JourneyGraph:
    """The map of a version with the newest content of every slot that its path shares."""
    numbers = [item.number for item in publications]
    chain = publications[numbers.index(number) :]
    graph = chain[0].graph
    slots = {
        (point.key, slot.key): slot
        for stage in graph.stages
        for point in stage.touchpoints
        for slot in point.slots
    }
    for before, after in pairwise(chain):
        is_path_new = path_of(before.graph) != path_of(after.graph)
        for place, slot in slots.items():
            follows = before.graph.slot(*place) == slot and not is_path_new
            slots[place] = (after.graph.slot(*place) or slot) if follows else slot
    return _with_slots(graph, slots)


def path_of(graph: JourneyGraph) -> object:
    """What makes the path: stages, what leads where, touchpoints; not what the slots say."""
    return graph.entry_points, graph.goal, [_stage_path(stage) for stage in graph.stages]


def _stage_path(stage: Stage) -> object:
    points = [
        (
            point.key,
            point.channels,
            point.wait_hours,
            [(slot.key, slot.type) for slot in point.slots],
        )
        for point in stage.touchpoints
    ]
    return stage.key, stage.kind, stage.entry_rule, stage.next, points


def _with_slots(graph: JourneyGraph, slots: Mapping[tuple[str, str], Slot]) -> JourneyGraph:
    def filled(point: Touchpoint) -> Touchpoint:
        new = [slots[point.key, slot.key] for slot in point.slots]
        return point.model_copy(update={"slots": new})

    stages = [
        stage.model_copy(update={"touchpoints": [filled(point) for point in stage.touchpoints]})
        for stage in graph.stages
    ]
    return graph.model_copy(update={"stages": stages})
