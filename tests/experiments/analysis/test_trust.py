"""The trust light: what turns it amber, what turns it red, and that nothing hides behind green."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.analysis.queries import result, trusts
from experiments.analysis.schemas import Leak, Light, Quality, SampleRatio, SourceLateness
from experiments.analysis.service import analyse
from experiments.analysis.trust import FRESHNESS, trust
from experiments.assignment.models import Assignment, Visitor
from experiments.design import service as design
from experiments.design.schemas import Status
from stats.results import NotEstimable

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def quality(now):
    """Figures without a fault, changed as asked."""

    def make(**changes):
        ratio = SampleRatio(
            observed={"control": 1000, "bold": 1010},
            expected={"control": 1005.0, "bold": 1005.0},
            p_value=0.8,
            log_e_value=changes.pop("log_e_value", -2.0),
            warning=False,
            alarm=False,
        )
        plain = {
            "sample_ratio": ratio,
            "broken_periods": [],
            "contaminated": 0,
            "contaminated_share": 0.0,
            "newest_at": now,
            "exposures": [],
        }
        return Quality(**plain | changes)

    return make


def leak(log_e: float, share: float = 0.01) -> Leak:
    return Leak(counts={"control": 1, "bold": 9}, share=share, log_e_value=log_e)


def late(share: float, source: str = "web", events: int = 1000) -> list[SourceLateness]:
    return [SourceLateness(source=source, events=events, late_share=share)]


@pytest.mark.parametrize(
    ("changes", "light"),
    [
        ({}, Light.GREEN),
        ({"log_e_value": np.log(21)}, Light.AMBER),
        ({"log_e_value": np.log(1001)}, Light.RED),
        ({"contaminated_share": 0.004}, Light.GREEN),
        ({"contaminated_share": 0.006}, Light.AMBER),
        ({"contaminated_share": 0.01}, Light.RED),
        ({"lost": leak(np.log(1001))}, Light.RED),
        ({"lost": leak(0, share=0.2)}, Light.AMBER),
        ({"lost": leak(0)}, Light.GREEN),
        ({"duplicates": leak(np.log(1001))}, Light.RED),
        ({"duplicates": leak(0, share=0.06)}, Light.AMBER),
        ({"lateness": late(0.06)}, Light.AMBER),
        ({"lateness": late(0.06, source="import")}, Light.GREEN),
        ({"lateness": late(1.0, events=99)}, Light.GREEN),
        ({"newest_at": None}, Light.AMBER),
    ],
)
def test_trust__one_fault__decides_the_light_and_is_told(quality, now, changes, light):
    found = trust(quality(**changes), at=now, enrolling=True)
    assert found.light is light
    assert len(found.reasons) == (0 if light is Light.GREEN else 1)


def test_trust__arms_with_names__are_told_by_them(quality, now):
    found = trust(
        quality(log_e_value=9.0, lost=leak(9.0), called={"bold": "Names the pain"}),
        at=now,
        enrolling=True,
    )
    assert "Names the pain 1,010 instead of 1,005" in found.reasons[0]
    assert "Names the pain 9" in found.reasons[1]
    assert "control 1,000" in found.reasons[0]


@pytest.mark.parametrize(
    ("hours", "light"), [(24, Light.GREEN), (25, Light.AMBER), (49, Light.RED)]
)
def test_trust__silence__ages_only_what_still_takes_in_visitors(quality, now, hours, light):
    assert trust(quality(), at=now + hours * HOUR, enrolling=True).light is light
    assert trust(quality(), at=now + hours * HOUR, enrolling=False).light is Light.GREEN


def test_trust__nobody_exposed__is_never_green(quality, now):
    nobody = SampleRatio(
        observed={},
        expected={},
        p_value=NotEstimable("nobody was exposed yet"),
        log_e_value=0.0,
        warning=False,
        alarm=False,
    )
    found = trust(quality(sample_ratio=nobody), at=now, enrolling=False)
    assert found.light is Light.AMBER


@given(
    log_e=st.floats(-10, 50),
    share=st.floats(0, 1),
    lost=st.floats(-10, 50),
    hours=st.integers(0, 100),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_trust__any_figures__light_is_the_worst_verdict_and_each_reason_is_told(
    quality, now, log_e, share, lost, hours
):
    figures = quality(log_e_value=log_e, contaminated_share=share, lost=leak(lost))
    found = trust(figures, at=now + hours * HOUR, enrolling=True)
    verdicts = [check.verdict for check in found.checks]
    worst = max(verdicts, key=[Light.GREEN, Light.AMBER, Light.RED].index)
    assert found.light is worst
    assert len(found.reasons) == sum(verdict is not Light.GREEN for verdict in verdicts)


def test_arm_flows__treatment_is_assigned_and_never_seen__turns_the_light_red(
    session, start_trial, act
):
    trial = start_trial()
    trial.expose("control", 300, acts=[act("Signed Up")])
    trial.expose("bold", 300, acts=[act("Signed Up")])
    arm = next(item for item in trial.experiment.variants if item.key == "bold")
    for _ in range(40):
        ghost = Visitor(id=next(trial.numbers), created_at=trial.started_at)
        session.add(ghost)
        session.flush()
        session.add(
            Assignment(
                experiment_id=trial.experiment.id,
                visitor_id=ghost.id,
                variant_id=arm.id,
                phase_id=trial.experiment.phases[0].id,
                bucket=0,
                propensity=0.5,
                method="hash",
                assigned_at=trial.started_at,
            )
        )
    session.flush()
    analyse(session, trial.key, now=trial.started_at + 12 * HOUR)
    early = result(session, trial.key, now=trial.started_at + 12 * HOUR)
    assert early.trust.light is Light.GREEN  # they can still come
    analyse(session, trial.key, now=trial.started_at + DAY)
    found = result(session, trial.key, now=trial.started_at + DAY)
    assert found.readout.quality.lost.counts == {"control": 0, "bold": 40}
    assert found.readout.quality.lost.share == pytest.approx(40 / 640)
    assert found.trust.light is Light.RED
    assert "loses more of its visitors" in found.trust.reasons[0]


def test_arm_flows__people_found_twice__are_counted_by_arm_and_not_as_lost(
    session, start_trial, act
):
    trial = start_trial()
    trial.expose("control", 20)
    trial.expose("bold", 20)
    session.get_one(Visitor, 21).merged_into = 1
    session.flush()
    run = analyse(session, trial.key, now=trial.started_at + DAY)
    assert run.readout.quality.duplicates.counts == {"control": 0, "bold": 1}
    assert run.readout.quality.lost.counts == {"control": 0, "bold": 0}


def test_source_delays__events_that_arrive_days_later__turn_the_light_amber(
    session, start_trial, act
):
    trial = start_trial()
    for variant in ("control", "bold"):
        trial.expose(variant, 100, acts=[act("Signed Up")])
        trial.expose(variant, 20, acts=[act("Signed Up", late_by_hours=30)])
    now = trial.started_at + 40 * HOUR
    analyse(session, trial.key, now=now)
    design.stop(session, trial.key, reason="enough", actor=trial.actor, now=now)
    found = result(session, trial.key, now=now)
    assert found.trust.light is Light.AMBER
    assert "17% of the events from web" in found.trust.reasons[0]


def test_trusts__site_falls_silent__turns_red_although_nothing_new_was_looked_at(
    session, start_trial
):
    trial = start_trial()
    trial.expose("control", 50)
    trial.expose("bold", 50)
    number = trial.experiment.id
    assert trusts(session, {number: Status.RUNNING}, at=trial.started_at + DAY) == {}
    analyse(session, trial.key, now=trial.started_at + HOUR)
    later = trial.started_at + 3 * DAY
    found = trusts(session, {number: Status.RUNNING}, at=later)[number]
    assert found.light is Light.RED
    assert [item.check for item in found.checks if item.verdict is Light.RED] == [FRESHNESS]
    assert trusts(session, {number: Status.MATURING}, at=later)[number].light is Light.GREEN
