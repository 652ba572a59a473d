"""Turning the text of a row into values; what cannot be turned says so in words."""

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from experiments.imports.parts import TimeRule, When
from experiments.imports.reading import Row
from experiments.imports.schemas import Refusal

_PLACE = re.compile(r"\{([^{}]+)\}")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")

Literal = str | bool | int | float | None


class RefusedError(Exception):
    """One row cannot be stored; the others can."""

    def __init__(self, reason: str, refusal: Refusal = Refusal.UNREADABLE) -> None:
        self.reason = reason
        self.refusal = refusal
        super().__init__(reason)


def places(template: str) -> list[str]:
    """The columns that a template names.

    >>> places("{Date} {Hour}")
    ['Date', 'Hour']
    """
    return _PLACE.findall(template)


def fill(template: str, row: Row) -> str:
    """The template with the row's texts in its places.

    Raises:
        RefusedError: when one of them is not known.
    """
    return _PLACE.sub(lambda match: text(match[1], row), template)


def text(column: str, row: Row) -> str:
    """What a column says.

    Raises:
        RefusedError: when it says nothing.
    """
    value = row.values.get(column)
    if value is None:
        message = f"{column} is empty"
        raise RefusedError(message)
    return value


def number(column: str, row: Row) -> float:
    """The number in a column.

    Raises:
        RefusedError: when it is not a finite number.
    """
    said = text(column, row)
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = f"{column}: {said!r} is not a number"
        raise RefusedError(message)
    return value


def count(column: str, row: Row) -> int:
    """The whole number, zero or more, in a column.

    Raises:
        RefusedError: when it is something else.
    """
    value = number(column, row)
    if value < 0 or not value.is_integer():
        message = f"{column}: {value:g} is not a whole number of zero or more"
        raise RefusedError(message)
    return int(value)


def moment(when: When, row: Row) -> datetime:
    """The time of a row, in UTC.

    Raises:
        RefusedError: when it cannot be read by the rule.
    """
    return _read_time(when, row) if isinstance(when, TimeRule) else when


def _read_time(rule: TimeRule, row: Row) -> datetime:
    said = fill(rule.text, row)
    try:
        read = (
            datetime.strptime(said, rule.format)  # noqa: DTZ007 (its zone is set below)
            if rule.format
            else datetime.fromisoformat(said)
        )
    except ValueError as error:
        wanted = rule.format or "ISO 8601"
        message = f"time: {said!r} does not read as {wanted}"
        raise RefusedError(message) from error
    aware = read if read.tzinfo else read.replace(tzinfo=ZoneInfo(rule.zone))
    return aware.astimezone(UTC)


@lru_cache(maxsize=4096)
def literal(said: str | None) -> Literal:
    """A text as the number or truth value that it is, for conditions and attributes.

    >>> literal("0.5"), literal("TRUE"), literal("007"), literal("E5823")
    (0.5, True, '007', 'E5823')
    """
    if said is None:
        return None
    if said.lower() in {"true", "false"}:
        return said.lower() == "true"
    match = _NUMBER.fullmatch(said)
    if match is None:
        return said
    if match[1] is None and match[2] is None:
        return int(said)
    value = float(said)
    return value if math.isfinite(value) else said


def literals(row: Row) -> dict[str, Literal]:
    """The columns that are known, as literals."""
    return {column: literal(said) for column, said in row.values.items() if said is not None}


def as_key(said: str) -> str:
    """A text made fit to be a key.

    >>> as_key("new page (2)")
    'new-page-2'
    """
    return _NOT_IN_KEYS.sub("-", said).strip("-._")[:80]
