"""What an SDK needs to evaluate by itself: the ruleset in the words of GrowthBook's SDKs; pure.

An SDK hashes, filters and compares as the server does, so that it finds the same arm. What it
cannot know is left out and named as `remoteOnly`: who was in an experiment that takes nobody new,
and conditions on what only the server knows. No hypothesis, owner or metric is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from experiments.assignment.bucketing import BUCKETS
from experiments.conditions import is_portable
from experiments.design.schemas import Status
from experiments.resolution.flags import Flag, flags, typed
from experiments.resolution.ruleset import ExperimentRule, HoldoutRule, LayerRule, Ruleset

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
        features={flag.key: _feature(flag, left_out[flag.key]) for flag in found},
        remote_only={key: names for key, names in left_out.items() if names},
    )


def _feature(flag: Flag, left_out: list[str]) -> dict[str, Any]:
    running = [rule for rule in _experiments(flag) if rule.status is Status.RUNNING]
    rules = [_experiment(flag, rule) for rule in running if rule.key not in left_out]
    if not rules:
        return {"defaultValue": _standard(flag)}
    held_out = [_holdout(flag, holdout) for holdout in flag.journey.holdouts]
    return {"defaultValue": _standard(flag), "rules": held_out + rules}


def _experiments(flag: Flag) -> tuple[ExperimentRule, ...]:
    return flag.slot.live if flag.experiment is None else (flag.experiment,)


def _left_out(flag: Flag) -> list[str]:
    """The experiments that an SDK could not evaluate, or not alike."""
    known_here = all(is_portable(holdout.audience) for holdout in flag.journey.holdouts)
    return [
        rule.key
        for rule in _experiments(flag)
        if rule.status is Status.MATURING
        or (rule.status is Status.RUNNING and not (known_here and is_portable(rule.audience)))
    ]


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


def _holdout(flag: Flag, holdout: HoldoutRule) -> dict[str, Any]:
    # The server compares whole buckets with the share; an edge between two says the same exactly.
    end = ceil(holdout.share * BUCKETS) / BUCKETS
    found = {"force": _standard(flag), **HASHED, "seed": holdout.salt, "range": [0.0, end]}
    return {**found, "condition": holdout.audience} if holdout.audience else found


def _standard(flag: Flag) -> Any:
    standard = flag.slot.standard
    if standard is None or not standard.approved:
        return None
    return typed(standard.value, flag.slot.type)
