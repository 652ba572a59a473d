"""From exposures and events to sums: one row per arm and phase, whatever the number of visitors.

Everybody counts in the arm of their assignment (intention to treat), also when contaminated.
Events count from the first exposure, inside the metric's window, as received by the time asked.
"""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Float,
    Integer,
    RowMapping,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlmodel import Session, col

from experiments.analysis.data import Cell, SplitCount
from experiments.analysis.json_numbers import number_at
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.conditions import matches
from experiments.database import to_micros
from experiments.design.models import Phase, Variant
from experiments.events.models import Event
from experiments.metrics.schemas import EventRule, MetricKind, MetricOut
from stats.moments import JointMoments

MICROSECOND = timedelta(microseconds=1)
HOUR_MICROS = timedelta(hours=1) // MICROSECOND


def live_cells(
    session: Session, experiment_id: int, *, metric: MetricOut, as_of: datetime
) -> list[Cell]:
    """The sufficient statistics of `metric` in every arm and phase, as received by `as_of`."""
    people = _people(experiment_id, as_of)
    outcomes = _outcomes(session, people, metric=metric, as_of=as_of)
    rows = session.connection().execute(_sums(outcomes)).mappings()
    return [_cell(row, is_ratio=metric.kind is MetricKind.RATIO) for row in rows]


def live_split(session: Session, experiment_id: int, *, as_of: datetime) -> list[SplitCount]:
    """How many visitors were first exposed, by phase, hour and arm."""
    people = _people(experiment_id, as_of)
    hour = (people.c.first_micros // HOUR_MICROS).label("hour")
    keys = (people.c.phase, hour, people.c.variant)
    query = select(*keys, func.count().label("visitors")).group_by(*keys).order_by(*keys)
    rows = session.connection().execute(query).mappings()
    return [SplitCount.model_validate(dict(row)) for row in rows]


def contaminated(session: Session, experiment_id: int, *, as_of: datetime) -> int:
    """How many exposed visitors were seen in two arms."""
    people = _people(experiment_id, as_of)
    query = select(func.count()).select_from(people).where(people.c.contaminated)
    return session.scalar(query) or 0


def newest_exposure(session: Session, experiment_id: int, *, as_of: datetime) -> datetime | None:
    """When the last visitor joined."""
    people = _people(experiment_id, as_of)
    newest: datetime | None = session.scalar(select(func.max(people.c.first_at)))
    return newest


def _people(experiment_id: int, as_of: datetime) -> CTE:
    """Everybody exposed, once, with the arm and phase of their assignment."""
    return (
        select(
            col(Exposure.visitor_id),
            col(Variant.key).label("variant"),
            col(Phase.number).label("phase"),
            col(Assignment.contaminated),
            col(Exposure.first_at),
            type_coerce(col(Exposure.first_at), BigInteger).label("first_micros"),
        )
        .join(
            Assignment,
            and_(
                col(Assignment.experiment_id) == col(Exposure.experiment_id),
                col(Assignment.visitor_id) == col(Exposure.visitor_id),
            ),
        )
        .join(Visitor, col(Visitor.id) == col(Exposure.visitor_id))
        .join(Variant, col(Variant.id) == col(Assignment.variant_id))
        .join(Phase, col(Phase.id) == col(Assignment.phase_id))
        .where(
            col(Exposure.experiment_id) == experiment_id,
            col(Exposure.first_at) <= as_of,
            col(Visitor.merged_into).is_(None),
        )
        .cte("people")
    )


def _outcomes(session: Session, people: CTE, *, metric: MetricOut, as_of: datetime) -> Subquery:
    """One row per person: outcome, denominator, and whether the window is over."""
    window = timedelta(hours=metric.window_hours) // MICROSECOND
    hits = _hits(session, people, rule=metric.rule, metric=metric, as_of=as_of)
    source = people.outerjoin(hits, hits.c.visitor_id == people.c.visitor_id)
    denominator: ColumnElement[float] = literal(0.0)
    if metric.denominator is not None:
        below = _hits(session, people, rule=metric.denominator, metric=metric, as_of=as_of)
        source = source.outerjoin(below, below.c.visitor_id == people.c.visitor_id)
        denominator = cast(func.coalesce(below.c.hits, 0), Float)
    matured = case((people.c.first_micros + window <= to_micros(as_of), 1), else_=0)
    return (
        select(
            people.c.variant,
            people.c.phase,
            matured.label("matured"),
            _outcome(metric, hits).label("y"),
            denominator.label("d"),
        )
        .select_from(source)
        .subquery("outcomes")
    )


def _hits(
    session: Session, people: CTE, *, rule: EventRule, metric: MetricOut, as_of: datetime
) -> Subquery:
    """Per person with any: the number of matching events and, if one is named, a property's sum."""
    events = _events(people, rule=rule, window_hours=metric.window_hours, as_of=as_of)
    if rule.where:
        events = events.where(_is_one_of(_matching(session, events, rule)))
    sums: list[ColumnElement[Any]] = [func.count().label("hits")]
    if metric.value_property:
        value = number_at(col(Event.properties), metric.value_property)
        sums.append(func.sum(value).label("amount"))
    return (
        events.with_only_columns(people.c.visitor_id, *sums)
        .group_by(people.c.visitor_id)
        .subquery()
    )


def _events(
    people: CTE, *, rule: EventRule, window_hours: int, as_of: datetime
) -> Select[tuple[int, dict[str, object]]]:
    window = timedelta(hours=window_hours) // MICROSECOND
    occurred = type_coerce(col(Event.occurred_at), BigInteger)
    return (
        select(col(Event.id), col(Event.properties))
        .select_from(people)
        .join(Event, col(Event.visitor_id) == people.c.visitor_id)
        .where(
            col(Event.name) == rule.event,
            occurred >= people.c.first_micros,
            occurred < people.c.first_micros + window,
            col(Event.received_at) <= as_of,
        )
    )


def _matching(
    session: Session, events: Select[tuple[int, dict[str, object]]], rule: EventRule
) -> list[int]:
    # A condition means the same everywhere, so that Python judges it, not two SQL dialects.
    found = session.connection().execute(events)
    return [row.id for row in found if matches(rule.where, row.properties)]


def _is_one_of(event_ids: list[int]) -> ColumnElement[bool]:
    # Written into the statement: databases limit the number of bound parameters.
    listed: BindParameter[list[int]] = bindparam(
        "event_ids", event_ids, unique=True, expanding=True, literal_execute=True
    )
    return col(Event.id).in_(listed)


def _outcome(metric: MetricOut, hits: Subquery) -> ColumnElement[float]:
    counted = func.coalesce(hits.c.hits, 0)
    if metric.kind is MetricKind.CONVERSION:
        return cast(case((counted > 0, 1), else_=0), Float)
    is_count = metric.kind is MetricKind.COUNT
    value = cast(counted if is_count else func.coalesce(hits.c.amount, 0.0), Float)
    cap = metric.winsorise_above
    return value if cap is None else case((value > cap, cap), else_=value)


def _sums(outcomes: Subquery) -> Select[tuple[object, ...]]:
    y, d, matured = outcomes.c.y, outcomes.c.d, outcomes.c.matured
    converted = case((y > 0, 1), else_=0)
    counts = {
        "visitors": func.count(),
        "matured": func.sum(matured),
        "conversions": func.sum(matured * converted),
        "observed_conversions": func.sum(converted),
    }
    sums = {"y": matured * y, "yy": matured * y * y, "d": matured * d, "dd": matured * d * d}
    sums |= {"yd": matured * y * d, "observed_total": y}
    keys = (outcomes.c.variant, outcomes.c.phase)
    return (
        select(
            *keys,
            *(cast(value, Integer).label(name) for name, value in counts.items()),
            *(func.sum(value).label(name) for name, value in sums.items()),
        )
        .group_by(*keys)
        .order_by(*keys)
    )


def _cell(row: RowMapping, *, is_ratio: bool) -> Cell:
    size = 2 if is_ratio else 1
    moments = JointMoments.from_sums(
        n=row["matured"],
        totals=np.array([row["y"], row["d"]])[:size],
        products=np.array([[row["yy"], row["yd"]], [row["yd"], row["dd"]]])[:size, :size],
    )
    return Cell(
        variant=row["variant"],
        phase=row["phase"],
        visitors=row["visitors"],
        matured=row["matured"],
        conversions=row["conversions"],
        means=tuple(moments.means.tolist()),
        comoments=tuple(tuple(line) for line in moments.comoments.tolist()),
        observed_conversions=row["observed_conversions"],
        observed_total=row["observed_total"],
    )
