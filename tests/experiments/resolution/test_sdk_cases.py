"""Cases of the SDKs for whole experiments, where the server evaluates the same rules.

It hashes by version 2 and by the visitor's id, and has no forced values, prerequisites or bandits.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.assignment.bucketing import ranges
from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType, Exposing
from experiments.resolution.enrolment import Question
from experiments.resolution.evaluation import answers
from experiments.resolution.ruleset import (
    ArmRule,
    ExperimentRule,
    JourneyRule,
    LayerRule,
    Ruleset,
    SlotRule,
    StandardContent,
    TouchpointRule,
)

SDK_CASES = Path(
    os.environ.get("SDK_CASES")
    or Path(__file__).parents[4] / "shared/golden/growthbook-sdk-cases.json"
)
EVALUATED = {
    "key", "variations", "weights", "coverage", "hashVersion", "seed", "ranges", "filters",
    "condition", "meta", "name", "type", "hashAttribute", "active",
}  # fmt: skip
STANDARD = "what the standard journey shows"


def is_evaluated(rule: dict[str, Any], attributes: dict[str, Any]) -> bool:
    """Whether the server evaluates such a rule; without anybody to hash, any version is alike."""
    hashes_alike = rule.get("hashVersion") == 2 or not attributes.get("id") or "condition" in rule
    in_groups = "$inGroup" in json.dumps(rule.get("condition"))
    return EVALUATED.issuperset(rule) and hashes_alike and not in_groups and "variations" in rule


def cases() -> Iterator[Any]:
    """Rules, attributes, and the value with the place of the arm; none outside of experiments."""
    if not SDK_CASES.exists():
        skip = pytest.mark.skip(reason=f"SDK cases are not at {SDK_CASES}; set SDK_CASES")
        yield pytest.param([], {}, None, None, marks=skip)
        return
    groups = json.loads(SDK_CASES.read_text(encoding="utf-8"))
    for name, context, rule, value, is_in, _ in groups["run"]:
        attributes = context.get("attributes", {})
        if is_evaluated(rule, attributes) and set(context) == {"attributes"}:
            yield pytest.param([rule], attributes, value, is_in, id=f"run {name}")
    for name, context, key, expected in groups["feature"]:
        rules = context.get("features", {}).get(key, {}).get("rules", [])
        attributes = context.get("attributes", {})
        if rules and all(is_evaluated(rule, attributes) for rule in rules):
            is_in = expected["source"] == "experiment"
            yield pytest.param(rules, attributes, expected["value"], is_in, id=f"feature {name}")


def ruled(number: int, rule: dict[str, Any]) -> ExperimentRule:
    """Our form of a rule."""
    values = rule["variations"]
    weights = rule.get("weights") or [1 / len(values)] * len(values)
    coverage = rule.get("coverage", 1)
    filters = rule.get("filters", [])
    layer = None
    if filters:
        layer = LayerRule(key="layer", salt=filters[0]["seed"], stretch=filters[0]["ranges"][0])
    return ExperimentRule(
        id=number,
        key=rule["key"],
        status=Status.RUNNING,
        salt=rule.get("seed", rule["key"]),
        audience=rule.get("condition", {}),
        layer=layer,
        phase_id=1,
        coverage=coverage,
        arms=tuple(
            ArmRule(id=place, key=str(place), weight=w, content=v, defers=False, removed=False)
            for place, (v, w) in enumerate(zip(values, weights, strict=True))
        ),
        stretches=tuple(map(tuple, rule.get("ranges") or ranges(weights, coverage))),
    )


@pytest.mark.parametrize(("rules", "attributes", "value", "is_in"), list(cases()))
def test_ladder__case_of_the_sdks__agrees(
    rules: list[dict[str, Any]], attributes: dict[str, Any], value: Any, is_in: bool
) -> None:
    standard = StandardContent(key="standard", number=1, value=STANDARD, approved=True)
    tests = tuple(ruled(number, rule) for number, rule in enumerate(rules))
    slot = SlotRule(key="slot", type=ContentType.STRING, standard=standard, experiments=tests)
    point = TouchpointRule(
        key="point",
        stage="stage",
        expose=Exposing.ON_EVENT,
        slots={"slot": slot},
        reads_attributes=True,
    )
    journey = JourneyRule(key="journey", version=1, touchpoints={"point": point})
    visitor = attributes.get("id") or None
    found = answers(Ruleset(journeys={"journey": journey}), Question(visitor, attributes))
    answer = next(one for flag, one in found if flag.key == "journey.point.slot")
    assert answer is not None
    assert answer.metadata["inExperiment"] is is_in
    assert answer.value == (value if is_in else STANDARD)
