"""What people are told of decisions: harm, and promotions that wait for them."""

from datetime import datetime

from sqlmodel import Session

from experiments.decisions.schemas import DecisionOut, Outcome, Verdict
from experiments.design.schemas import ExperimentOut
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify


def taken_out(
    session: Session, experiment: ExperimentOut, variant: str, *, reason: str, now: datetime
) -> None:
    """A variant did harm, and its visitors get what the control shows."""
    _tell(
        session,
        experiment.key,
        f"{variant}.taken-out",
        severity=Severity.WARNING,
        what=f"{reason} It was taken out: its visitors see what the control shows.",
        now=now,
    )


def aborted(
    session: Session, experiment: ExperimentOut, verdict: Verdict, *, now: datetime
) -> None:
    """Harm has ended an experiment."""
    _tell(
        session,
        experiment.key,
        "aborted",
        severity=Severity.CRITICAL,
        what=verdict.sentence,
        now=now,
    )


def waiting(session: Session, decision: DecisionOut, promotion_id: int, *, now: datetime) -> None:
    """A promotion waits for a person, who has to solve a conflict first or only to approve."""
    in_conflict = decision.outcome is Outcome.CONFLICT
    _tell(
        session,
        decision.experiment,
        f"promotion-{promotion_id}",
        severity=Severity.WARNING if in_conflict else Severity.INFO,
        what=decision.sentence if in_conflict else f"{decision.sentence} It waits for approval.",
        now=now,
    )


def _tell(
    session: Session, experiment: str, event: str, *, severity: Severity, what: str, now: datetime
) -> None:
    notice = Notice(
        key=f"experiment.{experiment}.{event}",
        severity=severity,
        what=what,
        subject=("experiment", experiment),
    )
    notify(session, notice, now=now)
