"""Promoting a path: the patch of the winner done to the standard, and undone."""

from datetime import datetime

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.decisions.schemas import Maps
from experiments.design.schemas import ExperimentOut
from experiments.errors import ConflictError, InvalidError, MergeConflictError
from experiments.journeys import queries as journeys
from experiments.journeys.divergence import divergence
from experiments.journeys.merging import merge
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.schemas import InFlight, JourneyGraph
from experiments.probation.schemas import Kept


def conflicts(
    experiment: ExperimentOut, base: JourneyGraph, current: JourneyGraph
) -> tuple[str, ...]:
    """The places where what changed since the start contradicts what a variant changes."""
    found = [
        place
        for arm in experiment.treatments
        if arm.patch is not None
        for place in merge(base, current, apply(arm.patch, base)).conflicts
    ]
    return tuple(dict.fromkeys(found))


def merged(
    session: Session,
    experiment: ExperimentOut,
    variant: str,
    current: JourneyGraph,
    *,
    actor: Actor,  # noqa: ARG001 (a message needs who and when)
    now: datetime,  # noqa: ARG001
) -> JourneyGraph:
    """The current standard with the path of a variant.

    What changed elsewhere since the start stays. Where both changed the same place the operations
    of the winner are done to the current standard, which only a person asks for.

    Raises:
        ConflictError: when an operation does not fit the current standard any more.
    """
    base = journeys.version(session, experiment.journey, experiment.base_version).graph
    winner = next(arm for arm in experiment.variants if arm.key == variant)
    patch = winner.patch or JourneyPatch(operations=[])
    found = merge(base, current, apply(patch, base)).graph
    if found is not None:
        return found
    try:
        return apply(patch, current)
    except InvalidError as error:
        message = f"The winning path does not fit the standard any more ({error}); decline it."
        raise ConflictError(message) from error


def overwritten(_experiment: ExperimentOut, maps: Maps) -> tuple[str, ...]:
    """The places where somebody has changed since what the promotion changed."""
    return merge(maps.promoted.graph, maps.current.graph, maps.earlier.graph).conflicts


def undone(experiment: ExperimentOut, maps: Maps) -> JourneyGraph:
    """The current standard with the path from before a promotion.

    Raises:
        MergeConflictError: when somebody has changed what the promotion changed.
    """
    found = merge(maps.promoted.graph, maps.current.graph, maps.earlier.graph)
    if found.graph is None:
        raise MergeConflictError(experiment.journey, found.conflicts)
    return found.graph


def in_flight(experiment: ExperimentOut) -> InFlight:
    """The plan says whom a better path reaches of those who are under way."""
    return experiment.plan.in_flight


def kept(_session: Session, _experiment: ExperimentOut, maps: Maps) -> Kept | None:
    """The earlier path; nothing when nobody could be counted on both."""
    parted = divergence(maps.earlier.graph, [maps.promoted.graph])
    if parted is None or not parted.touchpoints:
        return None
    return Kept(version=maps.earlier.number, parting=parted)
