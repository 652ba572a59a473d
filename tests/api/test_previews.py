"""A preview carried by a page: the forced variant for every flag, and nobody is counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, func, select

from experiments.assignment.models import Assignment, Exposure
from experiments.database import reading, transaction
from experiments.design.schemas import ExperimentOut

HEADLINE = "signup.landing_page.hero_headline"
FLAGS = "/ofrep/v1/evaluate/flags"


@pytest.mark.parametrize("variant", ["pain", "control"])
def test_context__carries_a_preview__shows_that_variant_and_counts_nothing(
    app: Flask,
    client: FlaskClient,
    token: Callable[..., dict[str, str]],
    signup: Callable[[Session], None],
    launch: Callable[..., ExperimentOut],
    clock: Any,
    variant: str,
) -> None:
    engine = app.extensions["desireline"].engine
    with transaction(engine) as session:
        signup(session)
        launch(session)
    headers = token()
    link = client.post(
        "/api/v1/experiments/headline/preview-links", json={"variant": variant}, headers=headers
    )
    told = {"desireline_preview": link.json["token"]}
    shown = {"pain": "Stop losing time.", "control": "Try it for free."}[variant]

    for visitor in [f"v{number}" for number in range(6)]:
        context = {"context": {"targetingKey": visitor, **told}}
        one = client.post(f"{FLAGS}/{HEADLINE}", json=context, headers=headers)
        every = client.post(FLAGS, json=context, headers=headers).json["flags"]
        (found,) = [item for item in every if item["key"] == HEADLINE]
        assert one.json["value"] == found["value"] == shown
        assert not found["metadata"].get("experiment")
    with reading(engine) as session:
        for table in (Assignment, Exposure):
            assert session.exec(select(func.count()).select_from(table)).one() == 0

    clock.at += timedelta(days=31)
    late = client.post(FLAGS, json={"context": told}, headers=headers)
    assert late.headers["ETag"]
