"""How often a probation takes back what is good, keeps what is bad, and tells the truth."""

from dataclasses import replace

import numpy as np

from experiments.analysis.engine import read
from experiments.analysis.schemas import Readout
from experiments.calibration.figures import mean_row
from experiments.calibration.panels import Panel
from experiments.calibration.promotions import CHANCE_SES
from experiments.calibration.scenarios import HOURS_PER_DAY, Ramp, Scenario, alike
from experiments.calibration.schemas import Outcomes, Row, Study
from experiments.calibration.screening import ROUNDING, pairs_of, screen
from experiments.calibration.worlds import simulate
from experiments.decisions.retrial import Ending, realised, rule, tightest_at
from experiments.probation.schemas import Realised
from stats.arrays import BoolArray, FloatArray, undefined_is_masked
from stats.confidence_sequences import asymptotic_cs_one_sided

HELD_BACK = 0.1
PROBATION = Scenario(
    ramps=(Ramp(from_hour=0, treated=1 - HELD_BACK),),
    visitors_per_day=3000,
    look_hours=HOURS_PER_DAY,
)
ALPHA = PROBATION.plan.alpha
WINNER, NOTHING, LOSER = 0.1, 0.0, -0.2


def studies() -> list[Study]:
    """The one study of probations."""
    return [
        Study(
            key="probation",
            title="Probation: what fresh data take back, and what they verify",
            how=(
                "A tenth of 3,000 visitors a day keeps the old standard for 28 days, 28 daily "
                f"looks; a third of what was promoted is truly {WINNER:.0%} better, a third no "
                f"different, a third {-LOSER:.0%} worse."
            ),
            batch=_batch,
            rows=_rows,
            full=3_000,
            quick=90,
            size=300,
        )
    ]


def _batch(experiments: int, rng: np.random.Generator) -> Outcomes:
    lifts = np.resize([WINNER, NOTHING, LOSER], experiments)
    fair = alike(PROBATION, experiments)
    factors = np.stack([np.ones(experiments), 1 + lifts], axis=1)
    panel = simulate(PROBATION, replace(fair, rates=fair.rates * factors), rng=rng)
    found = _suspicious(panel)
    ends = [_end(panel, number, looks=looks) for number, looks in enumerate(found)]
    return {
        "lift": lifts,
        "demoted": np.array([float(end is Ending.DEMOTE) for end in ends]),
        "verified": np.array([float(end is Ending.VERIFY) for end in ends]),
        "held": np.array(
            [_holds(panel, number, lift=float(lift)) for number, lift in enumerate(lifts)]
        ),
    }


def _end(panel: Panel, experiment: int, *, looks: BoolArray) -> Ending:
    """How the real rule ends a probation, sent only the looks that can end it."""
    plan = PROBATION.plan
    for look in [*(np.flatnonzero(looks) + 1).tolist(), PROBATION.looks]:
        ending = rule(_look(panel, experiment, look), plan).ending
        if ending is not Ending.WAIT:
            return ending
    message = "the last look always ends a probation"
    raise AssertionError(message)


def _look(panel: Panel, experiment: int, look: int) -> Readout:
    # The rule asks for the statistic, not for a bound, so that no earlier look matters.
    protocol = PROBATION.protocol(look, name=f"probation-{experiment}")
    return read(panel.data(experiment, look), protocol, earlier={})


def _holds(panel: Panel, experiment: int, *, lift: float) -> float:
    """Whether the interval shown at the end holds the truth."""
    found = realised(_look(panel, experiment, PROBATION.looks))
    if not isinstance(found, Realised):
        return float("nan")
    return float(found.effect_rel.ci_low <= lift <= found.effect_rel.ci_high)


@undefined_is_masked
def _suspicious(panel: Panel) -> BoolArray:
    """The looks at which the rule may demote, as far as rounding can tell."""
    control, treatment = pairs_of(panel, PROBATION.questions[0])[0]
    effect = treatment.value - control.value
    se: FloatArray = np.sqrt(control.variance + treatment.variance)
    defined = (control.reason == 0) & (treatment.reason == 0) & (se > 0)
    limit = asymptotic_cs_one_sided(
        np.where(defined, -effect, 0.0),
        np.where(defined, se, 0.0),
        visitors=control.n + treatment.n,
        alpha=ALPHA,
        n_star=tightest_at(PROBATION.plan),
    ).lower_bound
    worse = np.ma.filled(limit > -ROUNDING * se, fill_value=False) & defined
    return np.asarray(worse | screen(panel).may_harm[:, :, 0])


def _rows(outcomes: Outcomes) -> list[Row]:
    def of(lift: float, column: str) -> FloatArray:
        return np.asarray(outcomes[column][outcomes["lift"] == lift])

    most = {"at_most": ALPHA, "allowed_ses": CHANCE_SES}
    return [
        mean_row("true winners taken back", of(WINNER, "demoted"), **most),
        mean_row("taken back where nothing differs", of(NOTHING, "demoted"), **most),
        mean_row("losers taken back", of(LOSER, "demoted"), at_least=0.5),
        mean_row("true winners verified", of(WINNER, "verified")),
        mean_row("verified where nothing differs", of(NOTHING, "verified"), **most),
        mean_row("losers verified", of(LOSER, "verified"), **most),
        mean_row("realised interval holds it", outcomes["held"], at_least=0.93, at_most=0.97),
    ]
