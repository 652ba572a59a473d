"""What hourly looks cost: the bounds of a four-week test, one look after the other.

Run `python benchmarks/looks.py`. The bar is a second for all 672 looks; the limit is the bare
arithmetic of one look, a grid of densities times a matrix, done as often. Both are measured in
turns in the same run, and medians are printed.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from stats.group_sequential import replay

LOOKS = 672
GRID = 200
ROUNDS = 7
BAR_SECONDS = 1.0


def hourly_looks() -> None:
    """Compute every bound of a test with steady traffic."""
    replay([(hour / LOOKS, hour / LOOKS * 1e4) for hour in range(1, LOOKS + 1)], alpha=0.05)


def bare_arithmetic() -> None:
    """Carry a density over a grid from look to look, and nothing else."""
    rng = np.random.default_rng(1)
    density, step = rng.random(GRID), rng.random((GRID, GRID)) / GRID
    for _ in range(LOOKS):
        density = np.exp(-(step**2)) @ density
        density /= density.sum()


def seconds(task: Callable[[], None]) -> float:
    """Processor seconds of one run."""
    started = time.process_time()
    task()
    return time.process_time() - started


def main() -> None:
    """Measure in turns and print the ratios."""
    rounds = [(seconds(hourly_looks), seconds(bare_arithmetic)) for _ in range(ROUNDS)]
    ours = statistics.median(mine for mine, _ in rounds)
    limit = statistics.median(bare for _, bare in rounds)
    print(f"{LOOKS} looks: {ours:.2f} s, {ours / LOOKS * 1e3:.2f} ms a look")
    print(f"bar of {BAR_SECONDS:.0f} s: {ours / BAR_SECONDS:.2f} of it")
    print(f"bare arithmetic: {limit:.2f} s; ours takes {ours / limit:.1f} times as long")


if __name__ == "__main__":
    main()
