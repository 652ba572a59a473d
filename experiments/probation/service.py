"""Beginning and ending probations."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import standing
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import ExperimentOut, Purpose, VariantIn
from experiments.errors import NotFoundError
from experiments.metrics.queries import metric
from experiments.probation.models import Probation
from experiments.probation.schemas import (
    BEFORE,
    PROMOTED,
    Beginning,
    ProbationState,
    Realised,
)
from stats.results import NotEstimable

SALT_LENGTH = 16
LONGEST_KEY = 60
NO_LOOK = "Nobody has reached the end of the window yet."


def begin(session: Session, data: Beginning, *, actor: Actor, now: datetime) -> None:
    """Let the plan's holdback share keep what was standard before, from now on."""
    found = data.experiment
    window = timedelta(hours=metric(session, found.primary_metric).window_hours)
    comparison = standing.begin(session, _comparison(data), actor=actor, now=now)
    row = Probation(
        promotion_id=data.promotion_id,
        promoted_id=found.id,
        comparison_id=comparison.id,
        holdback_share=found.plan.holdback_share,
        started_at=now,
        verify_at=now + timedelta(days=found.plan.probation_days) + window,
        claimed=_stored(data.claimed),
        realised=_stored(NotEstimable(NO_LOOK)),
        state=ProbationState.RUNNING,
        sentence=NO_LOOK,
    )
    session.add(row)
    session.flush()
    _record(session, row, "started", actor=actor, now=now)


def locked(session: Session, promotion_id: int) -> Probation:
    """The row of a promotion's probation, held until the transaction ends.

    Raises:
        NotFoundError: when the promotion has none.
    """
    query = select(Probation).where(Probation.promotion_id == promotion_id).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFoundError("probation of promotion", promotion_id)
    return row


def note(
    session: Session,
    row: Probation,
    *,
    realised: Realised | NotEstimable,
    sentence: str,
    trace: list[dict[str, Any]],
) -> None:
    """Keep what the newest look said."""
    row.realised, row.sentence, row.trace = _stored(realised), sentence, trace
    session.flush()


def conclude(
    session: Session,
    row: Probation,
    state: ProbationState,
    *,
    sentence: str,
    actor: Actor,
    now: datetime,
) -> None:
    """End a probation; everybody gets the standard from now on. Ending it twice changes nothing."""
    if row.state != ProbationState.RUNNING:
        return
    row.state, row.sentence, row.ended_at = state, sentence, now
    session.flush()
    standing.end(session, row.comparison_id, reason=sentence, actor=actor, now=now)
    _record(session, row, state, actor=actor, now=now, reason=sentence)


def _comparison(data: Beginning) -> standing.Standing:
    found, share = data.experiment, data.experiment.plan.holdback_share
    return standing.Standing(
        purpose=Purpose.PROBATION,
        key=f"{found.key[:LONGEST_KEY]}.probation-{data.promotion_id}",
        name=f"Probation of {found.name}",
        journey=found.journey,
        base_version=data.kept.version,
        level=found.level,
        divergence=data.kept.parting,
        touchpoint=found.touchpoint,
        slot=found.slot,
        salt=_salt(found, data.promotion_id),
        arms=(
            VariantIn(key=BEFORE, control=True, weight=share, content=data.kept.content),
            VariantIn(key=PROMOTED, weight=1 - share),
        ),
        primary_metric=found.primary_metric,
        plan=_plan(found.plan),
    )


def _plan(plan: Plan) -> Plan:
    return Plan(
        alpha=plan.alpha,
        minimum_lift=plan.minimum_lift,
        visitors_per_week=plan.visitors_per_week,
        maximum_days=plan.probation_days,
        promotion=PromotionMode.OFF,
        holdback_share=0.0,
    )


def _salt(found: ExperimentOut, promotion_id: int) -> str:
    """A salt of its own out of the test's random one, so that a second try makes the same."""
    words = f"{found.salt}/probation/{promotion_id}"
    return hashlib.sha256(words.encode()).hexdigest()[:SALT_LENGTH]


def _stored(value: Any) -> dict[str, Any]:
    if isinstance(value, NotEstimable):
        return {"reason": value.reason}
    stored: dict[str, Any] = value.model_dump(mode="json")
    return stored


def _record(
    session: Session,
    row: Probation,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    audit.record(
        session,
        f"probation.{action}",
        subject=("promotion", str(row.promotion_id)),
        actor=actor,
        now=now,
        reason=reason,
        detail={"holdback_share": row.holdback_share},
    )
