from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from experiments.journeys.graph import problems, reachable, reachable_from_entries
from experiments.journeys.schemas import ContentOut, JourneyGraph

METRICS = {"shop.visit", "shop.buy"}


def _graph(change: Callable[[dict[str, Any]], Any] = lambda graph: None) -> JourneyGraph:
    data: dict[str, Any] = {
        "entry_points": ["visit"],
        "goal": "buy",
        "stages": [
            {
                "key": "visit",
                "name": "Visits",
                "entry_rule": {"event": "Page Viewed"},
                "goal_metric": "shop.visit",
                "next": ["buy"],
                "touchpoints": [
                    {
                        "key": "home",
                        "name": "Home page",
                        "slots": [{"key": "headline", "content": "welcome"}],
                    }
                ],
            },
            {
                "key": "buy",
                "name": "Buys",
                "entry_rule": {"event": "Order Completed"},
                "goal_metric": "shop.buy",
            },
        ],
    }
    change(data)
    return JourneyGraph.model_validate(data)


def _content(**changes: Any) -> ContentOut:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    fields = {
        "key": "welcome",
        "number": 1,
        "type": "string",
        "payload": "Hello",
        "locale": "",
        "tags": [],
        "created_by": "person:alice",
        "created_at": at,
        "approved_by": "person:bob",
        "approved_at": at,
    }
    return ContentOut.model_validate({**fields, **changes})


def _found(graph: JourneyGraph, content: ContentOut | None = None) -> list[tuple[str, str]]:
    known = content or _content()
    contents = {(known.key, known.number): known}
    found = problems(graph, metrics=METRICS, contents=contents, for_publishing=True)
    return [(problem.pointer, problem.detail) for problem in found]


def test_problems__sound_graph__finds_none() -> None:
    assert _found(_graph()) == []


def _double_stage(graph: dict[str, Any]) -> None:
    graph["stages"].append({**graph["stages"][1]})


def _double_touchpoint(graph: dict[str, Any]) -> None:
    graph["stages"][1]["touchpoints"] = [{"key": "home", "name": "Again"}]


def _double_slot(graph: dict[str, Any]) -> None:
    slot = {"key": "headline", "content": "welcome"}
    graph["stages"][1]["touchpoints"] = [{"key": "other", "name": "Other", "slots": [slot]}]


def _promise(graph: dict[str, Any]) -> None:
    promise = {"statement": "Fast", "metric": "shop.speed"}
    graph["stages"][0]["touchpoints"][0]["promise"] = promise


@pytest.mark.parametrize(
    ("change", "pointer", "fix"),
    [
        (_double_stage, "/graph/stages/2/key", "give each its own"),
        (_double_touchpoint, "/graph/stages/1/touchpoints/0/key", "2 touchpoints"),
        (_double_slot, "/graph/stages/1/touchpoints/0/slots/0/key", "2 slots"),
        (_promise, "/graph/stages/0/touchpoints/0/promise/metric", "no metric 'shop.speed'"),
        (lambda g: g.update(goal="paid"), "/graph/goal", "there is no stage 'paid'"),
        (lambda g: g["entry_points"].append("ad"), "/graph/entry_points/1", "no stage 'ad'"),
        (lambda g: g["stages"][0]["next"].append("x"), "/graph/stages/0/next/1", "no stage 'x'"),
        (lambda g: g["stages"][0].update(next=[]), "/graph/entry_points/0", "cannot be reached"),
        (
            lambda g: g["stages"][1].update(goal_metric="shop.none"),
            "/graph/stages/1/goal_metric",
            "create it or name another",
        ),
        (
            lambda g: g["stages"][0]["touchpoints"][0]["slots"][0].update(content_version=2),
            "/graph/stages/0/touchpoints/0/slots/0/content",
            "there is no content 'welcome' version 2",
        ),
        (
            lambda g: g["stages"][0]["touchpoints"][0]["slots"][0].update(type="integer"),
            "/graph/stages/0/touchpoints/0/slots/0/type",
            "is of type string, the slot of type integer",
        ),
    ],
)
def test_problems__broken_rule__names_place_and_fix(
    change: Callable[[dict[str, Any]], Any], pointer: str, fix: str
) -> None:
    found = dict(_found(_graph(change)))
    assert fix in found[pointer]


def test_problems__content_not_approved__only_forbids_publishing() -> None:
    waiting = _content(approved_at=None, approved_by=None)
    ((pointer, detail),) = _found(_graph(), waiting)
    assert pointer == "/graph/stages/0/touchpoints/0/slots/0/content"
    assert "approve it first" in detail
    contents = {("welcome", 1): waiting}
    assert problems(_graph(), metrics=METRICS, contents=contents) == []


def test_reachable__loop__ends() -> None:
    graph = _graph(lambda g: g["stages"][1].update(next=["visit"]))
    assert reachable(graph, "buy") == {"visit", "buy"}
    assert reachable(graph, "nowhere") == set()


def test_reachable_from_entries__stage_nobody_leads_to__is_left_out() -> None:
    graph = _graph(lambda g: g["stages"].append({**g["stages"][1], "key": "lost"}))
    assert reachable_from_entries(graph) == {"visit", "buy"}
