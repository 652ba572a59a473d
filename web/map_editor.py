"""Editing the map by forms: its stages, their touchpoints, what these say, promise and hurt."""

from collections.abc import Callable, Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.formats import words
from experiments.journeys import editing, queries, service, working
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.schemas import (
    ContentType,
    JourneyGraph,
    PainPointStatus,
    Stage,
    Touchpoint,
    VersionOut,
)
from experiments.metrics import queries as metrics
from experiments.shapes import key_of, parse
from web import access, map_form
from web.access import Page
from web.requests import runtime, text

blueprint = Blueprint("map_editor", __name__, template_folder="templates")
SEVERITIES = ((1, "annoys"), (2, "hurts"), (3, "drives away"))


@blueprint.get("/journeys/<key>/edit")
@access.needs(Role.EDITOR)
def edit(key: str) -> str:
    """The stages in their order, each with its touchpoints."""
    return _overview(key)


@blueprint.post("/journeys/<key>/edit")
@access.needs(Role.EDITOR)
def change(key: str) -> Page:
    """Add, order or remove stages and touchpoints, or say where the journey begins and ends."""
    here = url_for("map_editor.edit", key=key)
    try:
        before = _working(key).graph
        graph, onward = _changed(key, before)
        _keep(key, graph, note=text("note") if "note" in request.form else None)
    except (InvalidError, ConflictError) as error:
        return _overview(key, error), _status(error)
    return redirect(onward or here)


@blueprint.get("/journeys/<key>/edit/stages/<stage>")
@access.needs(Role.EDITOR)
def stage(key: str, stage: str) -> str:
    """The form of one stage."""
    return _stage_page(key, stage)


@blueprint.post("/journeys/<key>/edit/stages/<stage>")
@access.needs(Role.EDITOR)
def write_stage(key: str, stage: str) -> Page:
    """Write a stage into the draft."""
    try:
        graph = _working(key).graph
        _keep(key, editing.stage_written(graph, map_form.read_stage(_stage(graph, stage))))
    except (InvalidError, ConflictError) as error:
        return _stage_page(key, stage, error), _status(error)
    flash("The stage is written into the draft.", "good")
    return redirect(url_for("map_editor.edit", key=key))


@blueprint.get("/journeys/<key>/edit/touchpoints/<touchpoint>")
@access.needs(Role.EDITOR)
def touchpoint(key: str, touchpoint: str) -> str:
    """The form of one touchpoint, with what its slots say."""
    return _touchpoint_page(key, touchpoint)


@blueprint.post("/journeys/<key>/edit/touchpoints/<touchpoint>")
@access.needs(Role.EDITOR)
def write_touchpoint(key: str, touchpoint: str) -> Page:
    """Write a touchpoint and what was typed for its slots into the draft."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        graph = _working(key).graph
        before = _touchpoint(graph, touchpoint)
        slots, written = map_form.read_slots(touchpoint)
        with transaction(runtime().engine) as session:
            for item in written:
                made = service.add_content(session, key, item.content, actor=actor, now=now)
                slots[item.row]["content_version"] = made.number
                if request.form.get("approve"):
                    service.approve_content(
                        session, key, made.key, made.number, actor=actor, now=now
                    )
            point = map_form.read_touchpoint(before, slots)
            changed = _placed(graph, point, text("stage"))
            working.keep(session, key, changed, seen=text("seen"), actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _touchpoint_page(key, touchpoint, error), _status(error)
    flash("The touchpoint is written into the draft.", "good")
    return redirect(url_for("map_editor.edit", key=key))


def _changed(key: str, graph: JourneyGraph) -> tuple[JourneyGraph, str]:
    """The map after what a button asks for, and the page that follows, if another one."""
    verb, _, node = text("do").partition(":")
    if verb == "add-stage":
        made = parse(
            Stage,
            {
                "key": key_of(text("name")),
                "name": text("name"),
                "entry_rule": {"event": text("event")},
                "goal_metric": text("goal_metric"),
            },
        )
        added = _patched(graph, {"op": "add_stage", "stage": made, "after": text("after")})
        return added, url_for("map_editor.stage", key=key, stage=made.key)
    if verb == "add-touchpoint":
        point = parse(Touchpoint, {"key": key_of(text("name")), "name": text("name")})
        added = _patched(graph, {"op": "add_touchpoint", "stage": node, "touchpoint": point})
        return added, url_for("map_editor.touchpoint", key=key, touchpoint=point.key)
    if verb == "ends":
        return map_form.read_graph(graph), ""
    if verb not in MOVES:
        raise NotFoundError("change of a map", verb)
    return MOVES[verb](graph, node), ""


def _patched(graph: JourneyGraph, operation: Mapping[str, object]) -> JourneyGraph:
    return apply(parse(JourneyPatch, {"operations": [operation]}), graph)


MOVES: Mapping[str, Callable[[JourneyGraph, str], JourneyGraph]] = {
    "stage-up": lambda graph, node: editing.stage_moved(graph, node, -1),
    "stage-down": lambda graph, node: editing.stage_moved(graph, node, 1),
    "stage-remove": lambda graph, node: _patched(graph, {"op": "skip_stage", "stage": node}),
    "touchpoint-up": lambda graph, node: editing.touchpoint_moved(graph, node, -1),
    "touchpoint-down": lambda graph, node: editing.touchpoint_moved(graph, node, 1),
    "touchpoint-remove": lambda graph, node: _patched(
        graph, {"op": "skip_touchpoint", "touchpoint": node}
    ),
}


def _placed(graph: JourneyGraph, point: Touchpoint, stage: str) -> JourneyGraph:
    """The map with a touchpoint as written, moved when another stage was chosen."""
    written = _patched(graph, {"op": "replace_touchpoint", "touchpoint": point.key, "by": point})
    now_in = written.stage_of(point.key)
    if not stage or (now_in is not None and now_in.key == stage):
        return written
    moved = {"op": "move_touchpoint", "touchpoint": point.key, "stage": stage}
    return _patched(written, moved)


def _keep(key: str, graph: JourneyGraph, *, note: str | None = None) -> None:
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        working.keep(session, key, graph, seen=text("seen"), note=note, actor=actor, now=now)


def _working(key: str) -> VersionOut:
    with reading(runtime().engine) as session:
        return working.working(session, key)


def _stage(graph: JourneyGraph, key: str) -> Stage:
    found = graph.stage(key)
    if found is None:
        raise NotFoundError("stage", key)
    return found


def _touchpoint(graph: JourneyGraph, key: str) -> Touchpoint:
    found = graph.touchpoint(key)
    if found is None:
        raise NotFoundError("touchpoint", key)
    return found


def _status(error: Exception) -> int:
    return 409 if isinstance(error, ConflictError) else 422


def _overview(key: str, error: Exception | None = None) -> str:
    return _page(key, "overview", error)


def _stage_page(key: str, stage: str, error: Exception | None = None) -> str:
    graph = _working(key).graph
    return _page(key, "stage", error, node=_stage(graph, stage))


def _touchpoint_page(key: str, touchpoint: str, error: Exception | None = None) -> str:
    graph = _working(key).graph
    found = _touchpoint(graph, touchpoint)
    return _page(key, "touchpoint", error, node=found, stage=graph.stage_of(touchpoint))


def _page(key: str, name: str, error: Exception | None, **more: object) -> str:
    with reading(runtime().engine) as session:
        journey = queries.journey(session, key)
        version = working.working(session, key)
        contents = queries.contents(session, key)
        catalogue = metrics.metrics(session)
    return render_template(
        f"map_editor/{name}.html",
        journey=journey,
        version=version,
        seen=working.mark(version),
        contents=contents,
        texts={(item.key, item.number): item for item in contents},
        metrics=[(item.key, item.name) for item in catalogue],
        stage_choices=[(item.key, item.name) for item in version.graph.stages],
        types=[(kind.value, kind.value) for kind in ContentType],
        pain_choices=[(kind.value, words(kind)) for kind in PainPointStatus],
        severities=SEVERITIES,
        channels=map_form.CHANNELS,
        given=request.form,
        error=error,
        **more,
    )
