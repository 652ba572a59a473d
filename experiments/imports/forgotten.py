"""Rows about people who were forgotten: a file brings nobody back."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlmodel import Session

from experiments.assignment.suppression import suppressed
from experiments.imports.batches import Tally
from experiments.imports.fields import RefusedError
from experiments.imports.reading import Row
from experiments.imports.schemas import Refusal

Told = TypeVar("Told")


def without_forgotten(
    session: Session,
    told: Sequence[tuple[Row, Told]],
    visitor: Callable[[Told], str],
    *,
    tally: Tally,
) -> list[tuple[Row, Told]]:
    """The rows about everybody else; those about people who were forgotten are refused."""
    forgotten = suppressed(session.connection(), {visitor(one) for _, one in told})
    kept = []
    for row, one in told:
        if visitor(one) in forgotten:
            message = "the visitor was forgotten, and nothing is stored of them any more"
            tally.refuse(row, RefusedError(message, Refusal.FORGOTTEN))
        else:
            kept.append((row, one))
    return kept
