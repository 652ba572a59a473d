"""What stands against starting an experiment, in words for a growth lead; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as fresh

from experiments.design.paths import path_findings
from experiments.design.power import power_findings
from experiments.design.schemas import (
    ExperimentOut,
    Finding,
    LayerPlace,
    Level,
    Purpose,
    Severity,
    Source,
)
from experiments.design.sharing import sharing
from experiments.journeys.graph import Contents, reachable_from_entries
from experiments.journeys.schemas import JourneyGraph, Slot
from experiments.metrics.schemas import MetricOut

_HOURS_PER_DAY = 24
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an experiment is checked against.

    Attributes:
        graph: the standard journey, None when none has been published.
        metrics: the catalogue by key.
        others: the other experiments that are scheduled or started.
        contents: what the slots may show.
    """

    graph: JourneyGraph | None
    metrics: Mapping[str, MetricOut]
    others: Sequence[ExperimentOut]
    contents: Contents = fresh(default_factory=dict)


def findings(experiment: ExperimentOut, facts: Facts) -> list[Finding]:
    """Errors, which forbid the start, before warnings; each names the field to change."""
    found = [*_place_in_journey(experiment, facts), *_missing_metrics(experiment, facts)]
    if experiment.source is Source.LIVE:
        found += _overlaps(experiment, facts.others)
        found += _shared_visitors(experiment, facts.others)
        found += _design_warnings(experiment, facts)
    return sorted(found, key=lambda finding: finding.severity is Severity.WARNING)


def _error(check: str, field: str, message: str) -> Finding:
    return Finding(severity=Severity.ERROR, check=check, field=field, message=message)


def _warning(check: str, field: str, message: str) -> Finding:
    return Finding(severity=Severity.WARNING, check=check, field=field, message=message)


def _place_in_journey(experiment: ExperimentOut, facts: Facts) -> Iterator[Finding]:
    if facts.graph is None:
        message = f"Journey {experiment.journey!r} has no standard version; publish one first."
        yield _error("standard", "/journey", message)
    elif experiment.level is Level.PATH:
        yield from path_findings(
            experiment, facts.graph, metrics=facts.metrics, contents=facts.contents
        )
    else:
        yield from _place_on_touchpoint(experiment, facts.graph)
        yield from _nothing_new(experiment, facts.graph, facts.contents)


def _place_on_touchpoint(experiment: ExperimentOut, graph: JourneyGraph) -> Iterator[Finding]:
    touchpoint = graph.touchpoint(experiment.touchpoint)
    if touchpoint is None:
        message = (
            f"The standard journey has no touchpoint {experiment.touchpoint!r}; "
            "choose one that is on the map."
        )
        yield _error("touchpoint", "/touchpoint", message)
        return
    yield from _unreachable_stage(experiment, graph)
    slot = graph.slot(experiment.touchpoint, experiment.slot)
    if slot is None:
        there = ", ".join(item.key for item in touchpoint.slots) or "none"
        message = f"Touchpoint {touchpoint.key!r} has no slot {experiment.slot!r}; it has: {there}."
        yield _error("slot", "/slot", message)
    else:
        yield from _unfit_content(experiment, slot)


def _unreachable_stage(experiment: ExperimentOut, graph: JourneyGraph) -> Iterator[Finding]:
    stage = graph.stage_of(experiment.touchpoint)
    if stage is not None and stage.key not in reachable_from_entries(graph):
        message = (
            f"No visitor can reach stage {stage.key!r} of touchpoint {experiment.touchpoint!r}; "
            "connect the stage in the journey, or choose another touchpoint."
        )
        yield _error("reachability", "/touchpoint", message)


def _unfit_content(experiment: ExperimentOut, slot: Slot) -> Iterator[Finding]:
    for number, variant in enumerate(experiment.variants):
        if not variant.control and not slot.type.accepts(variant.content):
            message = (
                f"Variant {variant.key!r} shows {variant.content!r}, "
                f"but slot {slot.key!r} takes content of type {slot.type}."
            )
            yield _error("content", f"/variants/{number}/content", message)


def _nothing_new(
    experiment: ExperimentOut, graph: JourneyGraph, contents: Contents
) -> Iterator[Finding]:
    slot = graph.slot(experiment.touchpoint, experiment.slot)
    standard = contents.get((slot.content, slot.content_version)) if slot else None
    for number, variant in enumerate(experiment.variants):
        if standard and not variant.control and variant.content == standard.payload:
            message = (
                f"Variant {variant.called!r} shows what is standard already; write something else."
            )
            yield _warning("content", f"/variants/{number}/content", message)


def _missing_metrics(experiment: ExperimentOut, facts: Facts) -> Iterator[Finding]:
    named = [("/primary_metric", experiment.primary_metric)]
    named += [
        (f"/secondary_metrics/{n}", key) for n, key in enumerate(experiment.secondary_metrics)
    ]
    named += [
        (f"/guardrails/{n}/metric", guardrail.metric)
        for n, guardrail in enumerate(experiment.guardrails)
    ]
    for field, key in named:
        if key not in facts.metrics:
            message = f"There is no metric {key!r}; create it or choose another."
            yield _error("metric", field, message)


def _overlaps(experiment: ExperimentOut, others: Sequence[ExperimentOut]) -> Iterator[Finding]:
    for other in others:
        mine, theirs = experiment.place, other.place
        if mine is not None and theirs is not None and mine.layer == theirs.layer:
            if _overlap(mine, theirs):
                message = (
                    f"Experiment {other.key!r} uses {theirs.start:g} to {theirs.end:g} of layer "
                    f"{mine.layer!r}; choose a part that is free."
                )
                yield _error("overlap", "/place", message)
        elif _same_slot(experiment, other):
            yield _error("overlap", "/slot", _occupied(other))
        elif _same_paths(experiment, other):
            yield _error("overlap", "/place", _walked(other))


def _shared_visitors(
    experiment: ExperimentOut, others: Sequence[ExperimentOut]
) -> Iterator[Finding]:
    elsewhere = [
        other
        for other in others
        if not (_same_slot(experiment, other) or _same_paths(experiment, other))
    ]
    shared = sharing(experiment, elsewhere)
    if shared:
        names = ", ".join(item.key for item in shared[:_NAMED])
        more = f" and {len(shared) - _NAMED} more" if len(shared) > _NAMED else ""
        message = (
            f"Up to {shared[0].share:.0%} of its visitors are in other tests of this journey as "
            f"well ({names}{more}). Their effects add up; if one could change what another does, "
            "put them into one layer with separate parts."
        )
        yield _warning("sharing", "/place", message)


def _occupied(other: ExperimentOut) -> str:
    if other.purpose is Purpose.PROBATION:
        return (
            f"What was promoted to this slot is on probation ({other.key}); another test would "
            "blur what it brings. Wait until the probation is over, or end it."
        )
    return (
        f"Experiment {other.key!r} is {other.status} on the same slot; put both into one "
        "layer with separate parts, or wait until it has ended."
    )


def _walked(other: ExperimentOut) -> str:
    if other.purpose is Purpose.PROBATION:
        return (
            f"The path that was promoted is on probation ({other.key}), and a visitor can walk "
            "one only. Wait until the probation is over, or end it."
        )
    return (
        f"Experiment {other.key!r} is {other.status} on the paths of this journey, and a "
        "visitor can walk one only; put both into one layer with separate parts, or wait "
        "until it has ended."
    )


def _overlap(mine: LayerPlace, theirs: LayerPlace) -> bool:
    return mine.start < theirs.end and theirs.start < mine.end


def _same_paths(one: ExperimentOut, other: ExperimentOut) -> bool:
    return one.journey == other.journey and one.level is other.level is Level.PATH


def _same_slot(one: ExperimentOut, other: ExperimentOut) -> bool:
    places = [(item.level, item.journey, item.touchpoint, item.slot) for item in (one, other)]
    return one.level is Level.MESSAGE and places[0] == places[1]


def _design_warnings(experiment: ExperimentOut, facts: Facts) -> Iterator[Finding]:
    if not (experiment.hypothesis.because and experiment.hypothesis.then):
        message = "Say what you saw and what you expect; the report tells it to everybody else."
        yield _warning("hypothesis", "/hypothesis", message)
    if not experiment.guardrails:
        message = "No guardrail watches for harm elsewhere; name a metric that must not get worse."
        yield _warning("guardrails", "/guardrails", message)
    metric = facts.metrics.get(experiment.primary_metric)
    if metric is None:
        return
    if metric.window_hours > experiment.plan.maximum_days * _HOURS_PER_DAY / 2:
        message = (
            f"Metric {metric.key!r} waits {metric.window_hours / _HOURS_PER_DAY:g} days for each "
            f"visitor, more than half of the {experiment.plan.maximum_days} days planned; "
            "plan more days or choose an earlier outcome."
        )
        yield _warning("window", "/plan/maximum_days", message)
    yield from (
        _warning("power", field, message) for field, message in power_findings(experiment, metric)
    )
