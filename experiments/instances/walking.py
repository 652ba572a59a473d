"""From what a visitor did to the walks they made through a journey; pure.

An attempt ends where the map ends: at a stage that leads nowhere, or beside the path. Entering
where journeys begin starts a new attempt then. Before that it changes nothing: a visitor who looks
at the first page again is not thrown back to the beginning.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from experiments.conditions import matches
from experiments.instances.schemas import Happening, InstanceState, TransitionKind, TransitionOut
from experiments.journeys.pinning import Publication, in_force, walked
from experiments.journeys.schemas import JourneyGraph, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One attempt: the version it is on, and its steps."""

    attempt: int
    version: int
    state: InstanceState
    transitions: tuple[TransitionOut, ...]

    @property
    def stage(self) -> str:
        """Where it is."""
        return self.transitions[-1].to_stage

    @property
    def entry_point(self) -> str:
        """Where it began."""
        return self.transitions[0].to_stage

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.transitions[0].at


def walks(publications: Sequence[Publication], happenings: Iterable[Happening]) -> list[Walk]:
    """The attempts that what a visitor did amounts to, in whatever order it is told.

    Args:
        publications: the versions that became the standard, the oldest first, as the visitor's
            path experiments change them.
        happenings: what the visitor did.
    """
    found: list[Walk] = []
    for happening in sorted(happenings, key=lambda item: (item.at, item.event_id)):
        if found and not _begins_anew(publications, found[-1], happening):
            found[-1] = _advanced(publications, found[-1], happening)
        elif begun := _begun(publications, happening, attempt=len(found) + 1):
            found.append(begun)
    return found


def _begins_anew(publications: Sequence[Publication], walk: Walk, happening: Happening) -> bool:
    graph = _graph(publications, walk.version)
    stage = graph.stage(walk.stage)
    is_over = stage is None or not stage.next or stage.kind.is_beside
    standard = in_force(publications, happening.at)
    entered = standard and next(_entered(standard.graph, happening), None)
    return is_over and bool(standard and entered and entered.key in standard.graph.entry_points)


def _begun(
    publications: Sequence[Publication], happening: Happening, *, attempt: int
) -> Walk | None:
    standard = in_force(publications, happening.at)
    stage = next(_entered(standard.graph, happening), None) if standard else None
    if standard is None or stage is None:
        return None
    kind = TransitionKind.FORWARD if attempt == 1 else TransitionKind.RE_ENTRY
    first = _step(happening, kind, origin=None, to=stage.key, standing=standard.graph.entry_points)
    state = _state(standard.graph, stage, InstanceState.WALKING)
    return Walk(attempt=attempt, version=standard.number, state=state, transitions=(first,))


def _advanced(publications: Sequence[Publication], walk: Walk, happening: Happening) -> Walk:
    at = happening.at
    here = walked(publications, walk.version, until=at, at_next_stage=False)
    target = _next_stage(here.graph, walk.stage, happening)
    if target is None:
        return replace(walk, version=here.number)
    there = walked(publications, walk.version, until=at, at_next_stage=True)
    target = _next_stage(there.graph, walk.stage, happening) or target
    origin = here.graph.stage(walk.stage)
    step = _step(
        happening,
        _kind(here.graph, origin, target),
        origin=walk.stage,
        to=target.key,
        standing=origin.next if origin else (),
    )
    return replace(
        walk,
        version=there.number,
        state=_state(there.graph, target, walk.state),
        transitions=(*walk.transitions, step),
    )


def _next_stage(graph: JourneyGraph, standing: str, happening: Happening) -> Stage | None:
    """The stage that is entered from where the visitor stands, those that follow it first."""
    origin = graph.stage(standing)
    following = origin.next if origin else []
    is_back = origin is not None and origin.kind.is_beside
    entered = [
        stage
        for stage in _entered(graph, happening)
        if stage.key != standing and (is_back or stage.key not in graph.entry_points)
    ]
    return min(entered, key=lambda stage: stage.key not in following, default=None)


def _entered(graph: JourneyGraph, happening: Happening) -> Iterator[Stage]:
    for stage in graph.stages:
        rule = stage.entry_rule
        if rule.event == happening.name and matches(rule.where, happening.properties):
            yield stage


def _kind(graph: JourneyGraph, origin: Stage | None, to: Stage) -> TransitionKind:
    if to.kind.is_beside:
        return TransitionKind.EXIT
    if origin is None or origin.kind.is_beside:
        return TransitionKind.RE_ENTRY
    order = [stage.key for stage in graph.stages]
    if to.key not in order or order.index(to.key) < order.index(origin.key):
        return TransitionKind.BACKWARD
    return TransitionKind.FORWARD if to.key in origin.next else TransitionKind.SKIP


def _state(graph: JourneyGraph, stage: Stage, before: InstanceState) -> InstanceState:
    if stage.kind.is_beside:
        return InstanceState.LEFT
    if stage.key == graph.goal or before is InstanceState.ARRIVED:
        return InstanceState.ARRIVED
    return InstanceState.WALKING


def _step(
    happening: Happening,
    kind: TransitionKind,
    *,
    origin: str | None,
    to: str,
    standing: Sequence[str],
) -> TransitionOut:
    return TransitionOut(
        from_stage=origin,
        to_stage=to,
        at=happening.at,
        event_id=happening.event_id,
        event=happening.name,
        kind=kind,
        conforming=to in standing,
    )


def _graph(publications: Sequence[Publication], number: int) -> JourneyGraph:
    return next(item.graph for item in publications if item.number == number)
