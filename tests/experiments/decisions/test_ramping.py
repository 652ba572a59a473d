"""The ramp of an experiment: gates, steps, phases, on both databases."""

from datetime import timedelta

import pytest

from experiments.analysis.service import analyse
from experiments.audit.queries import entries
from experiments.decisions.ramping import advance, approve_step, waiting
from experiments.design import service as design
from experiments.design.plans import RampStep
from experiments.design.ramp import Gate, Progress, gates, next_step
from experiments.design.schemas import PhaseIn
from experiments.errors import ConflictError
from experiments.notifications.queries import notifications

HOUR = timedelta(hours=1)
RAMP = [
    {"coverage": 0.5, "after_hours": 24, "visitors": 100, "approval": True},
    {"coverage": 1.0, "after_hours": 48, "healthy": False},
]


@pytest.fixture
def ramped(start_trial):
    return start_trial(coverage=0.1, ramp=RAMP)


def coverages(trial):
    return [phase.coverage for phase in trial.experiment.phases]


def fill(trial, at, *, bold=60):
    trial.expose("control", 60, at=at)
    trial.expose("bold", bold, at=at)
    analyse(trial.session, trial.key, now=at + HOUR)


def test_gates__some_open__say_what_they_need():
    step = RampStep(coverage=0.5, after_hours=24, visitors=100, approval=True)
    progress = Progress(hours=30, visitors=40, alarms=("The split is broken.",), approved=True)
    found = {gate.gate: (gate.open, gate.words) for gate in gates(step, progress)}
    assert found == {
        Gate.TIME: (True, "30 of 24 hours of this phase are over."),
        Gate.SAMPLE: (False, "40 of 100 visitors came in this phase."),
        Gate.HEALTH: (False, "The split is broken."),
        Gate.APPROVAL: (True, "A person approved it."),
    }


def test_gates__step_that_names_only_time__has_no_other_gate():
    step = RampStep(coverage=1, after_hours=1, healthy=False)
    progress = Progress(hours=1, visitors=0, alarms=None, approved=False)
    assert [(gate.gate, gate.open) for gate in gates(step, progress)] == [(Gate.TIME, True)]


@pytest.mark.parametrize(("coverage", "place"), [(0.1, 0), (0.5, 1), (0.7, 1), (1.0, None)])
def test_next_step__coverage_now__skips_what_is_covered_already(coverage, place):
    assert next_step([RampStep.model_validate(step) for step in RAMP], coverage) == place


def test_ramp__step_that_does_not_rise__is_refused(start_trial):
    with pytest.raises(ValueError, match="must cover more than the one before"):
        start_trial(coverage=0.5, ramp=[{"coverage": 0.5}])


def test_advance__every_gate_open__opens_one_phase_and_waits_again(ramped, actor):
    now = ramped.started_at + 25 * HOUR
    fill(ramped, now - 2 * HOUR)
    for _ in range(2):
        assert not advance(ramped.session, ramped.key, actor=actor, now=now)
    (told,) = notifications(ramped.session)
    assert "step 1 of 2, to 50%" in told.what
    for _ in range(2):
        approve_step(ramped.session, ramped.key, actor=actor, now=now)
    assert [advance(ramped.session, ramped.key, actor=actor, now=now) for _ in range(2)] == [
        True,
        False,
    ]
    assert coverages(ramped) == [0.1, 0.5]
    assert waiting(ramped.session, ramped.key, now=now).step == 2
    assert advance(ramped.session, ramped.key, actor=actor, now=now + 48 * HOUR)
    assert coverages(ramped) == [0.1, 0.5, 1.0]
    assert waiting(ramped.session, ramped.key, now=now + 99 * HOUR) is None
    actions = [entry.action for entry in entries(ramped.session)]
    assert actions.count("experiment.phase_opened") == 2
    assert actions.count("experiment.step_approved") == 1


def test_advance__broken_split__holds_the_step_back(ramped, actor):
    now = ramped.started_at + 25 * HOUR
    fill(ramped, now - 2 * HOUR, bold=400)
    approve_step(ramped.session, ramped.key, actor=actor, now=now)
    assert not advance(ramped.session, ramped.key, actor=actor, now=now)
    held = waiting(ramped.session, ramped.key, now=now)
    assert [gate.gate for gate in held.gates if not gate.open] == [Gate.HEALTH]


def test_advance__paused__waits(ramped, actor):
    now = ramped.started_at + 25 * HOUR
    fill(ramped, now - 2 * HOUR)
    approve_step(ramped.session, ramped.key, actor=actor, now=now)
    design.pause(ramped.session, ramped.key, reason="holiday", actor=actor, now=now)
    assert not advance(ramped.session, ramped.key, actor=actor, now=now)


def test_approve_step__none_asks_for_it__is_refused(ramped, actor):
    now = ramped.started_at + 25 * HOUR
    data = PhaseIn(coverage=0.5, reason="by hand")
    design.open_phase(ramped.session, ramped.key, data, actor=actor, now=now)
    with pytest.raises(ConflictError, match="waits for an approval"):
        approve_step(ramped.session, ramped.key, actor=actor, now=now)


def test_remove_variant__on_a_ramp__opens_a_phase_and_keeps_the_step(start_trial, actor):
    trial = start_trial(treatments=("bold", "calm"), coverage=0.1, ramp=RAMP)
    now = trial.started_at + 2 * HOUR
    design.remove_variant(trial.session, trial.key, "calm", reason="dull", actor=actor, now=now)
    assert coverages(trial) == [0.1, 0.1]
    assert waiting(trial.session, trial.key, now=now).step == 1
