"""The rule behind a decision, as it may be told: no condition tells early what readouts do not."""

from experiments.decisions.merit import MORE
from experiments.decisions.schemas import Condition, DecisionOut, Ruling
from stats.results import NotEstimable

COMPARING = frozenset({"evidence", MORE, "guardrail", "chance to win", "expected loss"})
"""Conditions whose figures compare arms; those on health, maturity and harm are always told."""


def disclosed(decision: DecisionOut, reason: str) -> DecisionOut:
    """A decision as it may be told, where `reason` is why arms may not be compared yet."""
    if not reason:
        return decision
    trace = [
        _silent(item, reason) if item.condition in COMPARING else item for item in decision.trace
    ]
    return decision.model_copy(update={"trace": trace})


def _silent(item: Condition, reason: str) -> Condition:
    nothing = {"figure": NotEstimable(reason), "ruling": Ruling.WAITING}
    return item.model_copy(update={**nothing, "words": f"Not told: {reason}."})
