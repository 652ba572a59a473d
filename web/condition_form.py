"""Conditions on visitors as rows of a form: an attribute, a comparison, a value.

What the rows cannot say (patterns, conditions inside conditions) is shown as a document instead,
so that nothing is lost when somebody edits what a program wrote.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.conditions.matching import is_operators
from experiments.errors import InvalidError
from experiments.formats import payload
from web.filters import yaml_text
from web.requests import document, text

BLANK_ROWS, FEWEST_ROWS, MOST_ROWS = 1, 3, 20
ALL, ANY = "$and", "$or"
MODES = ((ALL, "All of these hold"), (ANY, "Any of these holds"))
COMPARISONS = (
    ("$eq", "is"),
    ("$ne", "is not"),
    ("$in", "is one of"),
    ("$nin", "is none of"),
    ("$gte", "is at least"),
    ("$gt", "is more than"),
    ("$lte", "is at most"),
    ("$lt", "is less than"),
    ("$exists", "is known (yes or no)"),
)
_KNOWN = {key for key, _ in COMPARISONS}
_LISTED = {"$in", "$nin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison as it stands in the form."""

    attribute: str = ""
    comparison: str = "$eq"
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionForm:
    """A condition as the form shows it: rows, or a document where rows cannot say it."""

    mode: str = ALL
    rows: tuple[Row, ...] = ()
    document: str = ""


def shown(condition: Mapping[str, Any]) -> ConditionForm:
    """The form of a condition, with room for one more comparison."""
    for mode in (ALL, ANY):
        parts = [condition] if set(condition) != {mode} else condition[mode]
        rows = _rows(parts, joined=mode)
        if rows is not None:
            blank = max(FEWEST_ROWS - len(rows), BLANK_ROWS)
            return ConditionForm(mode=mode, rows=(*rows, *([Row()] * blank)))
    return ConditionForm(document=yaml_text(dict(condition)))


def given() -> ConditionForm:
    """What was typed, to be shown again beside what is wrong with it."""
    rows = tuple(
        Row(
            attribute=text(f"attribute_{number}"),
            comparison=text(f"comparison_{number}"),
            value=text(f"value_{number}"),
        )
        for number in range(1, MOST_ROWS + 1)
        if text(f"attribute_{number}") or text(f"value_{number}")
    )
    return ConditionForm(mode=text("mode") or ALL, rows=(*rows, Row()), document=text("condition"))


def read() -> dict[str, Any]:
    """The condition that the form says; nothing filled in is everybody.

    Raises:
        InvalidError: when a row lacks its attribute or the document cannot be read.
    """
    if text("condition"):
        return dict(document("condition"))
    parts = [_condition(row) for row in given().rows if row != Row()]
    if text("mode") == ANY and len(parts) > 1:
        return {ANY: parts}
    attributes = [next(iter(part)) for part in parts]
    if len(set(attributes)) == len(attributes):
        return {key: value for part in parts for key, value in part.items()}
    return {ALL: parts}


def _condition(row: Row) -> dict[str, Any]:
    if not row.attribute:
        raise InvalidError.at("/audience", f"say which attribute is compared with {row.value!r}")
    if row.attribute.startswith("$") or row.comparison not in _KNOWN:
        raise InvalidError.at("/audience", f"{row.attribute} {row.comparison} is no comparison")
    if row.comparison == "$exists":
        return {row.attribute: {"$exists": row.value.lower() not in {"no", "false"}}}
    if row.comparison in _LISTED:
        items = [item.strip() for item in row.value.split(",")]
        return {row.attribute: {row.comparison: [_typed(item) for item in items if item]}}
    value = _typed(row.value)
    return {row.attribute: value if row.comparison == "$eq" else {row.comparison: value}}


def _typed(value: str) -> Any:
    """A number, true or false as such, quoted text without its quotes, else what was typed."""
    try:
        read_as = json.loads(value)
    except json.JSONDecodeError:
        return value
    return read_as if isinstance(read_as, bool | int | float | str) else value


def _rows(parts: object, *, joined: str) -> list[Row] | None:
    """The rows of conditions that are joined; none when one of them needs more than rows."""
    if not isinstance(parts, list):
        return None
    found: list[Row] = []
    for part in parts:
        if not isinstance(part, Mapping) or (joined == ANY and len(part) != 1):
            return None
        for key, expected in part.items():
            tests = list(_tests(key, expected))
            if None in tests or (joined == ANY and len(tests) != 1):
                return None
            found += [row for row in tests if row]
    return found


def _tests(key: str, expected: object) -> Iterator[Row | None]:
    operators = expected if is_operators(expected) else {"$eq": expected}
    for name, operand in operators.items() if isinstance(operators, Mapping) else ():
        items = operand if name in _LISTED and isinstance(operand, list) else [operand]
        sayable = all(isinstance(item, bool | int | float | str) for item in items)
        if key.startswith("$") or name not in _KNOWN or not sayable:
            yield None
        else:
            value = ", ".join(_typing(item) for item in items)
            yield Row(attribute=key, comparison=name, value=value)


def _typing(value: Any) -> str:
    """How a value is typed so that it is read again as what it is."""
    said = payload(value)
    return said if _typed(said) == value and "," not in said else json.dumps(value)
