"""From exposures and events to sums: one row per arm and phase, whatever the number of visitors.

Everybody counts in the arm of their assignment (intention to treat), also when contaminated.
Events count from the first exposure, inside the metric's window, as received by the time asked.
"""

from datetime import datetime, timedelta

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

from experiments.analysis.data import Cell, Delays, SplitCount
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
MINUTE_MICROS = timedelta(minutes=1) // MICROSECOND
MINUTES_PER_HOUR = 60


def live_cells(
    session: Session, experiment_id: int, *, metric: MetricOut, as_of: datetime
) -> list[Cell]:
    """The sufficient statistics of `metric` in every arm and phase, as received by `as_of`."""
    return cells_of(session, people_of(experiment_id, as_of), metric=metric, as_of=as_of)


def cells_of(session: Session, people: CTE, *, metric: MetricOut, as_of: datetime) -> list[Cell]:
    """The sufficient statistics of `metric` for any people, by what they call variant and phase.

    Args:
        session: the transaction.
        people: one row per person: visitor_id, variant, phase and first_micros.
        metric: what is measured.
        as_of: events received later do not count.
    """
    outcomes = _outcomes(session, people, metric=metric, as_of=as_of)
    rows = session.connection().execute(_sums(outcomes)).mappings()
    return [_cell(row, is_ratio=metric.kind is MetricKind.RATIO) for row in rows]


def live_split(session: Session, experiment_id: int, *, as_of: datetime) -> list[SplitCount]:
    """How many visitors were first exposed, by phase, hour and arm."""
    people = people_of(experiment_id, as_of)
    hour = (people.c.first_micros // HOUR_MICROS).label("hour")
    keys = (people.c.phase, hour, people.c.variant)
    query = select(*keys, func.count().label("visitors")).group_by(*keys).order_by(*keys)
    rows = session.connection().execute(query).mappings()
    return [SplitCount.model_validate(dict(row)) for row in rows]


def contaminated(session: Session, experiment_id: int, *, as_of: datetime) -> int:
    """How many exposed visitors were seen in two arms."""
    people = people_of(experiment_id, as_of)
    query = select(func.count()).select_from(people).where(people.c.contaminated)
    return session.scalar(query) or 0


def newest_exposure(session: Session, experiment_id: int, *, as_of: datetime) -> datetime | None:
    """When the last visitor joined."""
    people = people_of(experiment_id, as_of)
    newest: datetime | None = session.scalar(select(func.max(people.c.first_at)))
    return newest


def people_of(experiment_id: int, as_of: datetime, *, name: str = "people") -> CTE:
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
        .cte(name)
    )


def _outcomes(session: Session, people: CTE, *, metric: MetricOut, as_of: datetime) -> Subquery:
    """One row per person: outcome, denominator, and whether the window is over."""
    window = timedelta(hours=metric.window_hours) // MICROSECOND
    counted = _inside_window(people, metric, window=window, as_of=as_of)
    hit = _is_hit(session, people, counted, metric.rule)
    denominator: ColumnElement[float] = literal(0.0)
    if metric.denominator is not None:
        below = _is_hit(session, people, counted, metric.denominator)
        denominator = cast(func.sum(case((below, 1), else_=0)), Float)
    matured = case((people.c.first_micros + window <= to_micros(as_of), 1), else_=0)
    keys = (people.c.visitor_id, people.c.variant, people.c.phase, people.c.first_micros)
    return (
        select(
            people.c.variant,
            people.c.phase,
            matured.label("matured"),
            _outcome(metric, hit).label("y"),
            denominator.label("d"),
            _delay_minutes(people, hit).label("delay"),
        )
        .select_from(people)
        .outerjoin(Event, counted)
        .group_by(*keys)
        .subquery("outcomes")
    )


def _inside_window(
    people: CTE, metric: MetricOut, *, window: int, as_of: datetime
) -> ColumnElement[bool]:
    """The events of a person that can count: from the exposure on, known by the time asked."""
    rules = [rule for rule in (metric.rule, metric.denominator) if rule is not None]
    occurred = type_coerce(col(Event.occurred_at), BigInteger)
    return and_(
        col(Event.visitor_id) == people.c.visitor_id,
        col(Event.name).in_([rule.event for rule in rules]),
        occurred >= people.c.first_micros,
        occurred < people.c.first_micros + window,
        col(Event.received_at) <= as_of,
    )


def _is_hit(
    session: Session, people: CTE, counted: ColumnElement[bool], rule: EventRule
) -> ColumnElement[bool]:
    named = col(Event.name) == rule.event
    if not rule.where:
        return named
    # A condition means the same everywhere, so that Python judges it, not two SQL dialects.
    query = select(col(Event.id), col(Event.properties)).select_from(people).join(Event, counted)
    found = session.connection().execute(query.where(named))
    return _is_one_of([row.id for row in found if matches(rule.where, row.properties)])


def _is_one_of(event_ids: list[int]) -> ColumnElement[bool]:
    # Written into the statement: databases limit the number of bound parameters.
    listed: BindParameter[list[int]] = bindparam(
        "event_ids", event_ids, unique=True, expanding=True, literal_execute=True
    )
    return col(Event.id).in_(listed)


def _outcome(metric: MetricOut, hit: ColumnElement[bool]) -> ColumnElement[float]:
    hits = func.sum(case((hit, 1), else_=0))
    if metric.kind is MetricKind.CONVERSION:
        return cast(case((hits > 0, 1), else_=0), Float)
    if metric.kind is MetricKind.COUNT:
        value = cast(hits, Float)
    else:
        amount = number_at(col(Event.properties), metric.value_property)
        value = cast(func.coalesce(func.sum(case((hit, amount))), 0.0), Float)
    cap = metric.winsorise_above
    return value if cap is None else case((value > cap, cap), else_=value)


def _delay_minutes(people: CTE, hit: ColumnElement[bool]) -> ColumnElement[int]:
    # Whole minutes: their sums are exact, whatever the order in which a database adds them.
    occurred = type_coerce(col(Event.occurred_at), BigInteger)
    first: ColumnElement[int] = func.min(case((hit, occurred)))
    return func.coalesce((first - people.c.first_micros) // MINUTE_MICROS, 0)


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
    took = matured * converted * outcomes.c.delay
    sums |= {"delay": cast(took, Float), "delay_squares": cast(took * outcomes.c.delay, Float)}
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
        delays=_delays(row),
    )


def _delays(row: RowMapping) -> Delays | None:
    converted, total = row["conversions"], row["delay"]
    if not converted:
        return None
    squares = max(row["delay_squares"] - total**2 / converted, 0.0)
    return Delays(mean=total / converted / MINUTES_PER_HOUR, m2=squares / MINUTES_PER_HOUR**2)
