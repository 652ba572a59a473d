"""Reading the paths beside the standard: those of experiments, kept ones, and earlier ones."""

from collections.abc import Callable, Mapping

from sqlmodel import Session

from experiments.design.paths import maps
from experiments.design.schemas import ExperimentOut, Purpose
from experiments.errors import InvalidError
from experiments.journeys import queries as journeys
from experiments.journeys.pinning import carried, path_of, walked
from experiments.journeys.schemas import JourneyGraph, VersionOut
from experiments.resolution.ruleset import ExperimentRule, PathRule, TouchpointRule

Touchpoints = Callable[[JourneyGraph], dict[str, TouchpointRule]]


def earlier_paths(session: Session, standard: VersionOut) -> dict[int, JourneyGraph]:
    """The map of every version that people may still be on and that has another path."""
    published = journeys.publications(session, standard.journey)
    until = published[-1].published_at
    found = {}
    for item in published:
        now_on = walked(published, item.number, until=until, at_next_stage=False)
        if path_of(now_on.graph) != path_of(standard.graph):
            found[item.number] = carried(published, now_on.number)
    return found


def path_rule(
    session: Session,
    item: ExperimentOut,
    standard: JourneyGraph,
    *,
    rule: ExperimentRule,
    touchpoints: Touchpoints,
) -> PathRule:
    """An experiment on paths, with the touchpoints of each path but the standard."""
    parted = item.divergence
    order = [stage.key for stage in standard.stages if not stage.kind.is_beside]
    place = order.index(parted.stage) + 1 if parted and parted.stage in order else len(order)
    return PathRule(
        rule=rule,
        touchpoints={
            item.variants[number].id: touchpoints(graph)
            for number, graph in _maps(session, item, standard).items()
        },
        parting=frozenset(parted.touchpoints if parted else ()),
        past=frozenset(order[place:]),
    )


def _maps(
    session: Session, item: ExperimentOut, standard: JourneyGraph
) -> Mapping[int, JourneyGraph]:
    """The map of every arm that walks another path than the standard, by its position."""
    if item.purpose is Purpose.PROBATION:
        published = journeys.publications(session, item.journey)
        held_back = next(number for number, arm in enumerate(item.variants) if arm.control)
        return {held_back: carried(published, item.base_version)}
    try:
        return maps(item.variants, standard)
    except InvalidError:  # the standard went on so that a patch no longer fits: all walk it
        return {}
