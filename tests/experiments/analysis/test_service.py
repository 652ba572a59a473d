"""Looks at a running experiment, on both databases."""

from datetime import timedelta

import pytest

from experiments.analysis import queries
from experiments.analysis.models import StoredMoments
from experiments.analysis.schemas import Role
from experiments.analysis.service import NewLook, analyse, observe, write
from experiments.design import service as design
from experiments.design.imported import adopt, complete
from experiments.design.models import Experiment
from experiments.design.queries import experiment
from experiments.design.schemas import ExperimentIn, PhaseIn, Source
from experiments.errors import ConflictError, NotFoundError
from experiments.metrics.queries import metric
from stats.results import NotEstimable

DAY = timedelta(days=1)


def fill(trial, act):
    trial.expose("control", 20)
    trial.expose("control", 5, acts=[act("Signed Up", 2)])
    trial.expose("bold", 15)
    trial.expose("bold", 10, acts=[act("Signed Up", 2), act("Activated", 5)])


def test_analyse__visitors_of_two_arms__gives_rates_of_every_stage(start_trial, act):
    trial = start_trial()
    fill(trial, act)
    run = analyse(trial.session, trial.key, now=trial.started_at + 2 * DAY)
    primary = run.readout.primary
    assert primary.arm("control").figure == pytest.approx(5 / 25)
    assert primary.arm("bold").figure == pytest.approx(10 / 25)
    stages = [metric.stage for metric in run.readout.stages]
    assert stages == ["visit", "signup", "activate", "subscribe", "declined", "dormant"]
    activated = run.readout.metric("shop.signup")
    assert activated.roles == [Role.STAGE]
    # On everybody randomised, not on those who signed up; not matured in a 14-day window.
    assert activated.arm("bold").visitors == 25
    assert activated.arm("bold").observed_conversions == 10
    assert isinstance(activated.arm("bold").figure, NotEstimable)


def test_analyse__again_without_new_data__returns_the_same_run(start_trial, act):
    trial = start_trial()
    fill(trial, act)
    first = analyse(trial.session, trial.key, now=trial.started_at + 2 * DAY)
    again = analyse(trial.session, trial.key, now=trial.started_at + 3 * DAY)
    assert again == first
    assert len(queries.runs(trial.session, trial.key)) == 1


def test_analyse__new_data__is_the_next_look_and_leaves_the_first_alone(start_trial, act):
    trial = start_trial()
    fill(trial, act)
    first = analyse(trial.session, trial.key, now=trial.started_at + 2 * DAY)
    trial.expose("bold", at=trial.started_at + 2.5 * DAY)
    second = analyse(trial.session, trial.key, now=trial.started_at + 3 * DAY)
    assert (first.look, second.look) == (1, 2)
    assert second.data_hash != first.data_hash
    assert queries.runs(trial.session, trial.key) == [second, first]
    looks = queries.earlier_looks(trial.session, trial.experiment.id)
    fractions = [look.calendar_fraction for look in looks]
    assert fractions == pytest.approx([1 / 14, 2 / 14])


def test_analyse__end_of_horizon_without_new_data__is_a_last_look(start_trial, act):
    trial = start_trial()
    fill(trial, act)
    # Every stage has matured by then, so that only the horizon can differ.
    early = analyse(trial.session, trial.key, now=trial.started_at + 3 * DAY)
    design.stop(
        trial.session, trial.key, actor=trial.actor, now=trial.started_at + 4 * DAY, reason="test"
    )
    last = analyse(trial.session, trial.key, now=trial.started_at + 6 * DAY)
    assert (early.readout.finished, last.readout.finished) == (False, True)
    assert last.look == 2


def test_write__two_looks_taken_at_once__keeps_one_for_both(start_trial, act):
    trial = start_trial()
    fill(trial, act)
    seen = [observe(trial.session, trial.key, now=trial.started_at + days * DAY) for days in (2, 3)]
    assert all(isinstance(look, NewLook) for look in seen)
    first, second = (write(trial.session, look) for look in seen)
    assert first == second
    assert len(queries.runs(trial.session, trial.key)) == 1


def test_analyse__two_phases__are_strata(start_trial, act):
    trial = start_trial()
    trial.expose("control", 10)
    trial.expose("bold", 10)
    design.open_phase(
        trial.session,
        trial.key,
        PhaseIn(weights={"control": 0.2, "bold": 0.8}, reason="ramp"),
        actor=trial.actor,
        now=trial.started_at + DAY,
    )
    trial.expose("control", 2, phase=2, at=trial.started_at + DAY)
    trial.expose("bold", 8, phase=2, at=trial.started_at + DAY)
    run = analyse(trial.session, trial.key, now=trial.started_at + 3 * DAY)
    assert run.readout.quality.sample_ratio.expected == pytest.approx({"control": 12, "bold": 18})


def test_analyse__draft__is_refused(start_trial, session, now):
    trial = start_trial()
    row = session.get_one(Experiment, trial.experiment.id)
    row.started_at = None
    session.flush()
    with pytest.raises(ConflictError, match="has not started"):
        analyse(session, trial.key, now=now)


def test_newest_run__before_the_first_look__is_not_found(start_trial, session):
    start_trial()
    assert queries.latest_run(session, "headline") is None
    with pytest.raises(NotFoundError):
        queries.newest_run(session, "headline")


@pytest.fixture
def snapshots(session, start_trial, actor, now, rng):
    """An imported experiment whose two arms were told twice: 30 days ago and 5 days ago."""
    measured = f"{start_trial().key}.signed-up"
    data = ExperimentIn.model_validate(
        {
            "key": "elsewhere",
            "name": "Elsewhere",
            "journey": "shop",
            "touchpoint": "landing_page",
            "slot": "hero_headline",
            "variants": [
                {"key": "control", "control": True, "weight": 0.5},
                {"key": "bold", "weight": 0.5, "content": "bold"},
            ],
            "primary_metric": measured,
        }
    )
    adopt(
        session,
        [data],
        source=Source.SNAPSHOTS,
        started_at={data.key: now - 40 * DAY},
        rng=rng,
        actor=actor,
        now=now,
    )
    complete(session, {data.key: now - DAY}, actor=actor, now=now)
    made, metric_id = experiment(session, data.key), metric(session, measured).id
    for variant, (early, late) in zip(made.variants, ((10, 30), (20, 60)), strict=True):
        for days, conversions in ((30, early), (5, late)):
            session.add(
                StoredMoments(
                    experiment_id=made.id,
                    variant_id=variant.id,
                    metric_id=metric_id,
                    as_of=now - days * DAY,
                    visitors=100,
                    mean=conversions / 100,
                    m2=conversions * (1 - conversions / 100),
                )
            )
    session.flush()
    return made.key


def test_analyse__imported_snapshots__uses_the_newest_known_at_the_time(session, snapshots, now):
    first = analyse(session, snapshots, now=now - 20 * DAY)
    second = analyse(session, snapshots, now=now)
    assert [run.readout.primary.arm("bold").conversions for run in (first, second)] == [20, 60]
    assert second.readout.finished
    assert not second.readout.quality.sample_ratio.warning
