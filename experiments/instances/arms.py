"""Which path the visitors of an experiment walk, as the publications that they come past."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.assignment.models import Assignment
from experiments.design import queries as designs
from experiments.design.schemas import ExperimentOut, Level, Purpose, VariantOut
from experiments.errors import InvalidError
from experiments.journeys.patches import apply
from experiments.journeys.pinning import Publication
from experiments.journeys.schemas import JourneyGraph

ON_PATHS = (Purpose.TEST, Purpose.PROBATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathArm:
    """An arm of an experiment on paths."""

    experiment: ExperimentOut
    variant: VariantOut

    def walked(self, published: Sequence[Publication]) -> Sequence[Publication]:
        """What was published, with the path of this arm in place of what it differs from."""
        if self.variant.patch is not None:
            return [item.model_copy(update={"graph": self._patched(item)}) for item in published]
        if self.experiment.purpose is Purpose.PROBATION and self.variant.control:
            return self._kept(published)
        return published

    def _patched(self, item: Publication) -> JourneyGraph:
        try:
            return apply(self.variant.patch, item.graph) if self.variant.patch else item.graph
        except InvalidError:  # of another path, before the experiment or after its promotion
            return item.graph

    def _kept(self, published: Sequence[Publication]) -> Sequence[Publication]:
        """The earlier path in place of what was published while it was held back."""
        base, until = self.experiment.base_version, self.experiment.ended_at
        earlier = next(item.graph for item in published if item.number == base)
        return [
            item.model_copy(update={"graph": earlier})
            if item.number > base and (until is None or item.published_at < until)
            else item
            for item in published
        ]


def path_arms(
    session: Session, journey: str, visitors: Collection[int], *, at: datetime | None = None
) -> Mapping[int, PathArm]:
    """The newest arm of each visitor in an experiment on the paths of the journey.

    Args:
        session: the transaction.
        journey: key of the journey.
        visitors: whose arms.
        at: only what was assigned by then; everything when nothing.
    """
    arms = {
        variant.id: PathArm(experiment=experiment, variant=variant)
        for experiment in designs.experiments(session, journey=journey, purposes=ON_PATHS)
        if experiment.level is Level.PATH
        for variant in experiment.variants
    }
    query = select(Assignment.visitor_id, Assignment.variant_id).where(
        col(Assignment.visitor_id).in_(visitors), col(Assignment.variant_id).in_(arms)
    )
    if at is not None:
        query = query.where(col(Assignment.assigned_at) <= at)
    rows = session.exec(query.order_by(col(Assignment.assigned_at)))
    return {visitor: arms[variant] for visitor, variant in rows}
