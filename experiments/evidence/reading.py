"""From the looks at one experiment to its story; pure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from experiments.analysis.schemas import Belief, Estimate, Readout, SequentialTest
from experiments.decisions.gate import judge
from experiments.decisions.schemas import DecisionOut, Outcome, Ruling
from experiments.decisions.trust import Facts
from experiments.design.plans import Method
from experiments.design.schemas import ExperimentOut
from experiments.evidence.schemas import ArmPath, Rule, Story, Winner

FACTS = Facts(enrolling=False)


def story(
    experiment: ExperimentOut, readouts: Sequence[Readout], decisions: Sequence[DecisionOut]
) -> Story:
    """What became of an experiment.

    Args:
        experiment: the imported experiment.
        readouts: every look at it, the oldest first.
        decisions: what the gate said, the oldest first; none after the experiment was decided.
    """
    decided, last = decisions[-1], readouts[-1]
    return Story(
        experiment=experiment.key,
        began=(experiment.started_at or readouts[0].as_of).date(),
        visitors=sum(arm.visitors for arm in last.primary.arms),
        arms=arm_paths(readouts),
        outcome=decided.outcome,
        bayesian=bayesian_outcome(experiment, readouts),
        winner=_winner(experiment, readouts, decided),
        split_warning=last.quality.sample_ratio.warning,
        split_alarm=last.quality.sample_ratio.alarm,
        open=_open(decided),
        sentence=decided.sentence,
    )


def arm_paths(readouts: Sequence[Readout]) -> list[ArmPath]:
    """The textbook p-values of each treatment over the looks, where they exist."""
    found = []
    for variant in [item.variant for item in readouts[-1].primary.comparisons]:
        tests = [readout.primary.comparison(variant).test for readout in readouts]
        z = [test.z for test in tests if isinstance(test, SequentialTest)]
        if not z:
            continue
        p = 2 * scipy.special.ndtr(-np.abs(z))
        found.append(
            ArmPath(variant=variant, looks=len(z), lowest_p=float(p.min()), last_p=float(p[-1]))
        )
    return found


def bayesian_outcome(experiment: ExperimentOut, readouts: Sequence[Readout]) -> Outcome:
    """What the gate of a Bayesian plan ends with, on the same looks."""
    plan = experiment.plan.model_copy(update={"method": Method.BAYESIAN})
    facts = replace(FACTS, names={item.key: item.name for item in experiment.variants})
    outcome = Outcome.CONTINUE
    for readout in readouts:
        outcome = judge(readout, plan, facts).outcome
        if outcome is not Outcome.CONTINUE:
            break
    return outcome


def _winner(
    experiment: ExperimentOut, readouts: Sequence[Readout], decided: DecisionOut
) -> Winner | None:
    if decided.outcome is not Outcome.PROMOTE or decided.variant is None:
        return None
    at = readouts[decided.look - 1]
    then, last = (item.primary.comparison(decided.variant) for item in (at, readouts[-1]))
    test, belief = then.test, then.belief
    if not isinstance(test, SequentialTest) or not isinstance(belief, Belief):
        return None
    measured, final = then.effect_rel, last.effect_rel
    if not isinstance(measured, Estimate) or not isinstance(final, Estimate):
        return None
    began = experiment.started_at or at.as_of
    return Winner(
        variant=decided.variant,
        rule=_rule(test),
        z=test.z,
        day=(at.as_of - began).total_seconds() / 86_400,
        measured=measured,
        expected=Estimate(value=belief.effect_rel, ci_low=belief.ci_low, ci_high=belief.ci_high),
        final=final.value,
    )


def _rule(test: SequentialTest) -> Rule:
    crossed = isinstance(test.bound, float) and test.z >= test.bound
    return Rule.GROUP_SEQUENTIAL if crossed else Rule.ALWAYS_VALID


def _open(decided: DecisionOut) -> list[str]:
    """The names of the conditions that had not passed, each once."""
    names = [item.condition for item in decided.trace if item.ruling is not Ruling.PASSED]
    return list(dict.fromkeys(names))
