"""The lights on their pages, and the own A/A."""

from datetime import timedelta

import pytest

from experiments.aa import service as aa
from experiments.analysis.service import analyse
from experiments.database import transaction


@pytest.fixture
def looked_at(database, signup, launch, actor, now, rng):
    """A test without visitors that was looked at, and an A/A that has begun."""
    with transaction(database) as session:
        launch(session)
        analyse(session, "headline", now=now)
        aa.keep(session, "signup", rng=rng, actor=actor, now=now)


def test_trust__test_without_visitors__is_amber_with_its_reason(bob, looked_at):
    page = bob.get("/trust")
    assert "with care" in page
    assert "Nobody was exposed yet" in page
    assert "No A/A week is finished yet" in page
    assert "/experiments/aa.signup.2026-03-02" in page


@pytest.mark.parametrize("address", ["/", "/experiments", "/experiments/headline"])
def test_light__where_an_experiment_is_shown__is_shown_too(bob, looked_at, address):
    assert "with care" in bob.get(address)


def test_reports__running_week__carry_the_light(bob, looked_at, clock):
    clock.at += timedelta(hours=1)
    assert "with care" in bob.get("/reports/so-far")
