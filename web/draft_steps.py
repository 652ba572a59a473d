"""The steps of planning a test: which fields each asks for, and how they are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask import request

from experiments.design import drafting
from experiments.design.schemas import ExperimentOut, Finding, Level, Severity
from experiments.journeys.graph import Contents
from experiments.journeys.schemas import ContentType, JourneyGraph
from experiments.metrics.schemas import EventRule
from experiments.personas.aiming import aimed
from experiments.personas.schemas import PersonaOut
from experiments.shapes import key_of
from web import condition_form, path_form
from web.contents import read_payload
from web.requests import number, share, text, whole_number

MOST_VARIANTS = 19
MOST_RAMP_STEPS = 8
AS_DRAFTED = "as-drafted"
PATH_STARTS = {"skip_touchpoint", "skip_stage"}
PLAN_WORDS = ("method", "promotion", "on_harm", "in_flight")
PLAN_NUMBERS = ("baseline", "baseline_sd")
PLAN_SHARES = ("minimum_lift", "holdback_share")
PLAN_WHOLE_NUMBERS = (
    "visitors_per_week", "minimum_days", "maximum_days", "minimum_conversions", "probation_days",
)  # fmt: skip
Changes: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """What a draft is made on: the journey, what its slots may show, what metrics count."""

    graph: JourneyGraph
    contents: Contents
    rules: Mapping[str, EventRule]
    personas: Mapping[str, PersonaOut]

    def metric_of(self, place: Mapping[str, Any]) -> str:
        """What a test at such a place is judged by at first."""
        level, touchpoint = place["level"], place["touchpoint"]
        return drafting.metric_of(self.graph, level, touchpoint, rules=self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A page of the plan: its address, what it settles, and the fields of a draft it asks for."""

    key: str
    label: str
    about: str
    fields: tuple[str, ...]
    read: Callable[[ExperimentOut, Map], Changes]

    def state(self, findings: list[Finding]) -> str:
        """How the checks see what this step settles."""
        here = [item for item in findings if item.field.startswith(self.fields)]
        if any(item.severity is Severity.ERROR for item in here):
            return "must change"
        return "think about" if here else "fine"


def begun(chosen: str, on: Map) -> dict[str, Any]:
    """Level, place and variants of a place that was chosen.

    Raises:
        InvalidError: when nothing on the map was chosen.
    """
    kind, _, where = chosen.partition(":")
    if kind in PATH_STARTS:
        return drafting.of_path(kind, where)
    touchpoint, _, slot = where.partition("/")
    return drafting.of_slot(on.graph, touchpoint, slot, contents=on.contents)


def chosen_place(draft: ExperimentOut) -> str:
    """The place of a draft as the form names it."""
    if draft.level is Level.PATH:
        return AS_DRAFTED
    return f"slot:{draft.touchpoint}/{draft.slot}"


def described() -> dict[str, object]:
    """Name, owner and hypothesis."""
    parts = {part: text(part) for part in ("because", "if_we", "then")}
    return {"name": text("name"), "owner": text("owner"), "hypothesis": parts}


def _what(draft: ExperimentOut, on: Map) -> Changes:
    if text("place") in {"", chosen_place(draft)}:
        return described()
    made = begun(text("place"), on)
    fresh = {"visitors_per_week": None, "baseline": None, "baseline_sd": None}
    plan = draft.plan.model_copy(update=fresh)
    return {**described(), **made, "primary_metric": on.metric_of(made), "plan": plan}


def _variants(draft: ExperimentOut, on: Map) -> Changes:
    slot = on.graph.slot(draft.touchpoint, draft.slot)
    kind = slot.type if slot else ContentType.STRING
    rows = [row for row in range(1, MOST_VARIANTS + 1) if text(f"name_{row}") or text(f"key_{row}")]
    rows = [row for row in rows if not request.form.get(f"remove_{row}")]
    keys = [text(f"key_{row}") or key_of(text(f"name_{row}")) for row in rows]
    even = 1 / (len(rows) + 1) if request.form.get("even") else None
    control = {
        "key": draft.control.key,
        "name": text("name_0"),
        "control": True,
        "weight": even or share("weight_0"),
    }
    treatments = [
        {
            "key": key,
            "name": text(f"name_{row}"),
            "weight": even or share(f"weight_{row}"),
            **_shows(row, kind, is_path=draft.level is Level.PATH),
        }
        for row, key in zip(rows, keys, strict=True)
    ]
    return {"variants": [control, *treatments]}


def _shows(row: int, kind: ContentType, *, is_path: bool) -> dict[str, object]:
    if is_path:
        return {"patch": {"operations": path_form.read(row)}}
    return {"content": read_payload(kind, text(f"content_{row}"), f"/content_{row}")}


def _metrics(draft: ExperimentOut, on: Map) -> Changes:
    del on
    primary = text("primary_metric")
    margins = {key: share(f"margin_{key}") for key in request.form.getlist("metric")}
    changes: dict[str, object] = {
        "primary_metric": primary,
        "secondary_metrics": [
            key for key in request.form.getlist("secondary_metrics") if key != primary
        ],
        "guardrails": [
            {"metric": key, "margin": margin} for key, margin in margins.items() if margin
        ],
    }
    if primary != draft.primary_metric:
        # Figures of another metric are no figures of this one.
        fresh = {"baseline": None, "baseline_sd": None}
        changes["plan"] = draft.plan.model_copy(update=fresh)
    return changes


def _audience(draft: ExperimentOut, on: Map) -> Changes:
    del draft
    layer = text("layer")
    part = {"layer": layer, "start": share("start") or 0.0, "end": share("end") or 1.0}
    return {
        "audience": aimed(on.personas.get(text("persona")), condition_form.read()),
        "coverage": share("coverage") or 1.0,
        "ramp": _ramp(),
        "place": part if layer else None,
    }


def _ramp() -> list[dict[str, object]]:
    numbers = range(1, MOST_RAMP_STEPS + 1)
    return [
        {
            "coverage": share(f"ramp_coverage_{n}"),
            "after_hours": whole_number(f"ramp_hours_{n}") or 24,
            "visitors": whole_number(f"ramp_visitors_{n}") or 0,
            "healthy": bool(request.form.get(f"ramp_healthy_{n}")),
            "approval": bool(request.form.get(f"ramp_approval_{n}")),
        }
        for n in numbers
        if text(f"ramp_coverage_{n}")
    ]


def _plan(draft: ExperimentOut, on: Map) -> Changes:
    del on
    given: dict[str, object | None] = {
        **{field: text(field) for field in PLAN_WORDS},
        **{field: share(field) for field in PLAN_SHARES},
        **{field: number(field) for field in PLAN_NUMBERS},
        **{field: whole_number(field) for field in PLAN_WHOLE_NUMBERS},
    }
    kept = draft.plan.model_dump(include={"alpha", "power"})
    return {"plan": {**kept, **{k: value for k, value in given.items() if value not in {None, ""}}}}


def _start(draft: ExperimentOut, on: Map) -> Changes:
    del draft, on
    at = text("starts_at")
    has_zone = at.endswith("Z") or "+" in at
    return {"starts_at": (at if has_zone else f"{at}+00:00") if at else None}


STEPS = (
    Step(
        key="what",
        label="What and where",
        about="What you saw, what you want to try, and where people will meet it.",
        fields=("/journey", "/touchpoint", "/slot", "/hypothesis"),
        read=_what,
    ),
    Step(
        key="variants",
        label="Variants",
        about="What is shown instead. The control shows what is standard, whatever that becomes.",
        fields=("/variants",),
        read=_variants,
    ),
    Step(
        key="metrics",
        label="Metrics",
        about="One metric decides. Guardrails may not get worse; the others are only watched.",
        fields=("/primary_metric", "/secondary_metrics", "/guardrails"),
        read=_metrics,
    ),
    Step(
        key="audience",
        label="Audience",
        about="Who takes part, how many of them, and how that grows.",
        fields=("/audience", "/coverage", "/ramp", "/place"),
        read=_audience,
    ),
    Step(
        key="plan",
        label="Plan",
        about="How long it takes to find a change of the size that is worth finding.",
        fields=("/plan",),
        read=_plan,
    ),
    Step(
        key="start",
        label="Start",
        about="Look at every variant where it will be shown, then let it run.",
        fields=("/starts_at",),
        read=_start,
    ),
)
BY_KEY = {step.key: step for step in STEPS}


def after(step: Step) -> Step:
    """The step that follows, the last after itself."""
    return STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]
