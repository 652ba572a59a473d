"""With what a condition compares one attribute."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.conditions.matching import is_operators

_ONE = frozenset({"$eq", "$ne"})
_SEVERAL = frozenset({"$in", "$nin"})


def compared_with(condition: Mapping[str, Any], attribute: str) -> set[str]:
    """Every text that an attribute must be or must not be.

    >>> asked = {"$or": [{"persona": "pro"}, {"persona": {"$not": {"$in": ["idle"]}}}]}
    >>> sorted(compared_with(asked, "persona"))
    ['idle', 'pro']
    """
    return {item for item in _compared(condition, attribute) if isinstance(item, str)}


def _compared(condition: Any, attribute: str) -> Iterator[object]:
    if isinstance(condition, list):
        for item in condition:
            yield from _compared(item, attribute)
    elif isinstance(condition, Mapping):
        for key, expected in condition.items():
            if key == attribute:
                yield from _values(expected)
            elif key.startswith("$"):
                yield from _compared(expected, attribute)


def _values(expected: Any) -> Iterator[object]:
    if not is_operators(expected):
        yield expected
        return
    for operator, operand in expected.items():
        if operator in _ONE:
            yield operand
        elif operator in _SEVERAL and isinstance(operand, list):
            yield from operand
        elif operator == "$not":
            yield from _values(operand)
