"""The real GrowthBook SDK, evaluating our payload by itself, finds what the server answers."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from growthbook import GrowthBook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.assignment.bucketing import ranges
from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType, Exposing
from experiments.resolution.enrolment import Question
from experiments.resolution.evaluation import answers
from experiments.resolution.payload import payload
from experiments.resolution.ruleset import (
    ArmRule,
    ExperimentRule,
    HoldoutRule,
    JourneyRule,
    LayerRule,
    Ruleset,
    SlotRule,
    StandardContent,
    TouchpointRule,
)

VALUES: dict[ContentType, list[Any]] = {
    ContentType.STRING: ["Hello", "Stop losing time.", "Schluß"],
    ContentType.BOOLEAN: [False, True, True],
    ContentType.INTEGER: [1, 2, 3],
    ContentType.FLOAT: [1, 2.5, 3],
    ContentType.OBJECT: [{"text": "a"}, {"text": "b", "n": 1}, {"n": [1]}],
}
AUDIENCES: list[dict[str, Any]] = [
    {},
    {"country": {"$in": ["IT", "DE"]}},
    {"visits": {"$gte": 3}, "vip": True},
    {"$or": [{"plan": "pro"}, {"$not": {"country": "IT"}}]},
    {"version": {"$vgte": "1.10.0"}},
    {"id": {"$regex": "^[a-m]"}},
]

visitors = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
facts = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["IT", "DE", "NL"]),
        "visits": st.integers(0, 5),
        "vip": st.booleans(),
        "plan": st.sampled_from(["pro", "free"]),
        "version": st.sampled_from(["1.9.0", "1.10.0", "2.0.0-rc.1"]),
    },
)
weights = st.lists(st.integers(1, 9), min_size=3, max_size=3).map(
    lambda parts: [part / sum(parts) for part in parts]
)
salts = st.text("0123456789abcdef", min_size=4, max_size=16)


@st.composite
def experiments(draw: st.DrawFn, *, key: str, kind: ContentType, layer: LayerRule) -> Any:
    shares, coverage = draw(weights), draw(st.floats(0.01, 1))
    arms = tuple(
        ArmRule(
            id=number,
            key=("control", "one", "two")[number],
            weight=shares[number],
            content=None if number == 0 else VALUES[kind][number],
            defers=number == 0,
            removed=False,
        )
        for number in range(3)
    )
    return ExperimentRule(
        id=hash_of(key),
        key=key,
        status=draw(st.sampled_from([Status.RUNNING, Status.RUNNING, Status.PAUSED])),
        salt=draw(salts),
        audience=draw(st.sampled_from(AUDIENCES)),
        layer=layer,
        phase_id=1,
        phase=draw(st.integers(1, 3)),
        coverage=coverage,
        arms=arms,
        stretches=tuple(ranges(shares, coverage)),
    )


def hash_of(key: str) -> int:
    return int.from_bytes(key.encode()[:4])


@st.composite
def rulesets(draw: st.DrawFn) -> Ruleset:
    salt, cut = draw(salts), draw(st.integers(0, 10_000)) / 10_000
    low = LayerRule(key="layer", salt=salt, stretch=(0.0, cut))
    high = LayerRule(key="layer", salt=salt, stretch=(cut, 1.0))
    slots = {}
    for kind in ContentType:
        tests = tuple(
            draw(experiments(key=f"{kind}-{name}", kind=kind, layer=layer))
            for name, layer in (("a", low), ("b", high))
        )
        standard = StandardContent(key=kind, number=1, value=VALUES[kind][0], approved=True)
        slots[kind.value] = SlotRule(key=kind, type=kind, standard=standard, experiments=tests)
    holdout = HoldoutRule(
        key="out",
        salt=draw(salts),
        share=draw(st.floats(0.0001, 0.5)),
        audience=draw(st.sampled_from(AUDIENCES)),
    )
    point = TouchpointRule(
        key="page", stage="aware", expose=Exposing.ON_EVENT, slots=slots, reads_attributes=True
    )
    journey = JourneyRule(key="shop", version=1, touchpoints={"page": point}, holdouts=(holdout,))
    return Ruleset(version=1, journeys={"shop": journey})


def answered(
    ruleset: Ruleset, visitor: str, attributes: Mapping[str, Any]
) -> dict[str, tuple[Any, str | None]]:
    """What the server says: value, and variant for whoever is in an experiment."""
    found = answers(ruleset, Question(visitor, {**attributes, "id": visitor}))
    return {
        flag.key: (one.value, one.variant if one.metadata["inExperiment"] else None)
        for flag, one in found
        if one is not None
    }


def found_by_sdk(
    features: dict[str, Any], visitor: str, attributes: Mapping[str, Any]
) -> dict[str, tuple[Any, str | None]]:
    sdk = GrowthBook(attributes={**attributes, "id": visitor}, features=features)
    results = {key: sdk.eval_feature(key) for key in features}
    return {
        key: (item.value, item.experimentResult.key if item.experimentResult else None)
        for key, item in results.items()
    }


# Drawing a whole ruleset takes long where the machine is busy; that says nothing of the payload.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(ruleset=rulesets(), people=st.lists(st.tuples(visitors, facts), min_size=1, max_size=8))
def test_payload__any_ruleset_and_visitor__sdk_finds_what_the_server_answers(
    ruleset: Ruleset, people: list[tuple[str, dict[str, Any]]]
) -> None:
    features = json.loads(orjson.dumps(payload(ruleset).features))
    for visitor, attributes in people:
        assert found_by_sdk(features, visitor, attributes) == answered(ruleset, visitor, attributes)


def one(**changes: Any) -> Ruleset:
    """A ruleset with one experiment on one slot of floats."""
    arms = (
        ArmRule(id=1, key="control", weight=0.5, content=None, defers=True, removed=False),
        ArmRule(id=2, key="more", weight=0.5, content=2, defers=False, removed=False),
    )
    rule = ExperimentRule(
        **{
            "id": 1,
            "key": "price",
            "status": Status.RUNNING,
            "salt": "5a17",
            "audience": {},
            "layer": LayerRule(key="l", salt="1a7e", stretch=(0.0, 0.4)),
            "phase_id": 1,
            "phase": 2,
            "coverage": 0.5,
            "arms": arms,
            "stretches": tuple(ranges([0.5, 0.5], 0.5)),
            **changes,
        }
    )
    standard = StandardContent(key="price", number=1, value=1, approved=True)
    slot = SlotRule(key="price", type=ContentType.FLOAT, standard=standard, experiments=(rule,))
    point = TouchpointRule(
        key="page",
        stage="aware",
        expose=Exposing.ON_RESOLVE,
        slots={"price": slot},
        reads_attributes=False,
    )
    return Ruleset(
        journeys={"shop": JourneyRule(key="shop", version=1, touchpoints={"page": point})}
    )


def test_payload__experiment__carries_the_basic_keys_and_nothing_else() -> None:
    found = payload(one(audience={"country": "IT"}))
    rule = {
        "key": "price",
        "variations": [1.0, 2.0],
        "weights": [0.5, 0.5],
        "coverage": 0.5,
        "hashAttribute": "id",
        "hashVersion": 2,
        "seed": "5a17",
        "meta": [{"key": "control"}, {"key": "more"}],
        "phase": "2",
        "condition": {"country": "IT"},
        "filters": [{"attribute": "id", "hashVersion": 2, "seed": "1a7e", "ranges": [(0.0, 0.4)]}],
    }
    feature = {"defaultValue": 1.0, "rules": [rule]}
    assert found.features == {"shop.page.price": feature, "price": feature}
    assert b'"variations":[1.0,2.0]' in orjson.dumps(found.features)
    assert found.remote_only == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.MATURING},
        {"audience": {"$and": [{"country": "IT"}, {"stage": {"$in": ["informed"]}}]}},
        {"audience": {"persona": "hurried"}},
        {"audience": {"plan": {"$notRegex": "^p"}}},
    ],
)
def test_payload__what_only_the_server_knows__is_left_out_and_named(
    changes: dict[str, Any],
) -> None:
    found = payload(one(**changes))
    standard = {"defaultValue": 1.0}
    assert found.features == {"shop.page.price": standard, "price": standard}
    assert found.remote_only == {"shop.page.price": ["price"], "price": ["price"]}


def test_payload__paused__shows_the_standard_and_is_no_secret_of_the_server() -> None:
    found = payload(one(status=Status.PAUSED))
    assert found.features["price"] == {"defaultValue": 1.0}
    assert found.remote_only == {}
