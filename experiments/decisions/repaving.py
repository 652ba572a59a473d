"""Promoting a path: the patch of the winner done to the standard, and undone; pure."""

from experiments.design.schemas import ExperimentOut
from experiments.errors import ConflictError, InvalidError, MergeConflictError
from experiments.journeys.merging import merge
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.schemas import JourneyGraph


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


def repaved(
    experiment: ExperimentOut, variant: str, *, base: JourneyGraph, current: JourneyGraph
) -> JourneyGraph:
    """The current standard with the path of a variant.

    What changed elsewhere since the start stays. Where both changed the same place the operations
    of the winner are done to the current standard, which only a person asks for.

    Raises:
        ConflictError: when an operation does not fit the current standard any more.
    """
    patch = next(arm.patch for arm in experiment.variants if arm.key == variant) or JourneyPatch(
        operations=[]
    )
    merged = merge(base, current, apply(patch, base)).graph
    if merged is not None:
        return merged
    try:
        return apply(patch, current)
    except InvalidError as error:
        message = f"The winning path does not fit the standard any more ({error}); decline it."
        raise ConflictError(message) from error


def unpaved(
    journey: str, *, earlier: JourneyGraph, promoted: JourneyGraph, current: JourneyGraph
) -> JourneyGraph:
    """The current standard with the path from before a promotion.

    Raises:
        MergeConflictError: when somebody has changed what the promotion changed.
    """
    merged = merge(promoted, current, earlier)
    if merged.graph is None:
        raise MergeConflictError(journey, merged.conflicts)
    return merged.graph
