"""Files with a row per visitor: arm, outcomes, amounts, attributes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.conditions import matches
from experiments.imports.fields import (
    Literal,
    RefusedError,
    fill,
    literals,
    moment,
    number,
)
from experiments.imports.metrics import counted, summed
from experiments.imports.parts import AmountIn
from experiments.imports.reading import Row
from experiments.imports.schemas import Refusal, VisitorsMapping
from experiments.metrics.schemas import MetricIn

NO_BUCKET = -1  # the visitor was assigned elsewhere, by another rule than our hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Something the visitor did after the exposure."""

    measure: str
    at: datetime
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorRow:
    """One visitor, as a row tells."""

    visitor: str
    variant: str
    at: datetime
    reached: tuple[Reached, ...]
    attributes: dict[str, Literal]


def metrics(mapping: VisitorsMapping) -> list[MetricIn]:
    """The metrics that the mapping reads, the later stages first."""
    journey = mapping.journey.key
    reached = [
        counted(journey, it.key, it.name, window_hours=it.window_hours) for it in mapping.outcomes
    ]
    return reached + [
        summed(
            journey,
            it.key,
            it.name,
            unit=it.unit,
            direction=it.direction,
            winsorise_above=it.winsorise_above,
            window_hours=it.window_hours,
        )
        for it in mapping.amounts
    ]


def read(mapping: VisitorsMapping, row: Row) -> VisitorRow:
    """The visitor that a row tells of.

    Raises:
        RefusedError: when it cannot be read, or what was shown does not fit the arm.
    """
    facts = literals(row)
    variant = _variant(mapping, row)
    condition = mapping.fits.get(variant)
    if condition is not None and not matches(condition, facts):
        message = f"what was shown does not fit the variant {variant!r}"
        raise RefusedError(message, Refusal.MISMATCH)
    at = moment(mapping.at, row)
    outcomes = (
        Reached(measure=outcome.key, at=at + timedelta(hours=outcome.after_hours))
        for outcome in mapping.outcomes
        if matches(outcome.where, facts)
    )
    amounts = (_amount(amount, row, at) for amount in mapping.amounts)
    known = mapping.attributes.items()
    return VisitorRow(
        visitor=fill(mapping.visitor, row),
        variant=variant,
        at=at,
        reached=(*outcomes, *(amount for amount in amounts if amount is not None)),
        attributes={key: facts[column] for key, column in known if column in facts},
    )


def in_words(told: VisitorRow) -> dict[str, str]:
    """What the row tells, for people."""
    reached = [
        one.measure if one.value is None else f"{one.measure} {one.value:g}" for one in told.reached
    ]
    return {
        "visitor": told.visitor,
        "variant": told.variant,
        "at": f"{told.at:%Y-%m-%d %H:%M}",
        "reached": ", ".join(reached),
        "attributes": ", ".join(f"{key}={value}" for key, value in told.attributes.items()),
    }


def _variant(mapping: VisitorsMapping, row: Row) -> str:
    said = fill(mapping.variant, row)
    arms = {arm.value or arm.key: arm.key for arm in mapping.experiment.variants}
    if said not in arms:
        message = f"variant {said!r} is not one of: {', '.join(sorted(arms))}"
        raise RefusedError(message)
    return arms[said]


def _amount(amount: AmountIn, row: Row, at: datetime) -> Reached | None:
    if row.values.get(amount.column) is None:
        return None
    value = number(amount.column, row)
    return Reached(measure=amount.key, at=at, value=value) if value else None
