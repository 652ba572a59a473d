import json
import os
from pathlib import Path
from typing import Any

import pytest
from growthbook.core import evalCondition
from hypothesis import given
from hypothesis import strategies as st

from experiments.conditions import check_condition, matches

DEFAULT = Path(__file__).parents[4] / "shared/golden/growthbook-sdk-cases.json"
CASES = Path(os.environ.get("SDK_CASES", DEFAULT))


def _sdk_cases() -> list[Any]:
    if not CASES.exists():
        skip = pytest.mark.skip(reason=f"SDK cases are not at {CASES}; set SDK_CASES")
        return [pytest.param("absent", {}, {}, True, {}, marks=skip)]
    cases = json.loads(CASES.read_text(encoding="utf-8"))["evalCondition"]
    return [pytest.param(*case, *([{}] if len(case) == 4 else []), id=case[0]) for case in cases]


@pytest.mark.parametrize(("name", "condition", "attributes", "expected", "groups"), _sdk_cases())
def test_matches__case_of_the_sdks__agrees(
    name: str,
    condition: dict[str, Any],
    attributes: dict[str, Any],
    expected: bool,
    groups: dict[str, Any],
) -> None:
    assert matches(condition, attributes, groups) is expected


@pytest.mark.parametrize(
    ("condition", "attributes", "expected"),
    [
        ({"age": {"$lt": 1}}, {}, True),  # null counts as zero, as in the SDKs
        ({"age": {"$gt": 5}}, {"age": "many"}, False),
        ({"age": {"$gt": 5}}, {"age": ["6"]}, False),
        ({"name": {"$gt": "a"}}, {}, False),
        ({"zip": {"$regex": "^1"}}, {"zip": 12345}, False),
        ({"zip": {"$notRegex": "^1"}}, {"zip": "9"}, True),
        ({"zip": {"$notRegexi": "^a"}}, {"zip": "Abc"}, False),
        ({"plan": {"$almost": "pro"}}, {"plan": "pro"}, False),
        ({"plan": {"$type": "null"}}, {}, True),
        ({"items": {"$elemMatch": {"sku": "a"}}}, {"items": [1, {"sku": "a"}]}, True),
        ({"id": {"$notInGroup": "beta"}}, {"id": "7"}, True),
        ({"version": {"$vgt": "1.0"}}, {}, False),
        ({"version": {"$veq": "2"}}, {"version": 2}, True),
        ({"vip": {"$eq": 1}}, {"vip": True}, False),
        ({"tags": {"$in": [1]}}, {"tags": [True, "a"]}, False),
        ({"tags": {"$eq": ["a"]}}, {"tags": ["a"]}, False),
        ({"tags": {"$elemMatch": {"$ne": "a"}}}, {"tags": [None]}, False),
    ],
)
def test_matches__odd_attribute__answers_without_error(
    condition: dict[str, Any], attributes: dict[str, Any], expected: bool
) -> None:
    assert matches(condition, attributes) is expected


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab1.", max_size=3)
values = scalars | st.lists(scalars, max_size=3)
operators = st.sampled_from(
    ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$all", "$regex", "$vgt", "$size"]
)
conditions = st.dictionaries(
    st.sampled_from(["a", "b.c"]), st.dictionaries(operators, values, max_size=2), max_size=2
)
attribute_sets = st.dictionaries(
    st.sampled_from(["a", "b"]), values | st.dictionaries(st.just("c"), values), max_size=2
)


@given(condition=conditions, attributes=attribute_sets)
def test_matches__not__is_the_opposite(
    condition: dict[str, Any], attributes: dict[str, Any]
) -> None:
    assert matches({"$not": condition}, attributes) is not matches(condition, attributes)


@given(first=conditions, second=conditions, attributes=attribute_sets)
def test_matches__nor__is_neither(
    first: dict[str, Any], second: dict[str, Any], attributes: dict[str, Any]
) -> None:
    neither = not matches(first, attributes) and not matches(second, attributes)
    assert matches({"$nor": [first, second]}, attributes) is neither


plans = st.sampled_from(["pro", "free", "Pro"])
ages = st.integers(0, 9) | st.floats(0, 9, allow_subnormal=False)
sound = st.fixed_dictionaries(
    {},
    optional={
        "plan": plans
        | st.dictionaries(st.sampled_from(["$eq", "$ne", "$gt", "$lte"]), plans, min_size=1)
        | st.dictionaries(
            st.sampled_from(["$in", "$nin", "$ini"]), st.lists(plans, max_size=2), min_size=1
        ),
        "age": ages | st.dictionaries(st.sampled_from(["$gte", "$lt", "$ne"]), ages, min_size=1),
        "vip": st.booleans() | st.fixed_dictionaries({"$exists": st.booleans()}),
        "tags": st.fixed_dictionaries({"$all": st.lists(plans, max_size=2)})
        | st.fixed_dictionaries({"$elemMatch": st.fixed_dictionaries({"$eq": plans})})
        | st.fixed_dictionaries({"$size": st.integers(0, 2)}),
    },
)
combined = st.recursive(
    sound,
    lambda parts: (
        st.fixed_dictionaries({"$not": parts})
        | st.dictionaries(
            st.sampled_from(["$or", "$and", "$nor"]), st.lists(parts, max_size=3), min_size=1
        )
    ),
    max_leaves=4,
)
people = st.fixed_dictionaries(
    {"plan": plans, "age": ages},
    optional={"vip": st.booleans(), "tags": st.lists(plans, max_size=3)},
)


@given(condition=combined, attributes=people)
def test_matches__sound_condition_and_attributes_of_its_types__as_the_real_sdk(
    condition: dict[str, Any], attributes: dict[str, Any]
) -> None:
    check_condition(condition)
    assert matches(condition, attributes) is evalCondition(attributes, condition)
