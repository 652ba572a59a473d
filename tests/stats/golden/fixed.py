"""Golden methods that look once: rates, means, lifts, covariates, strata, power."""

from stats import multiplicity, proportions, relative
from stats.effects import welch_effect
from stats.means import welch
from stats.moments import Counts
from stats.power import mde_mean, power_two_proportions, sample_size_two_proportions
from stats.quantiles import quantile_estimate
from stats.ratios import ratio_difference, ratio_estimate
from stats.regression import cuped, cuped_lift, cuped_theta, lin_hc2
from stats.sample_ratio import sample_ratio_chi2
from stats.score_intervals import score_interval_statsmodels
from stats.stratified import cmh, mantel_haenszel_odds_ratio
from tests.stats.golden.inputs import arms, estimates, moments, outputs, pair_moments, stacked


def two_prop_z_pooled(case):
    return outputs(proportions.pooled_z(*arms(case)))


def newcombe_diff_ci(case):
    return outputs(proportions.newcombe(*arms(case), alpha=case["alpha"]))


def miettinen_nurminen_diff_ci(case):
    return outputs(score_interval_statsmodels(*arms(case), alpha=case["alpha"]))


def wilson_ci(case):
    arm = Counts(visitors=case["visitors"], conversions=case["conversions"])
    return outputs(proportions.wilson(arm, alpha=case["alpha"]))


def fisher_exact(case):
    return outputs(proportions.fisher_exact(*arms(case)))


def rel_lift_delta_linear(case):
    return outputs(relative.lift_linear(*estimates(case), alpha=case["alpha"]))


def rel_lift_delta_log(case):
    return outputs(relative.lift_log(*estimates(case), alpha=case["alpha"]))


def srm_chi2(case):
    return outputs(sample_ratio_chi2(case["observed"], case["weights"]), p="p_value")


def two_prop_z_unpooled(case):
    effect = proportions.unpooled_z(*arms(case), alpha=case["alpha"])
    return outputs(effect, z="statistic")


def welch_t(case):
    return outputs(welch(*arms(case, moments), alpha=case.get("alpha", 0.05)), t="statistic")


def rel_lift_fieller(case):
    found = outputs(relative.lift_fieller(*estimates(case), alpha=case["alpha"]))
    return {"ci_low": None, "ci_high": None, "bounded": found["status"] == "ok"} | found


def ratio_moments(arm):
    return pair_moments(arm, "numerator_sum", "denominator_sum")


def ratio_metric_delta(case):
    control, treatment = arms(case, ratio_moments)
    a, b = ratio_estimate(control), ratio_estimate(treatment)
    lift = outputs(relative.lift_linear(a, b), se_rel_linear="se_rel")
    effect = outputs(ratio_difference(control, treatment, alpha=case.get("alpha", 0.05)))
    return lift | effect | {"ratio_control": a.value, "ratio_treatment": b.value}


def cuped_moments(arm):
    return pair_moments(arm, "sum", "covariate_sum")


def cuped_single(case):
    control, treatment = arms(case, cuped_moments)
    lift = outputs(cuped_lift(control, treatment), se_rel_linear="se_rel")
    effect = outputs(cuped(control, treatment, alpha=case.get("alpha", 0.05)))
    return lift | effect | {"theta": cuped_theta(control, treatment)[..., 0]}


def lin_ancova_multi(case):
    rows = {key: case[key] for key in ("covariates", "alpha")}
    return outputs(lin_hc2(case["y"], case["treated"], **rows), se_hc2="se", z="statistic")


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


def multiple_p_values(case):
    names = ("holm", "hommel", "hochberg", "bh", "by", "bonferroni")
    adjusted = {
        f"adjusted_{name}": multiplicity.adjust_p_values(case["p_values"], name) for name in names
    }
    return adjusted | {"status": "ok"}


METHODS = {
    "two_prop_z_pooled": two_prop_z_pooled,
    "two_prop_z_unpooled": two_prop_z_unpooled,
    "newcombe_diff_ci": newcombe_diff_ci,
    "miettinen_nurminen_diff_ci": miettinen_nurminen_diff_ci,
    "wilson_ci": wilson_ci,
    "fisher_exact": fisher_exact,
    "welch_t": welch_t,
    "rel_lift_delta_linear": rel_lift_delta_linear,
    "rel_lift_delta_log": rel_lift_delta_log,
    "rel_lift_fieller": rel_lift_fieller,
    "ratio_metric_delta": ratio_metric_delta,
    "cuped_single": cuped_single,
    "lin_ancova_multi": lin_ancova_multi,
    "srm_chi2": srm_chi2,
    "multiple_p_values": multiple_p_values,
    "power_two_prop": power,
    "sample_size_two_prop": sample_size,
    "mde_mean": mde,
    "quantile_metric": quantile_metric,
    "stratified_by_allocation_epoch": stratified,
}
