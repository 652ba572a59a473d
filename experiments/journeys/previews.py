"""Trying a patch on a map without storing anything: the map that results and where paths part."""

from pydantic import Field
from sqlmodel import Session

from experiments.errors import ConflictError
from experiments.journeys import queries
from experiments.journeys.differences import differences
from experiments.journeys.divergence import Divergence, common_later_stages, divergence
from experiments.journeys.graph import problems
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.schemas import Change, JourneyGraph
from experiments.metrics import queries as metrics
from experiments.shapes import In, Out


class PatchPreviewIn(In):
    """A patch to try, on the standard or on another version."""

    patch: JourneyPatch
    version: int | None = Field(default=None, ge=1, description="The standard if left out.")


class PatchProblem(Out):
    """A rule of maps that the result breaks: place and fix."""

    pointer: str
    detail: str


class PatchPreviewOut(Out):
    """What a patch makes of a map."""

    journey: str
    version: int
    before: JourneyGraph
    graph: JourneyGraph
    changes: list[Change]
    divergence: Divergence | None = Field(description="Where the paths part, if they do so late.")
    common_stages: list[str] = Field(description="What a test of the two could be judged by.")
    problems: list[PatchProblem]


def preview(session: Session, journey: str, data: PatchPreviewIn) -> PatchPreviewOut:
    """Try a patch; nothing is stored.

    Raises:
        NotFoundError: when there is no such journey or version.
        ConflictError: when no version is named and nothing has been published.
        InvalidError: when an operation does not fit, naming it.
    """
    number = data.version or queries.journey(session, journey).standard
    if number is None:
        message = f"The journey {journey!r} has no standard version; name a version."
        raise ConflictError(message)
    before = queries.version(session, journey, number).graph
    after = apply(data.patch, before)
    parted = divergence(before, [after])
    later = common_later_stages(before, [after], after=parted.stage) if parted else []
    broken = problems(
        after,
        metrics={metric.key for metric in metrics.metrics(session)},
        contents={(item.key, item.number): item for item in queries.contents(session, journey)},
        for_publishing=True,
    )
    return PatchPreviewOut(
        journey=journey,
        version=number,
        before=before,
        graph=after,
        changes=differences(before, after),
        divergence=parted,
        common_stages=[stage.key for stage in later],
        problems=[PatchProblem.model_validate(item) for item in broken],
    )
