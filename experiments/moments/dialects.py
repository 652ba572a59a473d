"""What the engines say differently; everything else in `relational` is the same words for all."""

from collections.abc import Callable
from dataclasses import dataclass

AMOUNT_DIGITS = "DECIMAL(16, 6)"
"""Amounts below ten thousand million with six places; anything beyond is no amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an engine reads a number out of JSON, as whole millionths or NULL."""

    name: str
    amount: Callable[[str, str], str]


def text(value: str) -> str:
    """A text as SQL of every engine but Spark writes it."""
    return "'" + value.replace("'", "''") + "'"


def _duckdb_amount(document: str, key: str) -> str:
    pointer = text("/" + key.replace("~", "~0").replace("/", "~1"))
    number = f"TRY_CAST(json_extract_string({document}, {pointer}) AS {AMOUNT_DIGITS})"
    is_number = f"json_type({document}, {pointer}) IN ('BIGINT', 'UBIGINT', 'DOUBLE')"
    return f"CASE WHEN {is_number} THEN CAST({number} * 1000000 AS BIGINT) END"


DUCKDB = Dialect(name="duckdb", amount=_duckdb_amount)
