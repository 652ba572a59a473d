"""Writing down what the gate says of a look, once."""

from datetime import datetime

from sqlmodel import Session

from experiments.analysis.schemas import RunOut
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.decisions.models import Decision
from experiments.decisions.schemas import Verdict


def record(
    session: Session,
    experiment_id: int,
    run: RunOut,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Write a decision down; False when another process has judged the same look."""
    return insert_once(
        session,
        Decision(
            experiment_id=experiment_id,
            run_id=run.id,
            look=run.look,
            data_hash=run.data_hash,
            outcome=verdict.outcome,
            variant=verdict.variant,
            sentence=verdict.sentence,
            trace=[condition.model_dump(mode="json") for condition in verdict.trace],
            actor=str(actor),
            at=now,
        ),
    )
