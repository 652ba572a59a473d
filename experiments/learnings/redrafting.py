"""An ended experiment as a draft of the same question, asked of today's visitors; pure."""

from collections.abc import Collection
from itertools import count
from typing import Any

from experiments.design.schemas import ExperimentIn, ExperimentOut, VariantIn, VariantOut

LONGEST_STEM = 70
LONGEST_TEXT = 4000


def stem(key: str) -> str:
    """How the keys of redrafts of an experiment begin."""
    return f"{key[:LONGEST_STEM]}.again"


def free_key(key: str, taken: Collection[str]) -> str:
    """A key that tells of the earlier one and is not in use."""
    first = stem(key)
    names = (first if number == 1 else f"{first}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def again(
    found: ExperimentOut, *, key: str, because: str, shown_then: object, shown_now: object
) -> ExperimentIn:
    """The same experiment as a new draft.

    A winner that has become the standard is not tested against itself: its arm shows what was
    standard before.
    """
    kept = {name: getattr(found, name) for name in ExperimentIn.model_fields if _is_plain(name)}
    arms = [arm for arm in found.variants if arm.removed_at is None]
    total = sum(arm.weight for arm in arms)
    variants = [
        _variant(arm, weight=arm.weight / total, shown_then=shown_then, shown_now=shown_now)
        for arm in arms
    ]
    return ExperimentIn(
        **kept,
        key=key,
        name=f"{found.name[:180]}, again",
        hypothesis=found.hypothesis.model_copy(update={"because": because[:LONGEST_TEXT]}),
        variants=variants,
    )


def _is_plain(name: str) -> bool:
    return name not in {"key", "name", "hypothesis", "variants", "starts_at"}


def _variant(arm: VariantOut, *, weight: float, shown_then: object, shown_now: object) -> VariantIn:
    fields: dict[str, Any] = {name: getattr(arm, name) for name in VariantIn.model_fields}
    fields["weight"] = weight
    if not arm.control and arm.content == shown_now and shown_then is not None:
        fields |= {"content": shown_then, "name": "What was standard before"}
    return VariantIn(**fields)
