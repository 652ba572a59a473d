"""Conditions on persona and stage hold by what the server knows, whoever asks and however."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session

from experiments.assignment import service as assignment
from experiments.assignment.schemas import AliasKind
from experiments.audit.queries import live_version
from experiments.audit.schemas import Actor
from experiments.database import reading, transaction
from experiments.instances.models import JourneyInstance
from experiments.journeys import queries as journeys
from experiments.personas import service as personas
from experiments.personas.schemas import PersonaIn
from experiments.replay.rewinding import ruleset_as_of

HEADLINE = "signup.landing_page.hero_headline"
FLAGS = "/ofrep/v1/evaluate/flags"
PERSONAS = (
    {"key": "anxious", "name": "Anxious", "rule": {"visits": {"$gte": 3}}},
    {"key": "pro", "name": "Pros", "rule": {"plan": "pro"}, "priority": 5},
    {"key": "idle", "name": "Idle", "rule": {"stage": "activate"}, "priority": 1},
)
PEOPLE: dict[str, tuple[dict[str, Any], str]] = {
    "ann": ({"visits": 4}, "visit"),
    "ben": ({"visits": 1}, "signup"),
    "cat": ({"visits": 4, "plan": "pro"}, "signup"),
    "dan": ({"visits": 4}, "activate"),
    "eve": ({}, ""),
}


def furnish(session: Session, *, actor: Actor, now: datetime) -> None:
    """Personas, and people with attributes who stand somewhere on the journey."""
    for persona in PERSONAS:
        personas.create(session, PersonaIn.model_validate(persona), actor=actor, now=now)
    journey = journeys.journey(session, "signup").id
    for name, (attributes, stage) in PEOPLE.items():
        who = assignment.visitor(session, name, kind=AliasKind.USER, now=now)
        assignment.set_attributes(session, who, attributes, source="crm", as_of=now)
        if stage:
            walk = JourneyInstance(
                journey_id=journey,
                visitor_id=who,
                attempt=1,
                version=2,
                entry_point="visit",
                stage=stage,
                state="walking",
                started_at=now,
            )
            session.add(walk)


@pytest.fixture
def takes(
    app: Flask,
    client: FlaskClient,
    token: Callable[..., dict[str, str]],
    signup: Callable[[Session], None],
    launch: Callable[..., object],
    actor: Actor,
    now: datetime,
) -> Iterator[Callable[..., set[str]]]:
    """Whom a test of this audience takes in, told alike by every way of asking."""
    opened, headers = app.extensions["desireline"], token()

    def asked(address: str, body: object) -> Any:
        response = client.post(address, json=body, headers=headers)
        assert response.status_code == 200, response.get_json()
        return response.get_json()

    def is_in(name: str, context: dict[str, Any]) -> bool:
        told = {"context": {**context, "targetingKey": name}}
        place = {"journey": "signup", "touchpoint": "landing_page", "visitor": name}
        of_all = {item["key"]: item for item in asked(FLAGS, told)["flags"]}
        explained = asked("/api/v1/explain", {**place, "context": context})
        found = [
            of_all[HEADLINE]["metadata"]["inExperiment"],
            of_all["headline"]["metadata"]["inExperiment"],
            explained["slots"]["hero_headline"]["experiment"] == "headline",
            asked(f"{FLAGS}/headline", told)["metadata"]["inExperiment"],
        ]
        shown = asked("/api/v1/resolve", {**place, "context": context})
        found.append(shown["slots"]["hero_headline"]["experiment"] == "headline")
        assert len(set(found)) == 1, (name, found)
        return bool(found[0])

    def of(audience: dict[str, Any], **context: Any) -> set[str]:
        with transaction(opened.engine) as session:
            signup(session)
            furnish(session, actor=actor, now=now)
            launch(session, audience=audience)
        return {name for name in PEOPLE if is_in(name, context)}

    yield of
    assert opened.rulesets.current().reads_standing


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        # Cat is a pro before she is anxious; Dan is idle before he is.
        ({"persona": "anxious"}, {"ann"}),
        ({"persona": {"$in": ["pro", "idle"]}}, {"cat", "dan"}),
        ({"stage": "signup"}, {"ben", "cat"}),
        ({"stage": {"$exists": False}}, {"eve"}),
        ({"stage": "signup", "plan": "pro"}, {"cat"}),
    ],
)
def test_audience__on_persona_or_stage__takes_in_whom_the_server_knows(
    takes: Callable[..., set[str]], audience: dict[str, Any], expected: set[str]
) -> None:
    assert takes(audience) == expected


def test_audience__the_context_names_persona_and_stage__that_stands(
    takes: Callable[..., set[str]],
) -> None:
    audience = {"persona": "pro", "stage": "signup"}
    assert takes(audience, persona="pro", stage="signup") == set(PEOPLE)


def test_ruleset__of_an_earlier_moment__has_the_personas_of_then(
    app: Flask,
    signup: Callable[[Session], None],
    launch: Callable[..., object],
    actor: Actor,
    now: datetime,
) -> None:
    told: dict[str, Any] = {"actor": actor, "now": now}
    with transaction(app.extensions["desireline"].engine) as session:
        signup(session)
        furnish(session, **told)
        launch(session, audience={"persona": "anxious"})
        before = live_version(session)
        changed = PersonaIn.model_validate({**PERSONAS[0], "rule": {"visits": 1}})
        personas.update(session, "anxious", changed, **told)
        personas.retire(session, "pro", reason="none left", **told)
        personas.create(session, PersonaIn(key="new", name="New", rule={"visits": 0}), **told)
    with reading(app.extensions["desireline"].engine) as session:
        then = ruleset_as_of(session, before).journeys["signup"].personas
        now_on = ruleset_as_of(session, live_version(session)).journeys["signup"].personas
    assert {item.key: item.rule for item in then} == {
        str(item["key"]): item["rule"] for item in PERSONAS
    }
    assert {item.key: item.rule for item in now_on} == {
        "idle": {"stage": "activate"},
        "anxious": {"visits": 1},
        "new": {"visits": 0},
    }
