"""Letting the coverage of an experiment grow, step by step, as its ramp permits."""

from datetime import datetime, timedelta

from sqlmodel import Session, select

from experiments.analysis.queries import latest_run
from experiments.assignment.queries import exposed_in
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.decisions.schemas import Ruling
from experiments.decisions.trust import Facts, health
from experiments.design import queries as designs
from experiments.design import rows
from experiments.design import service as design
from experiments.design.lifecycle import ENROLLING
from experiments.design.models import RampApproval
from experiments.design.ramp import Gate, Progress, RampOut, gates, next_step
from experiments.design.schemas import ExperimentOut, PhaseIn, Status
from experiments.errors import ConflictError
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify

HOUR = timedelta(hours=1)


def waiting(session: Session, key: str, *, now: datetime) -> RampOut | None:
    """The next step of an experiment's ramp and its gates; none when there is no step left.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    found = designs.experiment(session, key)
    if found.status not in ENROLLING:
        return None
    place = next_step(found.ramp, found.phases[-1].coverage)
    if place is None:
        return None
    step = found.ramp[place]
    return RampOut(
        experiment=key,
        step=place + 1,
        steps=len(found.ramp),
        coverage=step.coverage,
        gates=list(gates(step, _progress(session, found, step=place + 1, now=now))),
    )


def advance(session: Session, key: str, *, actor: Actor, now: datetime) -> bool:
    """Take the next step when every gate is open, as a new phase; whether it was taken."""
    rows.locked(session, key)
    if designs.experiment(session, key).status is not Status.RUNNING:
        return False
    following = waiting(session, key, now=now)
    if following is None:
        return False
    if not following.is_open:
        _ask(session, following, now=now)
        return False
    reason = f"Step {following.step} of {following.steps} of the ramp."
    data = PhaseIn(coverage=following.coverage, reason=reason)
    design.open_phase(session, key, data, actor=actor, now=now)
    return True


def approve_step(session: Session, key: str, *, actor: Actor, now: datetime) -> RampOut:
    """Approve the next step of the ramp; its other gates remain. Twice changes nothing.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when no step waits for an approval.
    """
    row = rows.locked(session, key)
    following = waiting(session, key, now=now)
    if following is None or all(gate.gate is not Gate.APPROVAL for gate in following.gates):
        message = f"No step of the ramp of {key!r} waits for an approval."
        raise ConflictError(message)
    approval = RampApproval(experiment_id=row.id, step=following.step, actor=str(actor), at=now)
    if insert_once(session, approval):
        detail = {"step": following.step}
        rows.record(session, "step_approved", row, actor=actor, now=now, detail=detail)
    return waiting(session, key, now=now) or following


def _ask(session: Session, following: RampOut, *, now: datetime) -> None:
    """Tell people once when a step waits for nothing but an approval."""
    if [gate.gate for gate in following.gates if not gate.open] != [Gate.APPROVAL]:
        return
    step = f"step {following.step} of {following.steps}"
    notice = Notice(
        key=f"ramp-{following.experiment}-{following.step}",
        severity=Severity.WARNING,
        what=f"The ramp waits for an approval of {step}, to {following.coverage:.0%}.",
        subject=("experiment", following.experiment),
    )
    notify(session, notice, now=now)


def _progress(session: Session, found: ExperimentOut, *, step: int, now: datetime) -> Progress:
    phase = found.phases[-1]
    approval = select(RampApproval.id).where(
        RampApproval.experiment_id == found.id, RampApproval.step == step
    )
    return Progress(
        hours=(now - phase.started_at) / HOUR,
        visitors=exposed_in(session, phase.id),
        alarms=_alarms(session, found.key, since=phase.started_at),
        approved=session.exec(approval).first() is not None,
    )


def _alarms(session: Session, key: str, *, since: datetime) -> tuple[str, ...] | None:
    """What the newest look says against the data; a look before the phase says nothing of it."""
    run = latest_run(session, key)
    if run is None or run.as_of <= since:
        return None
    conditions = health(run.readout, Facts(enrolling=True))
    return tuple(item.words for item in conditions if item.ruling is not Ruling.PASSED)
