"""Which path a visitor walks: their version, as the path experiments they are in change it; pure.

Whoever is under way on an earlier path stays on it and is in no experiment on paths. Everybody else
is assigned as soon as they ask for anything, long before the paths part; whoever is past that point
when the experiment comes is left out, because they could not be shown the difference any more.
"""

from collections.abc import Mapping

from experiments.resolution.enrolment import Question, enrol, in_turn
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import (
    Enrolment,
    HoldoutRule,
    JourneyRule,
    PathRule,
    TouchpointRule,
    Walk,
)


def walk(journey: JourneyRule, question: Question, *, holdout: HoldoutRule | None) -> Walk:
    """The path that a visitor walks."""
    standing = question.standing.get(journey.id)
    if standing is not None and standing.version in journey.earlier:
        return Walk(journey.earlier[standing.version], standing.version)
    standard = journey.paved
    if question.forced is not None:
        return _previewed(journey, question.forced) or standard
    if question.visitor is None or holdout is not None:
        return standard
    paths = {path.rule.id: path for path in journey.paths}
    for rule in in_turn([path.rule for path in journey.paths], question):
        path = paths[rule.id]
        is_past = standing is not None and standing.stage in path.past
        if is_past and rule.id not in question.arms:
            continue
        met = enrol(rule, question, visitor=question.visitor).enrolment
        if met is not None:
            return Walk(_touchpoints(journey, path, met), journey.version, met, path.parting)
    return standard


def _touchpoints(
    journey: JourneyRule, path: PathRule, met: Enrolment
) -> Mapping[str, TouchpointRule]:
    return (
        journey.touchpoints
        if met.arm.removed
        else path.touchpoints.get(met.arm.id, journey.touchpoints)
    )


def _previewed(journey: JourneyRule, forced: Forced) -> Walk | None:
    for path in journey.previews:
        for arm in path.rule.arms:
            if (path.rule.key, arm.key) == (forced.experiment, forced.variant):
                touchpoints = path.touchpoints.get(arm.id, journey.touchpoints)
                return Walk(touchpoints, journey.version)
    return None
