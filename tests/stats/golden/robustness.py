"""Degenerate golden cases: the state the engine names, and what may be promoted on it."""

import numpy as np

from stats import proportions, relative
from stats.arrays import Reason
from stats.e_values import harm_e_value
from stats.group_sequential import SequentialState, next_look
from stats.moments import Counts
from stats.sample_ratio import sample_ratio_chi2, sample_ratio_e_value
from stats.sequential_inference import stagewise_p_value
from tests.stats.golden.bayes import beta_binomial_two_arms
from tests.stats.golden.fixed import (
    cuped_single,
    fisher_exact,
    multiple_p_values,
    ratio_metric_delta,
    two_prop_z_pooled,
    welch_t,
)
from tests.stats.golden.inputs import arms, estimates, outputs, stacked

MIN_CONVERSIONS = 100
ALARM_P = 0.001
LOOKS_PLANNED = 28


def split_alarm(observed, planned):
    test = outputs(sample_ratio_e_value([observed], planned), 0)
    alarm = bool(test["p_always_valid"] < ALARM_P)
    return {"srm_alarm": alarm, "srm_log_e_value": test["log_e_value"]}


def robust_two_prop(case):
    control, treatment = arms(case)
    enough = min(control.conversions, treatment.conversions) >= MIN_CONVERSIONS
    split = split_alarm([control.visitors, treatment.visitors], [1, 1])
    pooled = two_prop_z_pooled(case)
    tested = pooled["status"] == "ok"
    harm = harm_e_value(control.conversions, treatment.conversions, treatment_share=0.5)
    harmful = bool(harm.p_always_valid < ALARM_P)
    return (
        beta_binomial_two_arms(case)
        | fisher_exact(case)
        | outputs(relative.lift_log(*estimates(case)), effect_rel="effect_rel")
        | pooled
        | split
        | ({"status": "data_quality"} if tested and split["srm_alarm"] else {})
        | {
            "p_two_sided_exact": proportions.fisher_exact(control, treatment).p_two_sided,
            "harm": harmful,
            "may_promote": bool(tested and enough and not harmful and not split["srm_alarm"]),
        }
    )


def robust_srm(case):
    observed = case["observed"] if "observed" in case else case["counts"]
    planned = case.get("weights", case.get("theta0", np.ones(len(observed))))
    found = outputs(sample_ratio_chi2(observed, planned), p="p_value")
    split = split_alarm(observed, planned)
    state = {"status": "data_quality"} if split["srm_alarm"] else {}
    return found | split | state | {"may_promote": not split["srm_alarm"]}


def robust_beta_binomial(case):
    enough = min(arm.conversions for arm in arms(case)) >= MIN_CONVERSIONS
    return beta_binomial_two_arms(case) | {"may_promote": bool(enough)}


def robust_multi_arm(case):
    every = stacked(case["arms"])
    control = Counts(visitors=every.visitors[0], conversions=every.conversions[0])
    tests = proportions.pooled_z(control, every)
    empty = proportions.wilson(every).reason != Reason.OK
    return {
        "arm_status": ["not_enough_data" if missing else "ok" for missing in empty],
        "p_two_sided_first_pair": tests.p_two_sided[1],
        "status": "ok",
    }


def robust_sequence(case):
    """Run the job for every look, then for the newest data once more: no p-value may move."""
    looks = looks_of(case)
    once = [look for look, before in zip(looks, [None, *looks], strict=False) if look != before]
    again = [*looks, looks[-1]]
    same = split_p_value(again) == split_p_value(once)
    same &= stagewise_p_value_after(again) == stagewise_p_value_after(once)
    return robust_two_prop(looks[-1]) | {"p_same_as_single_look": bool(same)}


def looks_of(case):
    """Read the looks, listed one by one or as a number of repeats, as pairs of arms."""
    looks = case.get("looks", 2)
    if isinstance(looks, list):
        return looks
    return [{arm: case[arm] for arm in ("control", "treatment")}] * int(looks)


def split_p_value(looks):
    visitors = [[arm.visitors for arm in arms(look)] for look in looks]
    return sample_ratio_e_value(visitors, [1, 1]).p_always_valid[-1]


def stagewise_p_value_after(looks):
    state, p_value = SequentialState(), None
    for look in looks:
        effect = proportions.unpooled_z(*arms(look)).at()
        if effect:
            information = effect.se**-2.0
            time = (state.looks + 1) / LOOKS_PLANNED
            _, state = next_look(state, calendar_fraction=time, information=information)
            p_value = stagewise_p_value(state, effect.statistic, information=information)
    return p_value


ANALYSES = {
    "two_prop": robust_two_prop,
    "mean": welch_t,
    "ratio": ratio_metric_delta,
    "cuped": cuped_single,
    "srm": robust_srm,
    "sequence": robust_sequence,
    "multiple_p_values": multiple_p_values,
    "beta_binomial": robust_beta_binomial,
    "multi_arm": robust_multi_arm,
}


def robustness(case):
    inputs = {key: value for key, value in case.items() if key != "analysis"}
    return ANALYSES[case["analysis"]](inputs)
