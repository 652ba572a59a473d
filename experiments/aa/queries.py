"""Reading the A/A weeks."""

from collections import Counter
from datetime import datetime

from sqlmodel import Session, col, func, select

from experiments.aa.schemas import AaOut, AaWeek
from experiments.aa.verdict import conclude
from experiments.analysis.queries import latest_run
from experiments.analysis.trust import trust
from experiments.decisions.models import Decision
from experiments.decisions.schemas import Outcome
from experiments.design import queries as designs
from experiments.design.schemas import ExperimentOut, Purpose, Status
from stats.results import NotEstimable

NOBODY = NotEstimable("nobody was divided yet")


def aa(session: Session, *, now: datetime) -> AaOut:
    """Every A/A week, the newest first, and what they say together."""
    found = weeks(session)
    looks, promoted = _looks(session, found)
    return conclude(
        [_week(session, item, looks[item.id], promoted[item.id], now) for item in reversed(found)]
    )


def weeks(session: Session, journey: str = "") -> list[ExperimentOut]:
    """The A/A comparisons in the order they began, of one journey if named."""
    return designs.experiments(session, journey=journey, purposes=(Purpose.AA,))


def _looks(session: Session, found: list[ExperimentOut]) -> tuple[Counter[int], Counter[int]]:
    query = (
        select(Decision.experiment_id, Decision.outcome, func.count())
        .where(col(Decision.experiment_id).in_([item.id for item in found]))
        .group_by(col(Decision.experiment_id), col(Decision.outcome))
    )
    looks: Counter[int] = Counter()
    promoted: Counter[int] = Counter()
    for number, outcome, count in session.exec(query):
        looks[number] += count
        if outcome == Outcome.PROMOTE:
            promoted[number] += count
    return looks, promoted


def _week(
    session: Session, found: ExperimentOut, looks: int, promoted: int, now: datetime
) -> AaWeek:
    run = latest_run(session, found.key)
    quality = None if run is None else run.readout.quality
    return AaWeek(
        key=found.key,
        journey=found.journey,
        started_at=found.started_at or found.created_at,
        finished=found.status is Status.ARCHIVED,
        visitors=0 if quality is None else sum(quality.sample_ratio.observed.values()),
        looks=looks,
        promoted_looks=promoted,
        split_log_e_value=NOBODY if quality is None else quality.sample_ratio.log_e_value,
        trust=None if quality is None else trust(quality, at=now, enrolling=False),
    )
