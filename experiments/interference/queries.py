"""Reading what the newest scan found."""

from collections import defaultdict

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experiments.design.models import Experiment, Variant
from experiments.design.schemas import Status
from experiments.interference.models import Interference
from experiments.interference.schemas import InterferenceOut

OVER = (
    Status.DECIDED,
    Status.PROMOTED,
    Status.KEPT,
    Status.NEUTRAL,
    Status.SOONER,
    Status.INCONCLUSIVE,
    Status.ABORTED,
    Status.ARCHIVED,
)


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


def flips(session: Session, experiment_id: int) -> dict[str, tuple[str, ...]]:
    """The experiments still under way that turn an effect around, by the variant's key."""
    query = (
        select(Variant.key, Experiment.key)
        .join(Interference, col(Interference.variant_id) == Variant.id)
        .join(Experiment, col(Experiment.id) == Interference.other_id)
        .where(
            Interference.experiment_id == experiment_id,
            col(Interference.flips),
            col(Experiment.status).not_in(OVER),
        )
        .distinct()
        .order_by(Variant.key, Experiment.key)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for variant, other in session.exec(query):
        found[variant].append(other)
    return {variant: tuple(others) for variant, others in found.items()}
