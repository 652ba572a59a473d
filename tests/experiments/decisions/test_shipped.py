"""A holdout in two parts, from what its visitors see to what all promotions brought together."""

from datetime import timedelta

import numpy as np
import pytest

from experiments.analysis.schemas import Estimate
from experiments.analysis.service import analyse
from experiments.assignment.schemas import StoredArm
from experiments.decisions.service import decide
from experiments.decisions.settling import revert_promotion
from experiments.decisions.shipped import NOTHING_SHIPPED, shipped, total
from experiments.design import exclusion
from experiments.design import queries as designs
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import HoldoutIn, Purpose
from experiments.errors import InvalidError
from experiments.metrics import service as metrics
from experiments.metrics.schemas import MetricIn
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Place, climb
from experiments.resolution.queries import ruleset
from stats.results import NotEstimable

DAY = timedelta(days=1)
HERO = Place("shop", "landing_page", ("hero_headline",))


@pytest.fixture
def held_out(session, journey, rng, actor, now):
    def made(**changes):
        fields = {"key": "keep", "name": "Kept", "journey": journey, "share": 0.4}
        data = HoldoutIn.model_validate(fields | changes)
        return exclusion.create_holdout(session, data, rng=rng, actor=actor, now=now)

    return made


@pytest.fixture
def promoted(start_trial, act, actor):
    """Promotes `bold!` nine days after the start of a test."""

    def play(**fields):
        plan = Plan(promotion=PromotionMode.AUTOMATIC, maximum_days=14, holdback_share=0)
        trial = start_trial(plan=plan, **fields)
        for day in range(8):
            at = trial.started_at + day * DAY
            for variant, converted in (("control", 18), ("bold", 36)):
                trial.expose(variant, converted, at=at, acts=[act("Signed Up", 1)])
                trial.expose(variant, 120 - converted, at=at)
        now = trial.started_at + 9 * DAY
        analyse(trial.session, trial.key, now=now)
        return trial, decide(trial.session, trial.key, actor=actor, now=now).promotion, now

    return play


def answers(session, visitors=600):
    """What each visitor sees, and the part of the holdout they are in."""
    rules = ruleset(session)
    found = [climb(rules, HERO, Question(visitor=f"v-{number}")) for number in range(visitors)]
    return [
        (None if one.part is None else one.part.arm.key, one.answers[0].shown.value, one.version)
        for one in found
    ]


def test_create_holdout__split__draws_both_parts_out_of_its_share(session, held_out):
    made = held_out()
    assert (made.base_version, made.status_quo) == (1, 0.5)
    comparison = designs.experiment(session, made.comparison)
    assert comparison.purpose is Purpose.HOLDOUT
    assert comparison.primary_metric == "shop.subscribe"
    parts = [part for part, _, _ in answers(session)]
    assert 0.15 < parts.count("status_quo") / 600 < 0.25
    assert 0.15 < parts.count("all_shipped") / 600 < 0.25
    assert designs.experiments(session) == []


def test_climb__after_a_promotion__keeps_the_status_quo_alone_on_the_old(
    session, held_out, promoted
):
    held_out()
    promoted()
    seen = set(answers(session))
    assert seen == {
        ("status_quo", "Try it for free.", 1),
        ("all_shipped", "bold!", 2),
        (None, "bold!", 2),
    }


def test_climb__stored_part__stays_whatever_the_hash_says(session, held_out):
    made = held_out(share=0.01)
    comparison = designs.experiment(session, made.comparison)
    stored = StoredArm(comparison.control.id, comparison.phases[0].id, 9_999)
    question = Question(visitor="v-1", arms={comparison.id: stored})
    assert climb(ruleset(session), HERO, question).part.arm.key == "status_quo"


def test_create_holdout__no_status_quo__is_only_kept_out(session, held_out):
    made = held_out(status_quo=0)
    assert made.comparison is None
    assert {part for part, _, _ in answers(session)} == {None}
    assert shipped(session, as_of=made.created_at) == []


def test_create_holdout__unknown_metric__names_the_field(held_out):
    with pytest.raises(InvalidError) as caught:
        held_out(metric="nothing")
    assert caught.value.problems[0].pointer == "/metric"


def test_end_holdout__split__lets_everybody_go(session, held_out, actor, now):
    held_out()
    exclusion.end_holdout(session, "keep", reason="enough", actor=actor, now=now)
    assert {part for part, _, _ in answers(session, 50)} == {None}
    assert shipped(session, as_of=now) == []


def test_shipped__before_anything__says_why_there_is_nothing(session, held_out, now):
    held_out()
    (found,) = shipped(session, as_of=now)
    assert isinstance(found.measured, NotEstimable)
    assert found.claimed == NOTHING_SHIPPED


def test_shipped__promotion_and_visitors__puts_measured_beside_claimed(
    session, held_out, promoted, act, actor, now
):
    metric = MetricIn(key="day", name="Day", rule={"event": "Signed Up"}, window_hours=24)
    metrics.create(session, metric, actor=actor, now=now)
    made = held_out(metric="day")
    trial, promotion, now = promoted(primary_metric="day", key="head")
    trial.key = made.comparison
    for part, converted in (("status_quo", 150), ("all_shipped", 300)):
        trial.expose(part, converted, at=now, acts=[act("Signed Up", 1)])
        trial.expose(part, 1000 - converted, at=now)
    later = now + 15 * DAY
    analyse(session, made.comparison, now=later)
    (found,) = shipped(session, as_of=later)
    assert found.measured.value == pytest.approx(1.0)
    assert [win.experiment for win in found.wins] == ["head"]
    belief = promotion.predicted["belief"]
    assert found.claimed.value == pytest.approx(belief["effect_rel"])
    assert shipped(session, as_of=now - DAY)[0].wins == []
    revert_promotion(session, promotion.id, reason="dull", actor=actor, now=later)
    assert shipped(session, as_of=later)[0].claimed == NOTHING_SHIPPED


def test_total__two_gains__multiply_and_their_spreads_add():
    one = Estimate(value=0.1, ci_low=0.05, ci_high=1.1**2 / 1.05 - 1)
    found = total([one, one, NotEstimable("nobody")])
    assert found.value == pytest.approx(1.1**2 - 1)
    spread = np.log(1.1 / 1.05) * np.sqrt(2)
    assert np.log1p(found.ci_high) - np.log1p(found.value) == pytest.approx(spread)
