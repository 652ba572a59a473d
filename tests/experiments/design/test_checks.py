from datetime import UTC, datetime
from typing import Any

import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from experiments.design.checks import Facts, findings
from experiments.design.schemas import ExperimentOut, Severity
from experiments.journeys.documents import from_template
from experiments.journeys.schemas import JourneyGraph, TemplateIn
from experiments.metrics.schemas import MetricOut

AT = datetime(2026, 3, 2, tzinfo=UTC)
SHOP = from_template(TemplateIn(key="shop", name="Shop"))
METRICS = {
    metric.key: MetricOut.model_validate({**metric.model_dump(), "id": 1, "created_at": AT})
    for metric in SHOP.metrics
}
FACTS = Facts(graph=SHOP.graph, metrics=METRICS, others=[])


def _arm(key: str, weight: float, content: object = None) -> dict[str, Any]:
    stored = {"id": 1, "name": "", "removed_at": None}
    control = key == "control"
    return {**stored, "key": key, "weight": weight, "content": content, "control": control}


def _experiment(**changes: Any) -> ExperimentOut:
    fields: dict[str, Any] = {
        "id": 1,
        "key": "headline",
        "name": "Headline",
        "journey": "shop",
        "base_version": 1,
        "level": "message",
        "source": "live",
        "touchpoint": "landing_page",
        "slot": "hero_headline",
        "owner": "",
        "hypothesis": {"because": "few go on", "if_we": "name the pain", "then": "more go on"},
        "audience": {},
        "coverage": 1.0,
        "place": None,
        "salt": "0123456789abcdef",
        "status": "draft",
        "variants": [_arm("control", 0.5), _arm("b", 0.5, "No more paperwork")],
        "phases": [],
        "primary_metric": "shop.aware",
        "secondary_metrics": ["shop.informed"],
        "guardrails": [{"metric": "shop.chooses"}],
        "plan": {"baseline": 0.2, "visitors_per_week": 50_000},
        "created_at": AT,
        "starts_at": None,
        "started_at": None,
        "stopped_at": None,
        "ended_at": None,
    }
    return ExperimentOut.model_validate({**fields, **changes})


def _place(start: float, end: float, layer: str = "home") -> dict[str, Any]:
    return {"layer": layer, "start": start, "end": end}


def test_findings__sound_plan__are_none() -> None:
    assert findings(_experiment(), FACTS) == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"touchpoint": "nowhere"}, "/touchpoint", "has no touchpoint 'nowhere'"),
        ({"slot": "nothing"}, "/slot", "it has: hero_headline, hero_image"),
        ({"primary_metric": "none"}, "/primary_metric", "create it or choose another"),
        ({"secondary_metrics": ["none"]}, "/secondary_metrics/0", "no metric 'none'"),
        ({"guardrails": [{"metric": "none"}]}, "/guardrails/0/metric", "no metric 'none'"),
        (
            {"variants": [_arm("control", 0.5), _arm("b", 0.5, 3)]},
            "/variants/1/content",
            "takes content of type string",
        ),
    ],
)
def test_findings__error__names_field_and_comes_first(
    changes: dict[str, Any], field: str, words: str
) -> None:
    first = findings(_experiment(hypothesis={}, **changes), FACTS)[0]
    assert (first.severity, first.field) == (Severity.ERROR, field)
    assert words in first.message


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"hypothesis": {}}, "/hypothesis", "what you expect"),
        ({"guardrails": []}, "/guardrails", "must not get worse"),
        ({"primary_metric": "shop.trusts"}, "/plan/maximum_days", "waits 91 days"),
        ({"plan": {"baseline": 0.2}}, "/plan/visitors_per_week", "estimate them"),
        ({"plan": {"visitors_per_week": 900}}, "/plan/baseline", "today's figure"),
        ({"plan": {"baseline": 2, "visitors_per_week": 9}}, "/plan/baseline", "below 1"),
        (
            {"plan": {"baseline": 0.01, "visitors_per_week": 900}},
            "/plan/maximum_days",
            "28 are planned",
        ),
        ({"coverage": 0.001}, "/plan/maximum_days", "cover more visitors"),
        ({"place": _place(0, 0.001)}, "/plan/maximum_days", "cover more visitors"),
    ],
)
def test_findings__weak_plan__only_warns(changes: dict[str, Any], field: str, words: str) -> None:
    (found,) = findings(_experiment(**changes), FACTS)
    assert (found.severity, found.field) == (Severity.WARNING, field)
    assert words in found.message


def test_findings__metric_that_is_a_mean__asks_for_its_spread() -> None:
    revenue = METRICS["shop.aware"].model_copy(update={"kind": "sum", "value_property": "amount"})
    facts = Facts(graph=SHOP.graph, metrics={**METRICS, "shop.aware": revenue}, others=[])
    (found,) = findings(_experiment(), facts)
    assert found.field == "/plan/baseline_sd"
    plan = {"baseline": 20, "baseline_sd": 60, "visitors_per_week": 50_000}
    assert findings(_experiment(plan=plan), facts) == []


def test_findings__nothing_published__is_an_error() -> None:
    found = findings(_experiment(), Facts(graph=None, metrics=METRICS, others=[]))
    assert [(item.severity, item.field) for item in found] == [(Severity.ERROR, "/journey")]


def test_findings__stage_nobody_reaches__is_an_error() -> None:
    data = SHOP.graph.model_dump(mode="json")
    for stage in data["stages"]:
        stage["next"] = [key for key in stage["next"] if key != "on_the_list"]
    facts = Facts(graph=JourneyGraph.model_validate(data), metrics=METRICS, others=[])
    asked = _experiment(touchpoint="newsletter", slot="newsletter_teaser")
    (found,) = findings(asked, facts)
    assert "No visitor can reach stage 'on_the_list'" in found.message


@pytest.mark.parametrize(
    ("mine", "theirs", "fields"),
    [
        (None, None, ["/slot"]),
        (None, _place(0, 0.5), ["/slot"]),
        (_place(0, 0.5), _place(0.5, 1), []),
        (_place(0, 0.6), _place(0.5, 1), ["/place"]),
        (_place(0, 0.5), _place(0.5, 1, "other"), ["/slot"]),
    ],
)
def test_findings__another_on_the_slot__must_be_beside_it_in_one_layer(
    mine: dict[str, Any] | None, theirs: dict[str, Any] | None, fields: list[str]
) -> None:
    other = _experiment(key="other", status="running", place=theirs)
    facts = Facts(graph=SHOP.graph, metrics=METRICS, others=[other])
    assert [found.field for found in findings(_experiment(place=mine), facts)] == fields


def test_findings__run_elsewhere__needs_no_free_slot_and_no_power() -> None:
    other = _experiment(key="other", status="running")
    facts = Facts(graph=SHOP.graph, metrics=METRICS, others=[other])
    assert findings(_experiment(source="totals", plan={}, guardrails=[]), facts) == []


def test_findings__days_needed__are_close_to_a_fixed_test() -> None:
    """A sequential plan needs a few percent more than statsmodels' fixed one-sided test."""
    plan = {"baseline": 0.1, "visitors_per_week": 1000, "minimum_lift": 0.2}
    effect = proportion_effectsize(0.12, 0.1)
    per_arm = NormalIndPower().solve_power(effect, alpha=0.05, power=0.8, alternative="larger")
    fixed_days = 2 * per_arm / 1000 * 7
    (found,) = findings(_experiment(plan=plan), FACTS)
    words = found.message.split()
    days = int(words[words.index("days,") - 1])
    assert fixed_days < days < fixed_days * 1.15 + 7
