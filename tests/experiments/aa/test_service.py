"""The own A/A on both databases: who is divided, how, what is judged, and that it can alarm."""

from datetime import timedelta

import pytest
from sqlmodel import select

from experiments.aa import queries, service
from experiments.aa.schemas import AaWeek
from experiments.aa.verdict import conclude
from experiments.analysis.schemas import Light
from experiments.analysis.service import analyse
from experiments.audit.schemas import Actor, ActorKind
from experiments.decisions.models import Decision
from experiments.design import queries as designs
from experiments.design.models import Experiment
from stats.results import NotEstimable

DAY = timedelta(days=1)
JOB = Actor(kind=ActorKind.JOB, name="own-aa")


@pytest.fixture
def keep(session, rng):
    return lambda at: service.keep(session, "shop", rng=rng, actor=JOB, now=at)


def test_keep__newcomers_of_a_test__are_divided_once_into_two_even_halves(
    session, start_trial, keep
):
    trial = start_trial()
    keep(trial.started_at)
    for variant in ("control", "bold"):
        trial.expose(variant, 300, at=trial.started_at + DAY)
    assert keep(trial.started_at + 2 * DAY) == 600
    assert keep(trial.started_at + 2 * DAY) == 0
    (week,) = queries.weeks(session)
    run = analyse(session, week.key, now=trial.started_at + 2 * DAY)
    ratio = run.readout.quality.sample_ratio
    assert sum(ratio.observed.values()) == 600
    assert ratio.log_e_value < 0
    assert week.key not in {item.key for item in designs.experiments(session)}


def test_keep__next_week__begins_anew_with_the_same_salt_and_only_with_newcomers(
    session, start_trial, keep
):
    trial = start_trial()
    keep(trial.started_at)
    trial.expose("control", 10, at=trial.started_at + DAY)
    keep(trial.started_at + 7 * DAY)
    trial.expose("bold", 5, at=trial.started_at + 8 * DAY)
    assert keep(trial.started_at + 9 * DAY) == 5
    first, second = queries.weeks(session)
    assert first.salt == second.salt
    assert second.started_at == trial.started_at + 7 * DAY


def test_keep__everybody_matured__is_judged_for_the_last_time_and_ends(session, start_trial, keep):
    trial = start_trial()
    keep(trial.started_at)
    trial.expose("control", 50, at=trial.started_at + DAY)
    keep(trial.started_at + 7 * DAY)
    end = trial.started_at + 200 * DAY
    first = queries.weeks(session)[0]
    analyse(session, first.key, now=end)
    keep(end)
    found = queries.aa(session, now=end)
    week = next(item for item in found.weeks if item.key == first.key)
    assert (week.finished, week.looks, week.promoted_looks, week.visitors) == (True, 1, 0, 50)
    assert (found.finished, found.promoted_share, found.verdict) == (1, 0.0, Light.GREEN)


def test_keep__gate_says_promote__changes_nothing_and_is_counted(session, start_trial, keep, now):
    trial = start_trial()
    keep(now)
    trial.expose("control", 10, at=now)
    keep(now + DAY)
    (week,) = queries.weeks(session)
    analyse(session, week.key, now=now + DAY)
    keep(now + DAY)
    decision = session.exec(select(Decision).where(Decision.experiment_id == week.id)).one()
    decision.outcome = "promote"
    session.flush()
    assert queries.aa(session, now=now).promoted_looks == 1
    assert session.get_one(Experiment, week.id).status == "running"


def test_aa__nothing_yet__is_no_neutral_number(session, now):
    found = queries.aa(session, now=now)
    assert isinstance(found.promoted_share, NotEstimable)
    assert found.verdict is Light.AMBER


@pytest.mark.parametrize(
    ("finished", "promoted", "light"),
    [(1, 0, Light.GREEN), (40, 2, Light.GREEN), (40, 6, Light.AMBER), (40, 10, Light.RED)],
)
def test_conclude__promoted_weeks__are_held_against_the_promise(now, finished, promoted, light):
    weeks = [
        AaWeek(
            key=f"aa.{number}",
            journey="shop",
            started_at=now,
            finished=True,
            visitors=1000,
            looks=10,
            promoted_looks=int(number < promoted),
            split_log_e_value=-1.0,
            trust=None,
        )
        for number in range(finished)
    ]
    found = conclude(weeks)
    assert (found.promoted, found.verdict) == (promoted, light)
