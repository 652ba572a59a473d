"""Doing the operations of a patch to a map; pure."""

from collections.abc import Callable, Iterable
from typing import Any

from experiments.errors import InvalidError
from experiments.journeys.operations import (
    AddStage,
    AddTouchpoint,
    JourneyPatch,
    MergeStages,
    MoveTouchpoint,
    Operation,
    ReplaceTouchpoint,
    SetChannel,
    SetWait,
    SkipStage,
    SkipTouchpoint,
)
from experiments.journeys.schemas import JourneyGraph, Stage, Touchpoint


class _UnfitError(Exception):
    """Why an operation does not fit the map."""


def apply(patch: JourneyPatch, graph: JourneyGraph) -> JourneyGraph:
    """The map after every operation, in their order; the rules of maps are checked elsewhere.

    Raises:
        InvalidError: naming the first operation that does not fit, and why.
    """
    for number, operation in enumerate(patch.operations):
        try:
            graph = _DONE[type(operation)](graph, operation)
        except _UnfitError as unfit:
            detail = f"{operation.op} does not fit: {unfit}"
            raise InvalidError.at(f"/operations/{number}", detail) from unfit
    return graph


def _skip_stage(graph: JourneyGraph, operation: SkipStage) -> JourneyGraph:
    skipped = _stage(graph, operation.stage)
    if skipped.key == graph.goal:
        message = f"{skipped.key!r} is the goal, which everybody must be able to reach"
        raise _UnfitError(message)
    following = [key for key in skipped.next if key != skipped.key]
    stages = [
        _updated(stage, next=_replaced(stage.next, skipped.key, following))
        for stage in graph.stages
        if stage.key != skipped.key
    ]
    entries = _replaced(graph.entry_points, skipped.key, following)
    return _with_stages(graph, stages, entry_points=entries)


def _merge_stages(graph: JourneyGraph, operation: MergeStages) -> JourneyGraph:
    merged = [_stage(graph, key) for key in operation.stages]
    gone = set(operation.stages) - {operation.into}
    if graph.goal in gone:
        message = f"{graph.goal!r} is the goal; merge the others into it"
        raise _UnfitError(message)
    kept = _updated(
        _stage(graph, operation.into),
        next=_once(key for stage in merged for key in stage.next if key not in operation.stages),
        touchpoints=[point for stage in merged for point in stage.touchpoints],
        pain_points=[pain for stage in merged for pain in stage.pain_points],
    )
    stages = [
        kept
        if stage.key == kept.key
        else _updated(stage, next=_once(kept.key if key in gone else key for key in stage.next))
        for stage in graph.stages
        if stage.key not in gone
    ]
    entries = _once(kept.key if key in gone else key for key in graph.entry_points)
    return _with_stages(graph, stages, entry_points=entries)


def _add_stage(graph: JourneyGraph, operation: AddStage) -> JourneyGraph:
    before, added = _stage(graph, operation.after), operation.stage
    if graph.stage(added.key) is not None:
        message = f"there is a stage {added.key!r} already; choose another key"
        raise _UnfitError(message)
    for point in added.touchpoints:
        _refuse_double(graph, point)
    if not added.next:
        added = _updated(added, next=before.next)
    stages: list[Stage] = []
    for stage in graph.stages:
        stages += [_updated(stage, next=[added.key]), added] if stage is before else [stage]
    return _with_stages(graph, stages)


def _skip_touchpoint(graph: JourneyGraph, operation: SkipTouchpoint) -> JourneyGraph:
    return _exchanged(graph, _touchpoint(graph, operation.touchpoint), by=[])


def _add_touchpoint(graph: JourneyGraph, operation: AddTouchpoint) -> JourneyGraph:
    _refuse_double(graph, operation.touchpoint)
    return _inserted(graph, operation.touchpoint, operation.stage, before=operation.before)


def _move_touchpoint(graph: JourneyGraph, operation: MoveTouchpoint) -> JourneyGraph:
    moved = _touchpoint(graph, operation.touchpoint)
    without = _exchanged(graph, moved, by=[])
    return _inserted(without, moved, operation.stage, before=operation.before)


def _replace_touchpoint(graph: JourneyGraph, operation: ReplaceTouchpoint) -> JourneyGraph:
    replaced = _touchpoint(graph, operation.touchpoint)
    if operation.by.key != replaced.key:
        _refuse_double(graph, operation.by)
    return _exchanged(graph, replaced, by=[operation.by])


def _set_wait(graph: JourneyGraph, operation: SetWait) -> JourneyGraph:
    waiting = _touchpoint(graph, operation.touchpoint)
    changed = waiting.model_copy(update={"wait_hours": operation.hours})
    return _exchanged(graph, waiting, by=[changed])


def _set_channel(graph: JourneyGraph, operation: SetChannel) -> JourneyGraph:
    reached = _touchpoint(graph, operation.touchpoint)
    changed = reached.model_copy(update={"channels": list(operation.channels)})
    return _exchanged(graph, reached, by=[changed])


_DONE: dict[type[Operation], Callable[[JourneyGraph, Any], JourneyGraph]] = {
    SkipStage: _skip_stage,
    MergeStages: _merge_stages,
    AddStage: _add_stage,
    SkipTouchpoint: _skip_touchpoint,
    AddTouchpoint: _add_touchpoint,
    MoveTouchpoint: _move_touchpoint,
    ReplaceTouchpoint: _replace_touchpoint,
    SetWait: _set_wait,
    SetChannel: _set_channel,
}


def _stage(graph: JourneyGraph, key: str) -> Stage:
    found = graph.stage(key)
    if found is None:
        there = ", ".join(stage.key for stage in graph.stages)
        message = f"there is no stage {key!r}; there are {there}"
        raise _UnfitError(message)
    return found


def _touchpoint(graph: JourneyGraph, key: str) -> Touchpoint:
    found = graph.touchpoint(key)
    if found is None:
        there = ", ".join(point.key for stage in graph.stages for point in stage.touchpoints)
        message = f"there is no touchpoint {key!r}; there are {there}"
        raise _UnfitError(message)
    return found


def _refuse_double(graph: JourneyGraph, added: Touchpoint) -> None:
    if graph.touchpoint(added.key) is not None:
        message = f"there is a touchpoint {added.key!r} already; choose another key"
        raise _UnfitError(message)


def _inserted(
    graph: JourneyGraph, point: Touchpoint, stage: str, *, before: str | None
) -> JourneyGraph:
    points = list(_stage(graph, stage).touchpoints)
    keys = [item.key for item in points]
    if before is not None and before not in keys:
        message = f"stage {stage!r} has no touchpoint {before!r} to come before"
        raise _UnfitError(message)
    points.insert(len(points) if before is None else keys.index(before), point)
    return _with_points(graph, {stage: points})


def _exchanged(graph: JourneyGraph, point: Touchpoint, *, by: list[Touchpoint]) -> JourneyGraph:
    return _with_points(
        graph,
        {
            stage.key: [
                each for item in stage.touchpoints for each in (by if item is point else [item])
            ]
            for stage in graph.stages
        },
    )


def _with_points(graph: JourneyGraph, points: dict[str, list[Touchpoint]]) -> JourneyGraph:
    stages = [
        _updated(stage, touchpoints=points.get(stage.key, stage.touchpoints))
        for stage in graph.stages
    ]
    return _with_stages(graph, stages)


def _with_stages(graph: JourneyGraph, stages: list[Stage], **changes: object) -> JourneyGraph:
    return graph.model_copy(update={"stages": stages, **changes})


def _updated(stage: Stage, **changes: object) -> Stage:
    return stage.model_copy(update=changes)


def _replaced(keys: Iterable[str], gone: str, by: list[str]) -> list[str]:
    return _once(each for key in keys for each in (by if key == gone else [key]))


def _once(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(keys))
