"""Whether attributes satisfy a condition."""

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from experiments.conditions.versions import sortable

Groups = Mapping[str, Collection[Any]]
Test = Callable[[Any, Any, Groups], bool]

_NO_GROUPS: Groups = {}


def matches(
    condition: Mapping[str, Any], attributes: Mapping[str, Any], saved_groups: Groups = _NO_GROUPS
) -> bool:
    """Whether `attributes` satisfy every part of `condition`.

    Args:
        condition: field paths (`"address.country"`) with a value or operators, and the logical
            keys `$and`, `$or`, `$nor`, `$not`. The empty condition is satisfied by everybody.
        attributes: what is known; a missing attribute counts as null.
        saved_groups: members by group id, for `$inGroup` and `$notInGroup`.

    >>> matches({"plan": "pro", "visits": {"$gte": 3}}, {"plan": "pro", "visits": 5})
    True
    """
    for key, expected in condition.items():
        if key in _LOGICAL:
            if not _LOGICAL[key](expected, attributes, saved_groups):
                return False
        elif isinstance(expected, dict) or "." in key or not isinstance(attributes, dict):
            if not _value_fits(expected, _at_path(attributes, key), saved_groups):
                return False
        elif expected != attributes.get(key):  # nearly always a plain value of a plain attribute
            return False
    return True


def is_operators(expected: Any) -> bool:
    """Whether a condition's right-hand side consists of operators, not of a value."""
    return isinstance(expected, dict) and bool(expected) and all(key[:1] == "$" for key in expected)


def _at_path(attributes: Any, path: str) -> Any:
    value = attributes
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _value_fits(expected: Any, value: Any, groups: Groups) -> bool:
    if not is_operators(expected):
        return bool(expected == value)
    return all(
        name in _OPERATORS and _OPERATORS[name](operand, value, groups)
        for name, operand in expected.items()
    )


def _any_of(conditions: list[Any], attributes: Any, groups: Groups) -> bool:
    return not conditions or any(matches(item, attributes, groups) for item in conditions)


def _all_of(conditions: list[Any], attributes: Any, groups: Groups) -> bool:
    return all(matches(item, attributes, groups) for item in conditions)


def _compared(holds: Callable[[Any, Any], bool]) -> Test:
    def test(operand: Any, value: Any, groups: Groups) -> bool:  # noqa: ARG001 (one shape of test)
        try:
            return holds(*_comparable(value, operand))
        except (TypeError, ValueError):
            return False

    return test


def _comparable(value: Any, operand: Any) -> tuple[Any, Any]:
    # Beside a number, text is read as a number and null as zero, as the SDKs do.
    if isinstance(operand, int | float):
        return float(value or 0), operand
    if isinstance(value, int | float):
        return value, float(operand or 0)
    return value, operand


def _version_compared(holds: Callable[[str, str], bool]) -> Test:
    return lambda operand, value, _groups: holds(sortable(value), sortable(operand))


def _searched(flags: re.RegexFlag) -> Test:
    def test(operand: Any, value: Any, groups: Groups) -> bool:  # noqa: ARG001 (one shape of test)
        try:
            return re.search(operand, value, flags) is not None
        except (re.error, TypeError):
            return False

    return test


def _contained(fold: Callable[[Any], Any]) -> Test:
    def test(operand: Any, value: Any, groups: Groups) -> bool:  # noqa: ARG001 (one shape of test)
        if not isinstance(operand, list):
            return False
        allowed = [fold(item) for item in operand]
        values = [fold(item) for item in value] if isinstance(value, list) else [fold(value)]
        return any(_identical(item, one) for item in values for one in allowed)

    return test


def _containing_all(fold: Callable[[Any], Any]) -> Test:
    def test(operand: Any, value: Any, groups: Groups) -> bool:
        if not isinstance(operand, list) or not isinstance(value, list):
            return False
        values = [fold(item) for item in value]
        return all(_some_fits(fold(wanted), values, groups) for wanted in operand)

    return test


def _some_fits(expected: Any, values: Iterable[Any], groups: Groups) -> bool:
    return any(_value_fits(expected, value, groups) for value in values)


def _some_element(operand: Any, value: Any, groups: Groups) -> bool:
    if not isinstance(value, list):
        return False
    if is_operators(operand):
        return _some_fits(operand, (item for item in value if item is not None), groups)
    return any(isinstance(item, Mapping) and matches(operand, item, groups) for item in value)


def _unless(test: Test, *, needs_list: bool = False) -> Test:
    def inverted(operand: Any, value: Any, groups: Groups) -> bool:
        if needs_list and not isinstance(operand, list):
            return False
        return not test(operand, value, groups)

    return inverted


def _identical(one: Any, other: Any) -> bool:
    """Whether two values are the same to an SDK: true is not 1, and a list is only itself."""
    if isinstance(one, list | dict) or isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other)


def _as_is(value: Any) -> Any:
    return value


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _type_name(value: Any) -> str:
    for name, kinds in _TYPES:
        if isinstance(value, kinds):
            return name
    return "null" if value is None else "unknown"


_TYPES: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("boolean", bool),  # before the numbers: True is an int to Python
    ("number", (int, float)),
    ("string", str),
    ("array", list),
    ("object", dict),
)

_LOGICAL: Mapping[str, Test] = {
    "$and": _all_of,
    "$or": _any_of,
    "$nor": _unless(_any_of),
    "$not": _unless(matches),
}


def _in_group(operand: Any, value: Any, groups: Groups) -> bool:
    return _contained(_as_is)(list(groups.get(operand, ())), value, groups)


_OPERATORS: Mapping[str, Test] = {
    "$eq": lambda operand, value, _: _identical(value, operand),
    "$ne": lambda operand, value, _: not _identical(value, operand),
    "$gt": _compared(operator.gt),
    "$gte": _compared(operator.ge),
    "$lt": _compared(operator.lt),
    "$lte": _compared(operator.le),
    "$veq": _version_compared(operator.eq),
    "$vne": _version_compared(operator.ne),
    "$vgt": _version_compared(operator.gt),
    "$vgte": _version_compared(operator.ge),
    "$vlt": _version_compared(operator.lt),
    "$vlte": _version_compared(operator.le),
    "$regex": _searched(re.NOFLAG),
    "$regexi": _searched(re.IGNORECASE),
    "$notRegex": _unless(_searched(re.NOFLAG)),
    "$notRegexi": _unless(_searched(re.IGNORECASE)),
    "$in": _contained(_as_is),
    "$ini": _contained(_folded),
    "$nin": _unless(_contained(_as_is), needs_list=True),
    "$nini": _unless(_contained(_folded), needs_list=True),
    "$all": _containing_all(_as_is),
    "$alli": _containing_all(_folded),
    "$inGroup": _in_group,
    "$notInGroup": _unless(_in_group),
    "$elemMatch": _some_element,
    "$size": lambda operand, value, groups: (
        isinstance(value, list) and _value_fits(operand, len(value), groups)
    ),
    "$exists": lambda operand, value, _: (value is not None) == bool(operand),
    "$type": lambda operand, value, _: _type_name(value) == operand,
    "$not": lambda operand, value, groups: not _value_fits(operand, value, groups),
}
