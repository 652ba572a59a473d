"""Conditions as rows: what is read back is what was shown."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.conditions import told
from web import condition_form
from web.condition_form import ConditionForm

SCALARS = st.one_of(
    st.booleans(), st.integers(-5, 5), st.sampled_from(["NL", "3", "true", "a, b", '"q"', "é"])
)
TESTS = st.one_of(
    SCALARS,
    st.fixed_dictionaries({"$gte": st.integers(0, 3), "$lt": st.integers(4, 9)}),
    st.fixed_dictionaries({"$nin": st.lists(SCALARS.filter(lambda v: v != "a, b"), min_size=1)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
)
FLAT = st.dictionaries(st.sampled_from(["plan", "visits", "a.b"]), TESTS, max_size=3)


def sent(form: ConditionForm) -> dict[str, str]:
    """What a browser sends of this form."""
    fields = {"mode": form.mode, "condition": form.document}
    for number, row in enumerate(form.rows, start=1):
        fields |= {f"attribute_{number}": row.attribute, f"comparison_{number}": row.comparison}
        fields |= {f"value_{number}": row.value}
    return fields


def _plain(condition: Any) -> Any:
    """Without the joints that say nothing: each test for itself."""
    parts = condition.get("$and", [condition])
    flat: list[Any] = []
    for part in parts:
        for key, expected in part.items():
            many = expected.items() if isinstance(expected, dict) else [("$eq", expected)]
            flat += [(key, name, operand) for name, operand in many]
    return flat


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(condition=FLAT)
def test_rows__shown_and_sent_again__say_the_same(condition: dict[str, Any]) -> None:
    app = Flask("form")
    with app.test_request_context(method="POST", data=sent(condition_form.shown(condition))):
        read = condition_form.read()
    assert _plain(read) == _plain(condition)


@pytest.mark.parametrize(
    "condition",
    [
        {"$nor": [{"plan": "pro"}]},
        {"plan": {"$regex": "^p"}},
        {"$and": [{"$or": [{"a": 1}, {"b": 2}]}, {"c": 3}]},
        {"plan": None},
    ],
)
def test_rows__cannot_say_it__show_it_as_it_is_written(condition: dict[str, Any]) -> None:
    shown = condition_form.shown(condition)
    assert not shown.rows
    with Flask("form").test_request_context(method="POST", data=sent(shown)):
        assert condition_form.read() == condition


def test_rows__any_of_them__stays_any() -> None:
    condition = {"$or": [{"plan": "pro"}, {"visits": {"$gte": 3}}]}
    shown = condition_form.shown(condition)
    assert shown.mode == "$or"
    with Flask("form").test_request_context(method="POST", data=sent(shown)):
        assert condition_form.read() == condition


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({}, "everybody"),
        ({"$not": {"plan": "pro"}}, "not (plan is pro)"),
        ({"$nor": [{"a": 1}, {"b": True}]}, "not (a is 1) and not (b is yes)"),
        ({"tags": {"$all": ["x", "y"]}, "n": {"$size": 2}}, "tags has all of x, y, and n size 2"),
    ],
)
def test_told__condition__is_a_sentence(condition: dict[str, Any], words: str) -> None:
    assert told(condition) == words
