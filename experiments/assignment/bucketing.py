"""The assignment hash: fixed for ever, because another one would move every visitor.

FNV-1a (32 bits) over UTF-16 code units, applied twice, into 10,000 buckets: version 2 of the
GrowthBook SDKs, so that they can evaluate locally what we publish. Coverage is part of the ranges
of the variants (each variant gets the first `coverage` of its own stretch), so growing it moves
nobody; layers and holdouts hash with salts of their own and are therefore independent of it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
from fnv_hash_fast import fnv1a_32

BUCKETS = 10_000
OFFSET_BASIS = 0x811C9DC5
PRIME = 0x01000193
MASK = 0xFFFFFFFF
WEIGHT_SLACK = 0.01

Range = tuple[float, float]


def fnv1a32(text: str) -> int:
    """The FNV-1a hash of a text, over its UTF-16 code units.

    >>> fnv1a32("foobar")
    3214735720
    """
    try:
        # Every character of Latin-1 is one code unit below 256, so its bytes are its code units.
        return fnv1a_32(text.encode("latin-1"))
    except UnicodeEncodeError:
        return _slowly(text)


def bucket(seed: str, value: str) -> int:
    """The bucket, 0 to 9,999, of a value under a seed.

    >>> bucket("seed", "b")
    2696
    """
    try:  # as in `fnv1a32`, written out because a call more is a fifth of the time
        first = fnv1a_32((seed + value).encode("latin-1"))
    except UnicodeEncodeError:
        first = _slowly(seed + value)
    return fnv1a_32(b"%d" % first) % BUCKETS


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


@lru_cache(maxsize=1024)
def arms_by_bucket(stretches: tuple[Range, ...]) -> bytes:
    """For each of the 10,000 buckets the index of its stretch, or the number of stretches.

    Looking an arm up takes one step, however many arms there are. At most 255 stretches.
    """
    table = bytearray([len(stretches)]) * BUCKETS
    for index, (start, end) in reversed(list(enumerate(stretches))):
        first, beyond = first_bucket(start), first_bucket(end)
        table[first:beyond] = bytes([index]) * (beyond - first)
    return bytes(table)


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


def first_bucket(edge: float) -> int:
    """The first bucket at or beyond an edge, by the very comparison that `inside` makes."""
    return bisect_left(range(BUCKETS), edge, key=lambda number: number / BUCKETS)


def _slowly(text: str) -> int:
    state = OFFSET_BASIS
    units: list[int] = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2").tolist()
    for unit in units:
        state = ((state ^ unit) * PRIME) & MASK
    return state
