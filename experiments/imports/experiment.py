"""Making the experiments that imported data belong to."""

import math
from collections.abc import Sequence
from datetime import timedelta

from experiments.design.imported import is_imported
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import ExperimentIn, ExperimentOut, Hypothesis, Source, VariantIn
from experiments.errors import ConflictError
from experiments.imports.metrics import metric_key
from experiments.imports.parts import ArmIn, JourneyTarget
from experiments.imports.schemas import SnapshotsMapping, TotalsMapping, VisitorsMapping
from experiments.imports.series import Series
from experiments.metrics.schemas import MetricIn

WEEK = timedelta(days=7)
LONGEST_WEEKS = 52
LONGEST_NAME = 200


def of_visitors(
    mapping: VisitorsMapping, metrics: Sequence[MetricIn], *, lasted: timedelta
) -> ExperimentIn:
    """The experiment of a file with a row per visitor."""
    target = mapping.experiment
    return _wanted(
        mapping.journey,
        key=target.key,
        name=target.name,
        hypothesis=target.hypothesis,
        arms=target.variants,
        primary=target.primary_metric,
        metrics=metrics,
        plan=target.plan or plan_over(lasted),
    )


def of_series(
    mapping: TotalsMapping | SnapshotsMapping, metrics: Sequence[MetricIn], *, series: Series
) -> ExperimentIn:
    """One of the experiments of a file that holds many."""
    target = mapping.experiment
    control = target.control or next(iter(series.names))
    arms = [
        ArmIn(
            key=key,
            name=name[:LONGEST_NAME],
            weight=mapping.weights.get(key, 1),
            control=key == control,
        )
        for key, name in series.names.items()
    ]
    return _wanted(
        mapping.journey,
        key=series.experiment,
        name=series.name[:LONGEST_NAME],
        arms=arms,
        primary=target.primary_metric,
        metrics=metrics,
        plan=target.plan or plan_over(series.stopped_at - series.started_at),
    )


def plan_over(lasted: timedelta) -> Plan:
    """The plan of an experiment that ran so long: whole weeks, and nothing is promoted by it."""
    weeks = min(max(math.ceil(lasted / WEEK), 1), LONGEST_WEEKS)
    return Plan(maximum_days=weeks * WEEK.days, promotion=PromotionMode.OFF)


def check_same(found: ExperimentOut, wanted: ExperimentIn, source: Source) -> None:
    """Refuse data that cannot belong to the experiment of that key.

    Raises:
        ConflictError: saying what that experiment is.
    """
    if not is_imported(found):
        message = f"Experiment {found.key!r} is run here; import into another key."
        raise ConflictError(message)
    if found.source is not source or found.journey != wanted.journey:
        message = (
            f"Experiment {found.key!r} was imported as {found.source} of journey "
            f"{found.journey!r}; import into another key."
        )
        raise ConflictError(message)
    known = {variant.key for variant in found.variants}
    new = [variant.key for variant in wanted.variants if variant.key not in known]
    if new:
        message = (
            f"Experiment {found.key!r} was imported without the variant {new[0]!r}; "
            f"it has {', '.join(sorted(known))}."
        )
        raise ConflictError(message)


def _wanted(
    journey: JourneyTarget,
    *,
    key: str,
    name: str,
    arms: Sequence[ArmIn],
    primary: str | None,
    metrics: Sequence[MetricIn],
    plan: Plan,
    hypothesis: Hypothesis | None = None,
) -> ExperimentIn:
    keys = [metric.key for metric in metrics]
    first = metric_key(journey.key, primary) if primary else keys[0]
    total = sum(arm.weight for arm in arms)
    return ExperimentIn(
        key=key,
        name=name,
        journey=journey.key,
        touchpoint=journey.touchpoint,
        slot=journey.slot,
        hypothesis=hypothesis or Hypothesis(),
        variants=[_variant(arm, share=arm.weight / total) for arm in arms],
        primary_metric=first,
        secondary_metrics=[key for key in keys if key != first],
        plan=plan,
    )


def _variant(arm: ArmIn, *, share: float) -> VariantIn:
    name = arm.name or arm.key
    content = None if arm.control else name
    return VariantIn(key=arm.key, name=name, control=arm.control, weight=share, content=content)
