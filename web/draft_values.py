"""A draft as the forms of its steps would have been filled in to make it."""

from collections.abc import Iterator

from werkzeug.datastructures import MultiDict

from experiments.design.schemas import ExperimentOut, VariantOut
from experiments.formats import payload
from web.draft_steps import PLAN_SHARES, chosen_place

BLANK_RAMP_STEPS = 1
Values = MultiDict[str, object]


def values(draft: ExperimentOut) -> Values:
    """Every field of every step; shares in percent."""
    return Values(
        [*_what(draft), *_variants(draft), *_metrics(draft), *_audience(draft), *_plan(draft)]
    )


def _what(draft: ExperimentOut) -> Iterator[tuple[str, object]]:
    yield from draft.hypothesis.model_dump().items()
    yield "name", draft.name
    yield "owner", draft.owner
    yield "place", chosen_place(draft)


def _variants(draft: ExperimentOut) -> Iterator[tuple[str, object]]:
    arms = [draft.control, *draft.treatments]
    for row, arm in enumerate(arms):
        yield f"key_{row}", arm.key
        yield f"name_{row}", arm.called
        yield f"weight_{row}", _percent(arm.weight)
        yield f"content_{row}", _content(arm)
    if max(arm.weight for arm in arms) - min(arm.weight for arm in arms) < 1e-6:
        yield "even", "1"


def _content(arm: VariantOut) -> str:
    return "" if arm.content is None else payload(arm.content)


def _metrics(draft: ExperimentOut) -> Iterator[tuple[str, object]]:
    yield "primary_metric", draft.primary_metric
    for key in draft.secondary_metrics:
        yield "secondary_metrics", key
    for rail in draft.guardrails:
        yield f"margin_{rail.metric}", _percent(rail.margin)


def _audience(draft: ExperimentOut) -> Iterator[tuple[str, object]]:
    yield "coverage", _percent(draft.coverage)
    place = draft.place
    yield "layer", place.layer if place else ""
    yield "start", _percent(place.start if place else 0)
    yield "end", _percent(place.end if place else 1)
    for row, step in enumerate(draft.ramp, start=1):
        yield f"ramp_coverage_{row}", _percent(step.coverage)
        yield f"ramp_hours_{row}", step.after_hours
        yield f"ramp_visitors_{row}", step.visitors or ""
        yield f"ramp_healthy_{row}", "1" if step.healthy else ""
        yield f"ramp_approval_{row}", "1" if step.approval else ""


def _plan(draft: ExperimentOut) -> Iterator[tuple[str, object]]:
    for field, value in draft.plan.model_dump().items():
        yield field, _percent(value) if field in PLAN_SHARES else value
    yield "starts_at", f"{draft.starts_at:%Y-%m-%dT%H:%M}" if draft.starts_at else ""


def _percent(share: float) -> str:
    return f"{round(share * 100, 4):g}"
