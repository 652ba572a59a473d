"""Namespaces: how GrowthBook kept experiments apart before there were filters.

Our layers are filters. Whoever brings experiments along finds with this who was in them.
"""

from experiments.assignment.bucketing import fnv1a32

NUMBERS = 1000


def former_hash(seed: str, value: str) -> float:
    """The number in [0, 1) of a value under a seed, by version 1 of the SDKs' hash.

    >>> former_hash("b", "a")
    0.946
    """
    return fnv1a32(value + seed) % NUMBERS / NUMBERS


def in_namespace(visitor: str, namespace: tuple[str, float, float]) -> bool:
    """Whether a visitor is in the stretch [start, end) of a namespace: its name, start, end."""
    name, start, end = namespace
    return start <= former_hash(f"__{name}", visitor) < end
