"""Aiming an audience at a persona and telling it apart again."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from experiments.conditions import matches
from experiments.personas.aiming import aimed, is_aimed_at, parts
from experiments.personas.schemas import PersonaOut

KEYS = st.sampled_from(["plan", "visits", "country"])
VALUES = st.integers(0, 2)
CONDITIONS = st.dictionaries(KEYS, VALUES, max_size=2)
RULES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=2)


def persona(rule: dict[str, Any]) -> PersonaOut:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return PersonaOut(
        id=1, key="p", version=1, name="P", rule=rule, goals="", needs="", priority=0,
        written_by="person:a", written_at=at, retired_at=None,
    )  # fmt: skip


@given(rule=RULES, more=CONDITIONS)
def test_aimed__and_parts__are_each_others_reverse(
    rule: dict[str, int], more: dict[str, int]
) -> None:
    made = persona(rule)
    audience = aimed(made, more)
    assert parts(audience, [made]) == (made, more)
    assert is_aimed_at(audience, rule)


@given(rule=RULES, audience=CONDITIONS, visitor=CONDITIONS)
def test_is_aimed_at__says_so__then_everybody_in_the_audience_fits_the_rule(
    rule: dict[str, int], audience: dict[str, int], visitor: dict[str, int]
) -> None:
    if is_aimed_at(audience, rule) and matches(audience, visitor):
        assert matches(rule, visitor)


def test_parts__nobody_in_particular__leaves_the_audience_as_it_is() -> None:
    assert parts({"plan": 1}, [persona({"plan": 2})]) == (None, {"plan": 1})
    assert aimed(None, {"plan": 1}) == {"plan": 1}
