"""Which other experiments turn the effect of a variant around, in the world that they leave.

While the other experiment is under way nobody knows which of its arms everybody will see. Once it
is over only that arm counts: what it made standard, or else its control.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from experiments.decisions import queries
from experiments.decisions.schemas import PromotionState
from experiments.design import queries as designs
from experiments.design.lifecycle import OPEN
from experiments.design.schemas import ExperimentOut
from experiments.interference.queries import interferences
from experiments.interference.schemas import InterferenceOut
from experiments.metrics.queries import metric
from experiments.metrics.schemas import Direction

STANDING = (PromotionState.APPLIED, PromotionState.VERIFIED)


class Turn(StrEnum):
    """How another experiment is in the way of a variant."""

    MAY_COME = "may come"  # it is not known yet which arm of the other will stand
    HAS_COME = "has come"  # beside the arm that stands the variant harms


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another experiment as it stands: still open, or with the arm that everybody sees."""

    is_open: bool
    shipped: str | None


def turned(session: Session, experiment: ExperimentOut) -> dict[Turn, dict[str, tuple[str, ...]]]:
    """The experiments that are in the way of each variant, by how they are and by its key."""
    gains = metric(session, experiment.primary_metric).direction is Direction.INCREASE
    found: dict[Turn, dict[str, dict[str, None]]] = {turn: defaultdict(dict) for turn in Turn}
    for pair in interferences(session, experiment.key):
        turn = turn_of(pair, _neighbour(session, pair.other), harms=_harms(gains=gains))
        if turn is not None:
            found[turn][pair.variant][pair.other] = None
    return {
        turn: {variant: tuple(sorted(others)) for variant, others in by_variant.items()}
        for turn, by_variant in found.items()
    }


def turn_of(
    pair: InterferenceOut, other: Neighbour, *, harms: Callable[[float], bool]
) -> Turn | None:
    """How one pair of variants is in the way of a promotion, if it is; pure."""
    if not pair.flips:
        return None
    if other.is_open:
        return Turn.MAY_COME
    if other.shipped is None:
        return Turn.HAS_COME if harms(pair.effect_beside_control) else None
    is_standard = other.shipped == pair.other_variant
    return Turn.HAS_COME if is_standard and harms(pair.effect_beside_variant) else None


def _harms(*, gains: bool) -> Callable[[float], bool]:
    return (lambda effect: effect < 0) if gains else (lambda effect: effect > 0)


def _neighbour(session: Session, key: str) -> Neighbour:
    made = queries.promotions(session, experiment=key)
    waits = any(item.state is PromotionState.PROPOSED for item in made)
    return Neighbour(
        is_open=waits or designs.experiment(session, key).status in OPEN,
        shipped=next((item.variant for item in made if item.state in STANDING), None),
    )
