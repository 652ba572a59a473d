"""What becomes of two visitors that turn out to be one; the order of merges does not matter."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an assignment says, apart from whose it is."""

    variant_id: int
    phase_id: int
    bucket: int
    propensity: float
    method: str
    assigned_at: datetime
    contaminated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """When somebody first saw their arm, and how often they saw it."""

    first_at: datetime
    count: int


def reconcile(one: Claim, other: Claim) -> tuple[Claim, Claim]:
    """The claim that stands and the one that is only kept: the earlier stands.

    When they name different variants the person may have seen both, so both are contaminated.
    Equal times are told apart by what the claims say, never by which was looked at first.
    """
    standing, later = sorted((one, other), key=_age)
    differ = standing.variant_id != later.variant_id
    return (
        replace(standing, contaminated=differ or one.contaminated or other.contaminated),
        replace(later, contaminated=differ or later.contaminated),
    )


def together(one: Sight, other: Sight) -> Sight:
    """The sights of one person who was counted as two: the earliest stands, counts add."""
    return Sight(first_at=min(one.first_at, other.first_at), count=one.count + other.count)


def _age(claim: Claim) -> tuple[datetime, int, int, int]:
    return claim.assigned_at, claim.phase_id, claim.bucket, claim.variant_id
