"""Bodies that work, for the documentation of each call."""

from collections.abc import Mapping
from typing import Any

from experiments.accounts.schemas import TokenIn
from experiments.delivery.schemas import EndpointIn
from experiments.design.schemas import ExperimentIn, HoldoutIn, PhaseIn
from experiments.journeys.schemas import ContentIn, JourneyIn, VersionIn
from experiments.mailings.schemas import MailTrialIn, SubscriptionIn
from experiments.metrics.schemas import MetricChangeIn, MetricIn
from experiments.resolution.schemas import ResolveIn
from experiments.shapes import In

METRIC = {
    "key": "signup.done",
    "name": "Signed up",
    "rule": {"event": "Signed Up", "where": {"plan": "pro"}},
    "window_hours": 336,
}
GRAPH = {
    "stages": [
        {
            "key": "visit",
            "name": "Visits",
            "entry_rule": {"event": "Page Viewed"},
            "goal_metric": "signup.visit",
            "next": ["signup"],
            "touchpoints": [
                {
                    "key": "landing_page",
                    "name": "Landing page",
                    "slots": [{"key": "hero_headline", "content": "hero-headline"}],
                }
            ],
        },
        {
            "key": "signup",
            "name": "Signs up",
            "entry_rule": {"event": "Signed Up"},
            "goal_metric": "signup.done",
        },
    ],
    "entry_points": ["visit"],
    "goal": "signup",
}
CONTENT = {"key": "hero-headline", "type": "string", "payload": "Sleep well again"}
EXAMPLES: Mapping[type[In], Mapping[str, Any]] = {
    TokenIn: {"name": "web shop", "scopes": ["evaluate", "ingest"]},
    MetricIn: METRIC,
    MetricChangeIn: {"metric": METRIC, "reason": "only the paid plan counts"},
    JourneyIn: {"key": "signup", "name": "Sign-up", "contents": [CONTENT], "graph": GRAPH},
    VersionIn: {"graph": GRAPH, "note": "one stage less"},
    ContentIn: CONTENT,
    ExperimentIn: {
        "key": "headline",
        "name": "Headline",
        "journey": "signup",
        "touchpoint": "landing_page",
        "slot": "hero_headline",
        "variants": [
            {"key": "control", "control": True, "weight": 0.5},
            {"key": "pain", "weight": 0.5, "content": "Stop losing time."},
        ],
        "primary_metric": "signup.done",
        "guardrails": [{"metric": "signup.visit", "margin": 0.02}],
    },
    PhaseIn: {"weights": {"control": 0.2, "pain": 0.8}, "reason": "it does no harm"},
    HoldoutIn: {"key": "untouched", "name": "Untouched", "journey": "signup", "share": 0.05},
    EndpointIn: {
        "kind": "webhook",
        "name": "Data team",
        "url": "https://hooks.example.org/desireline",
        "events": ["promotion", "demotion", "alarm"],
    },
    SubscriptionIn: {
        "audience": "Growth",
        "recipients": ["dora@example.org"],
        "weekday": 1,
        "hour": 8,
        "time_zone": "Europe/Madrid",
    },
    MailTrialIn: {"recipient": "dora@example.org"},
    ResolveIn: {
        "visitor": "v-1",
        "journey": "signup",
        "touchpoint": "landing_page",
        "context": {"country": "IT"},
        "fallback": {"hero_headline": "Welcome"},
    },
}


def example(shape: type[In]) -> Any:
    """A body of this shape: one written by hand, or the least that its schema asks for."""
    if shape in EXAMPLES:
        return EXAMPLES[shape]
    schema = shape.model_json_schema()
    return _least(schema, "", schema.get("$defs", {}))


def _least(schema: Mapping[str, Any], name: str, definitions: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _least(definitions[schema["$ref"].rpartition("/")[2]], name, definitions)
    for choice in (schema.get("examples"), schema.get("enum")):
        if choice:
            return choice[0]
    if "anyOf" in schema:
        return _least(schema["anyOf"][0], name, definitions)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            wanted = schema.get("required", [])
            return {field: _least(fields[field], field, definitions) for field in wanted}
        case "array":
            items = [schema.get("items", {})] * schema.get("minItems", 0)
            return [_least(item, name, definitions) for item in items]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return "2026-03-02T09:00:00Z" if schema.get("format") == "date-time" else name or "text"
