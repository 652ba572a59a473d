"""A promoted path on probation: who walks which path, and what becomes of them."""

from datetime import timedelta

import pytest

from experiments.analysis.service import analyse
from experiments.decisions import queries
from experiments.decisions.schemas import PromotionState
from experiments.decisions.service import decide
from experiments.decisions.verifying import verify
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import ExperimentIn, Level
from experiments.journeys import queries as journeys
from experiments.metrics.schemas import MetricIn
from experiments.probation.queries import probation
from experiments.probation.schemas import ProbationState
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Place, climb
from experiments.resolution.queries import ruleset

DAY = timedelta(days=1)
SKIP = {"operations": [{"op": "skip_touchpoint", "touchpoint": "plan_page"}]}


@pytest.fixture
def promoted(start_trial, act, actor, rng):
    """A path without the plan page, promoted on the ninth day with a fifth held back."""
    soon = MetricIn(
        key="subscribed", name="Subscribed", rule={"event": "Subscribed"}, window_hours=24
    )
    trial = start_trial(more_metrics=[soon])
    plan = Plan(promotion=PromotionMode.AUTOMATIC, maximum_days=14, holdback_share=0.2)
    data = {
        "key": "short",
        "name": "Short",
        "journey": "shop",
        "level": "path",
        "primary_metric": "subscribed",
        "variants": [
            {"key": "control", "control": True, "weight": 0.5},
            {"key": "short", "weight": 0.5, "patch": SKIP},
        ],
        "plan": plan,
    }
    start = trial.started_at
    made = ExperimentIn.model_validate(data)
    design.create(trial.session, made, rng=rng, actor=actor, now=start)
    design.start(trial.session, "short", actor=actor, now=start)
    trial.key = "short"
    fill(trial, act, control=120, short=260)
    at = start + 9 * DAY
    analyse(trial.session, "short", now=at)
    decision = decide(trial.session, "short", actor=actor, now=at)
    assert decision.promotion is not None, decision.sentence
    return trial, decision.promotion, at


def fill(trial, act, **converted):
    """Six hundred visitors of each arm over a week, of whom so many subscribe."""
    begun = trial.experiment.started_at
    for day in range(8):
        for variant, number in converted.items():
            some = round(number / 8)
            trial.expose(variant, some, at=begun + day * DAY, acts=[act("Subscribed", 1)])
            trial.expose(variant, 75 - some, at=begun + day * DAY)


def asked(rules, visitor):
    return climb(rules, Place("shop", "plan_page"), Question(visitor))


def test_approve__path_with_a_holdback__lets_that_share_walk_the_earlier_path(promoted):
    trial, promotion, _ = promoted
    found = probation(trial.session, promotion.id)
    comparison = designs.experiment(trial.session, found.comparison)
    assert (comparison.level, comparison.base_version) == (Level.PATH, promotion.from_version)
    rules, met = ruleset(trial.session), {}
    for number in range(200):
        seen = asked(rules, f"v-{number}")
        assert (seen.path, True) in seen.met()  # both arms count where the paths part
        met.setdefault(seen.path.arm.key, set()).add(seen.on_path)
    assert met == {"before": {True}, "promoted": {False}}


def test_verify__path_worse_on_fresh_data__is_taken_back_for_everybody(promoted, act, actor):
    trial, promotion, at = promoted
    trial.key = probation(trial.session, promotion.id).comparison
    for day in range(20):
        moment = at + day * DAY
        for variant, people, converted in (("before", 60, 30), ("promoted", 240, 40)):
            trial.expose(variant, converted, at=moment, acts=[act("Subscribed", 1)])
            trial.expose(variant, people - converted, at=moment)
    later = at + 21 * DAY
    analyse(trial.session, trial.key, now=later)
    for _ in range(2):
        found = verify(trial.session, promotion.id, actor=actor, now=later)
    assert found.state is ProbationState.DEMOTED, found.sentence
    assert queries.promotion(trial.session, promotion.id).state is PromotionState.ROLLED_BACK
    assert journeys.standard(trial.session, "shop").graph.touchpoint("plan_page") is not None
    assert asked(ruleset(trial.session), "ann").path is None
