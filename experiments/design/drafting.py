"""Drafts that grow step by step: a first one that is whole, and its fields to be changed; pure.

A draft begins with everything that can be guessed, so that it can be stored, left and found again
at any moment.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.design.paths import Walked, parting
from experiments.design.schemas import ExperimentIn, ExperimentOut, Level, VariantIn
from experiments.errors import InvalidError
from experiments.journeys.graph import Contents
from experiments.journeys.schemas import ContentType, JourneyGraph, Slot
from experiments.metrics.schemas import EventRule

CONTROL, TREATMENT = "control", "variant-1"
_BLANK: dict[ContentType, Any] = {
    ContentType.STRING: "",
    ContentType.BOOLEAN: True,
    ContentType.INTEGER: 0,
    ContentType.FLOAT: 0.0,
    ContentType.OBJECT: {},
}


def of_slot(
    graph: JourneyGraph, touchpoint: str, slot: str, *, contents: Contents
) -> dict[str, Any]:
    """Level, place and variants of a test on a slot; the variant begins as what is standard.

    Raises:
        InvalidError: when the journey has no such slot.
    """
    place = graph.slot(touchpoint, slot)
    if place is None:
        raise InvalidError.at("/place", "choose a slot of the journey, or another path")
    return {
        "level": Level.MESSAGE,
        "touchpoint": touchpoint,
        "slot": slot,
        "variants": _halves({"content": standard_content(place, contents)}),
    }


def of_path(operation: str, node: str) -> dict[str, Any]:
    """Level, place and variants of a test on the path that leaves one stage or touchpoint out."""
    _, _, kind = operation.partition("_")
    patch = {"operations": [{"op": operation, kind: node}]}
    return {
        "level": Level.PATH,
        "touchpoint": "",
        "slot": "",
        "variants": _halves({"patch": patch}),
    }


def standard_content(slot: Slot, contents: Contents) -> Any:
    """What a slot shows by the standard, or a blank of its type."""
    found = contents.get((slot.content, slot.content_version))
    return _BLANK[slot.type] if found is None else found.payload


def metric_of(
    graph: JourneyGraph, level: Level, touchpoint: str, *, rules: Mapping[str, EventRule]
) -> str:
    """What such a test is judged by at first: who reaches the next stage, or a path's goal.

    Args:
        graph: the standard journey.
        level: what the test changes.
        touchpoint: where it is, at level message.
        rules: what the metrics count, by their keys.
    """
    here = graph.stage_of(touchpoint) if level is Level.MESSAGE else None
    wanted = graph.stage(next(iter(here.next), graph.goal)) if here else graph.stage(graph.goal)
    goals = [stage.goal_metric for stage in graph.stages]
    reaching = (key for key in goals if wanted and rules.get(key) == wanted.entry_rule)
    return next(reaching, (here or graph.stages[0]).goal_metric)


def stage_of(graph: JourneyGraph, touchpoint: str, variants: Sequence[Walked]) -> str | None:
    """The stage whose visitors are tested: that of the touchpoint, or where the paths part."""
    holding = graph.stage_of(touchpoint)
    if holding is not None:
        return holding.key
    try:
        parted = parting(variants, graph)
    except InvalidError:
        return None
    return parted.stage if parted else None


def fields(found: ExperimentOut) -> dict[str, Any]:
    """A draft as the fields of an `ExperimentIn`, to be changed and parsed again."""
    given = {name: getattr(found, name) for name in ExperimentIn.model_fields}
    if found.level is Level.PATH:
        given["touchpoint"] = ""
    given["variants"] = [
        {name: getattr(arm, name) for name in VariantIn.model_fields} for arm in found.variants
    ]
    return given


def _halves(treatment: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": CONTROL, "control": True, "weight": 0.5},
        {"key": TREATMENT, "name": "Variant 1", "weight": 0.5, **treatment},
    ]
