"""The fleet: experiments as an organisation runs them, most without effect, some of them broken."""

from dataclasses import dataclass, replace

import numpy as np
import scipy

from experiments.analysis.engine import read
from experiments.analysis.learning import learned
from experiments.calibration.figures import mean_row
from experiments.calibration.scenarios import HOURS_PER_DAY, PRIMARY, Scenario, Truth, alike
from experiments.calibration.schemas import Outcomes, Row, Study
from experiments.calibration.screening import screen
from experiments.calibration.trials import METHODS, Ending, endings
from experiments.calibration.worlds import simulate
from experiments.decisions.merit import MIN_CHANCE_TO_WIN
from experiments.design.plans import Method
from stats.arrays import BoolArray, FloatArray
from stats.priors import MixturePrior

SITE = Scenario(
    rate=0.2,
    guardrail_rate=0.3,
    visitors_per_day=30_000,
    look_hours=HOURS_PER_DAY,
    minimum_lift=0.02,
)
NON_ZERO, LIFT_SD = 0.3, 0.04
HARMS_GUARDRAIL, GUARDRAIL_LOSS = 0.15, 0.05
FAKES_LIFT, LOST_VISITORS = 0.05, (0.02, 0.10)
DEAD = 0.03
PAST = 200
"""Past experiments that the reported effects are learned from."""

PER = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What is true of the treatment of each experiment; arrays of shape (experiments,)."""

    lift: FloatArray
    harms_guardrail: BoolArray
    fakes_lift: BoolArray
    dead: BoolArray

    @property
    def sound(self) -> BoolArray:
        """Neither harms a guardrail, nor is dead, nor broken in its split."""
        return ~(self.harms_guardrail | self.fakes_lift | self.dead)

    @property
    def gain(self) -> FloatArray:
        """The relative change that a promotion brings; a dead variant loses everything."""
        return np.where(self.dead, -1.0, self.lift)


def studies() -> list[Study]:
    """The fleet."""
    return [
        Study(
            key="fleet",
            title="The fleet, per 1,000 experiments",
            how=(
                f"{SITE.visitors_per_day:,.0f} visitors a day, {SITE.rate:.0%} convert, 28 daily "
                "looks. 70% of the variants do nothing, the lift of the others is N(0, 4%); 15% "
                "take 5% off a guardrail whose margin is 2%; 5% lose 2 to 10% of those who do not "
                "convert, which fakes a lift; 3% are dead. The reported lifts are shrunk by what "
                f"{PAST} past experiments of the same kind taught."
            ),
            batch=_batch,
            rows=_rows,
            full=4_000,
            quick=250,
            size=500,
        )
    ]


def hide(experiments: int, rng: np.random.Generator) -> Hidden:
    """Draw what is true of each experiment."""
    lift = np.where(
        rng.random(experiments) < NON_ZERO, rng.normal(0.0, LIFT_SD, size=experiments), 0.0
    )
    return Hidden(
        lift=lift,
        harms_guardrail=rng.random(experiments) < HARMS_GUARDRAIL,
        fakes_lift=rng.random(experiments) < FAKES_LIFT,
        dead=rng.random(experiments) < DEAD,
    )


def _truth(hidden: Hidden, rng: np.random.Generator) -> Truth:
    even = alike(SITE, len(hidden.lift))
    rate = SITE.rate * (1 + hidden.gain)
    lost = np.where(hidden.fakes_lift, rng.uniform(*LOST_VISITORS, size=len(rate)), 0.0)
    recorded = 1 - lost * (1 - rate)
    arrivals, rates, guarded = even.arrivals.copy(), even.rates.copy(), even.guardrail_rates.copy()
    arrivals[:, 1] = recorded
    rates[:, 1] = rate / recorded
    guarded[:, 1] *= np.where(hidden.harms_guardrail, 1 - GUARDRAIL_LOSS, 1.0)
    return replace(even, arrivals=arrivals, rates=rates, guardrail_rates=guarded)


def _batch(experiments: int, rng: np.random.Generator) -> Outcomes:
    hidden = hide(experiments, rng)
    site = replace(SITE, prior=_past(rng))
    panel = simulate(site, _truth(hidden, rng), rng=rng)
    found = endings(panel)
    z = screen(panel).tests[PRIMARY].z[:, :, 0]
    peeked = np.asarray((z >= scipy.special.ndtri(MIN_CHANCE_TO_WIN)).any(axis=1))
    columns = _scored("plain", peeked, hidden=hidden)
    for method in METHODS:
        columns |= _method_columns(method, [ending[method] for ending in found], hidden=hidden)
    return columns


def _past(rng: np.random.Generator) -> MixturePrior:
    """What the real analysis learns from past experiments of the same organisation."""
    panel = simulate(SITE, _truth(hide(PAST, rng), rng), rng=rng)
    protocol = SITE.protocol(SITE.looks, name="past")
    return learned(
        read(panel.data(number, SITE.looks), protocol, earlier={}) for number in range(PAST)
    )


def _method_columns(
    method: Method, found: list[Ending], *, hidden: Hidden
) -> dict[str, FloatArray]:
    promoted = np.array([ending.variant > 0 for ending in found])
    told = np.array(
        [
            (belief.effect_rel, belief.ci_low, belief.ci_high)
            if (belief := ending.belief)
            else (np.nan, np.nan, np.nan)
            for ending in found
        ]
    )
    inside = (told[:, 1] <= hidden.lift) & (hidden.lift <= told[:, 2])
    return _scored(method, promoted, hidden=hidden) | {
        f"{method} bias": told[:, 0] - hidden.lift,
        f"{method} covered": np.where(np.isfinite(told[:, 0]), inside, np.nan),
    }


def _scored(rule: str, promoted: BoolArray, *, hidden: Hidden) -> dict[str, FloatArray]:
    """What a rule's promotions were worth: good, without effect, or harmful."""
    good = promoted & hidden.sound & (hidden.lift > 0)
    neutral = promoted & hidden.sound & (hidden.lift == 0)
    return {
        f"{rule} good": good.astype(np.float64),
        f"{rule} zero": neutral.astype(np.float64),
        f"{rule} harmful": (promoted & ~good & ~neutral).astype(np.float64),
        f"{rule} gain": np.where(promoted, hidden.gain, 0.0),
    }


def _rows(outcomes: Outcomes) -> list[Row]:
    rows = [row for method in METHODS for row in _method_rows(method, outcomes)]
    plain = "chance to win > 95% with a flat prior, daily"
    return rows + [
        mean_row(f"{name} promotions, {plain}", outcomes[f"plain {name}"], per=PER)
        for name in ("good", "zero", "harmful")
    ]


def _method_rows(method: Method, outcomes: Outcomes) -> list[Row]:
    return [
        mean_row(f"good promotions, {method}", outcomes[f"{method} good"], per=PER, at_least=90),
        mean_row(f"zero-effect promotions, {method}", outcomes[f"{method} zero"], per=PER),
        mean_row(
            f"harmful promotions, {method}", outcomes[f"{method} harmful"], per=PER, at_most=1
        ),
        mean_row(f"points of lift gained, {method}", 100 * outcomes[f"{method} gain"], per=PER),
        mean_row(
            f"points by which promoted lifts are over-reported, {method}",
            100 * outcomes[f"{method} bias"],
            at_least=-0.3,
            at_most=0.3,
        ),
        mean_row(
            f"reported interval holds the truth, {method}",
            outcomes[f"{method} covered"],
            at_least=0.93,
        ),
    ]
