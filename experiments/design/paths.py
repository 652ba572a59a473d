"""Experiments on paths: the maps that their variants make, and what such a test must keep; pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from experiments.design.schemas import ExperimentOut, Finding, Severity
from experiments.errors import InvalidError, Problem
from experiments.journeys.divergence import Divergence, common_later_stages, divergence
from experiments.journeys.graph import Contents, problems
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.schemas import JourneyGraph, Stage
from experiments.metrics.schemas import MetricKind, MetricOut


class Walked(Protocol):
    """A variant, given or stored."""

    @property
    def patch(self) -> JourneyPatch | None:
        """What it changes; nothing at the control."""


def maps(variants: Sequence[Walked], base: JourneyGraph) -> dict[int, JourneyGraph]:
    """The map of every variant that changes the path, by its position.

    Raises:
        InvalidError: naming the variant and the operation that does not fit the base.
    """
    found = {}
    for number, variant in enumerate(variants):
        if variant.patch is None:
            continue
        try:
            found[number] = apply(variant.patch, base)
        except InvalidError as error:
            raise InvalidError(_below(f"/variants/{number}/patch", error.problems)) from error
    return found


def parting(variants: Sequence[Walked], base: JourneyGraph) -> Divergence | None:
    """Where the paths of the variants part.

    Raises:
        InvalidError: when a patch does not fit the base.
    """
    return divergence(base, list(maps(variants, base).values()))


def judged_stages(experiment: ExperimentOut, base: JourneyGraph) -> list[Stage]:
    """The stages behind the parting that every path still leads to."""
    if experiment.divergence is None:
        return []
    others = list(maps(experiment.variants, base).values())
    return common_later_stages(base, others, after=experiment.divergence.stage)


def path_findings(
    experiment: ExperimentOut,
    graph: JourneyGraph,
    *,
    metrics: Mapping[str, MetricOut],
    contents: Contents,
) -> Iterator[Finding]:
    """What forbids a test of these paths; nothing else can be said while a patch does not fit."""
    try:
        made = maps(experiment.variants, graph)
    except InvalidError as error:
        yield from (_error("patch", item.pointer, item.detail) for item in error.problems)
        return
    for number, changed in made.items():
        for problem in problems(changed, metrics=metrics, contents=contents, for_publishing=True):
            field = f"/variants/{number}/patch{problem.pointer.removeprefix('/graph')}"
            yield _error("patch", field, problem.detail)
    parted = divergence(graph, list(made.values()))
    if parted is None:
        message = (
            "The paths have no stage in common before they part, so that nobody could be counted "
            "in both; keep the stages where the journey begins."
        )
        yield _error("divergence", "/variants", message)
    elif not parted.touchpoints:
        message = (
            "No touchpoint differs between the paths, so that nobody would notice a difference; "
            "skip, add, move or change one."
        )
        yield _error("divergence", "/variants", message)
    else:
        others = list(made.values())
        common = common_later_stages(graph, others, after=parted.stage)
        yield from _unjudgeable(experiment, common, metrics)


def _unjudgeable(
    experiment: ExperimentOut, common: Collection[Stage], metrics: Mapping[str, MetricOut]
) -> Iterator[Finding]:
    roles = [("/primary_metric", experiment.primary_metric)]
    roles += [
        (f"/secondary_metrics/{n}", key) for n, key in enumerate(experiment.secondary_metrics)
    ]
    roles += [
        (f"/guardrails/{n}/metric", item.metric) for n, item in enumerate(experiment.guardrails)
    ]
    for field, key in roles:
        if key in metrics and metrics[key].kind is MetricKind.RATIO:
            message = (
                f"Metric {key!r} is a rate among those who came so far, and the paths themselves "
                "change who does; use a figure per visitor."
            )
            yield _error("denominator", field, message)
    primary = metrics.get(experiment.primary_metric)
    if primary is not None and not _counts_a_common_stage(primary, common):
        names = ", ".join(stage.key for stage in common) or "none"
        message = (
            f"Metric {primary.key!r} does not count who reaches a stage that all paths have in "
            f"common after they part ({names}); choose the goal metric of one, or one that counts "
            "the event by which it is entered."
        )
        yield _error("common stage", "/primary_metric", message)


def _counts_a_common_stage(metric: MetricOut, common: Collection[Stage]) -> bool:
    return any(
        metric.key == stage.goal_metric or metric.rule == stage.entry_rule for stage in common
    )


def _below(place: str, found: Sequence[Problem]) -> list[Problem]:
    return [Problem(f"{place}{item.pointer}", item.detail) for item in found]


def _error(check: str, field: str, message: str) -> Finding:
    return Finding(severity=Severity.ERROR, check=check, field=field, message=message)
