"""All golden cases through a thin table from the name of a method to a function of the engine.

The cases come from `conftest.py`. An adapter only renames: it builds the arguments from the case
and returns a dictionary of outputs; `status` follows from what the engine raised or returned.
"""

import math

import numpy as np
import pytest

from stats import multiplicity, priors, proportions, relative
from stats.bayes_means import NormalPrior, effect_posterior
from stats.bayes_rates import (
    BetaPrior,
    best_rate,
    rate_chance_to_win,
    rate_difference,
    rate_posterior,
)
from stats.confidence_sequences import (
    asymptotic_cs_one_sided,
    asymptotic_cs_two_sided,
    asymptotic_rho,
    bernoulli_cs,
    normal_mixture_boundary,
)
from stats.e_values import conversion_count_e_value, harm_e_value, msprt_normal
from stats.effects import welch_effect
from stats.errors import InvalidInputError
from stats.group_sequential import replay
from stats.means import mean_estimate, welch
from stats.moments import Counts, JointMoments, Moments
from stats.power import mde_mean, power_two_proportions, sample_size_two_proportions
from stats.quantiles import quantile_estimate
from stats.ratios import ratio_difference, ratio_estimate
from stats.regression import cuped, cuped_lift, cuped_theta, lin_hc2
from stats.results import NotEstimable
from stats.sample_ratio import sample_ratio_chi2, sample_ratio_e_value
from stats.spending import obrien_fleming, pocock, power_family
from stats.stratified import cmh, mantel_haenszel_odds_ratio

MIN_CONVERSIONS = 100


def counts(arm):
    return Counts(**arm)


def arms(case, build=counts):
    return build(case["control"]), build(case["treatment"])


def moments(arm):
    if "sd" in arm:
        return Moments.from_mean_sd(n=arm["n"], mean=arm["mean"], sd=arm["sd"])
    if "m2" in arm:
        return Moments(**arm)
    return Moments.from_sums(n=arm["n"], total=arm["sum"], total_squares=arm["sum_squares"])


def estimates(case):
    if case.get("kind", "mean" if "n" in case["control"] else "proportion") == "mean":
        return tuple(mean_estimate(arm) for arm in arms(case, moments))
    return tuple(proportions.rate_estimate(arm) for arm in arms(case))


def pair_moments(arm, first, second):
    cross = arm["cross_sum"]
    products = [[arm[f"{first}_squares"], cross], [cross, arm[f"{second}_squares"]]]
    return JointMoments.from_sums(n=arm["n"], totals=[arm[first], arm[second]], products=products)


def ratio_moments(arm):
    return pair_moments(arm, "numerator_sum", "denominator_sum")


def cuped_moments(arm):
    return pair_moments(arm, "sum", "covariate_sum")


def outputs(result, index=(), **renamed):
    """Read the fields of one element by their golden names, or why there are none."""
    scalar = result.at(index)
    if isinstance(scalar, NotEstimable):
        return dict.fromkeys(renamed) | {"status": "not_enough_data", "reason": str(scalar)}
    fields = {name: getattr(scalar, name) for name in scalar.__dataclass_fields__}
    return fields | {ours: fields[theirs] for ours, theirs in renamed.items()} | {"status": "ok"}


def two_prop_z_unpooled(case):
    effect = proportions.unpooled_z(*arms(case), alpha=case["alpha"])
    return outputs(effect, z="statistic")


def welch_t(case):
    return outputs(welch(*arms(case, moments), alpha=case.get("alpha", 0.05)), t="statistic")


def rel_lift_fieller(case):
    found = outputs(relative.lift_fieller(*estimates(case), alpha=case["alpha"]))
    return {"ci_low": None, "ci_high": None, "bounded": found["status"] == "ok"} | found


def ratio_metric_delta(case):
    control, treatment = arms(case, ratio_moments)
    a, b = ratio_estimate(control), ratio_estimate(treatment)
    lift = outputs(relative.lift_linear(a, b), se_rel_linear="se_rel")
    effect = outputs(ratio_difference(control, treatment, alpha=case.get("alpha", 0.05)))
    return lift | effect | {"ratio_control": a.value, "ratio_treatment": b.value}


def cuped_single(case):
    control, treatment = arms(case, cuped_moments)
    lift = outputs(cuped_lift(control, treatment), se_rel_linear="se_rel")
    effect = outputs(cuped(control, treatment, alpha=case.get("alpha", 0.05)))
    return lift | effect | {"theta": cuped_theta(control, treatment)[..., 0]}


def lin_ancova_multi(case):
    rows = {key: case[key] for key in ("covariates", "alpha")}
    return outputs(lin_hc2(case["y"], case["treated"], **rows), se_hc2="se", z="statistic")


def srm_multinomial_sequential(case):
    looks = case["cumulative_counts_by_look"] if "counts" not in case else [case["counts"]]
    test = sample_ratio_e_value(looks, case["theta0"], concentration=case["concentration"])
    by_look = {
        "p_always_valid_by_look": test.p_always_valid,
        "log_e_value_by_look": test.log_e_value,
    }
    return outputs(test, -1) | by_look


def beta_prior(case):
    return BetaPrior(alpha=case.get("prior_alpha", 1.0), beta=case.get("prior_beta", 1.0))


def beta_binomial_two_arms(case):
    prior, (control, treatment) = beta_prior(case), arms(case)
    mass = case.get("credible_mass", 0.95)
    a, b = (rate_posterior(arm, prior=prior, credible_mass=mass) for arm in (control, treatment))
    return outputs(
        rate_chance_to_win(control, treatment, prior=prior),
        expected_loss_ship_treatment_abs="expected_loss_ship",
        expected_loss_keep_control_abs="expected_loss_keep",
    ) | {
        "posterior_mean_control": a.mean,
        "posterior_mean_treatment": b.mean,
        "control_interval": [a.ci_low, a.ci_high],
        "treatment_interval": [b.ci_low, b.ci_high],
    }


def beta_binomial_diff_interval(case):
    mass = case["credible_mass"]
    difference = rate_difference(*arms(case), prior=beta_prior(case), credible_mass=mass)
    return outputs(difference, posterior_mean_diff="mean")


def stacked(listed):
    names = ("visitors", "conversions")
    return Counts(**{name: [arm[name] for arm in listed] for name in names})


def beta_binomial_multi_arm(case):
    best = best_rate(stacked(case["arms"]), prior=beta_prior(case))
    return {"p_best": best.p_best, "expected_loss_abs": best.expected_loss, "status": "ok"}


def normal_posterior_relative(case):
    lift = relative.lift_linear(*estimates(case), alpha=case["alpha"])
    proper = case.get("prior_proper", True)
    prior = NormalPrior(mean=case["prior_mean"], sd=case["prior_sd"]) if proper else None
    mass = 1 - case["alpha"]
    posterior = effect_posterior(lift.effect_rel, lift.se_rel, prior=prior, credible_mass=mass)
    return outputs(
        posterior,
        posterior_mean="mean",
        posterior_sd="sd",
        expected_loss_ship_treatment_rel="expected_loss_ship",
        expected_loss_keep_control_rel="expected_loss_keep",
    ) | {"data_effect_rel": lift.effect_rel, "data_se_rel": lift.se_rel}


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


def multiple_p_values(case):
    names = ("holm", "hommel", "hochberg", "bh", "by", "bonferroni")
    adjusted = {
        f"adjusted_{name}": multiplicity.adjust_p_values(case["p_values"], name) for name in names
    }
    return adjusted | {"status": "ok"}


def multiple_e_values(case):
    closed = multiplicity.closed_e_values(case["e_values"])
    return {
        "ebh_reject": multiplicity.e_bh_rejections(case["e_values"], case["alpha"]),
        "closed_mean_adjusted_e": closed,
        "closed_mean_reject": closed >= 1 / case["alpha"],
        "status": "ok",
    }


def power(case):
    rates = case["rate_control"], case["rate_treatment"]
    names = ("n_control", "n_treatment", "alpha", "alternative")
    return {"power": power_two_proportions(*rates, **{k: case[k] for k in names}), "status": "ok"}


def sample_size(case):
    rates = case["rate_control"], case["rate_treatment"]
    alpha = case["alpha_two_sided"]
    n = sample_size_two_proportions(*rates, power=case["power"], alpha=alpha)
    return {"n_per_arm": n, "status": "ok"}


def mde(case):
    effect = mde_mean(
        case["sd"],
        n_total=case["n_total"],
        treatment_ratio=case["allocation_ratio"],
        alpha=case["alpha_two_sided"],
        power=case["power"],
    )
    return {"mde_abs": effect, "mde_rel": effect / case["mean"], "status": "ok"}


def quantile_arm(arm):
    return quantile_estimate(
        arm["quantile"],
        events=arm["events"],
        ranked_events=arm["n_star"],
        lower=arm["lower_rank_value"],
        upper=arm["upper_rank_value"],
    )


def quantile_metric(case):
    return outputs(welch_effect(*arms(case, quantile_arm), alpha=case["alpha"]))


def stratified(case):
    sides = [
        stacked([stratum[arm] for stratum in case["strata"]]) for arm in ("control", "treatment")
    ]
    return outputs(cmh(*sides), mh_risk_difference="risk_difference") | {
        "mh_odds_ratio": mantel_haenszel_odds_ratio(*sides).odds_ratio
    }


def effect_prior(case):
    effects, variances = case["effects"], case["variances"]
    tau2 = priors.tau2_dersimonian_laird(effects, variances)
    prior = priors.MixturePrior(weights=[1.0], sds=[math.sqrt(tau2)])
    return {
        "tau2_dersimonian_laird": tau2,
        "tau2_paule_mandel": priors.tau2_paule_mandel(effects, variances),
        "shrunk_to_zero_with_dl": priors.shrink(effects, np.sqrt(variances), prior=prior).mean,
        "status": "ok",
    }


def robust_two_prop(case):
    control, treatment = arms(case)
    visitors = [control.visitors, treatment.visitors]
    enough = min(control.conversions, treatment.conversions) >= MIN_CONVERSIONS
    split = outputs(sample_ratio_e_value([visitors], [1, 1]), 0)
    alarm = split["p_always_valid"] < 0.001
    pooled = outputs(proportions.pooled_z(control, treatment))
    lift = outputs(relative.lift_log(*estimates(case)), effect_rel="effect_rel")
    exact = outputs(proportions.fisher_exact(control, treatment), p_two_sided_exact="p_two_sided")
    harm = harm_e_value(control.conversions, treatment.conversions, treatment_share=0.5)
    return (
        beta_binomial_two_arms(case)
        | exact
        | lift
        | pooled
        | {
            "may_promote": bool(enough and not alarm and pooled["status"] == "ok"),
            "srm_alarm": bool(alarm),
            "srm_log_e_value": split["log_e_value"],
            "harm": bool(harm.p_always_valid < 0.001),
        }
    )


def robust_srm(case):
    observed = case["observed"] if "observed" in case else case["counts"]
    planned = case.get("weights", case.get("theta0", np.ones(len(observed))))
    found = outputs(sample_ratio_chi2(observed, planned), p="p_value")
    split = outputs(sample_ratio_e_value([observed], planned), 0)
    alarm = bool(split["p_always_valid"] < 0.001)
    quality = {"srm_alarm": alarm, "srm_log_e_value": split["log_e_value"], "may_promote": False}
    return found | quality | ({"status": "data_quality"} if alarm else {})


def robust_multi_arm(case):
    every = stacked(case["arms"])
    control = Counts(visitors=every.visitors[0], conversions=every.conversions[0])
    tests = proportions.pooled_z(control, every)
    empty = proportions.wilson(every).reason != 0
    return {
        "arm_status": ["not_enough_data" if missing else "ok" for missing in empty],
        "p_two_sided_first_pair": tests.p_two_sided[1],
        "status": "ok",
    }


ROBUSTNESS = {
    "two_prop": robust_two_prop,
    "mean": welch_t,
    "ratio": ratio_metric_delta,
    "cuped": cuped_single,
    "srm": robust_srm,
    "multiple_p_values": multiple_p_values,
    "beta_binomial": beta_binomial_two_arms,
    "multi_arm": robust_multi_arm,
}

METHODS = {
    "two_prop_z_pooled": lambda case: outputs(proportions.pooled_z(*arms(case))),
    "two_prop_z_unpooled": two_prop_z_unpooled,
    "newcombe_diff_ci": lambda case: outputs(
        proportions.newcombe(*arms(case), alpha=case["alpha"])
    ),
    "miettinen_nurminen_diff_ci": lambda case: outputs(
        proportions.score_interval_statsmodels(*arms(case), alpha=case["alpha"])
    ),
    "wilson_ci": lambda case: outputs(
        proportions.wilson(
            Counts(visitors=case["visitors"], conversions=case["conversions"]), alpha=case["alpha"]
        )
    ),
    "fisher_exact": lambda case: outputs(proportions.fisher_exact(*arms(case))),
    "welch_t": welch_t,
    "rel_lift_delta_linear": lambda case: outputs(
        relative.lift_linear(*estimates(case), alpha=case["alpha"])
    ),
    "rel_lift_delta_log": lambda case: outputs(
        relative.lift_log(*estimates(case), alpha=case["alpha"])
    ),
    "rel_lift_fieller": rel_lift_fieller,
    "ratio_metric_delta": ratio_metric_delta,
    "cuped_single": cuped_single,
    "lin_ancova_multi": lin_ancova_multi,
    "srm_chi2": lambda case: outputs(
        sample_ratio_chi2(case["observed"], case["weights"]), p="p_value"
    ),
    "srm_multinomial_sequential": srm_multinomial_sequential,
    "beta_binomial_two_arms": beta_binomial_two_arms,
    "beta_binomial_diff_interval": beta_binomial_diff_interval,
    "beta_binomial_multi_arm": beta_binomial_multi_arm,
    "normal_posterior_relative": normal_posterior_relative,
    "asymptotic_cs_two_sided": asymptotic_two_sided,
    "asymptotic_cs_one_sided": asymptotic_one_sided,
    "normal_mixture_boundary": mixture_boundary,
    "bernoulli_cs": lambda case: outputs(bernoulli_cs(**case)),
    "msprt_normal": msprt,
    "conversion_count_e_value": conversion_count,
    "group_sequential_bounds": group_sequential,
    "multiple_p_values": multiple_p_values,
    "multiple_e_values": multiple_e_values,
    "power_two_prop": power,
    "sample_size_two_prop": sample_size,
    "mde_mean": mde,
    "quantile_metric": quantile_metric,
    "stratified_by_allocation_epoch": stratified,
    "effect_prior_from_past": effect_prior,
    "robustness": lambda case: ROBUSTNESS[case.pop("analysis")](case),
}


def run(method, inputs):
    try:
        found = METHODS[method](inputs)
    except InvalidInputError as error:
        return {"status": "invalid_input", "may_promote": False, "reason": str(error)}
    return {"may_promote": False} | found if found["status"] != "ok" else found


def test_golden_case__computed_by_the_engine__agrees_within_its_tolerance(golden_case):
    found = run(golden_case["method"], golden_case["inputs"])
    rel, abs_ = golden_case["tolerance"]["rel"], golden_case["tolerance"]["abs"]
    for name, expected in golden_case["expected"].items():
        if name == "p_two_sided_at_most":
            assert 0 <= found["p_two_sided"] <= expected
            continue
        pairs = [(found[name], expected)]
        if isinstance(expected, list):
            pairs = list(zip(found[name], expected, strict=True))
        for computed, value in pairs:
            exact = value is None or isinstance(value, str | bool)
            close = exact or pytest.approx(value, rel=rel, abs=abs_) == float(computed)
            assert close if not exact else computed == value, name
