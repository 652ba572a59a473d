"""Whether an SDK that evaluates by itself would find what the server finds."""

from collections.abc import Iterator, Mapping
from typing import Any

# Only the server knows where a visitor is in the journey and which persona they are.
KNOWN_TO_THE_SERVER = frozenset({"stage", "persona"})
# The JavaScript SDK does not have these.
MISSING_IN_SDKS = frozenset({"$notRegex", "$notRegexi"})


def is_portable(condition: Mapping[str, Any]) -> bool:
    """Whether every SDK can evaluate a condition with what the page knows.

    >>> is_portable({"country": "IT"}), is_portable({"$not": {"stage": "informed"}})
    (True, False)
    """
    return not named(condition) & (KNOWN_TO_THE_SERVER | MISSING_IN_SDKS)


def named(condition: Mapping[str, Any]) -> set[str]:
    """Every operator in a condition, and every attribute without what is inside it.

    >>> sorted(named({"$not": {"address.country": "IT"}}))
    ['$not', 'address']
    """
    return set(_names(condition))


def _names(condition: Any) -> Iterator[str]:
    if isinstance(condition, list):
        for item in condition:
            yield from _names(item)
    elif isinstance(condition, Mapping):
        for key, expected in condition.items():
            yield key.partition(".")[0]
            yield from _names(expected)
