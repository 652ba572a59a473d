"""The rule of a probation: does what was promoted hold on fresh data? Pure.

It is taken back when fresh data show it worse than what it replaced, at any look; it is verified
when they show it better at the planned end. Both errors are at most alpha: the first by a
confidence sequence, which may be looked at as often as one likes, the second because the planned
end is one look.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy

from experiments.analysis.harm import FEWEST_CONVERSIONS
from experiments.analysis.protocol import DEFAULT_N_STAR
from experiments.analysis.schemas import (
    Belief,
    Comparison,
    Estimate,
    FixedHorizon,
    Readout,
    SequentialTest,
    Unit,
)
from experiments.decisions.merit import harm
from experiments.decisions.schemas import Condition, Ruling
from experiments.decisions.trust import Facts, health, ruling
from experiments.design.plans import Plan
from experiments.formats import lift
from experiments.probation.schemas import Realised
from stats.confidence_sequences import asymptotic_cs_one_sided
from stats.results import NotEstimable

CALLED = "what was promoted"


class Ending(StrEnum):
    """What one look at a probation leads to."""

    WAIT = "wait"
    DEMOTE = "demote"
    VERIFY = "verify"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look leads to, in a sentence, with every condition."""

    ending: Ending
    sentence: str
    trace: list[Condition]


def rule(readout: Readout, plan: Plan) -> Finding:
    """Judge one look at a probation.

    Args:
        readout: a look at the comparison of what was promoted with what it replaced.
        plan: of that comparison; its alpha is the error of either conclusion.

    Returns:
        What follows, with every condition.
    """
    sound = health(readout, Facts(enrolling=False))
    enough = _conversions(readout)
    dead = harm(readout, _compared(readout).variant, called=CALLED)[:1]
    held = [*dead, _not_worse(readout, plan, enough)]
    better = _better(readout, plan)
    ending = _ending(readout, sound=sound, held=held, better=better)
    return Finding(
        ending=ending,
        sentence=_sentence(ending, readout, sound),
        trace=[*sound, enough, *held, better],
    )


def realised(readout: Readout) -> Realised | NotEstimable:
    """The effect on fresh data; at the end with the interval of that one look."""
    found = _compared(readout)
    effect = _shown(readout)
    if isinstance(effect, NotEstimable):
        return effect
    if isinstance(found.belief, NotEstimable):
        return found.belief
    return Realised(
        effect_rel=effect,
        effect_log=found.belief.observed_log,
        se_log=found.belief.observed_se_log,
        promoted=readout.primary.arm(found.variant).matured,
        before=next(arm.matured for arm in readout.primary.arms if arm.control),
        as_of=readout.as_of,
    )


def tightest_at(plan: Plan) -> float:
    """Visitors of both arms at which the confidence sequence is narrowest: all that are planned."""
    return (plan.visitors_per_week or 0) * plan.maximum_days / 7 or DEFAULT_N_STAR


def _compared(readout: Readout) -> Comparison:
    """What was promoted against what it replaced."""
    return readout.primary.comparisons[0]


def _shown(readout: Readout) -> Estimate | NotEstimable:
    """The effect, as soon as there is enough for a range that means something to anybody."""
    enough = _conversions(readout)
    if enough.ruling is Ruling.WAITING:
        return NotEstimable(f"too early to tell: {enough.words}")
    found = _compared(readout)
    return found.fixed.effect_rel if isinstance(found.fixed, FixedHorizon) else found.effect_rel


def _ending(
    readout: Readout, *, sound: list[Condition], held: list[Condition], better: Condition
) -> Ending:
    if not _failed(sound) and _failed(held):
        return Ending.DEMOTE
    if not readout.finished:
        return Ending.WAIT
    if not _failed(sound) and better.ruling is Ruling.PASSED:
        return Ending.VERIFY
    return Ending.LEAVE


def _conversions(readout: Readout) -> Condition:
    arms = readout.primary.arms
    known = [
        arm.matured if isinstance(arm.conversions, NotEstimable) else arm.conversions
        for arm in arms
    ]
    fewest = min(known)
    return Condition(
        condition="enough conversions",
        metric=readout.primary.key,
        figure=float(fewest),
        threshold=float(FEWEST_CONVERSIONS),
        unit=Unit.CONVERSIONS,
        ruling=ruling(passed=fewest >= FEWEST_CONVERSIONS, finished=readout.finished),
        words=f"{fewest:,} conversions in the smaller arm of {FEWEST_CONVERSIONS} needed.",
    )


def _not_worse(readout: Readout, plan: Plan, enough: Condition) -> Condition:
    """Whether the upper confidence sequence of the effect still reaches zero."""
    highest = _highest(readout, plan)
    may_tell = enough.ruling is Ruling.PASSED
    worse = may_tell and isinstance(highest, float) and highest < 0
    return Condition(
        condition="not worse than before",
        metric=readout.primary.key,
        figure=highest,
        threshold=0.0,
        ruling=Ruling.FAILED if worse else Ruling.PASSED,
        words=(
            f"Fresh data show that {CALLED} is worse than what it replaced."
            if worse
            else f"Fresh data do not show that {CALLED} is worse than what it replaced."
        ),
    )


def _highest(readout: Readout, plan: Plan) -> float | NotEstimable:
    """The best absolute effect that fresh data allow, turned so that better is above zero."""
    test = _compared(readout).test
    if isinstance(test, NotEstimable):
        return test
    se = float(1 / np.sqrt(test.information))
    bound = asymptotic_cs_one_sided(
        -test.z * se,
        se,
        visitors=float(sum(arm.matured for arm in readout.primary.arms)),
        alpha=plan.alpha,
        n_star=tightest_at(plan),
    ).at()
    return bound if isinstance(bound, NotEstimable) else -float(bound.lower_bound)


def _better(readout: Readout, plan: Plan) -> Condition:
    test = _compared(readout).test
    needed = -float(scipy.special.ndtri(plan.alpha))
    z = test.z if isinstance(test, SequentialTest) else test
    # One look at the planned end: a figure before it must not tempt anybody.
    reached = readout.finished and isinstance(z, float) and z >= needed
    return Condition(
        condition="better than before",
        metric=readout.primary.key,
        figure=z if readout.finished else NotEstimable("told once, at the end of the probation"),
        threshold=needed,
        unit=Unit.Z,
        ruling=ruling(passed=reached, finished=readout.finished),
        words=(
            f"Fresh data alone show that {CALLED} is better than what it replaced."
            if reached
            else f"Fresh data alone do not show yet that {CALLED} is better."
        ),
    )


def _sentence(ending: Ending, readout: Readout, sound: list[Condition]) -> str:
    name = readout.primary.name
    open_health = _failed(sound)
    if open_health:
        words = " ".join(item.words for item in open_health)
        return f"The fresh data cannot be trusted. {words}"
    return {
        Ending.WAIT: f"Nothing speaks against it on {name} so far{_so_far(readout)}.",
        Ending.DEMOTE: f"It does not hold on {name}{_so_far(readout)}: it is taken back.",
        Ending.VERIFY: f"It held on {name}{_so_far(readout)}: verified on fresh data.",
        Ending.LEAVE: f"Not shown again on {name}{_so_far(readout)}: it stays, unverified.",
    }[ending]


def _so_far(readout: Readout) -> str:
    belief, effect = _compared(readout).belief, _shown(readout)
    if isinstance(effect, NotEstimable) or not isinstance(belief, Belief):
        return ""
    return f" ({lift(effect.value)}, from {lift(effect.ci_low)} to {lift(effect.ci_high)})"


def _failed(conditions: list[Condition]) -> list[Condition]:
    return [item for item in conditions if item.ruling is Ruling.FAILED]
