"""Promoting a message: the winner's content put into its slot, and the earlier one put back."""

from datetime import datetime

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.decisions.schemas import Maps
from experiments.design.schemas import ExperimentOut
from experiments.errors import ConflictError, NotFoundError
from experiments.journeys import queries
from experiments.journeys import service as journeys
from experiments.journeys.schemas import ContentIn, InFlight, JourneyGraph, Slot
from experiments.probation.schemas import Kept

LONGEST_KEY = 80


def conflicts(
    experiment: ExperimentOut, base: JourneyGraph, current: JourneyGraph
) -> tuple[str, ...]:
    """The slot, if somebody has written to it since the start."""
    return changed_nodes(base, current, touchpoint=experiment.touchpoint, slot=experiment.slot)


def merged(
    session: Session,
    experiment: ExperimentOut,
    variant: str,
    current: JourneyGraph,
    *,
    actor: Actor,
    now: datetime,
) -> JourneyGraph:
    """The current standard with the variant's content, which is added and approved for it.

    Raises:
        ConflictError: when the slot is gone.
    """
    slot = current.slot(experiment.touchpoint, experiment.slot)
    if slot is None:
        place = f"{experiment.touchpoint}/{experiment.slot}"
        message = f"The standard journey has no slot {place} any more; decline the promotion."
        raise ConflictError(message)
    winner = next(item for item in experiment.variants if item.key == variant)
    key = f"{experiment.key}.{variant}"[:LONGEST_KEY]
    data = ContentIn(key=key, type=slot.type, payload=winner.content)
    added = journeys.add_content(session, experiment.journey, data, actor=actor, now=now)
    journeys.approve_content(
        session, experiment.journey, added.key, added.number, actor=actor, now=now
    )
    return _filled(experiment, current, added.key, added.number)


def overwritten(experiment: ExperimentOut, maps: Maps) -> tuple[str, ...]:
    """The slot, if somebody has written to it since the promotion."""
    return conflicts(experiment, maps.promoted.graph, maps.current.graph)


def undone(experiment: ExperimentOut, maps: Maps) -> JourneyGraph:
    """The current standard with the content that the slot had before the promotion."""
    slot = maps.earlier.graph.slot(experiment.touchpoint, experiment.slot)
    if slot is None:
        raise NotFoundError("slot", f"{experiment.touchpoint}/{experiment.slot}")
    return _filled(experiment, maps.current.graph, slot.content, slot.content_version)


def in_flight(_experiment: ExperimentOut) -> InFlight:
    """A better message reaches everybody at once."""
    return InFlight.NOW


def kept(session: Session, experiment: ExperimentOut, maps: Maps) -> Kept | None:
    """What the slot showed; nothing when it was new."""
    slot = maps.earlier.graph.slot(experiment.touchpoint, experiment.slot)
    if slot is None:
        return None
    shown = queries.content(session, experiment.journey, slot.content, slot.content_version)
    return Kept(version=maps.promoted.number, content=shown.payload)


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


def _filled(
    experiment: ExperimentOut, graph: JourneyGraph, content: str, number: int
) -> JourneyGraph:
    place = {"touchpoint": experiment.touchpoint, "slot": experiment.slot}
    return with_content(graph, **place, content=content, number=number)


def _replaced(slots: list[Slot], key: str, content: str, number: int) -> list[Slot]:
    update = {"content": content, "content_version": number}
    return [slot.model_copy(update=update) if slot.key == key else slot for slot in slots]
