"""How fast a readout of many experiments is, against loops over SciPy.

Run `python benchmarks/decide.py`; everyone gets totals of the same kind in the same process:
10,000 experiments x 3 arms x 5 metrics, Welch's t test with its interval and the relative lift
of each of two treatments. The loops do a hundred experiments, because that is already slow.
"""

import math
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from scipy import special, stats

from stats.means import mean_estimate, welch
from stats.moments import Moments
from stats.relative import lift_log

Arm: TypeAlias = tuple[float, float, int]

EXPERIMENTS, METRICS, TREATMENTS = 10_000, 5, 2
PEER_EXPERIMENTS = 100
REPEATS = 7


def totals(rng: np.random.Generator, experiments: int) -> tuple[Moments, Moments]:
    """Draw the moments of control and of the treatments, shape (experiments, metrics, arms)."""

    def arm(arms: int) -> Moments:
        shape = (experiments, METRICS, arms)
        n = rng.integers(2_000, 50_000, shape)
        return Moments.from_mean_sd(
            n=n, mean=rng.normal(2, 0.1, shape), sd=rng.uniform(7, 9, shape)
        )

    return arm(1), arm(TREATMENTS)


def decide(control: Moments, treatment: Moments) -> None:
    """Compare all arms of all experiments in one pass of the engine."""
    welch(control, treatment)
    lift_log(mean_estimate(control), mean_estimate(treatment))


def loop_over_stats(control: Moments, treatment: Moments) -> None:
    """Compare arm by arm with `scipy.stats`, as an analyst writes it."""
    for a, b in pairs(control, treatment):
        stats.ttest_ind_from_stats(*b, *a, equal_var=False)
        log_lift(a, b)


def loop_over_special(control: Moments, treatment: Moments) -> None:
    """Compare arm by arm with the bare functions of `scipy.special`, the fastest loop there is."""
    for a, b in pairs(control, treatment):
        share_a, share_b = a[1] ** 2 / a[2], b[1] ** 2 / b[2]
        total = share_a + share_b
        df = total**2 / (share_a**2 / (a[2] - 1) + share_b**2 / (b[2] - 1))
        t = (b[0] - a[0]) / math.sqrt(total)
        special.stdtr(df, -abs(t)), special.stdtrit(df, 0.975)
        log_lift(a, b)


def log_lift(a: Arm, b: Arm) -> tuple[float, float]:
    """Return the interval of the relative lift on the log scale."""
    se = math.sqrt(a[1] ** 2 / a[2] / a[0] ** 2 + b[1] ** 2 / b[2] / b[0] ** 2)
    centre, margin = math.log(b[0] / a[0]), 1.959963984540054 * se
    return math.expm1(centre - margin), math.expm1(centre + margin)


def pairs(control: Moments, treatment: Moments) -> Iterator[tuple[Arm, Arm]]:
    """Yield (mean, sd, n) of control and treatment for every comparison."""
    sd_a, sd_b = np.sqrt(control.variance), np.sqrt(treatment.variance)
    for i in np.ndindex(treatment.n.shape):
        base = (*i[:2], 0)
        yield (
            (float(control.mean[base]), float(sd_a[base]), int(control.n[base])),
            (float(treatment.mean[i]), float(sd_b[i]), int(treatment.n[i])),
        )


def microseconds(task: Callable[[], None], *, experiments: int, repeats: int) -> float:
    """Time a task and return the best microseconds per experiment."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        best = min(best, time.perf_counter() - start)
    return best / experiments * 1e6


def main() -> None:
    """Print microseconds per experiment and how many times faster the engine is."""
    rng = np.random.default_rng(7)
    every, few = totals(rng, EXPERIMENTS), totals(rng, PEER_EXPERIMENTS)
    engine = microseconds(partial(decide, *every), experiments=EXPERIMENTS, repeats=REPEATS)
    print(f"{platform.machine()}, NumPy {np.__version__}; microseconds per experiment")
    print(f"{'desireline, one pass':28}{engine:10.1f}")
    for name, loop in {"scipy.stats": loop_over_stats, "scipy.special": loop_over_special}.items():
        cost = microseconds(partial(loop, *few), experiments=PEER_EXPERIMENTS, repeats=3)
        print(f"{name + ' in a loop':28}{cost:10.1f}{cost / engine:8.0f} times slower")


if __name__ == "__main__":
    main()
