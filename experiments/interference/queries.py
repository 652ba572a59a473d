"""Reading what the newest scan found."""

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experiments.design.models import Experiment, Variant
from experiments.interference.models import Interference
from experiments.interference.schemas import InterferenceOut


def interferences(session: Session, key: str) -> list[InterferenceOut]:
    """What was found of an experiment beside others, the strongest evidence first."""
    own, other = aliased(Variant), aliased(Variant)
    mine, theirs = aliased(Experiment), aliased(Experiment)
    query = (
        select(Interference, own.key, other.key, theirs.key)
        .join(mine, col(mine.id) == Interference.experiment_id)
        .join(theirs, col(theirs.id) == Interference.other_id)
        .join(own, col(own.id) == Interference.variant_id)
        .join(other, col(other.id) == Interference.other_variant_id)
        .where(mine.key == key)
        .order_by(col(Interference.p_adjusted), col(Interference.id))
    )
    return [
        InterferenceOut.model_validate(
            {
                **row.model_dump(),
                "experiment": key,
                "variant": variant,
                "other": another,
                "other_variant": other_variant,
            }
        )
        for row, variant, other_variant, another in session.exec(query)
    ]
