"""Refusing conditions that could not mean what their author thinks."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from experiments.conditions.matching import is_operators

_LOGICAL_LISTS = frozenset({"$and", "$or", "$nor"})
_ORDERED = frozenset({"$gt", "$gte", "$lt", "$lte"})
_LISTED = frozenset({"$in", "$nin", "$ini", "$nini", "$all", "$alli"})
_PATTERNS = frozenset({"$regex", "$regexi", "$notRegex", "$notRegexi"})
_VERSIONS = frozenset({"$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte"})
_GROUPS = frozenset({"$inGroup", "$notInGroup"})
_TYPE_NAMES = ("string", "number", "boolean", "array", "object", "null")

_TypesByField = dict[str, tuple[str, str]]  # field -> (type, where it was first compared so)


def check_condition(condition: Mapping[str, Any]) -> None:
    """Refuse an unsound condition.

    Raises:
        ValueError: naming the field and the fix: an unknown operator, a field compared with text
            in one place and with a number in another, a number written as text, a broken pattern.
    """
    _check(condition, {})


def _check(condition: Any, seen: _TypesByField) -> None:
    if not isinstance(condition, Mapping):
        _refuse("condition", f"must be an object of fields, not {condition!r}")
    for key, expected in condition.items():
        if key in _LOGICAL_LISTS:
            if not isinstance(expected, list):
                _refuse(key, "needs a list of conditions")
            for item in expected:
                _check(item, seen)
        elif key == "$not":
            _check(expected, seen)
        elif key.startswith("$"):
            _refuse(key, "is no operator here; use $and, $or, $nor or $not, or name a field first")
        else:
            _check_expected(key, expected, seen)


def _check_expected(field: str, expected: Any, seen: _TypesByField) -> None:
    if is_operators(expected):
        for operator, operand in expected.items():
            _check_operator(field, operator, operand, seen)
        return
    if isinstance(expected, dict) and any(key.startswith("$") for key in expected):
        _refuse(field, "mixes operators with plain keys; write them as separate conditions")
    _note_type(field, expected, seen)


def _check_operator(field: str, operator: str, operand: Any, seen: _TypesByField) -> None:
    if operator in _ORDERED:
        _check_ordered(field, operator, operand)
        _note_type(field, operand, seen)
    elif operator in _LISTED:
        _check_list(field, operator, operand, seen)
    elif operator in _PATTERNS:
        _check_pattern(field, operator, operand)
        _note_type(field, operand, seen)
    elif operator in {"$eq", "$ne"}:
        _note_type(field, operand, seen)
    elif operator == "$not":
        _check_expected(field, operand, seen)
    else:
        _check_other(field, operator, operand)


def _check_ordered(field: str, operator: str, operand: Any) -> None:
    if isinstance(operand, bool) or not isinstance(operand, int | float | str):
        _refuse(field, f"{operator} needs a number or text, not {operand!r}")
    if isinstance(operand, str) and _is_number(operand):
        _refuse(field, f"{operator} compares text with a number; write {operand} without quotes")


def _check_list(field: str, operator: str, operand: Any, seen: _TypesByField) -> None:
    if not isinstance(operand, list):
        _refuse(field, f"{operator} needs a list, for example [{operand!r}]")
    for item in operand:
        if is_operators(item):
            _check_expected(field, item, seen)
        else:
            _note_type(field, item, seen)


def _check_pattern(field: str, operator: str, operand: Any) -> None:
    if not isinstance(operand, str):
        _refuse(field, f"{operator} needs a pattern in quotes")
    try:
        re.compile(operand)
    except re.error as error:
        _refuse(field, f"the pattern {operand!r} is broken: {error}")


def _check_other(field: str, operator: str, operand: Any) -> None:
    if operator in _VERSIONS | _GROUPS:
        if not isinstance(operand, str):
            _refuse(field, f"{operator} needs text in quotes, not {operand!r}")
    elif operator == "$elemMatch":
        inner = {f"{field}[]": operand} if is_operators(operand) else operand
        _check(inner, {})
    elif operator == "$size":
        _check_expected(f"the size of {field}", operand, {})
    elif operator == "$exists":
        if not isinstance(operand, bool):
            _refuse(field, "$exists needs true or false")
    elif operator == "$type":
        if operand not in _TYPE_NAMES:
            _refuse(field, f"$type needs one of {', '.join(_TYPE_NAMES)}")
    else:
        _refuse(field, f"{operator} is no known operator; check the spelling")


def _note_type(field: str, operand: Any, seen: _TypesByField) -> None:
    kind = _kind(operand)
    if not kind:
        return
    before, example = seen.setdefault(field, (kind, repr(operand)))
    if before != kind:
        _refuse(
            field,
            f"is compared with {before} ({example}) and with {kind} ({operand!r}); "
            "use the type that the attribute has in both places",
        )


def _kind(operand: Any) -> str:
    if isinstance(operand, bool):
        return "true or false"
    if isinstance(operand, int | float):
        return "a number"
    return "text" if isinstance(operand, str) else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse(field: str, fix: str) -> NoReturn:
    message = f"{field}: {fix}"
    raise ValueError(message)
