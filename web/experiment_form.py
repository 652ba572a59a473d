"""The form of an experiment: from fields to a draft, and back again for editing."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from flask import request

from experiments.design.plans import Plan
from experiments.design.schemas import ExperimentIn, ExperimentOut, Level, VariantOut
from experiments.errors import InvalidError
from experiments.formats import payload
from experiments.journeys.schemas import JourneyGraph
from experiments.shapes import parse
from web.contents import read_payload
from web.filters import yaml_text
from web.requests import document, listing, number, share, text, whole_number

Given: TypeAlias = Mapping[str, object]
TREATMENTS = 4
CONTROL = "control"
PATH_CHOICE = "the path itself"
PLAN_NUMBERS = ("baseline", "baseline_sd")
PLAN_SHARES = ("minimum_lift", "holdback_share")
PLAN_WHOLE_NUMBERS = (
    "visitors_per_week", "minimum_days", "maximum_days", "minimum_conversions", "probation_days",
)  # fmt: skip


def blank() -> Given:
    """A form with nothing in it but the usual plan."""
    return {**_plan_values(Plan()), "coverage": 100, "weight_0": 50, "weight_1": 50}


def values(experiment: ExperimentOut) -> Given:
    """The form as it would have been filled in to make this experiment."""
    arms = [experiment.control, *experiment.treatments]
    variants = {
        f"{field}_{row}": value
        for row, arm in enumerate(arms)
        for field, value in (
            ("key", arm.key),
            ("name", arm.name),
            ("weight", round(arm.weight * 100, 4)),
            ("content", _said(arm)),
        )
    }
    guardrails = experiment.guardrails
    return {
        **experiment.model_dump(include={"key", "name", "owner", "journey", "primary_metric"}),
        **experiment.hypothesis.model_dump(),
        **_plan_values(experiment.plan),
        **variants,
        "slot": _slot(experiment),
        "audience": yaml_text(experiment.audience) if experiment.audience else "",
        "ramp": _ramp_text(experiment),
        "coverage": round(experiment.coverage * 100, 4),
        "guardrails": [item.metric for item in guardrails],
        "margin": round(guardrails[0].margin * 100, 4) if guardrails else 2,
        "starts_at": experiment.starts_at.isoformat() if experiment.starts_at else "",
    }


def read(graph: JourneyGraph) -> ExperimentIn:
    """The draft that the form describes.

    Raises:
        InvalidError: with one problem per wrong field.
    """
    return parse(
        ExperimentIn,
        {
            "key": text("key"),
            "name": text("name"),
            "journey": text("journey"),
            **_changes(graph),
            "owner": text("owner"),
            "hypothesis": {part: text(part) for part in ("because", "if_we", "then")},
            "audience": document("audience"),
            "coverage": share("coverage") or 1.0,
            "ramp": listing("ramp"),
            "primary_metric": text("primary_metric"),
            "guardrails": _guardrails(),
            "plan": _plan(),
            "starts_at": text("starts_at") or None,
        },
    )


def _slot(experiment: ExperimentOut) -> str:
    is_path = experiment.level is Level.PATH
    return PATH_CHOICE if is_path else f"{experiment.touchpoint}/{experiment.slot}"


def _said(arm: VariantOut) -> str:
    if arm.patch is not None:
        return yaml_text(arm.patch.model_dump(mode="json", exclude_unset=True)["operations"])
    return "" if arm.content is None else payload(arm.content)


def _ramp_text(experiment: ExperimentOut) -> str:
    steps = [step.model_dump() for step in experiment.ramp]
    return yaml_text(steps) if steps else ""


def _changes(graph: JourneyGraph) -> dict[str, object]:
    """Level, place and variants: a slot's contents, or paths."""
    if text("slot") == PATH_CHOICE:
        variants = _variants(lambda row: {"patch": {"operations": listing(f"content_{row}")}})
        return {"level": Level.PATH, "variants": variants}
    touchpoint, _, slot = text("slot").partition("/")
    place = graph.slot(touchpoint, slot)
    if place is None:
        raise InvalidError.at("/slot", "choose a slot of the journey, or the path itself")
    kind = place.type

    def shows(row: int) -> dict[str, object]:
        return {"content": read_payload(kind, text(f"content_{row}"), f"/content_{row}")}

    return {"touchpoint": touchpoint, "slot": slot, "variants": _variants(shows)}


def _variants(changed: Callable[[int], dict[str, object]]) -> list[dict[str, object]]:
    control: dict[str, object] = {
        "key": text("key_0") or CONTROL,
        "name": text("name_0"),
        "control": True,
        "weight": share("weight_0"),
    }
    treatments = [
        {
            "key": text(f"key_{row}"),
            "name": text(f"name_{row}"),
            "weight": share(f"weight_{row}"),
            **changed(row),
        }
        for row in range(1, TREATMENTS + 1)
        if text(f"key_{row}")
    ]
    return [control, *treatments]


def _guardrails() -> list[dict[str, object]]:
    margin = share("margin") or 0.02
    return [{"metric": key, "margin": margin} for key in request.form.getlist("guardrails") if key]


def _plan() -> dict[str, object]:
    given: dict[str, object | None] = {
        "method": text("method"),
        "promotion": text("promotion"),
        "on_harm": text("on_harm"),
        "in_flight": text("in_flight"),
        **{field: share(field) for field in PLAN_SHARES},
        **{field: number(field) for field in PLAN_NUMBERS},
        **{field: whole_number(field) for field in PLAN_WHOLE_NUMBERS},
    }
    return {field: value for field, value in given.items() if value not in {None, ""}}


def _plan_values(plan: Plan) -> dict[str, object]:
    fields = {"method", "promotion", "on_harm", "in_flight", *PLAN_NUMBERS, *PLAN_WHOLE_NUMBERS}
    given = plan.model_dump(include=set(PLAN_SHARES))
    shares = {field: round(given[field] * 100, 4) for field in PLAN_SHARES}
    return {**plan.model_dump(include=fields), **shares}
