"""Learning from past experiments: what counts, and what it does to the next reported effect."""

import numpy as np
import pytest

from experiments.analysis.belief import PRIOR_SD, STATED_PRIOR
from experiments.analysis.data import SplitCount
from experiments.analysis.engine import read
from experiments.analysis.learning import FEWEST_EFFECTS, learned, prior_for, taught
from experiments.analysis.models import StoredMoments
from experiments.analysis.service import analyse
from experiments.design.imported import adopt, complete
from experiments.design.models import Experiment
from experiments.design.queries import experiment
from experiments.design.schemas import ExperimentIn, Source
from experiments.metrics.queries import metric

VISITORS = 100_000


@pytest.fixture
def past(protocol_of, data_of, rate_cell, rng):
    """Readouts of experiments that changed nothing, but for chance."""

    def readouts(number: int, *, lost: int = 0):
        for _ in range(number):
            conversions = rng.binomial(VISITORS, 0.1, size=2).tolist()
            arms = dict(zip(("control", "bold"), conversions, strict=True))
            split = [
                SplitCount(phase=1, hour=None, variant="control", visitors=VISITORS),
                SplitCount(phase=1, hour=None, variant="bold", visitors=VISITORS - lost),
            ]
            cells = [rate_cell(arm, VISITORS, count) for arm, count in arms.items()]
            yield read(data_of(split=split, signed_up=cells), protocol_of(), earlier={})

    return readouts


def test_learned__few_past_effects__is_the_stated_prior(past):
    assert learned(past(FEWEST_EFFECTS - 1)) is STATED_PRIOR


def test_learned__effects_that_were_only_chance__expects_almost_nothing(past):
    prior = learned(past(60))
    assert prior.n_effects == 60
    assert np.sqrt(prior.weights @ prior.sds**2) < PRIOR_SD / 2


def test_learned__broken_splits__do_not_count(past):
    assert learned(past(60, lost=5_000)) is STATED_PRIOR


def test_read__learned_prior__shrinks_the_effect_and_leaves_the_gate_its_figures(
    past, protocol_of, data_of, rate_cell
):
    data = data_of(
        signed_up=[rate_cell("control", 10_000, 1_000), rate_cell("bold", 10_000, 1_100)]
    )
    stated, taught = (
        read(data, protocol_of(prior=prior), earlier={}).primary.comparison("bold").belief
        for prior in (STATED_PRIOR, learned(past(60)))
    )
    assert 0 < taught.effect_rel < stated.effect_rel < 0.1
    assert taught.chance_to_win == stated.chance_to_win
    assert taught.expected_loss == stated.expected_loss


@pytest.mark.parametrize("is_ended", [True, False])
def test_prior_for__experiments_of_the_same_metric__teach_once_they_ended(
    session, start_trial, actor, now, rng, is_ended
):
    trial = start_trial()
    measured = f"{trial.key}.signed-up"
    many = [{"key": f"v{n}", "weight": 1 / 17, "content": "x"} for n in range(16)]
    drafts = [
        ExperimentIn.model_validate(
            {
                "key": key,
                "name": key,
                "journey": "shop",
                "touchpoint": "landing_page",
                "slot": "hero_headline",
                "variants": [{"key": "control", "control": True, "weight": 1 / 17}, *many],
                "primary_metric": measured,
            }
        )
        for key in ("first", "second")
    ]
    started = dict.fromkeys(("first", "second"), now)
    adopt(session, drafts, source=Source.TOTALS, started_at=started, rng=rng, actor=actor, now=now)
    complete(session, started, actor=actor, now=now)
    for key in started:
        made = experiment(session, key)
        for variant in made.variants:
            rate = rng.binomial(VISITORS, 0.1) / VISITORS
            session.add(
                StoredMoments(
                    experiment_id=made.id,
                    variant_id=variant.id,
                    metric_id=metric(session, measured).id,
                    as_of=now,
                    visitors=VISITORS,
                    mean=rate,
                    m2=VISITORS * rate * (1 - rate),
                )
            )
        session.flush()
        analyse(session, key, now=now)
        session.get_one(Experiment, made.id).ended_at = now if is_ended else None
    session.flush()
    prior = prior_for(session, experiment(session, trial.key))
    assert prior.n_effects == (32 if is_ended else 0)
    found = taught(session, measured)
    assert (found.effects, found.is_learned) == ((32, True) if is_ended else (0, False))


def test_taught__metric_without_ended_tests__expects_what_is_stated(session, start_trial):
    found = taught(session, f"{start_trial().key}.signed-up")
    assert (found.experiments, found.effects, found.is_learned) == (0, 0, False)
    assert found.spread == pytest.approx(PRIOR_SD)
