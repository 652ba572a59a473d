"""Shapes of the inbox slice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from experiments.shapes import Out

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Item, Result]):
    """What items of one kind are called, how they are written, and how they read if they cannot be.

    `write` gets the open transaction and the items in the order in which they were submitted, and
    returns one result per item. It must be free of effects outside the transaction, because a
    batch that fails is written again item by item. `rescue` writes what can be written of an item
    that the database refuses as a whole; without it such an item is a dead letter.
    """

    name: str
    write: Callable[[Connection, Sequence[Item]], Sequence[Result]]
    describe: Callable[[Item], str]
    rescue: Callable[[Connection, Item], Result] | None = None


class DeadLetterOut(Out):
    """An item that could not be stored, with the reason and what it said."""

    id: int
    at: datetime
    kind: str
    error: str
    body: str
