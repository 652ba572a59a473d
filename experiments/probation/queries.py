"""Reading probations."""

from collections.abc import Sequence

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experiments.design.models import Experiment
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.metrics.models import Metric
from experiments.probation.models import Probation
from experiments.probation.schemas import ProbationOut, ProbationState


def probations(
    session: Session, *, states: Sequence[ProbationState] = (), experiment: str = ""
) -> list[ProbationOut]:
    """Probations, the newest first, in these states and of one test if named."""
    tested, comparison = aliased(Experiment), aliased(Experiment)
    query = (
        select(Probation, tested, comparison, Metric)
        .join(tested, col(Probation.promoted_id) == col(tested.id))
        .join(comparison, col(Probation.comparison_id) == col(comparison.id))
        .join(Metric, col(Metric.key) == col(tested.primary_metric))
        .order_by(col(Probation.id).desc())
    )
    if states:
        query = query.where(col(Probation.state).in_(states))
    if experiment:
        query = query.where(tested.key == experiment)
    keys = journeys.keys(session)
    return [
        _out(row, test, journey=keys[test.journey_id], comparison=other.key, metric=metric)
        for row, test, other, metric in session.exec(query)
    ]


def probation(session: Session, promotion_id: int) -> ProbationOut:
    """The probation of one promotion.

    Raises:
        NotFoundError: when it has none.
    """
    found = find(session, promotion_id)
    if found is None:
        raise NotFoundError("probation of promotion", promotion_id)
    return found


def find(session: Session, promotion_id: int) -> ProbationOut | None:
    """The probation of one promotion, if it has one."""
    found = (item for item in probations(session) if item.promotion_id == promotion_id)
    return next(found, None)


def _out(
    row: Probation, tested: Experiment, *, journey: str, comparison: str, metric: Metric
) -> ProbationOut:
    return ProbationOut.model_validate(
        {
            **row.model_dump(),
            "experiment": tested.key,
            "name": tested.name,
            "journey": journey,
            "comparison": comparison,
            "metric": metric.key,
            "metric_name": metric.name,
            "direction": metric.direction,
        }
    )
