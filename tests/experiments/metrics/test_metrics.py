from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from experiments.audit import queries as audit
from experiments.audit.schemas import Actor
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.metrics import queries, service
from experiments.metrics.schemas import MetricIn
from experiments.shapes import parse


def _data(**changes: Any) -> dict[str, Any]:
    return {"key": "orders", "name": "Orders", "rule": {"event": "Order Completed"}, **changes}


def test_create__new_key__can_be_read(session: Session, actor: Actor, now: datetime) -> None:
    made = service.create(session, parse(MetricIn, _data()), actor=actor, now=now)
    assert queries.metric(session, "orders") == made
    assert queries.metrics(session) == [made]
    assert queries.existing(session, ["orders", "others"]) == {"orders"}


def test_create__taken_key__is_refused(session: Session, actor: Actor, now: datetime) -> None:
    service.create(session, parse(MetricIn, _data()), actor=actor, now=now)
    with pytest.raises(ConflictError, match="choose another key"):
        service.create(session, parse(MetricIn, _data()), actor=actor, now=now)


def test_metric__unknown_key__is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError):
        queries.metric(session, "orders")


def test_update__other_window__is_audited_with_both(
    session: Session, actor: Actor, now: datetime
) -> None:
    service.create(session, parse(MetricIn, _data()), actor=actor, now=now)
    data = parse(MetricIn, _data(window_hours=24))
    changed = service.update(session, "orders", data, reason="shorter", actor=actor, now=now)
    assert changed.window_hours == 24
    entry = audit.entries(session, subject_key="orders")[0]
    assert (entry.action, entry.reason) == ("metric.updated", "shorter")
    assert entry.detail["before"]["window_hours"] == 14 * 24
    assert entry.detail["after"]["window_hours"] == 24


def test_update__other_kind__is_refused(session: Session, actor: Actor, now: datetime) -> None:
    service.create(session, parse(MetricIn, _data()), actor=actor, now=now)
    data = parse(MetricIn, _data(kind="count"))
    with pytest.raises(ConflictError, match="make a new metric"):
        service.update(session, "orders", data, reason="r", actor=actor, now=now)


def test_update__unknown_or_other_key__is_refused(
    session: Session, actor: Actor, now: datetime
) -> None:
    data = parse(MetricIn, _data())
    with pytest.raises(NotFoundError):
        service.update(session, "orders", data, reason="r", actor=actor, now=now)
    service.create(session, data, actor=actor, now=now)
    other = parse(MetricIn, _data(key="other"))
    with pytest.raises(InvalidError, match="must stay 'orders'"):
        service.update(session, "orders", other, reason="r", actor=actor, now=now)


@pytest.mark.parametrize(
    ("changes", "pointer", "fix"),
    [
        ({"rule": {"event": "Rated", "where": {"stars": {"$gt": "3"}}}}, "/rule/where", "quotes"),
        ({"kind": "sum"}, "", "value_property is required"),
        ({"kind": "ratio", "value_property": "amount"}, "", "denominator is required"),
        ({"denominator": {"event": "Visit"}}, "", "denominator"),
        ({"windowhours": 3}, "/windowhours", "unknown field"),
    ],
)
def test_metric_in__bad_field__names_field_and_fix(
    changes: dict[str, Any], pointer: str, fix: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(MetricIn, _data(**changes))
    (problem,) = caught.value.problems
    assert problem.pointer == pointer
    assert fix in problem.detail
