"""After a promotion: putting it on probation, and doing what fresh data say."""

from datetime import datetime

from sqlmodel import Session

from experiments.analysis.queries import latest_run
from experiments.analysis.schemas import Belief, RunOut
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.decisions import promoting, queries
from experiments.decisions.models import Decision, Promotion
from experiments.decisions.retrial import Ending, Finding, realised, rule
from experiments.decisions.schemas import Outcome, PromotionOut, PromotionState
from experiments.design import queries as designs
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.probation import queries as probations
from experiments.probation import service as probation
from experiments.probation.schemas import Beginning, ProbationOut, ProbationState
from experiments.shapes import parse
from stats.results import NotEstimable

CHANGED = "The standard has changed there since, so that nothing more can be told."
NOBODY = "Its time is over and nobody was there to tell: it stays, unverified."
ENDS = {Ending.VERIFY: ProbationState.VERIFIED, Ending.LEAVE: ProbationState.UNVERIFIED}


def begin(session: Session, promotion_id: int, *, actor: Actor, now: datetime) -> None:
    """Put an applied promotion on probation, if its plan holds anybody back."""
    made = queries.promotion(session, promotion_id)
    experiment = designs.experiment(session, made.experiment)
    if not experiment.plan.holdback_share or made.from_version is None or made.to_version is None:
        return
    earlier = journeys.version(session, made.journey, made.from_version)
    slot = earlier.graph.slot(experiment.touchpoint, experiment.slot)
    if slot is None:
        return
    shown = journeys.content(session, made.journey, slot.content, slot.content_version)
    data = Beginning(
        promotion_id=promotion_id,
        experiment=experiment,
        version=made.to_version,
        before=shown.payload,
        claimed=_claim(made),
    )
    probation.begin(session, data, actor=actor, now=now)


def end(
    session: Session, promotion_id: int, *, reason: str, actor: Actor, now: datetime
) -> ProbationOut | None:
    """End a probation before its time; a promotion without one has nothing to end."""
    if probations.probation_of(session, promotion_id) is None:
        return None
    row = probation.locked(session, promotion_id)
    state = ProbationState.ENDED
    probation.conclude(session, row, state, sentence=reason, actor=actor, now=now)
    return probations.probation_of(session, promotion_id)


def verify(session: Session, promotion_id: int, *, actor: Actor, now: datetime) -> ProbationOut:
    """Judge the newest look at a probation and do what follows; a second time changes nothing.

    Raises:
        NotFoundError: when the promotion is not on probation.
    """
    row = promoting.locked(session, promotion_id)
    held = probation.locked(session, promotion_id)
    found = probations.probation_of(session, promotion_id)
    if found is None:
        raise NotFoundError("probation of promotion", promotion_id)
    if held.state != ProbationState.RUNNING:
        return found
    if _has_changed(session, row):
        state = ProbationState.ENDED
        probation.conclude(session, held, state, sentence=CHANGED, actor=actor, now=now)
    elif run := latest_run(session, found.comparison):
        _follow(session, row, run, actor=actor, now=now)
    elif now >= held.verify_at:
        state = ProbationState.UNVERIFIED
        probation.conclude(session, held, state, sentence=NOBODY, actor=actor, now=now)
    return probations.probation_of(session, promotion_id) or found


def _follow(session: Session, row: Promotion, run: RunOut, *, actor: Actor, now: datetime) -> None:
    held = probation.locked(session, row.id)
    comparison = designs.experiment(session, run.experiment)
    finding = rule(run.readout, comparison.plan)
    probation.note(
        session,
        held,
        realised=realised(run.readout),
        sentence=finding.sentence,
        trace=[condition.model_dump(mode="json") for condition in finding.trace],
    )
    if finding.ending is Ending.DEMOTE:
        _demote(session, row, run, finding, actor=actor, now=now)
    elif finding.ending is not Ending.WAIT:
        if finding.ending is Ending.VERIFY:
            row.state = PromotionState.VERIFIED
        state = ENDS[finding.ending]
        probation.conclude(session, held, state, sentence=finding.sentence, actor=actor, now=now)


def _demote(
    session: Session,
    row: Promotion,
    run: RunOut,
    finding: Finding,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    decision = Decision(
        experiment_id=row.experiment_id,
        run_id=run.id,
        look=run.look,
        data_hash=run.data_hash,
        outcome=Outcome.DEMOTE,
        variant=row.variant,
        sentence=finding.sentence,
        trace=[condition.model_dump(mode="json") for condition in finding.trace],
        actor=str(actor),
        at=now,
    )
    insert_once(session, decision)
    promoting.revert(session, row, reason=finding.sentence, actor=actor, now=now)
    held = probation.locked(session, row.id)
    state = ProbationState.DEMOTED
    probation.conclude(session, held, state, sentence=finding.sentence, actor=actor, now=now)


def _has_changed(session: Session, row: Promotion) -> bool:
    """Whether somebody has written to the promoted slot since."""
    made = queries.promotion(session, row.id)
    if made.to_version is None:
        return False
    promoted = journeys.version(session, made.journey, made.to_version)
    current = promoting.standard(session, made.journey)
    experiment = designs.experiment(session, made.experiment)
    return bool(promoting.conflicts_of(experiment, promoted.graph, current.graph))


def _claim(made: PromotionOut) -> Belief | NotEstimable:
    claimed = made.predicted["belief"]
    if "reason" in claimed:
        return NotEstimable(claimed["reason"])
    return parse(Belief, claimed)
