from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.journeys.differences import differences
from experiments.journeys.documents import from_template
from experiments.journeys.schemas import JourneyGraph, TemplateIn

TEMPLATE = from_template(TemplateIn.model_validate({"key": "c", "name": "C"})).graph


def _changed(change: Callable[[dict[str, Any]], Any]) -> JourneyGraph:
    data = TEMPLATE.model_dump(mode="json")
    change(data)
    return JourneyGraph.model_validate(data)


def _slot(graph: dict[str, Any]) -> dict[str, Any]:
    slot: dict[str, Any] = graph["stages"][0]["touchpoints"][0]["slots"][0]
    return slot


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda g: _slot(g).update(content_version=2),
            (
                "stages/aware/touchpoints/landing_page/slots/hero_headline/content_version",
                "changed",
            ),
        ),
        (lambda g: g["stages"][1].update(name="Curious"), ("stages/interested/name", "changed")),
        (
            lambda g: g["stages"][1]["touchpoints"].clear(),
            ("stages/interested/touchpoints/product_page", "removed"),
        ),
        (lambda g: g["stages"].reverse(), ("stages", "reordered")),
        (lambda g: g["entry_points"].append("informed"), ("entry_points", "changed")),
        (lambda g: g.update(goal="trusts"), ("goal", "changed")),
    ],
)
def test_differences__one_change__is_found_at_a_readable_path(
    change: Callable[[dict[str, Any]], Any], expected: tuple[str, str]
) -> None:
    after = _changed(change)
    ((path, kind),) = [(found.path, found.kind) for found in differences(TEMPLATE, after)]
    assert (path, kind) == expected


def test_differences__added_touchpoint__carries_it() -> None:
    new = {"key": "chat", "name": "Chat"}
    after = _changed(lambda g: g["stages"][2]["touchpoints"].append(new))
    (found,) = differences(TEMPLATE, after)
    assert (found.path, found.kind) == ("stages/shows_interest/touchpoints/chat", "added")
    assert found.before is None
    assert found.after["name"] == "Chat"


@given(order=st.permutations(range(len(TEMPLATE.stages))))
def test_differences__none__only_for_equal_maps(order: list[int]) -> None:
    after = _changed(lambda g: g.update(stages=[g["stages"][place] for place in order]))
    assert (differences(TEMPLATE, after) == []) is (after == TEMPLATE)
    assert differences(after, after) == []
