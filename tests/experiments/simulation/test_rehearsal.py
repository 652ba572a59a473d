"""The demonstration in one process: who comes, when it is looked at, and how it ends."""

from datetime import UTC, datetime, timedelta

import pytest

import migrations
from experiments.clock import SteppedClock
from experiments.database import reading
from experiments.descriptions.queries import description
from experiments.events.queries import recent
from experiments.runtime import open_runtime
from experiments.simulation import demo, rehearsal, scene
from experiments.simulation.rehearsal import Street, looks
from experiments.simulation.traffic import call_of
from experiments.simulation.visitors import Tell, Track

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def clock(tmp_path):
    told = SteppedClock(tmp_path / "clock")
    told.set(demo.begins_at(NOW))
    return told


@pytest.fixture
def runtime(tmp_path, clock):
    opened = open_runtime(demo.prepare(tmp_path / "demo"), clock)
    migrations.upgrade(opened.engine)
    yield opened
    opened.close()


def test_looks__month__twice_a_week_the_last_evening_among_them_until_the_end():
    found = looks(demo.begins_at(NOW), NOW)
    assert all(at - timedelta(hours=84) in found for at in found[1:-1])
    assert any(at.weekday() == 6 and at.hour == 22 for at in found)
    assert demo.begins_at(NOW) < found[0]
    assert found[-1] == NOW


def test_call__of_what_is_known__then_before_what_is_done_in_the_same_moment():
    calls = [
        call_of(step, visitor="vera", message_id="1", at=NOW)
        for step in (Tell(traits={"device": "phone"}), Track(event="Page Viewed"))
    ]
    assert calls[0]["timestamp"] < calls[1]["timestamp"]


def test_street__first_day__everybody_is_assigned_and_what_they_did_is_stored(runtime):
    starts_at = demo.begins_at(NOW)
    scene.set_up(runtime, now=starts_at)
    street = Street(runtime=runtime, source_key="token:1", starts_at=starts_at)
    street.advance(starts_at + timedelta(hours=6))

    with reading(runtime.engine) as session:
        viewed = [item for item in recent(session, limit=500) if item.name == "Page Viewed"]
    assert len(viewed) == street.arrived == 16


@pytest.mark.slow
def test_play__whole_month__the_true_winner_is_promoted_and_nothing_else(runtime, clock):
    source_key = f"token:{demo.sign_up(runtime, now=clock.now()).token_id}"
    rehearsal.play(runtime, clock, source_key=source_key, until=NOW, progress=lambda *_: None)

    assert {item.key: item.expected for item in scene.endings(runtime)} == dict.fromkeys(
        scene.TRUTHS, True
    )
    with reading(runtime.engine) as session:
        described = description(session, "hero-pain", withheld="")
    assert {item.attribute for item in described.segments} == {
        *("persona", "device", "home", "country")
    }
