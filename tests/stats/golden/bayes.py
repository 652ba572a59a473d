"""Golden methods that begin with a prior: posteriors, the best of several arms, shrinkage."""

import math

import numpy as np

from stats import relative
from stats.bayes_differences import rate_difference
from stats.bayes_means import NormalPrior, effect_posterior
from stats.bayes_rates import (
    BetaPrior,
    best_rate,
    rate_chance_to_win,
    rate_posterior,
)
from stats.priors import MixturePrior, shrink
from stats.random_effects import tau2_dersimonian_laird, tau2_paule_mandel
from tests.stats.golden.inputs import arms, estimates, outputs, stacked


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


def effect_prior(case):
    effects, variances = case["effects"], case["variances"]
    tau2 = tau2_dersimonian_laird(effects, variances)
    prior = MixturePrior(weights=[1.0], sds=[math.sqrt(tau2)])
    return {
        "tau2_dersimonian_laird": tau2,
        "tau2_paule_mandel": tau2_paule_mandel(effects, variances),
        "shrunk_to_zero_with_dl": shrink(effects, np.sqrt(variances), prior=prior).mean,
        "status": "ok",
    }


METHODS = {
    "beta_binomial_two_arms": beta_binomial_two_arms,
    "beta_binomial_diff_interval": beta_binomial_diff_interval,
    "beta_binomial_multi_arm": beta_binomial_multi_arm,
    "normal_posterior_relative": normal_posterior_relative,
    "effect_prior_from_past": effect_prior,
}
