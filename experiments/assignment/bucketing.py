"""The assignment hash: fixed for ever, because another one would move every visitor.

FNV-1a (32 bits) over UTF-16 code units, applied twice, into 10,000 buckets: version 2 of the
GrowthBook SDKs, so that they can evaluate locally what we publish. Coverage is part of the ranges
of the variants (each variant gets the first `coverage` of its own stretch), so growing it moves
nobody; layers and holdouts hash with salts of their own and are therefore independent of it.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

BUCKETS = 10_000
OFFSET_BASIS = 0x811C9DC5
PRIME = 0x01000193
MASK = 0xFFFFFFFF
WEIGHT_SLACK = 0.01
LARGEST_POWER_OF_TEN = 1_000_000_000

Range = tuple[float, float]


def fnv1a32(text: str) -> int:
    """The FNV-1a hash of a text, over its UTF-16 code units.

    >>> fnv1a32("foobar")
    3214735720
    """
    state = OFFSET_BASIS
    for unit in _code_units(text):
        state = ((state ^ unit) * PRIME) & MASK
    return state


def bucket(seed: str, value: str) -> int:
    """The bucket, 0 to 9,999, of a value under a seed.

    >>> bucket("seed", "b")
    2696
    """
    return fnv1a32(str(fnv1a32(seed + value))) % BUCKETS


def buckets(seed: str, values: Sequence[str]) -> NDArray[np.int64]:
    """The bucket of each value under one seed, shape (n_values,); equal to `bucket` for each."""
    encoded = [value.encode("utf-16-le", "surrogatepass") for value in values]
    lengths = np.array([len(item) // 2 for item in encoded], dtype=np.int64)
    units = np.frombuffer(b"".join(encoded), dtype="<u2").astype(np.uint64)
    starts = np.cumsum(lengths) - lengths
    states = np.full(len(values), fnv1a32(seed), dtype=np.uint64)
    for position in range(int(lengths.max(initial=0))):
        active = np.flatnonzero(lengths > position)
        states[active] = _step(states[active], units[starts[active] + position])
    return (_hash_decimal(states) % BUCKETS).astype(np.int64)


def ranges(weights: Sequence[float], coverage: float) -> list[Range]:
    """The stretch [start, end) of each variant on the unit interval.

    Weights that do not sum to 1 (by more than 0.01) count as equal and coverage is cut to
    [0, 1], as the SDKs do; our own experiments are checked before and never need it.

    >>> ranges([0.5, 0.5], 0.5)
    [(0.0, 0.25), (0.5, 0.75)]
    """
    covered = min(max(coverage, 0.0), 1.0)
    shares = list(weights)
    if abs(sum(shares) - 1) > WEIGHT_SLACK:
        shares = [1 / len(shares)] * len(shares)
    starts = accumulate(shares[:-1], initial=0.0)
    return [(start, start + covered * share) for start, share in zip(starts, shares, strict=True)]


def choose(number: int, stretches: Sequence[Range]) -> int | None:
    """The index of the first stretch that holds the bucket; none when it is in no stretch."""
    for index, stretch in enumerate(stretches):
        if inside(number, stretch):
            return index
    return None


def inside(number: int, stretch: Range) -> bool:
    """Whether a bucket lies in a stretch [start, end) of the unit interval."""
    start, end = stretch
    return start <= number / BUCKETS < end


def _code_units(text: str) -> Iterable[int]:
    if text.isascii():
        return text.encode("ascii")
    units: list[int] = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2").tolist()
    return units


def _step(states: NDArray[np.uint64], units: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return ((states ^ units) * np.uint64(PRIME)) & np.uint64(MASK)


def _hash_decimal(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash the decimal digits of each number, without making texts of them."""
    states = np.full(len(numbers), OFFSET_BASIS, dtype=np.uint64)
    power = LARGEST_POWER_OF_TEN
    while power:
        digits = numbers // np.uint64(power) % np.uint64(10) + np.uint64(ord("0"))
        is_written = (numbers >= power) | (power == 1)
        states = np.where(is_written, _step(states, digits), states)
        power //= 10
    return states
