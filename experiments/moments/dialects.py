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
    """A text as SQL writes it; Spark's source says it in its own way."""
    return "'" + value.replace("'", "''") + "'"


def _duckdb_amount(document: str, key: str) -> str:
    pointer = text("/" + key.replace("~", "~0").replace("/", "~1"))
    number = f"TRY_CAST(json_extract_string({document}, {pointer}) AS {AMOUNT_DIGITS})"
    is_number = f"json_type({document}, {pointer}) IN ('BIGINT', 'UBIGINT', 'DOUBLE')"
    # Widened first: a product of narrow decimals overflows at 18 digits.
    widened = f"CAST({number} AS DECIMAL(22, 6))"
    return f"CASE WHEN {is_number} THEN CAST({widened} * 1000000 AS BIGINT) END"


DUCKDB = Dialect(name="duckdb", amount=_duckdb_amount)


def _postgres_amount(document: str, key: str) -> str:
    found = f"({document}::jsonb -> {text(key)})"
    number = f"({document}::jsonb ->> {text(key)})::numeric"
    # By way of the double, since that is what JSON readers elsewhere take it for.
    rounded = f"ROUND({number}::float8::text::numeric, 6)"
    return (
        f"CASE WHEN jsonb_typeof{found} = 'number' THEN "
        f"CASE WHEN ABS({number}) < 1e10 AND ABS({rounded}) < 1e10 "
        f"THEN CAST({rounded} * 1000000 AS BIGINT) END END"
    )


POSTGRESQL = Dialect(name="postgresql", amount=_postgres_amount)


def _spark_amount(document: str, key: str) -> str:
    field = "`" + key.replace("`", "``") + "`"

    def read(kind: str) -> str:
        schema = text(f"{field} {kind}")
        return f"from_json({document}, {schema}, map('allowNonNumericNumbers', 'false')).{field}"

    # As a decimal Spark reads texts too, as a double only numbers.
    amount = f"CAST({read(AMOUNT_DIGITS)} * 1000000 AS DECIMAL(16, 0))"
    return f"CASE WHEN {read('DOUBLE')} IS NOT NULL THEN {amount} END"


SPARK = Dialect(name="spark", amount=_spark_amount)
