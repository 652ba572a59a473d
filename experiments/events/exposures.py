"""Reading an exposure out of an event, in the words that clients use for it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EXPERIMENT_WORDS = ("experiment_id", "experimentId")
VARIANT_WORDS = ("variation_key", "variation_id", "variationId", "variant_id")
VOCABULARY = {
    "Experiment Viewed": (EXPERIMENT_WORDS, VARIANT_WORDS),
    "$$experiment_viewed": (EXPERIMENT_WORDS, VARIANT_WORDS),
    "$feature_flag_called": (("$feature_flag",), ("$feature_flag_response",)),
    "feature_flag.evaluation": (
        ("feature_flag.key",),
        ("feature_flag.result.variant", "feature_flag.variant"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """What a client says it has shown: the keys of an experiment and of a variant."""

    experiment: str
    variant: str


def viewed(name: str, properties: Mapping[str, Any]) -> Viewed | None:
    """The exposure that an event reports, if it reports one."""
    words = VOCABULARY.get(name)
    if words is None:
        return None
    experiment, variant = (_first(properties, choices) for choices in words)
    if experiment is None or variant is None:
        return None
    return Viewed(experiment=experiment, variant=variant)


def _first(properties: Mapping[str, Any], choices: tuple[str, ...]) -> str | None:
    said = (properties[word] for word in choices if word in properties)
    return next((str(value) for value in said if isinstance(value, str | int)), None)
