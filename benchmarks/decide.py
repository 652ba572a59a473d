"""How fast a readout of many experiments is, against peers and against loops over SciPy.

Run `python benchmarks/decide.py`. Everyone gets the same totals in the same process: 10,000
experiments x 3 arms x 5 metrics; Welch's t test with its interval and the relative lift with its
interval, of each of two treatments. The loops do a few experiments of them, because that is slow
already. All take turns in every round, so that a busy moment hits all alike; medians are printed.

Peers are optional (the group `bench` in pyproject.toml); one that is not installed is named.
"""

import importlib
import math
import platform
import statistics
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
"""Mean, variance and number of visitors."""

Compare: TypeAlias = Callable[[Arm, Arm], object]

EXPERIMENTS, METRICS, TREATMENTS = 10_000, 5, 2
LOOPED_EXPERIMENTS = 20
ROUNDS = 9
WANTED_RATIO = 100


def totals(rng: np.random.Generator, arms: int) -> Moments:
    """Draw the moments of all visitors of some arms, shape (experiments, metrics, arms)."""
    shape = (EXPERIMENTS, METRICS, arms)
    n, mean, sd = rng.integers(2_000, 50_000, shape), rng.normal(2, 0.1, shape), rng.uniform(7, 9)
    return Moments.from_mean_sd(n=n, mean=mean, sd=sd)


def decide(control: Moments, treatment: Moments) -> None:
    """Compare all arms of all experiments in one pass of the engine."""
    welch(control, treatment)
    lift_log(mean_estimate(control), mean_estimate(treatment))


def scipy_stats() -> Compare:
    """Compare by `scipy.stats`, as an analyst writes it."""

    def compare(a: Arm, b: Arm) -> object:
        sd_a, sd_b = math.sqrt(a[1]), math.sqrt(b[1])
        test = stats.ttest_ind_from_stats(b[0], sd_b, b[2], a[0], sd_a, a[2], equal_var=False)
        return test, welch_margin(a, b), log_lift(a, b)

    return compare


def scipy_special() -> Compare:
    """Compare by the bare functions of `scipy.special`, the fastest loop there is."""

    def compare(a: Arm, b: Arm) -> object:
        df, se = welch_scale(a, b)
        p_value = 2 * special.stdtr(df, -abs(b[0] - a[0]) / se)
        return p_value, special.stdtrit(df, 0.975) * se, log_lift(a, b)

    return compare


def gbstats() -> Compare:
    """Compare by the bare tests of gbstats: the absolute and the relative difference."""
    tests = importlib.import_module("gbstats.frequentist.tests")
    models = importlib.import_module("gbstats.models.statistics")
    kinds = [tests.FrequentistConfig(difference_type=kind) for kind in ("absolute", "relative")]

    def statistic(arm: Arm) -> object:
        mean, variance, n = arm
        squares = variance * (n - 1) + n * mean**2
        return models.SampleMeanStatistic(n=n, sum=n * mean, sum_squares=squares)

    def compare(a: Arm, b: Arm) -> object:
        arms = statistic(a), statistic(b)
        return [tests.TwoSidedTTest(*arms, kind).compute_result() for kind in kinds]

    return compare


def tea_tasting() -> Compare:
    """Compare by tea-tasting, which gives both differences at once."""
    metric = importlib.import_module("tea_tasting").Mean("metric")
    aggregates = importlib.import_module("tea_tasting.aggr").Aggregates

    def aggregated(arm: Arm) -> object:
        mean, variance, n = arm
        return aggregates(count_=n, mean_={"metric": mean}, var_={"metric": variance}, cov_={})

    def compare(a: Arm, b: Arm) -> object:
        return metric.analyze_aggregates(aggregated(a), aggregated(b))

    return compare


LOOPS = {
    "scipy.special in a loop": scipy_special,
    "scipy.stats in a loop": scipy_stats,
    "gbstats, bare tests": gbstats,
    "tea-tasting": tea_tasting,
}


def welch_scale(a: Arm, b: Arm) -> tuple[float, float]:
    """Return the degrees of freedom and the standard error of a difference of means."""
    share_a, share_b = a[1] / a[2], b[1] / b[2]
    total = share_a + share_b
    df = total**2 / (share_a**2 / (a[2] - 1) + share_b**2 / (b[2] - 1))
    return df, math.sqrt(total)


def welch_margin(a: Arm, b: Arm) -> float:
    """Return half the width of Welch's interval by `scipy.stats`."""
    df, se = welch_scale(a, b)
    return float(stats.t.ppf(0.975, df)) * se


def log_lift(a: Arm, b: Arm) -> tuple[float, float]:
    """Return the interval of the relative lift on the log scale."""
    se = math.sqrt(a[1] / a[2] / a[0] ** 2 + b[1] / b[2] / b[0] ** 2)
    centre, margin = math.log(b[0] / a[0]), 1.959963984540054 * se
    return math.expm1(centre - margin), math.expm1(centre + margin)


def pairs(control: Moments, treatment: Moments) -> Iterator[tuple[Arm, Arm]]:
    """Yield control and treatment of every comparison of the first experiments."""
    for i in np.ndindex(LOOPED_EXPERIMENTS, METRICS, TREATMENTS):
        yield arm_at(control, (*i[:2], 0)), arm_at(treatment, i)


def arm_at(moments: Moments, index: tuple[int, ...]) -> Arm:
    """Return the arm at a position as plain numbers."""
    n = int(moments.n[index])
    return float(moments.mean[index]), float(moments.m2[index]) / (n - 1), n


def installed_loops() -> dict[str, Compare]:
    """Prepare the loops, and say which peer is missing."""
    ready = {}
    for name, prepare in LOOPS.items():
        try:
            ready[name] = prepare()
        except ImportError as error:
            print(f"{name}: not measured ({error})")
    return ready


def microseconds(task: Callable[[], object], experiments: int) -> float:
    """Time a task once, in microseconds per experiment."""
    start = time.perf_counter()
    task()
    return (time.perf_counter() - start) / experiments * 1e6


def run_all(compare: Compare, arms: list[tuple[Arm, Arm]]) -> None:
    """Compare all pairs, one by one."""
    for control, treatment in arms:
        compare(control, treatment)


def measure(control: Moments, treatment: Moments, loops: dict[str, Compare]) -> dict[str, float]:
    """Let the engine and all loops take turns; return the median microseconds of each."""
    arms = list(pairs(control, treatment))
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        cost = {"engine": microseconds(partial(decide, control, treatment), EXPERIMENTS)}
        for name, compare in loops.items():
            cost[name] = microseconds(partial(run_all, compare, arms), LOOPED_EXPERIMENTS)
        rounds.append(cost)
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def main() -> None:
    """Print microseconds per experiment, and how many times faster the engine is."""
    rng = np.random.default_rng(7)
    loops = installed_loops()
    medians = measure(totals(rng, 1), totals(rng, TREATMENTS), loops)
    engine = medians.pop("engine")
    print(f"{platform.machine()}, NumPy {np.__version__}; microseconds per experiment")
    print(f"{'desireline, one pass':28}{engine:10.1f}")
    for name, cost in medians.items():
        print(f"{name:28}{cost:10.1f}{cost / engine:8.0f} times slower")
    peers = [cost for name, cost in medians.items() if "loop" not in name]
    if peers:
        ratio = min(peers) / engine
        print(f"fastest peer: {ratio:.0f} times slower; at least {WANTED_RATIO} is wanted")


if __name__ == "__main__":
    main()
