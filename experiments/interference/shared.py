"""Visitors who are in two experiments at once, and their figures by both arms."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from experiments.analysis.data import Cell
from experiments.analysis.moments import cell
from experiments.assignment.models import Exposure
from experiments.design.schemas import ExperimentOut
from experiments.metrics.schemas import MetricKind, MetricOut
from experiments.moments.engines import Engine
from experiments.moments.schemas import Answer, Inquiry, Population, paired

Cells = dict[tuple[str, str], list[Cell]]


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
    pairs: Sequence[tuple[ExperimentOut, ExperimentOut, MetricOut]],
    *,
    engine: Engine,
    as_of: datetime,
) -> list[Cells]:
    """Figures of metrics by the arm in `first` and the arm in `second`, per phase of `first`.

    Outcomes count from the exposure in `first`. Whether somebody meets the second experiment may
    depend on the first; which of its arms they meet does not, so that comparing the effect between
    those arms stays fair.

    Args:
        session: the transaction.
        pairs: first, second and what is measured; all are answered in one pass.
        engine: what adds up.
        as_of: events received later do not count.
    """
    inquiries = [
        Inquiry(population=Population(experiment=first.id, beside=second.id), metrics=(measured,))
        for first, second, measured in pairs
    ]
    answers = engine.answer(session, inquiries, as_of=as_of) if inquiries else []
    return [
        _by_both_arms(first, second, measured, answer)
        for (first, second, measured), answer in zip(pairs, answers, strict=True)
    ]


def _by_both_arms(
    first: ExperimentOut, second: ExperimentOut, measured: MetricOut, answer: Answer
) -> Cells:
    ones, others = ({item.id: item.key for item in found.variants} for found in (first, second))
    phases = {phase.id: phase.number for phase in first.phases}
    found: Cells = {}
    for sums in answer.sums[measured.key]:
        one, other = paired(sums.variant)
        made = cell(sums, ones[one], phases[sums.phase], is_ratio=measured.kind is MetricKind.RATIO)
        found.setdefault((ones[one], others[other]), []).append(made)
    return found
