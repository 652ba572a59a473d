"""Making one visitor out of two: everything that is known of both moves to the earlier one."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session, col, select, update

from experiments.assignment.identity import Claim, Sight, reconcile, together
from experiments.assignment.models import Alias, Assignment, Attribute, Exposure, Visitor
from experiments.assignment.renumbering import next_exposure_id
from experiments.assignment.schemas import Identity

OfVisitor = TypeVar("OfVisitor", Assignment, Attribute, Exposure)


def merge(session: Session, one: int, other: int) -> Identity:
    """Make two visitors one; the one seen first stands for both."""
    if one == other:
        return Identity(visitor_id=one)
    pair = _locked(session, one, other)
    if any(row.merged_into for row in pair):  # by another request, while this one waited
        return merge(session, *(row.merged_into or _number(row) for row in pair))
    kept, gone = (_number(row) for row in sorted(pair, key=_seniority))
    _merge_assignments(session, kept, gone)
    _merge_exposures(session, kept, gone)
    _merge_attributes(session, kept, gone)
    _hand_over(session, kept, gone)
    return Identity(visitor_id=kept, merged_id=gone)


def _locked(session: Session, one: int, other: int) -> Sequence[Visitor]:
    query = select(Visitor).where(col(Visitor.id).in_((one, other))).order_by(col(Visitor.id))
    fresh = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(fresh).all()


def _number(row: Visitor) -> int:
    return int(row.id or 0)


def _seniority(row: Visitor) -> tuple[datetime, int]:
    return row.created_at, _number(row)


def _rows(session: Session, table: type[OfVisitor], visitor: int) -> Sequence[OfVisitor]:
    query = select(table).where(col(table.visitor_id) == visitor)
    return session.exec(query.execution_options(populate_existing=True)).all()


def _merge_assignments(session: Session, kept: int, gone: int) -> None:
    mine = {row.experiment_id: row for row in _rows(session, Assignment, kept)}
    for theirs in _rows(session, Assignment, gone):
        ours = mine.get(theirs.experiment_id)
        if ours is None:
            theirs.visitor_id = kept
            continue
        standing, later = reconcile(_claim(ours), _claim(theirs))
        _rewrite(ours, standing)
        _rewrite(theirs, later)
    session.flush()


def _claim(row: Assignment) -> Claim:
    return Claim(
        variant_id=row.variant_id,
        phase_id=row.phase_id,
        bucket=row.bucket,
        propensity=row.propensity,
        method=row.method,
        assigned_at=row.assigned_at,
        contaminated=row.contaminated,
    )


def _rewrite(row: Assignment, claim: Claim) -> None:
    row.variant_id = claim.variant_id
    row.phase_id = claim.phase_id
    row.bucket = claim.bucket
    row.propensity = claim.propensity
    row.method = claim.method
    row.assigned_at = claim.assigned_at
    row.contaminated = claim.contaminated


def _merge_exposures(session: Session, kept: int, gone: int) -> None:
    mine = {row.experiment_id: row for row in _rows(session, Exposure, kept)}
    doubles = []
    for theirs in _rows(session, Exposure, gone):
        ours = mine.setdefault(theirs.experiment_id, theirs)
        if ours is theirs:
            theirs.visitor_id = kept
            continue
        sight = together(_sight(ours), _sight(theirs))
        ours.first_at, ours.count = sight.first_at, sight.count
        doubles.append(theirs)
    for arm in _rows(session, Assignment, kept):
        seen = mine.get(arm.experiment_id)
        if seen is not None:  # a person is analysed in the arm that stands
            seen.variant_id, seen.phase_id = arm.variant_id, arm.phase_id
    _renumber(session, mine.values())
    for row in doubles:  # only now, so that no new id is one of theirs
        session.delete(row)
    session.flush()


def _renumber(session: Session, rows: Iterable[Exposure]) -> None:
    new = next_exposure_id(session.connection().dialect.name)
    for row in rows:
        row.id = session.scalar(select(new))
        session.flush()


def _sight(row: Exposure) -> Sight:
    return Sight(first_at=row.first_at, count=row.count)


def _merge_attributes(session: Session, kept: int, gone: int) -> None:
    mine = {row.key: row for row in _rows(session, Attribute, kept)}
    for theirs in _rows(session, Attribute, gone):
        ours = mine.get(theirs.key)
        if ours is None:
            theirs.visitor_id = kept
            continue
        newest = max(ours, theirs, key=_freshness)
        ours.value, ours.source, ours.as_of = newest.value, newest.source, newest.as_of
        session.delete(theirs)
    session.flush()


def _freshness(row: Attribute) -> tuple[datetime, str]:
    return row.as_of, json.dumps(row.value, sort_keys=True)


def _hand_over(session: Session, kept: int, gone: int) -> None:
    aliases = update(Alias).where(col(Alias.visitor_id) == gone).values(visitor_id=kept)
    earlier = update(Visitor).where(col(Visitor.merged_into) == gone).values(merged_into=kept)
    itself = update(Visitor).where(col(Visitor.id) == gone).values(merged_into=kept)
    for statement in (aliases, earlier, itself):
        session.exec(statement)
