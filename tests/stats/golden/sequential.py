"""Golden methods that may look at any time: e-values, confidence sequences, bounds."""

import numpy as np

from stats import multiplicity, proportions
from stats.confidence_sequences import (
    asymptotic_cs_one_sided,
    asymptotic_cs_two_sided,
    asymptotic_rho,
    normal_mixture_boundary,
)
from stats.e_values import conversion_count_e_value, msprt_normal
from stats.group_sequential import replay
from stats.rate_sequences import bernoulli_cs
from stats.sample_ratio import sample_ratio_e_value
from stats.spending import obrien_fleming, pocock, power_family
from tests.stats.golden.inputs import arms, outputs


def one_rate(case):
    return outputs(bernoulli_cs(**case))


def srm_multinomial_sequential(case):
    looks = case["cumulative_counts_by_look"] if "counts" not in case else [case["counts"]]
    test = sample_ratio_e_value(looks, case["theta0"], concentration=case["concentration"])
    by_look = {
        "p_always_valid_by_look": test.p_always_valid,
        "log_e_value_by_look": test.log_e_value,
    }
    return outputs(test, -1) | by_look


def asymptotic(case, method, tuning_alpha):
    control, treatment = arms(case)
    effect = proportions.unpooled_z(control, treatment)
    # The engine bounds from below; an upper bound is the lower bound of the negated effect.
    sign = -1.0 if case.get("direction") == "less" else 1.0
    cs = method(
        sign * effect.effect_abs,
        effect.se,
        visitors=control.visitors + treatment.visitors,
        alpha=case["alpha"],
        n_star=case["n_star"],
    )
    rho = asymptotic_rho(case["n_star"], alpha=tuning_alpha)
    return outputs(cs) | {
        "rho": rho,
        "se": effect.se,
        "upper_bound": -np.ma.getdata(cs.effect_abs) + cs.halfwidth,
    }


def asymptotic_two_sided(case):
    return asymptotic(case, asymptotic_cs_two_sided, case["alpha"])


def asymptotic_one_sided(case):
    return asymptotic(case, asymptotic_cs_one_sided, 2 * case["alpha"])


def mixture_boundary(case):
    names = ("alpha", "v_opt", "one_sided")
    boundary = normal_mixture_boundary(case["intrinsic_time"], **{k: case[k] for k in names})
    return {"boundary": boundary, "status": "ok"}


def msprt(case):
    variance = case["variance_of_effect"]
    evidence = msprt_normal(case["effect"], variance_of_effect=variance, tau=case["tau"])
    return outputs(evidence, log_likelihood_ratio="log_e_value")


def conversion_count(case):
    return outputs(
        conversion_count_e_value(
            case["conversions_control"],
            case["conversions_treatment"],
            treatment_share=case["traffic_share_treatment"],
            concentration=case["concentration"],
        )
    )


def group_sequential(case):
    times, alpha = case["information_fractions"], case["alpha_two_sided"] / 2
    spending = {
        "lan_demets_obrien_fleming": lambda: obrien_fleming,
        "lan_demets_pocock": lambda: pocock,
        "power": lambda: power_family(case["phi"]),
    }[case["spending"]]()
    looks = [(time, time) for time in times]
    bounds, _ = replay(looks, spending=spending, alpha=alpha, two_sided=True)
    return {
        "z_bounds": [bound or None for bound in bounds],
        "cumulative_alpha_two_sided": 2 * spending(times, alpha),
        "status": "ok",
    }


def multiple_e_values(case):
    closed = multiplicity.closed_e_values(case["e_values"])
    return {
        "ebh_reject": multiplicity.e_bh_rejections(case["e_values"], case["alpha"]),
        "closed_mean_adjusted_e": closed,
        "closed_mean_reject": closed >= 1 / case["alpha"],
        "status": "ok",
    }


METHODS = {
    "srm_multinomial_sequential": srm_multinomial_sequential,
    "asymptotic_cs_two_sided": asymptotic_two_sided,
    "asymptotic_cs_one_sided": asymptotic_one_sided,
    "normal_mixture_boundary": mixture_boundary,
    "bernoulli_cs": one_rate,
    "msprt_normal": msprt,
    "conversion_count_e_value": conversion_count,
    "group_sequential_bounds": group_sequential,
    "multiple_e_values": multiple_e_values,
}
