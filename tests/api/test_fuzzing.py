"""Whatever is sent to the API: no server error, and no answer that the document does not tell."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from app import create_app
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import transaction
from experiments.design import exclusion
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn, HoldoutIn
from experiments.journeys import service as journeys
from experiments.journeys.schemas import ContentIn, TemplateIn
from experiments.metrics import service as metrics
from experiments.metrics.schemas import MetricIn
from experiments.runtime import Runtime
from experiments.settings import Settings
from experiments.tables import create_tables

ALICE = Actor(kind=ActorKind.PERSON, name="alice@example.org")
# Everything has one key, so that what is made up about an address often hits something.
KEY = "shop"
PARTS = {
    "key": KEY,
    "content": KEY,
    "variant": "pain",
    "name": "housekeeping",
    "visitor_id": "v",
    "number": 1,
    "before": 1,
    "after": 1,
    "promotion_id": 1,
}
SLOW = pytest.mark.slow
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
EXPERIMENT = {
    "key": KEY,
    "name": "Shop",
    "journey": KEY,
    "touchpoint": "landing_page",
    "slot": "hero_headline",
    "variants": [
        {"key": "control", "control": True, "weight": 0.5},
        {"key": "pain", "weight": 0.5, "content": "Stop losing time."},
    ],
    "primary_metric": "shop.visit",
}


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application that holds one of everything, on the storage that the test names."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    settings = Settings(
        data_dir=tmp_path,
        secret_key="for tests",
        seed=7,
        api_calls_per_minute=10**6,
        DATABASE_URL=url,
    )
    app = create_app(settings)
    runtime: Runtime = app.extensions["desireline"]
    create_tables(runtime.engine)
    furnish(runtime)
    yield app
    runtime.engine.dispose()


def furnish(runtime: Runtime) -> None:
    now, rng = runtime.clock.now(), runtime.rng
    template = TemplateIn(key=KEY, name="Shop", template="signup")
    content = ContentIn(key=KEY, type="string", payload="Hello")
    metric = MetricIn.model_validate({"key": KEY, "name": "Shop", "rule": {"event": "E"}})
    holdout = HoldoutIn(key=KEY, name="Shop", journey=KEY, share=0.05)
    with transaction(runtime.engine) as session:
        journeys.create_from_template(session, template, actor=ALICE, now=now)
        journeys.publish(session, KEY, 1, reason="first", actor=ALICE, now=now)
        journeys.add_content(session, KEY, content, actor=ALICE, now=now)
        metrics.create(session, metric, actor=ALICE, now=now)
        exclusion.create_holdout(session, holdout, rng=rng, actor=ALICE, now=now)
        draft = ExperimentIn.model_validate(EXPERIMENT)
        design.create(session, draft, rng=rng, actor=ALICE, now=now)


@pytest.fixture
def headers(shop: Flask) -> dict[str, str]:
    runtime: Runtime = shop.extensions["desireline"]
    data = TokenIn(name="fuzz", scopes=list(Scope))
    with transaction(runtime.engine) as session:
        now = runtime.clock.now()
        secret = accounts.create_token(session, data, actor=ALICE, now=now).secret
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("shop", "every", "examples"),
    [
        pytest.param("sqlite", 10, 2, id="some"),
        pytest.param("sqlite", 1, 2, marks=SLOW, id="briefly"),
        pytest.param("sqlite", 1, 150, marks=SLOW, id="sqlite"),
        pytest.param("postgresql", 1, 100, marks=SLOW, id="postgresql"),
    ],
    indirect=["shop"],
)
def test_every_call__sent_anything__answers_as_the_document_says(
    shop: Flask, headers: dict[str, str], every: int, examples: int, subtests: pytest.Subtests
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", shop)
    for found in islice(schema.get_all_operations(), 0, None, every):
        operation = found.ok()
        with subtests.test(operation.label):
            fuzz(operation, headers, examples)


def fuzz(operation: schemathesis.APIOperation, headers: dict[str, str], examples: int) -> None:
    """Send one call what its document permits and what it does not."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*cases(operation)))
    def attempt(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    attempt()


def cases(operation: schemathesis.APIOperation) -> Iterator[st.SearchStrategy[schemathesis.Case]]:
    """Sound and unsound requests, about made-up things and about things that exist."""
    names = [parameter.name for parameter in operation.path_parameters]
    parts = {name: PARTS[name] for name in names if name in PARTS}
    for mode in GenerationMode:
        yield operation.as_strategy(generation_mode=mode)
        if parts:
            seen = {"If-Match": "*"}
            yield operation.as_strategy(generation_mode=mode, path_parameters=parts, headers=seen)
