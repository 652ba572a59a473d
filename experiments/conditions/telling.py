"""Conditions in words, for people who do not read JSON; pure."""

import json
from collections.abc import Mapping
from typing import Any

from experiments.conditions.matching import is_operators

EVERYBODY = "everybody"
_JOINED = {"$and": " and ", "$or": " or "}
_SAID = {
    "$eq": "is",
    "$ne": "is not",
    "$gt": "is more than",
    "$gte": "is at least",
    "$lt": "is less than",
    "$lte": "is at most",
    "$in": "is one of",
    "$nin": "is none of",
    "$ini": "is one of",
    "$nini": "is none of",
    "$all": "has all of",
    "$regex": "fits the pattern",
    "$regexi": "fits the pattern",
    "$notRegex": "does not fit the pattern",
    "$veq": "is version",
    "$vgt": "is after version",
    "$vgte": "is version or later",
    "$vlt": "is before version",
    "$inGroup": "is in the group",
    "$notInGroup": "is not in the group",
}


def told(condition: Mapping[str, Any]) -> str:
    """A condition as a sentence without a full stop; what has no word of its own stays JSON.

    >>> told({"country": "NL", "visits": {"$gte": 3, "$lt": 10}})
    'country is NL, and visits is at least 3 and is less than 10'
    >>> told({"$or": [{"plan": {"$in": ["pro", "team"]}}, {"trial": {"$exists": False}}]})
    'plan is one of pro, team or trial is not known'
    >>> told({})
    'everybody'
    """
    if not condition:
        return EVERYBODY
    return ", and ".join(_part(key, expected) for key, expected in condition.items())


def _part(key: str, expected: Any) -> str:
    if key in _JOINED and isinstance(expected, list):
        several = [told(item) for item in expected]
        return _JOINED[key].join(several) if several else EVERYBODY
    if key == "$nor" and isinstance(expected, list):
        return " and ".join(f"not ({told(item)})" for item in expected)
    if key == "$not" and isinstance(expected, Mapping):
        return f"not ({told(expected)})"
    if not is_operators(expected):
        return f"{key} is {_value(expected)}"
    return f"{key} " + " and ".join(_test(name, operand) for name, operand in expected.items())


def _test(name: str, operand: Any) -> str:
    if name == "$exists":
        return "is known" if operand else "is not known"
    if name in _SAID:
        return f"{_SAID[name]} {_value(operand)}"
    return f"{name.lstrip('$')} {_value(operand)}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
