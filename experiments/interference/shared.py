"""Visitors who are in two experiments at once, and their figures by both arms."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CTE, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from experiments.analysis.data import Cell
from experiments.analysis.moments import cells_of, people_of
from experiments.assignment.models import Exposure
from experiments.design.schemas import ExperimentOut
from experiments.metrics.schemas import MetricOut

BETWEEN = "/"
"""Stands between the two variants in the name of a cell; no key has it."""


def sharing(
    session: Session, ids: Sequence[int], *, at_least: int, as_of: datetime
) -> list[tuple[int, int]]:
    """The pairs of experiments, by id, that have enough visitors in common."""
    one, other = aliased(Exposure), aliased(Exposure)
    query = (
        select(col(one.experiment_id), col(other.experiment_id))
        .join(other, col(other.visitor_id) == col(one.visitor_id))
        .where(
            col(one.experiment_id).in_(ids),
            col(other.experiment_id).in_(ids),
            col(one.experiment_id) < col(other.experiment_id),
            col(one.first_at) <= as_of,
            col(other.first_at) <= as_of,
        )
        .group_by(col(one.experiment_id), col(other.experiment_id))
        .having(func.count() >= at_least)
        .order_by(col(one.experiment_id), col(other.experiment_id))
    )
    return [(first, second) for first, second in session.connection().execute(query)]


def shared_cells(
    session: Session,
    first: ExperimentOut,
    second: ExperimentOut,
    *,
    metric: MetricOut,
    as_of: datetime,
) -> dict[tuple[str, str], list[Cell]]:
    """Figures of a metric by the arm in `first` and the arm in `second`, per phase of `first`.

    Outcomes count from the exposure in `first`. Whether somebody meets the second experiment may
    depend on the first; which of its arms they meet does not, so that comparing the effect between
    those arms stays fair.
    """
    people = _people_of_both(first.id, second.id, as_of)
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells_of(session, people, metric=metric, as_of=as_of):
        one, _, other = cell.variant.partition(BETWEEN)
        found.setdefault((one, other), []).append(cell)
    return found


def _people_of_both(first: int, second: int, as_of: datetime) -> CTE:
    one = people_of(first, as_of, name="in_first")
    other = people_of(second, as_of, name="in_second")
    both = one.c.variant.op("||")(BETWEEN).op("||")(other.c.variant)
    return (
        select(
            one.c.visitor_id,
            both.label("variant"),
            one.c.phase,
            one.c.contaminated,
            one.c.first_at,
            one.c.first_micros,
        )
        .join(other, other.c.visitor_id == one.c.visitor_id)
        .cte("people")
    )
