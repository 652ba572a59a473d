"""What the page of a step shows beside its fields: the map, the data, what the plan can find."""

from collections.abc import Callable, Mapping
from zlib import crc32

from flask import render_template, request

from experiments.accounts import queries as accounts
from experiments.analysis.expectation import expectation
from experiments.database import reading
from experiments.design import drafting, power, queries, usage
from experiments.design.lifecycle import OCCUPYING
from experiments.design.schemas import ExperimentOut, Level, Purpose, Severity
from experiments.design.sharing import sharing
from experiments.metrics import queries as metrics
from experiments.personas.aiming import parts
from experiments.resolution import service as resolution
from experiments.resolution.schemas import PreviewIn
from web import condition_form, experiment_plots, experiment_tables, path_form
from web.draft_steps import MOST_RAMP_STEPS, MOST_VARIANTS, STEPS, Map, Step
from web.draft_values import values
from web.paths import paths
from web.requests import runtime

Shown = Mapping[str, object]


def step_page(draft: ExperimentOut, step: Step, on: Map, error: Exception | None = None) -> str:
    """The page of one step; what was typed stays beside what is wrong with it."""
    with reading(runtime().engine) as session:
        findings = queries.check(session, draft.key)
    more = MORE[step.key](draft, on, is_typed=error is not None)
    return render_template(
        f"drafts/{step.key}.html",
        draft=draft,
        on=on,
        steps=STEPS,
        step=step,
        states={item.key: item.state(findings) for item in STEPS},
        findings=findings,
        here=[item for item in findings if item.field.startswith(step.fields)],
        startable=all(item.severity is not Severity.ERROR for item in findings),
        given=request.form if error else values(draft),
        error=error,
        **more,
    )


def _what(draft: ExperimentOut, on: Map, *, is_typed: bool) -> Shown:
    del draft, on, is_typed
    return {}


def _variants(draft: ExperimentOut, on: Map, *, is_typed: bool) -> Shown:
    slot = on.graph.slot(draft.touchpoint, draft.slot)
    arms = draft.treatments
    rows = [n for n in range(1, MOST_VARIANTS + 1) if request.form.get(f"name_{n}")]
    last = max(rows, default=0) if is_typed else len(arms)
    shown = range(1, min(last + 1, MOST_VARIANTS) + 1)
    patches = [arm.patch for arm in arms]
    return {
        "slot": slot,
        "standard_content": drafting.standard_content(slot, on.contents) if slot else None,
        "rows": shown,
        "path_forms": {
            row: path_form.typed(row)
            if is_typed
            else path_form.shown(patches[row - 1] if row <= len(patches) else None)
            for row in shown
        },
        "operations": path_form.OPERATIONS,
        "shown_by_new": [
            (path_form.content_option(item), item)
            for item in on.contents.values()
            if item.approved_at
        ],
        "is_path": draft.level is Level.PATH,
        "paths": paths(draft, on.graph),
    }


def _metrics(draft: ExperimentOut, on: Map, *, is_typed: bool) -> Shown:
    del is_typed
    with reading(runtime().engine) as session:
        catalogue = metrics.metrics(session)
    goals = {stage.goal_metric: stage.name for stage in on.graph.stages}
    near = list(dict.fromkeys([*goals, *draft.metrics]))
    return {
        "goals": goals,
        "near": sorted(
            (item for item in catalogue if item.key in near), key=lambda item: near.index(item.key)
        ),
        "others": [item for item in catalogue if item.key not in near],
    }


def _audience(draft: ExperimentOut, on: Map, *, is_typed: bool) -> Shown:
    persona, more = parts(draft.audience, on.personas.values())
    with reading(runtime().engine) as session:
        layers = queries.layers(session)
        placed = usage.placed(session)
    steps = max(len(draft.ramp) + 1, 2)
    return {
        "personas": [(item.key, item.name) for item in on.personas.values()],
        "persona_key": request.form.get("persona") or (persona.key if persona else ""),
        "layers": layers,
        "layer_choices": [(item.key, item.name) for item in layers],
        "placed": {
            key: [item for item in parts if item.key != draft.key] for key, parts in placed.items()
        },
        "condition": condition_form.given() if is_typed else condition_form.shown(more),
        "comparisons": condition_form.COMPARISONS,
        "modes": condition_form.MODES,
        "ramp_rows": range(1, min(steps, MOST_RAMP_STEPS) + 1),
    }


def _plan(draft: ExperimentOut, on: Map, *, is_typed: bool) -> Shown:
    del is_typed
    now = runtime().clock.now()
    stage = drafting.stage_of(on.graph, draft.touchpoint, draft.variants)
    with reading(runtime().engine) as session:
        known = metrics.existing(session, [draft.primary_metric])
        metric = metrics.metric(session, draft.primary_metric) if known else None
        occupying = queries.experiments(
            session, OCCUPYING, purposes=(Purpose.TEST, Purpose.PROBATION)
        )
        seen = expectation(session, draft.journey, stage, metric=metric, now=now) if stage else None
    forecast = power.forecast(draft, metric) if metric else None
    return {
        "metric": metric,
        "stage": on.graph.stage(stage) if stage else None,
        "seen": seen,
        "forecast": forecast,
        "plot": experiment_plots.power(forecast, draft.plan) if forecast else None,
        "table": experiment_tables.power(forecast) if forecast else None,
        # A browser keeps a picture by its address, so that another plan needs another one.
        "look": crc32(forecast.model_dump_json().encode()) if forecast else None,
        "shared": sharing(draft, [item for item in occupying if item.key != draft.key]),
    }


def _start(draft: ExperimentOut, on: Map, *, is_typed: bool) -> Shown:
    opened = runtime()
    key, now = opened.settings.signing_key(), opened.clock.now()
    with reading(opened.engine) as session:
        tokens = accounts.tokens(session)
    origins = [origin for token in tokens if token.revoked_at is None for origin in token.origins]
    return {
        "previews": [
            (arm, resolution.preview(draft, PreviewIn(variant=arm.key), key=key, now=now))
            for arm in draft.variants
        ],
        "origin": origins[0] if origins else "https://your-site.example",
        **_plan(draft, on, is_typed=is_typed),
    }


MORE: Mapping[str, Callable[..., Shown]] = {
    "what": _what,
    "variants": _variants,
    "metrics": _metrics,
    "audience": _audience,
    "plan": _plan,
    "start": _start,
}
