"""Personas by versions: what is written stays, and a retired one is offered no more."""

from datetime import datetime

import pytest
from sqlmodel import Session

from experiments.audit import queries as audit
from experiments.audit.schemas import Actor
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.personas import queries, service
from experiments.personas.schemas import PersonaIn
from experiments.shapes import parse

CAREFUL = {"key": "careful", "name": "Careful", "rule": {"visits": {"$gte": 3}}, "priority": 2}


def described(**changes: object) -> PersonaIn:
    return parse(PersonaIn, {**CAREFUL, **changes})


def test_update__other_rule__is_a_version_and_the_earlier_one_stays(
    session: Session, actor: Actor, now: datetime
) -> None:
    service.create(session, described(), actor=actor, now=now)
    made = service.update(session, "careful", described(rule={"visits": 5}), actor=actor, now=now)

    assert (made.version, made.words) == (2, "visits is 5")
    first = queries.versions(session, "careful")[-1]
    assert (first.version, first.words) == (1, "visits is at least 3")
    actions = [entry.action for entry in audit.entries(session, subject_key="careful")]
    assert sorted(actions) == ["persona.created", "persona.updated"]


def test_personas__in_use__are_ordered_by_priority_without_retired_ones(
    session: Session, actor: Actor, now: datetime
) -> None:
    for key, priority in (("low", 1), ("gone", 9), ("high", 5)):
        service.create(session, described(key=key, priority=priority), actor=actor, now=now)
    for _ in range(2):
        service.retire(session, "gone", reason="nobody is so", actor=actor, now=now)

    assert [item.key for item in queries.personas(session)] == ["high", "low"]
    retired = [entry for entry in audit.entries(session) if entry.action == "persona.retired"]
    assert [entry.reason for entry in retired] == ["nobody is so"]
    with pytest.raises(ConflictError, match="retired"):
        service.update(session, "gone", described(key="gone"), actor=actor, now=now)


def test_create_and_update__wrong__are_refused(
    session: Session, actor: Actor, now: datetime
) -> None:
    service.create(session, described(), actor=actor, now=now)
    with pytest.raises(ConflictError, match="choose another key"):
        service.create(session, described(), actor=actor, now=now)
    with pytest.raises(InvalidError, match="must stay"):
        service.update(session, "careful", described(key="other"), actor=actor, now=now)
    with pytest.raises(NotFoundError):
        service.update(session, "nobody", described(key="nobody"), actor=actor, now=now)


@pytest.mark.parametrize(
    ("rule", "told"), [({}, "everybody is no persona"), ({"a": {"$gt": "3"}}, "without quotes")]
)
def test_persona__rule_that_says_nothing_sound__is_refused(
    rule: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidError, match=told):
        described(rule=rule)
