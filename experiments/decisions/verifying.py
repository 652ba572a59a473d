"""After a promotion: putting it on probation, and doing what fresh data say."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from experiments.analysis.queries import latest_run
from experiments.analysis.schemas import Belief, RunOut
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.decisions import promoting, queries
from experiments.decisions.levels import LEVELS
from experiments.decisions.models import Decision, Promotion
from experiments.decisions.retrial import Ending, Finding, realised, rule
from experiments.decisions.schemas import Outcome, PromotionOut, PromotionState
from experiments.design import queries as designs
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify
from experiments.probation import queries as probations
from experiments.probation import service as probation
from experiments.probation.models import Probation
from experiments.probation.schemas import Beginning, ProbationOut, ProbationState
from experiments.shapes import parse
from stats.results import NotEstimable

CHANGED = "The standard has changed there since, so that nothing more can be told."
NOBODY = "Its time is over and nobody was there to tell: it stays, unverified."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A probation that is being judged: its rows, held, and who judges when."""

    session: Session
    row: Promotion
    held: Probation
    found: ProbationOut
    actor: Actor
    now: datetime


def begin(session: Session, promotion_id: int, *, actor: Actor, now: datetime) -> None:
    """Put an applied promotion on probation, if its plan holds anybody back."""
    made = queries.promotion(session, promotion_id)
    experiment = designs.experiment(session, made.experiment)
    maps = promoting.maps_of(session, made)
    if not experiment.plan.holdback_share or maps is None:
        return
    kept = LEVELS[experiment.level].kept(session, experiment, maps)
    if kept is None:
        return
    data = Beginning(
        promotion_id=promotion_id, experiment=experiment, kept=kept, claimed=_claim(made)
    )
    probation.begin(session, data, actor=actor, now=now)


def end(
    session: Session, promotion_id: int, *, reason: str, actor: Actor, now: datetime
) -> ProbationOut:
    """End a probation before its time; ending it twice changes nothing.

    Raises:
        NotFoundError: when the promotion has none.
    """
    row = probation.locked(session, promotion_id)
    state = ProbationState.ENDED
    probation.conclude(session, row, state, sentence=reason, actor=actor, now=now)
    return probations.probation(session, promotion_id)


def verify(session: Session, promotion_id: int, *, actor: Actor, now: datetime) -> ProbationOut:
    """Judge the newest look at a probation and do what follows; a second time changes nothing.

    Raises:
        NotFoundError: when the promotion is not on probation.
    """
    row = promoting.locked(session, promotion_id)
    held = probation.locked(session, promotion_id)
    found = probations.probation(session, promotion_id)
    if found.state is not ProbationState.RUNNING:
        return found
    step = _Step(session=session, row=row, held=held, found=found, actor=actor, now=now)
    if _has_changed(session, row):
        _close(step, ProbationState.ENDED, CHANGED)
    elif run := latest_run(session, found.comparison):
        _follow(step, run)
    elif now >= found.verify_at:
        _close(step, ProbationState.UNVERIFIED, NOBODY)
    return probations.probation(session, promotion_id)


def _follow(step: _Step, run: RunOut) -> None:
    comparison = designs.experiment(step.session, run.experiment)
    finding = rule(run.readout, comparison.plan)
    probation.note(
        step.session,
        step.held,
        realised=realised(run.readout),
        sentence=finding.sentence,
        trace=[condition.model_dump(mode="json") for condition in finding.trace],
    )
    match finding.ending:
        case Ending.DEMOTE:
            _demote(step, run, finding)
            _close(step, ProbationState.DEMOTED, finding.sentence)
        case Ending.VERIFY:
            step.row.state = PromotionState.VERIFIED
            _close(step, ProbationState.VERIFIED, finding.sentence)
        case Ending.LEAVE:
            _close(step, ProbationState.UNVERIFIED, finding.sentence)


def _demote(step: _Step, run: RunOut, finding: Finding) -> None:
    """Write the decision down and make standard again what was."""
    decision = Decision(
        experiment_id=step.row.experiment_id,
        run_id=run.id,
        look=run.look,
        data_hash=run.data_hash,
        outcome=Outcome.DEMOTE,
        variant=step.row.variant,
        sentence=finding.sentence,
        trace=[condition.model_dump(mode="json") for condition in finding.trace],
        actor=str(step.actor),
        at=step.now,
    )
    insert_once(step.session, decision)
    promoting.revert(
        step.session, step.row, reason=finding.sentence, actor=step.actor, now=step.now
    )


def _close(step: _Step, state: ProbationState, sentence: str) -> None:
    probation.conclude(
        step.session, step.held, state, sentence=sentence, actor=step.actor, now=step.now
    )
    urgent = state is ProbationState.DEMOTED
    notice = Notice(
        key=f"probation-{step.found.id}-{state}",
        severity=Severity.CRITICAL if urgent else Severity.INFO,
        what=f"Probation: {sentence}",
        subject=("experiment", step.found.experiment),
    )
    notify(step.session, notice, now=step.now)


def _has_changed(session: Session, row: Promotion) -> bool:
    """Whether somebody has written since to what was promoted."""
    made = queries.promotion(session, row.id)
    maps = promoting.maps_of(session, made)
    experiment = designs.experiment(session, made.experiment)
    return maps is not None and bool(LEVELS[experiment.level].overwritten(experiment, maps))


def _claim(made: PromotionOut) -> Belief | NotEstimable:
    claimed = made.predicted["belief"]
    if "reason" in claimed:
        return NotEstimable(claimed["reason"])
    return parse(Belief, claimed)
