"""Nothing that looks like a result is told before its time: one rule for pages, files and API.

Counts and figures of every arm are always told. What compares arms is told once the plan's least
days and conversions are there, and while no health check forbids to believe it. Harm needs no
minimum: it is told at once, and with every figure when no treatment is left that does none.
"""

import math

from experiments.analysis.schemas import Comparison, Harm, Light, Readout, RunOut, Trust
from experiments.design.plans import Plan
from experiments.formats import count, plural
from stats.results import NotEstimable


def withheld(plan: Plan, readout: Readout, trust: Trust | None) -> str:
    """Why nothing that compares arms may be told yet; empty when it may."""
    if trust is not None and trust.light is Light.RED:
        return "the data cannot be trusted before the reason of the alarm is found"
    lacking = "" if _is_harmful(readout) else _lacking(plan, readout)
    return f"it is too early: there are {lacking}" if lacking else ""


def disclosed(run: RunOut, reason: str) -> RunOut:
    """A look as it may be told, where `reason` is why arms may not be compared yet."""
    if not reason:
        return run
    metrics = [
        metric.model_copy(
            update={"comparisons": [_silent(item, reason) for item in metric.comparisons]}
        )
        for metric in run.readout.metrics
    ]
    return run.model_copy(update={"readout": run.readout.model_copy(update={"metrics": metrics})})


def _silent(item: Comparison, reason: str) -> Comparison:
    nothing = NotEstimable(reason)
    fields = ("effect_abs", "effect_rel", "test", "fixed", "belief", "timing")
    return item.model_copy(update=dict.fromkeys(fields, nothing))


def _is_harmful(readout: Readout) -> bool:
    """Whether every treatment does harm: there is nothing left to wait for."""
    harmful = {
        item.variant
        for metric in readout.metrics
        for item in metric.comparisons
        if isinstance(item.harm, Harm) and item.harm.harmful
    }
    return harmful == {item.variant for item in readout.primary.comparisons}


def _lacking(plan: Plan, readout: Readout) -> str:
    """What the plan asks for and is not there."""
    lacking = []
    if readout.matured_days < plan.minimum_days and not readout.finished:
        days = f"{math.floor(readout.matured_days)} of {plural(plan.minimum_days, 'day')}"
        lacking.append(f"{days} of matured visitors")
    known = [arm.conversions for arm in readout.primary.arms if isinstance(arm.conversions, int)]
    if known and min(known) < plan.minimum_conversions:
        needed = count(plan.minimum_conversions)
        lacking.append(f"{count(min(known))} of {needed} conversions in the smallest arm")
    return " and ".join(lacking)
