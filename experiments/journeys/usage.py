"""Which stages of the standard journeys are measured by which metric."""

from collections import defaultdict

from sqlmodel import Session

from experiments.journeys import queries
from experiments.shapes import Out


class MeasuredStage(Out):
    """A stage of a standard journey."""

    journey: str
    stage: str


def stages_by_metric(session: Session) -> dict[str, list[MeasuredStage]]:
    """The stages whose goal a metric is, by the metric's key."""
    found: dict[str, list[MeasuredStage]] = defaultdict(list)
    for key in queries.keys(session).values():
        standard = queries.standard(session, key)
        for stage in standard.graph.stages if standard else ():
            found[stage.goal_metric].append(MeasuredStage(journey=key, stage=stage.name))
    return dict(found)
