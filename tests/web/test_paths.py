"""Planning an experiment on paths step by step, and seeing where a visitor stands."""

import re
from typing import Any

import pytest
from flask import Flask

from experiments.database import transaction
from experiments.events import service as events
from experiments.jobs.locating import locate

DRAFT = {"journey": "signup", "key": "straight-in", "name": "Straight in"}
EDIT = "/experiments/straight-in/edit/variants"
ARM = {"name_0": "control", "name_1": "Short", "key_1": "short", "even": "1"}


@pytest.fixture
def drafted(alice: Any, signup: str) -> Any:
    alice.post("/experiments/new", **DRAFT, place="skip_stage:signup")
    return alice


def test_new__path_without_a_stage__shows_the_paths_side_by_side(drafted: Any) -> None:
    page = drafted.get(EDIT)
    assert "The paths part here" in page
    assert page.count("not on every path") == 1
    assert "which part after Visit" in drafted.get("/experiments/straight-in")


def test_variants__other_operations__are_rows_and_come_back_as_such(drafted: Any) -> None:
    rows = {
        "op_1_1": "skip_touchpoint", "node_1_1": "first_steps",
        "op_1_2": "set_wait", "node_1_2": "plan_page", "value_1_2": "48",
        "op_1_3": "move_touchpoint", "node_1_3": "plan_page", "stage_1_3": "signup",
        "op_1_4": "add_touchpoint", "stage_1_4": "signup", "value_1_4": "A call",
    }  # fmt: skip
    page = drafted.post(EDIT, **ARM, **rows, then="stay")
    assert "not on every path" not in page
    assert 'value="48"' in page
    assert 'value="A call"' in page
    drafted.post(EDIT, **ARM, **rows)
    page = drafted.get("/experiments/straight-in?view=setup")
    assert "skip touchpoint, set wait, move touchpoint, add touchpoint" in page


def test_variants__new_touchpoint_with_content__is_a_row_and_is_drawn(drafted: Any) -> None:
    page = drafted.get(EDIT)
    shows = re.search(r'<option value="([a-z_.-]+@1@string)">', page)[1]
    row = {"op_1_1": "add_touchpoint", "stage_1_1": "signup", "value_1_1": "A call"}
    page = drafted.post(EDIT, **ARM, **row, shows_1_1=shows, then="stay")
    assert f'<option value="{shows}" selected>' in page
    assert f'<option value="{shows}" selected>' in drafted.get(EDIT)


def test_variants__operation_that_a_row_cannot_say__stays_as_a_document(drafted: Any) -> None:
    written = "- {op: move_touchpoint, touchpoint: plan_page, stage: signup, before: first_steps}"
    page = drafted.post(EDIT, **ARM, content_1=written, then="stay")
    assert "before: first_steps" in page


def test_variants__operation_that_does_not_fit__is_named(drafted: Any) -> None:
    page = drafted.post(EDIT, 422, **ARM, op_1_1="skip_stage", node_1_1="first_steps")
    assert "variants/1/patch/operations/0" in page
    assert "skip_stage does not fit" in page
    assert '<option value="skip_stage" selected>' in page


def test_visitor__who_did_something__stands_somewhere(
    app: Flask, bob: Any, signup: str, now: Any
) -> None:
    runtime = app.extensions["desireline"]
    calls = [
        {"type": "track", "event": "Activated", "userId": "ann", "messageId": "1"},
    ]
    with transaction(runtime.engine) as session:
        events.ingest(session, calls, source_key="test", received_at=now)
    assert "On no journey yet" in bob.get("/visitors/ann")
    locate(runtime)
    page = bob.get("/visitors/ann")
    assert "In stage <strong>activate</strong>" in page
    assert "not as the map intends" in page
