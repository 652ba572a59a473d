"""PostgreSQL adds up to the same whole numbers as DuckDB."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from experiments.metrics import service as metrics
from experiments.metrics.queries import metric
from experiments.metrics.schemas import MetricIn
from experiments.moments.engines import IN_DATABASE
from experiments.moments.postgres import PostgresEngine
from experiments.moments.schemas import Inquiry, Population

MEASURES: list[dict[str, Any]] = [
    {"key": "ordered"},
    {"key": "pro's", "rule": {"event": "Order", "where": {"plan": "50% off"}}},
    {"key": "orders", "kind": "count", "winsorise_above": 1.5},
    {"key": "revenue", "kind": "sum", "value_property": "re%ve'nue", "winsorise_above": 20},
    {
        "key": "per-visit",
        "kind": "ratio",
        "value_property": "re%ve'nue",
        "denominator": {"event": "Visit"},
    },
]
AMOUNTS = [
    1,
    0.1234565,
    -0.1234565,
    "9",
    True,
    None,
    1e10,
    1e-7,
    12.345678901234567,
    98_765_432.1,
    1e300,
]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_answer__every_kind_of_metric__is_what_duckdb_adds_up(
    engine: Engine, start_trial: Callable[..., Any], act: type
) -> None:
    trial = start_trial()
    told = {"actor": trial.actor, "now": trial.started_at}
    found = []
    for number, fields in enumerate(MEASURES):
        usual = {"name": "M", "rule": {"event": "Order"}, "window_hours": 24}
        data = MetricIn.model_validate({**usual, **fields, "key": f"m{number}"})
        metrics.create(trial.session, data, **told)
        found.append(metric(trial.session, data.key))
    for number, amount in enumerate(AMOUNTS):
        properties = {"plan": "50% off" if number % 2 else "free", "re%ve'nue": amount}
        acts = [act("Order", number, properties, late_by_hours=number * 4), act("Visit", 2)]
        at = trial.started_at + timedelta(hours=number)
        trial.expose(("control", "bold")[number % 3 == 0], acts=acts * 1, at=at)
    asked = [
        Inquiry(
            population=Population(experiment=trial.experiment.id),
            metrics=tuple(found),
            delays_of=found[0].rule,
        )
    ]
    for hours in (5.5, 30.25, 90):
        at = trial.started_at + timedelta(hours=hours)
        inside = PostgresEngine().answer(trial.session, asked, as_of=at)
        assert inside == IN_DATABASE.answer(trial.session, asked, as_of=at)
        assert sum(one.visitors for one in inside[0].sums["m0"]) == min(int(hours) + 1, 11)
