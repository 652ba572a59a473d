"""Shapes of the assignment slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints

from experiments.shapes import Out

VisitorId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]+$")]

NO_BUCKET = -1
"""The bucket of an arm that our hash did not choose, or whose visitor was forgotten."""


class AliasKind(StrEnum):
    """Where an id of a visitor comes from."""

    USER = "user"
    ANONYMOUS = "anonymous"


class AssignedBy(StrEnum):
    """How an assignment came about."""

    HASH = "hash"
    IMPORT = "import"
    REPORT = "report"  # a client evaluated by itself and told us what it showed


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is after ids were tied together, and who was found to be the same person."""

    visitor_id: int
    merged_id: int | None = None


class AssignmentOut(Out):
    """The arm of one visitor in one experiment."""

    experiment_id: int
    visitor_id: int
    variant_id: int
    phase_id: int
    bucket: int
    propensity: float
    method: AssignedBy
    assigned_at: datetime
    contaminated: bool


class StoredArm(NamedTuple):
    """What answering needs of an assignment."""

    variant_id: int
    phase_id: int
    bucket: int


class Standing(NamedTuple):
    """Where somebody is on a journey: on which version's path, in which stage."""

    version: int
    stage: str


NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Known(NamedTuple):
    """What is stored of whoever an id belongs to; nothing for an id never seen.

    A named tuple, as everything that each request makes anew: a frozen dataclass takes three times
    as long.
    """

    visitor_id: int | None = None
    arms: Mapping[int, StoredArm] = NOTHING  # by experiment
    exposed: frozenset[int] = frozenset()  # the experiments whose arm they saw
    standing: Mapping[int, Standing] = NOTHING  # by journey
    attributes: Mapping[str, Any] = NOTHING


class VisitorOut(Out):
    """A visitor with every id and attribute known of them."""

    id: int
    created_at: datetime
    aliases: list[str]
    attributes: dict[str, Any]
    assignments: list[AssignmentOut]
