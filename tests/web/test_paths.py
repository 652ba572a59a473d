"""Drafting an experiment on paths by the form, and seeing where a visitor stands."""

from typing import Any

from flask import Flask

from experiments.database import transaction
from experiments.events import service as events
from experiments.jobs.locating import locate

FORM = {
    "journey": "signup",
    "key": "straight-in",
    "name": "Straight in",
    "slot": "the path itself",
    "key_0": "control",
    "weight_0": 50,
    "key_1": "short",
    "weight_1": 50,
    "content_1": "- {op: skip_stage, stage: signup}",
    "primary_metric": "signup.signup",
}


def test_form__paths_asked_for__shows_them_side_by_side_and_stores_nothing(
    alice: Any, signup: str
) -> None:
    page = alice.post("/experiments/new", **FORM, preview="paths")
    assert "The paths part here" in page
    assert page.count("not on every path") == 1
    alice.get("/experiments/straight-in", status=404)


def test_form__path_stored__is_shown_and_can_be_edited(alice: Any, signup: str) -> None:
    page = alice.post("/experiments/new", **FORM)
    assert "which part after visit" in page
    assert "<mark>" in page
    form = alice.get("/experiments/straight-in/edit")
    assert "op: skip_stage" in form
    page = alice.post(
        "/experiments/straight-in/edit",
        **{**FORM, "content_1": "- {op: skip_touchpoint, touchpoint: first_steps}"},
    )
    assert "which part after signup" in page


def test_form__operation_that_does_not_fit__is_named(alice: Any, signup: str) -> None:
    wrong = {**FORM, "content_1": "- {op: skip_stage, stage: nowhere}"}
    page = alice.post("/experiments/new", 422, **wrong)
    assert "variants/1/patch/operations/0" in page
    assert "skip_stage does not fit" in page


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
