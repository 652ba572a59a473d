"""A small world of visitors who meet two experiments, and sums added up one visitor at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from experiments.assignment import merging
from experiments.columnar import compacting, forgetting, moving, parting
from experiments.columnar.location import Location, locate
from experiments.database import open_engine, reading, to_micros, transaction
from experiments.metrics.schemas import MetricOut
from experiments.moments.engines import Engine as Adder
from experiments.moments.schemas import Answer, Inquiry, Population, Sums
from experiments.tables import create_tables

BEGUN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = 3_600_000_000
Row = dict[str, Any]


def measure(number: int, key: str, **fields: Any) -> MetricOut:
    usual = {
        "id": number,
        "key": key,
        "name": key,
        "kind": "conversion",
        "rule": {"event": "Order"},
        "value_property": "",
        "denominator": None,
        "window_hours": 24,
        "direction": "increase",
        "winsorise_above": None,
        "unit": "",
        "description": "",
        "created_at": BEGUN,
    }
    return MetricOut.model_validate(usual | fields)


METRICS = (
    measure(1, "ordered"),
    measure(2, "ordered-pro", rule={"event": "Order", "where": {"plan": "pro"}}, window_hours=48),
    measure(3, "visits", kind="count", rule={"event": "Visit"}, winsorise_above=1.5),
    measure(4, "revenue", kind="sum", value_property="revenue", winsorise_above=20.0),
    measure(
        5,
        "revenue-per-visit",
        kind="ratio",
        value_property="revenue",
        denominator={"event": "Visit"},
    ),
    measure(6, "visited-soon", rule={"event": "Visit"}, window_hours=5),
)
INQUIRIES = [
    Inquiry(population=Population(experiment=1), metrics=METRICS, delays_of=METRICS[0].rule),
    Inquiry(population=Population(experiment=2), metrics=METRICS[:2]),
    Inquiry(population=Population(experiment=1, beside=2), metrics=METRICS[:1]),
]


@dataclass
class World:
    """A database that can be written by hand, and the folder of its files."""

    engine: Engine
    location: Location
    numbers: count = field(default_factory=lambda: count(1))  # type: ignore[type-arg] # no such alias

    def clear(self) -> None:
        """Forget everybody and every file."""
        tables = "event exposure assignment columnar_file columnar_mark columnar_erasure visitor"
        with transaction(self.engine) as session:
            for table in tables.split():
                session.connection().execute(text(f"DELETE FROM {table}"))
            for number in range(1, 9):
                self.write(session, "visitor", id=number, created_at=number)

    def expose(self, visitor: int, experiment: int, arm: int, hours: float) -> None:
        """Whoever was merged away or was exposed before is left alone."""
        at = to_micros(BEGUN + timedelta(hours=hours))
        place = {
            "experiment_id": experiment,
            "visitor_id": visitor,
            "variant_id": 10 * experiment + arm,
            "phase_id": experiment,
        }
        with transaction(self.engine) as session:
            known = (
                "SELECT 1 FROM exposure WHERE visitor_id = :visitor AND experiment_id = :experiment"
            )
            given = {"visitor": visitor, "experiment": experiment}
            if self.is_gone(session, visitor) or session.execute(text(known), given).first():
                return
            claim = {"bucket": 0, "propensity": 0.5, "method": "hash", "contaminated": 0}
            self.write(session, "assignment", **place, **claim, assigned_at=at)
            self.write(session, "exposure", **place, first_at=at, count=1)

    def act(
        self, visitor: int, name: str, hours: float, properties: Row, late: float = 0.0
    ) -> None:
        at = to_micros(BEGUN + timedelta(hours=hours))
        with transaction(self.engine) as session:
            if self.is_gone(session, visitor):
                return
            self.write(
                session,
                "event",
                source_key="test",
                message_id=str(next(self.numbers)),
                type="track",
                name=name,
                visitor_id=visitor,
                source="web" if late < 1 else "crm",
                occurred_at=at,
                received_at=at + round(late * HOUR),
                properties=orjson.dumps(properties).decode(),
                privacy="",
            )

    def merge(self, one: int, other: int) -> None:
        """Two visitors turn out to be one, as an identify call does it."""
        with transaction(self.engine) as session:
            if one == other or self.is_gone(session, one) or self.is_gone(session, other):
                return
            found = merging.merge(session, one, other)
            session.connection().execute(
                text("UPDATE event SET visitor_id = :kept WHERE visitor_id = :gone"),
                {"kept": found.visitor_id, "gone": found.merged_id},
            )

    def forget(self, visitor: int) -> None:
        """A visitor asks to be forgotten: their events go, their arms stay."""
        with transaction(self.engine) as session:
            if not self.is_gone(session, visitor):
                forgetting.ask(session, visitor, now=BEGUN)
                for statement in (
                    "UPDATE visitor SET erased_at = 1 WHERE id = :id",
                    "DELETE FROM event WHERE visitor_id = :id",
                ):
                    session.connection().execute(text(statement), {"id": visitor})

    def tidy(self) -> None:
        """The job that puts the files in order has run, when every day was over."""
        much_later = BEGUN + timedelta(days=30)
        forgetting.fulfil(self.engine, self.location, now=BEGUN)
        compacting.compact(self.engine, self.location, now=much_later)
        parting.part(self.engine, self.location, now=much_later)

    def play(self, steps: Sequence[tuple[Any, ...]]) -> None:
        """What happens, step by step: the name of a method and what it is given."""
        for name, *given in steps:
            getattr(self, name)(*given)

    def move(self) -> None:
        moving.move(self.engine, self.location, now=BEGUN)

    def answers(
        self, adder: Adder, *, hours: float, inquiries: Sequence[Inquiry] = INQUIRIES
    ) -> list[Answer]:
        with reading(self.engine) as session:
            return adder.answer(session, inquiries, as_of=BEGUN + timedelta(hours=hours))

    def counted(self, *, hours: float) -> list[dict[str, list[Sums]]]:
        """The sums as one would add them up by hand."""
        at = to_micros(BEGUN + timedelta(hours=hours))
        with reading(self.engine) as session:
            met = [row._asdict() for row in session.execute(text("SELECT * FROM exposure"))]
            acts = [row._asdict() for row in session.execute(text("SELECT * FROM event"))]
        met = [row for row in met if row["first_at"] <= at]
        acts = [row for row in acts if row["received_at"] <= at]
        return [
            {
                metric.key: _counted(_people(met, inquiry), acts, metric, at)
                for metric in inquiry.metrics
            }
            for inquiry in INQUIRIES
        ]

    @staticmethod
    def is_gone(session: Session, visitor: int) -> bool:
        merged = text("SELECT merged_into FROM visitor WHERE id = :id")
        return session.execute(merged, {"id": visitor}).scalar() is not None

    @staticmethod
    def write(session: Session, table: str, **row: Any) -> None:
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        session.connection().execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)


def _people(met: Sequence[Row], inquiry: Inquiry) -> list[Row]:
    asked = inquiry.population
    mine = [row for row in met if row["experiment_id"] == asked.experiment]
    if asked.beside is None:
        return mine
    others = {row["visitor_id"]: row for row in met if row["experiment_id"] == asked.beside}
    return [
        row | {"variant_id": row["variant_id"] * 2**31 + others[row["visitor_id"]]["variant_id"]}
        for row in mine
        if row["visitor_id"] in others
    ]


def _counted(people: Sequence[Row], acts: Sequence[Row], metric: MetricOut, at: int) -> list[Sums]:
    cells: dict[tuple[int, int], Sums] = {}
    for person in people:
        mine = [row for row in acts if row["visitor_id"] == person["visitor_id"]]
        key = person["variant_id"], person["phase_id"]
        known = cells.get(key) or Sums(variant=key[0], phase=key[1], visitors=0, matured=0)
        cells[key] = _with(known, person, mine, metric, at)
    return [cells[key] for key in sorted(cells)]


def _with(known: Sums, person: Row, acts: Sequence[Row], metric: MetricOut, at: int) -> Sums:
    first, window = person["first_at"], metric.window_hours * HOUR
    inside = [row for row in acts if first <= row["occurred_at"] < first + window]
    hits = [row for row in inside if _fits(row, metric.rule.event, metric.rule.where)]
    y, scale = _outcome(hits, metric)
    below = metric.denominator
    d = 0 if below is None else sum(_fits(row, below.event, below.where) for row in inside)
    delay = min((row["occurred_at"] - first for row in hits), default=0) // (HOUR // 60)
    added: dict[str, int] = defaultdict(int)
    if first + window <= at:
        delay = delay if y > 0 else 0
        added |= {"matured": 1, "conversions": int(y > 0), "y": y, "yy": y * y}
        if hits or d:
            added |= {"d": d, "dd": d * d, "yd": y * d}
        added |= {"delay": delay, "delay_squares": delay**2}
    added |= {"visitors": 1, "observed_conversions": int(y > 0), "observed_y": y}
    sums = {name: getattr(known, name) + value for name, value in added.items()}
    return replace(known, **sums, scale=scale)


def _outcome(hits: Sequence[Row], metric: MetricOut) -> tuple[int, int]:
    if metric.kind == "conversion":
        return int(bool(hits)), 1
    if metric.kind == "count":
        y = len(hits) * 1_000_000
    else:
        y = sum(_millionths(orjson.loads(row["properties"]).get("revenue")) for row in hits)
    cap = metric.winsorise_above
    return (y if cap is None else min(y, round(cap * 1_000_000))), 1_000_000


def _millionths(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 10**10:
        return 0
    return int((Decimal(str(value)) * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))


def _fits(row: Row, name: str, where: dict[str, Any]) -> bool:
    properties = orjson.loads(row["properties"])
    return row["name"] == name and all(properties.get(key) == value for key, value in where.items())


def _hand_written(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world on SQLite without experiments' own rows, where four rows are a large file."""
    monkeypatch.setattr(compacting, "LARGEST", 4)
    monkeypatch.setattr(parting, "SAMPLED", 1)
    engine = open_engine(f"sqlite:///{tmp_path / 'world.db'}")
    event.listen(engine, "connect", _hand_written)
    create_tables(engine)
    yield World(engine=engine, location=locate(str(tmp_path / "columnar")))
    engine.dispose()


VISITORS = st.integers(1, 8)
HOURS = st.integers(0, 60 * 60).map(lambda minutes: minutes / 60)
AMOUNTS = st.one_of(
    st.integers(-5, 30),
    st.decimals(-30, 30, places=7).map(float),
    st.sampled_from([True, "9", None, 1e10, -1e12, 0.1234565, 1e-7, 12.345678901234567]),
    st.sampled_from([1374.5, -98_765_432.1, 9_999_999_999.0]),
)
PROPERTIES = st.fixed_dictionaries({"plan": st.sampled_from(["pro", "free"]), "revenue": AMOUNTS})
STEPS = st.one_of(
    st.tuples(st.just("expose"), VISITORS, st.integers(1, 2), st.integers(1, 2), HOURS),
    st.tuples(
        st.just("act"),
        VISITORS,
        st.sampled_from(["Order", "Visit", "Other"]),
        HOURS,
        PROPERTIES,
        st.sampled_from([0.0, 0.5, 30.0]),
    ),
    st.tuples(st.just("merge"), VISITORS, VISITORS),
    st.tuples(st.just("forget"), VISITORS),
    st.tuples(st.just("tidy")),
    st.tuples(st.just("move")),
)


@pytest.fixture
def inquiries() -> list[Inquiry]:
    """What is asked of a world: of each experiment, and of those in both."""
    return INQUIRIES


@pytest.fixture
def steps() -> st.SearchStrategy[tuple[Any, ...]]:
    """Anything that can happen in a world."""
    return STEPS


@pytest.fixture
def sums_of() -> Callable[[list[Answer]], list[dict[str, list[Sums]]]]:
    """The sums of answers by metric."""
    return lambda answers: [
        {key: list(found) for key, found in answer.sums.items()} for answer in answers
    ]
