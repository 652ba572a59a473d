"""The assignment hash of many visitors at once, over arrays instead of one id after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.assignment.bucketing import (
    BUCKETS,
    OFFSET_BASIS,
    PRIME,
    Range,
    arms_by_bucket,
    fnv1a32,
)

BLOCK = 8_192  # what a block needs stays in the processor's cache
MOST_DIGITS = 10  # of a number of 32 bits

_Units = NDArray[np.uint8] | NDArray[np.uint16]
_PRIME = np.uint32(PRIME)
_TEN = np.uint32(10)
_ZERO = np.uint32(ord("0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Some ids: column p of `units` holds their code units at position p, zero beyond the end."""

    units: _Units  # shape (longest, n_ids)
    lengths: NDArray[np.int64]  # shape (n_ids,)


@dataclass(frozen=True, slots=True)
class Population:
    """Many ids, laid out once so that they can be hashed under any number of seeds."""

    blocks: tuple[_Block, ...]

    @classmethod
    def of(cls, ids: Sequence[str]) -> "Population":
        """Lay out the ids."""
        starts = range(0, len(ids), BLOCK)
        return cls(tuple(_block(ids[start : start + BLOCK]) for start in starts))

    def buckets(self, seed: str) -> NDArray[np.int64]:
        """The bucket of each id under a seed, shape (n_ids,); equal to `bucket` for each."""
        basis = np.uint32(fnv1a32(seed))
        return _joined([_hash_decimal(_hash(block, basis)) for block in self.blocks])

    def arms(self, seed: str, stretches: tuple[Range, ...]) -> NDArray[np.uint8]:
        """The index of each id's stretch, or the number of stretches, shape (n_ids,)."""
        table = np.frombuffer(arms_by_bucket(stretches), dtype=np.uint8)
        return table[self.buckets(seed)]


def buckets(seed: str, values: Sequence[str]) -> NDArray[np.int64]:
    """The bucket of each value under one seed, shape (n_values,); equal to `bucket` for each."""
    return Population.of(values).buckets(seed)


def _block(ids: Sequence[str]) -> _Block:
    joined = "".join(ids)
    try:
        flat = np.frombuffer(joined.encode("latin-1"), dtype=np.uint8)
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    except UnicodeEncodeError:
        encoded = [value.encode("utf-16-le", "surrogatepass") for value in ids]
        lengths = np.fromiter((len(item) // 2 for item in encoded), np.int64, count=len(ids))
        return _Block(
            units=_columns(np.frombuffer(b"".join(encoded), "<u2"), lengths), lengths=lengths
        )
    return _Block(units=_columns(flat, lengths), lengths=lengths)


def _columns(flat: _Units, lengths: NDArray[np.int64]) -> _Units:
    rows = np.zeros((len(lengths), int(lengths.max(initial=0))), dtype=flat.dtype)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = flat
    return np.ascontiguousarray(rows.T)


def _hash(block: _Block, basis: np.uint32) -> NDArray[np.uint32]:
    states = np.full(len(block.lengths), basis, dtype=np.uint32)
    shortest = int(block.lengths.min())
    for position, units in enumerate(block.units):
        if position < shortest:
            states ^= units
            states *= _PRIME
        else:
            np.copyto(states, (states ^ units) * _PRIME, where=block.lengths > position)
    return states


def _hash_decimal(numbers: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The buckets of the decimal digits of each number, without making texts of them."""
    states = np.full(len(numbers), OFFSET_BASIS, dtype=np.uint32)
    digits = list(_digits(numbers))
    fewest = len(str(numbers.min()))
    for place in range(MOST_DIGITS - 1, -1, -1):
        if place < fewest:
            states ^= digits[place]
            states *= _PRIME
        else:
            is_written = numbers >= np.uint32(10**place)
            np.copyto(states, (states ^ digits[place]) * _PRIME, where=is_written)
    return (states % np.uint32(BUCKETS)).astype(np.int64)


def _digits(numbers: NDArray[np.uint32]) -> Iterator[NDArray[np.uint32]]:
    """The characters of each number, the last first."""
    for _ in range(MOST_DIGITS):
        rest = numbers // _TEN
        yield (numbers - rest * _TEN) ^ _ZERO
        numbers = rest


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
