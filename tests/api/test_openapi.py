"""The description of the API: whole, valid, and with examples that work."""

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.endpoint import Endpoint
from api.examples import example
from api.openapi import calls, document
from app import create_app
from experiments.settings import Settings
from experiments.shapes import In, parse


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> Flask:
    """The application, for its routes only."""
    folder = tmp_path_factory.mktemp("described")
    return create_app(Settings(data_dir=folder, database_url="", secret_key="for tests only"))


@pytest.fixture(scope="module")
def written(described):
    return document(described)


def test_document__made_of_the_routes__is_valid_openapi(written):
    assert written["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(written).validate()


def test_shape__of_a_name_that_two_slices_use__is_named_after_its_slice(written):
    names = set(written["components"]["schemas"])
    assert {"AnalysisComparison", "ReportsComparison"} <= names
    assert [name for name in names if "__" in name] == []


def test_route__of_the_own_api__is_described_with_request_and_answer(described, written):
    rules = [rule for rule in described.url_map.iter_rules() if rule.rule.startswith("/api/v1")]
    views = {rule.rule: described.view_functions[rule.endpoint] for rule in rules}
    assert rules
    assert [rule for rule, view in views.items() if not isinstance(view, Endpoint)] == []
    assert sum(len(methods) for methods in written["paths"].values()) == len(calls(described))
    for call in calls(described):
        told = written["paths"][call.address][call.method.lower()]
        success = told["responses"][str(call.view.status)]
        assert told["summary"], call
        assert ("requestBody" in told) is bool(call.view.takes), call
        assert ("content" in success) is (call.view.status != 204), call
        assert {"401", "403", "503"} <= set(told["responses"]), call


def test_answer__described__is_one_of_our_own_shapes(described):
    for call in calls(described):
        gives = call.view.gives
        plain = gives is type(None) or call.view.media != "application/json"
        assert plain or gives.__module__.startswith(("experiments.", "api.")), call


def test_example__of_every_body__is_accepted(described):
    shapes: set[type[In]] = {
        shape for call in calls(described) for shape in call.view.takes.values()
    }
    assert shapes
    for shape in shapes:
        parse(shape, example(shape))


def test_document__asked_without_a_token__is_there(client, written):
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json == written
