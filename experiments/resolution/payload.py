"""What an SDK needs to evaluate by itself: the ruleset in the words of GrowthBook's SDKs; pure.

An SDK hashes, filters and compares as the server does, so that it finds the same arm. What it
cannot know is left out and named as `remoteOnly`: who was in an experiment that takes nobody new,
conditions on what only the server knows, and who walks another path than the standard. No
hypothesis, owner or metric is published.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from experiments.assignment.bucketing import BUCKETS
from experiments.conditions import is_portable
from experiments.design.schemas import Status
from experiments.resolution.flags import Flag, flags, typed
from experiments.resolution.ruleset import (
    ExperimentRule,
    HoldoutRule,
    LayerRule,
    Ruleset,
    SlotRule,
    TouchpointRule,
)

HASHED = {"hashAttribute": "id", "hashVersion": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The features, and the experiments of each that only the server can evaluate."""

    features: Mapping[str, Any]
    remote_only: Mapping[str, list[str]]


def payload(ruleset: Ruleset) -> Payload:
    """Every flag that has approved standard content, as a feature."""
    found = [flag for flag in flags(ruleset).values() if _standard(flag) is not None]
    left_out = {flag.key: _left_out(flag) for flag in found}
    return Payload(
        features={
            flag.key: _feature(flag, left_out[flag.key])
            for flag in found
            if flag.touchpoint.key in flag.journey.touchpoints
        },
        remote_only={key: names for key, names in left_out.items() if names},
    )


def _feature(flag: Flag, left_out: list[str]) -> dict[str, Any]:
    running = [rule for rule in _experiments(flag) if rule.status is Status.RUNNING]
    rules = [_experiment(flag, rule) for rule in running if rule.key not in left_out]
    holdouts = [item for item in flag.journey.holdouts if is_portable(item.audience)]
    if not rules and all(_kept(flag, holdout) == _standard(flag) for holdout in holdouts):
        return {"defaultValue": _standard(flag)}
    held_out = [found for holdout in holdouts for found in _holdout(flag, holdout)]
    return {"defaultValue": _standard(flag), "rules": held_out + rules}


def _experiments(flag: Flag) -> tuple[ExperimentRule, ...]:
    return flag.slot.live if flag.experiment is None else (flag.experiment,)


def _left_out(flag: Flag) -> list[str]:
    """The experiments that an SDK could not evaluate, or not alike."""
    unknown = [item for item in flag.journey.holdouts if not is_portable(item.audience)]
    known_here = not unknown
    changing = [item.key for item in unknown if _kept(flag, item) != _standard(flag)]
    return (
        changing
        + _elsewhere(flag)
        + [
            rule.key
            for rule in _experiments(flag)
            if rule.status is Status.MATURING
            or (rule.status is Status.RUNNING and not (known_here and is_portable(rule.audience)))
        ]
    )


def _elsewhere(flag: Flag) -> list[str]:
    """What leads some visitors along a path on which the flag answers otherwise, or not at all."""
    journey = flag.journey
    paths = [(path.rule.key, each) for path in journey.paths for each in path.touchpoints.values()]
    paths += [(f"version {number}", each) for number, each in journey.earlier.items()]
    kept = [(item.key, item.kept) for item in journey.holdouts if item.parts is not None]
    names = [name for name, points in paths if _slot(flag, points) != flag.slot]
    names += [name for name, points in kept if _slot(flag, points) is None]
    return list(dict.fromkeys(names))


def _slot(flag: Flag, touchpoints: Mapping[str, TouchpointRule]) -> SlotRule | None:
    point = touchpoints.get(flag.touchpoint.key)
    return None if point is None else point.slots.get(flag.slot.key)


def _experiment(flag: Flag, rule: ExperimentRule) -> dict[str, Any]:
    standard = _standard(flag)
    kind = flag.slot.type
    found = {
        "key": rule.key,
        "variations": [standard if arm.defers else typed(arm.content, kind) for arm in rule.arms],
        "weights": [arm.weight for arm in rule.arms],
        "coverage": rule.coverage,
        **HASHED,
        "seed": rule.salt,
        "meta": [{"key": arm.key} for arm in rule.arms],
        "phase": str(rule.phase),
    }
    if rule.audience:
        found["condition"] = rule.audience
    if rule.layer is not None:
        found["filters"] = [_filter(rule.layer)]
    return found


def _filter(layer: LayerRule) -> dict[str, Any]:
    return {"attribute": "id", "hashVersion": 2, "seed": layer.salt, "ranges": [layer.stretch]}


def _holdout(flag: Flag, holdout: HoldoutRule) -> Iterator[dict[str, Any]]:
    """What the status quo of a holdout is forced to see, then everybody else in it."""
    # The server compares whole buckets with the share; an edge between two says the same exactly.
    ends = [(_standard(flag), ceil(holdout.share * BUCKETS) / BUCKETS)]
    if holdout.parts is not None:
        ends.insert(0, (_kept(flag, holdout), holdout.parts.stretches[0][1]))
    for value, end in ends:
        found = {"force": value, **HASHED, "seed": holdout.salt, "range": [0.0, end]}
        yield {**found, "condition": holdout.audience} if holdout.audience else found


def _kept(flag: Flag, holdout: HoldoutRule) -> Any:
    """What the status quo of a holdout sees there: what was standard at its beginning."""
    slot = _slot(flag, holdout.kept)
    if slot is None or slot.standard is None or not slot.standard.approved:
        return _standard(flag)
    return typed(slot.standard.value, slot.type)


def _standard(flag: Flag) -> Any:
    standard = flag.slot.standard
    if standard is None or not standard.approved:
        return None
    return typed(standard.value, flag.slot.type)
