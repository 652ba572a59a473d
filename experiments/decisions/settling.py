"""Settling a promotion: approve it, rebase it, decline it, or take it back; each at most once."""

from datetime import datetime

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.decisions import promoting, queries, verifying
from experiments.decisions.models import Promotion
from experiments.decisions.schemas import DecisionOut, PromotionOut, PromotionState
from experiments.design import service as design
from experiments.design.schemas import Status
from experiments.errors import ConflictError
from experiments.probation import queries as probations

TAKEN_BACK = "The promotion was taken back by hand."


def approve(session: Session, promotion_id: int, *, actor: Actor, now: datetime) -> PromotionOut:
    """Apply a proposed promotion; approving it again changes nothing.

    Raises:
        NotFoundError: when there is no such promotion.
        ConflictError: when it was declined or taken back.
        MergeConflictError: when the standard journey has changed where it would write.
    """
    row = _open_promotion(session, promotion_id)
    if row.state == PromotionState.PROPOSED:
        decision = queries.decision(session, row.decision_id)
        promoting.apply(session, row, decision=decision, actor=actor, now=now)
        _begin_probation(session, decision, promotion_id, actor=actor, now=now)
    return queries.promotion(session, promotion_id)


def rebase(
    session: Session, promotion_id: int, *, reason: str, actor: Actor, now: datetime
) -> PromotionOut:
    """Apply a proposed promotion over what has changed since; doing it again changes nothing.

    Raises:
        NotFoundError: when there is no such promotion.
        ConflictError: when it was declined or taken back, or its place in the journey is gone.
    """
    row = _open_promotion(session, promotion_id)
    if row.state == PromotionState.PROPOSED:
        decision = queries.decision(session, row.decision_id)
        promoting.rebase(session, row, decision=decision, reason=reason, actor=actor, now=now)
        _begin_probation(session, decision, promotion_id, actor=actor, now=now)
    return queries.promotion(session, promotion_id)


def decline(
    session: Session, promotion_id: int, *, reason: str, actor: Actor, now: datetime
) -> PromotionOut:
    """Leave the standard as it is although a variant won; declining again changes nothing.

    Raises:
        NotFoundError: when there is no such promotion.
        ConflictError: when it has been applied; take it back instead.
    """
    row = promoting.locked(session, promotion_id)
    if row.applied_at is not None:
        message = f"Promotion {promotion_id} has been applied; take it back instead."
        raise ConflictError(message)
    if row.state == PromotionState.PROPOSED:
        row.state, row.declined_at = PromotionState.DECLINED, now
        session.flush()
        promoting.record(session, row, "declined", actor=actor, now=now, reason=reason)
        key = queries.promotion(session, promotion_id).experiment
        design.conclude(session, key, Status.KEPT, actor=actor, now=now)
    return queries.promotion(session, promotion_id)


def revert_promotion(
    session: Session, promotion_id: int, *, reason: str, actor: Actor, now: datetime
) -> PromotionOut:
    """Give the slot its earlier content again; reverting twice changes nothing.

    Raises:
        NotFoundError: when there is no such promotion.
        ConflictError: when it has not been applied.
        MergeConflictError: when somebody has changed the slot since.
    """
    row = promoting.locked(session, promotion_id)
    if row.state != PromotionState.ROLLED_BACK:
        promoting.revert(session, row, reason=reason, actor=actor, now=now)
        if probations.find(session, promotion_id) is not None:
            verifying.end(session, promotion_id, reason=TAKEN_BACK, actor=actor, now=now)
    return queries.promotion(session, promotion_id)


def _open_promotion(session: Session, promotion_id: int) -> Promotion:
    """A promotion that has not been given up.

    Raises:
        NotFoundError: when there is no such promotion.
        ConflictError: when it was declined or taken back.
    """
    row = promoting.locked(session, promotion_id)
    if row.state in {PromotionState.DECLINED, PromotionState.ROLLED_BACK}:
        done = "declined" if row.state == PromotionState.DECLINED else "taken back"
        message = f"Promotion {promotion_id} was {done}; start a new experiment instead."
        raise ConflictError(message)
    return row


def _begin_probation(
    session: Session, decision: DecisionOut, promotion_id: int, *, actor: Actor, now: datetime
) -> None:
    verifying.begin(session, promotion_id, actor=actor, now=now)
    design.conclude(session, decision.experiment, Status.PROMOTED, actor=actor, now=now)
