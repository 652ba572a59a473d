"""Deciding on the newest look, and carrying the decision out; once per look."""

from datetime import datetime

from sqlmodel import Session

from experiments.analysis.queries import newest_run
from experiments.analysis.schemas import RunOut
from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.decisions import promoting, queries, telling
from experiments.decisions.gate import judge
from experiments.decisions.merit import NO_HARM
from experiments.decisions.neighbours import Turn, turned
from experiments.decisions.recording import record
from experiments.decisions.schemas import (
    DecisionOut,
    Outcome,
    Ruling,
    Verdict,
)
from experiments.decisions.settling import approve
from experiments.decisions.trust import Facts
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.lifecycle import ENROLLING, OPEN
from experiments.design.plans import PromotionMode
from experiments.design.schemas import ExperimentOut, Purpose, Status
from experiments.errors import ConflictError

ENDINGS = {
    Outcome.KEEP: Status.KEPT,
    Outcome.NEUTRAL: Status.NEUTRAL,
    Outcome.SOONER: Status.SOONER,
    Outcome.INCONCLUSIVE: Status.INCONCLUSIVE,
}
"""What becomes of an experiment that ends without a winner."""


def decide(session: Session, key: str, *, actor: Actor, now: datetime) -> DecisionOut:
    """Put the newest look before the gate and do what follows; a second time changes nothing.

    Raises:
        NotFoundError: when there is no such experiment, or no look at it yet.
        ConflictError: when the experiment has ended.
    """
    experiment = designs.experiment(session, key)
    if experiment.purpose is not Purpose.TEST:
        message = f"{key!r} is no test but a {experiment.purpose}; the gate does not judge it."
        raise ConflictError(message)
    run = newest_run(session, key)
    if queries.is_judged(session, run.id):
        return queries.decision_on(session, run.id)
    if experiment.status not in OPEN:
        message = f"The experiment {key!r} is {experiment.status}; there is nothing to decide."
        raise ConflictError(message)
    verdict = judge(run.readout, experiment.plan, _facts(session, experiment))
    if _write(session, experiment, run, verdict, actor=actor, now=now):
        _carry_out(session, experiment, run, verdict, actor=actor, now=now)
    return queries.decision_on(session, run.id)


def _facts(session: Session, experiment: ExperimentOut) -> Facts:
    removed = [item.key for item in experiment.variants if item.removed_at is not None]
    turns = turned(session, experiment)
    return Facts(
        enrolling=experiment.status is Status.RUNNING,
        removed=frozenset(removed),
        changed_nodes=promoting.changed_since(session, experiment),
        names={item.key: item.name for item in experiment.variants},
        flips=turns[Turn.MAY_COME],
        worse_beside=turns[Turn.HAS_COME],
    )


def _write(
    session: Session,
    experiment: ExperimentOut,
    run: RunOut,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Write a decision and what it changes down; False when another process was quicker."""
    if not record(session, experiment.id, run, verdict, actor=actor, now=now):
        return False
    if verdict.outcome is Outcome.CONTINUE:
        # Hourly looks that change nothing would bury what did change.
        return True
    audit.record(
        session,
        "experiment.judged",
        subject=("experiment", experiment.key),
        actor=actor,
        now=now,
        reason=verdict.sentence,
        detail={"look": run.look, "outcome": verdict.outcome, "variant": verdict.variant},
    )
    return True


def _carry_out(
    session: Session,
    experiment: ExperimentOut,
    run: RunOut,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    match verdict.outcome:
        case Outcome.CONTINUE:
            _take_out_harmed(session, experiment, verdict, actor=actor, now=now)
        case Outcome.ABORT:
            design.abort(session, experiment.key, reason=verdict.sentence, actor=actor, now=now)
            telling.aborted(session, experiment, verdict, now=now)
        case Outcome.PROMOTE | Outcome.CONFLICT:
            _conclude(session, experiment, verdict, actor=actor, now=now)
            _promote(session, experiment, run, actor=actor, now=now)
        case ended:
            _conclude(session, experiment, verdict, actor=actor, now=now)
            design.conclude(session, experiment.key, ENDINGS[ended], actor=actor, now=now)


def _take_out_harmed(
    session: Session, experiment: ExperimentOut, verdict: Verdict, *, actor: Actor, now: datetime
) -> None:
    """Show harmful variants to nobody any more; when all are harmful the outcome is to abort."""
    if experiment.status not in ENROLLING:
        return
    for variant in verdict.harmed:
        reason = _harm_of(verdict, variant)
        design.remove_variant(session, experiment.key, variant, reason=reason, actor=actor, now=now)
        telling.taken_out(session, experiment, variant, reason=reason, now=now)


def _harm_of(verdict: Verdict, variant: str) -> str:
    open_conditions = (
        item.words
        for item in verdict.trace
        if item.variant == variant
        and item.condition == NO_HARM
        and item.ruling is not Ruling.PASSED
    )
    return " ".join(open_conditions)


def _conclude(
    session: Session, experiment: ExperimentOut, verdict: Verdict, *, actor: Actor, now: datetime
) -> None:
    if experiment.status in ENROLLING:
        design.stop(session, experiment.key, reason=verdict.sentence, actor=actor, now=now)
    design.conclude(session, experiment.key, Status.DECIDED, actor=actor, now=now)


def _promote(
    session: Session, experiment: ExperimentOut, run: RunOut, *, actor: Actor, now: datetime
) -> None:
    """Go as far as the plan lets the machine go by itself; a conflict is for a person."""
    if experiment.plan.promotion is PromotionMode.OFF:
        return
    decision = queries.decision_on(session, run.id)
    promotion_id = promoting.propose(session, decision, run, actor=actor, now=now)
    if decision.outcome is Outcome.PROMOTE and experiment.plan.promotion is PromotionMode.AUTOMATIC:
        approve(session, promotion_id, actor=actor, now=now)
    else:
        telling.waiting(session, decision, promotion_id, now=now)
