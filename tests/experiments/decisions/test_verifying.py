"""A promotion on probation, from its beginning to each of its ends, on both databases."""

from datetime import timedelta

import pytest

from experiments.analysis.service import analyse
from experiments.assignment.bucketing import bucket, choose, ranges
from experiments.audit.queries import entries
from experiments.decisions import queries
from experiments.decisions.schemas import Outcome, PromotionState
from experiments.decisions.service import decide
from experiments.decisions.settling import revert_promotion
from experiments.decisions.verifying import end, verify
from experiments.design import queries as designs
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import Purpose, Status
from experiments.errors import ConflictError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.notifications.queries import notifications
from experiments.notifications.schemas import Severity
from experiments.probation.queries import find, probation
from experiments.probation.schemas import ProbationState
from experiments.resolution.queries import ruleset
from stats.results import NotEstimable

DAY = timedelta(days=1)


@pytest.fixture
def promoted(start_trial, act, actor):
    """A test that was promoted on its ninth day; its probation is another trial to fill."""

    def play(**plan):
        trial = start_trial(plan=Plan(promotion=PromotionMode.AUTOMATIC, maximum_days=14, **plan))
        for day in range(8):
            at = trial.started_at + day * DAY
            for variant, converted in (("control", 18), ("bold", 36)):
                trial.expose(variant, converted, at=at, acts=[act("Signed Up", 1)])
                trial.expose(variant, 120 - converted, at=at)
        now = trial.started_at + 9 * DAY
        analyse(trial.session, trial.key, now=now)
        decision = decide(trial.session, trial.key, actor=actor, now=now)
        return trial, decision.promotion, now

    return play


@pytest.fixture
def held_back(promoted, act):
    """The same with fresh visitors, of whom so many converted in each arm."""

    def play(before, new, *, share=0.1, per_day=1000, days=20, **plan):
        trial, promotion, now = promoted(holdback_share=share, **plan)
        trial.key = probation(trial.session, promotion.id).comparison
        for day in range(days):
            at = now + day * DAY
            for variant, rate, part in (("before", before, share), ("promoted", new, 1 - share)):
                visitors = round(per_day * part)
                converted = round(visitors * rate)
                trial.expose(variant, converted, at=at, acts=[act("Signed Up", 1)])
                trial.expose(variant, visitors - converted, at=at)
        return trial, promotion, now

    return play


def test_approve__plan_with_a_holdback__keeps_the_old_content_for_that_share(promoted):
    trial, promotion, now = promoted(holdback_share=0.2, probation_days=14)
    found = probation(trial.session, promotion.id)
    assert (found.state, found.holdback_share) == (ProbationState.RUNNING, 0.2)
    assert found.verify_at == now + 15 * DAY  # its days and the metric's window of one day
    assert found.claimed.effect_rel == pytest.approx(promotion.predicted["belief"]["effect_rel"])
    comparison = designs.experiment(trial.session, found.comparison)
    assert comparison.purpose is Purpose.PROBATION
    assert comparison.salt != trial.experiment.salt
    shown = {arm.key: (arm.control, arm.weight, arm.content) for arm in comparison.variants}
    assert shown == {
        "before": (True, 0.2, "Try it for free."),
        "promoted": (False, 0.8, None),
    }


def test_ruleset__promotion_on_probation__draws_the_holdback_by_the_hash(promoted):
    trial, promotion, _ = promoted(holdback_share=0.2)
    found = probation(trial.session, promotion.id)
    point = ruleset(trial.session).journeys["shop"].touchpoints["landing_page"]
    (rule,) = point.slots["hero_headline"].experiments
    assert (rule.key, [arm.defers for arm in rule.arms]) == (found.comparison, [False, True])
    held = [
        choose(bucket(rule.salt, f"v-{number}"), ranges([0.2, 0.8], 1.0)) == 0
        for number in range(2000)
    ]
    assert 0.17 < sum(held) / len(held) < 0.23


def test_approve__no_holdback__has_no_probation(promoted):
    trial, promotion, now = promoted(holdback_share=0)
    assert find(trial.session, promotion.id) is None
    with pytest.raises(NotFoundError):
        end(trial.session, promotion.id, reason="r", actor=trial.actor, now=now)


def test_experiments__lists_of_tests__do_not_hold_the_comparison(promoted):
    trial, _, _ = promoted()
    assert [item.key for item in designs.experiments(trial.session)] == ["headline"]


def test_decide__the_comparison__is_refused(promoted, actor):
    trial, promotion, now = promoted()
    key = probation(trial.session, promotion.id).comparison
    with pytest.raises(ConflictError, match="no test but a probation"):
        decide(trial.session, key, actor=actor, now=now)


def test_verify__worse_on_fresh_data__reverts_with_a_decision_once(held_back, actor):
    trial, promotion, now = held_back(0.30, 0.15)
    at = now + 21 * DAY
    run = analyse(trial.session, trial.key, now=at)
    for _ in range(2):
        found = verify(trial.session, promotion.id, actor=actor, now=at)
    assert found.state is ProbationState.DEMOTED
    assert queries.promotion(trial.session, promotion.id).state is PromotionState.ROLLED_BACK
    standard = journeys.standard(trial.session, "shop")
    assert (standard.number, standard.provenance["reverts_promotion"]) == (3, promotion.id)
    assert standard.graph.slot("landing_page", "hero_headline").content == "hero-headline"
    newest, *_ = queries.decisions(trial.session, "headline")
    assert (newest.outcome, newest.run_id) == (Outcome.DEMOTE, run.id)
    assert trial.experiment.status is Status.ARCHIVED
    (told,) = notifications(trial.session)
    assert (told.severity, told.subject_key) == (Severity.CRITICAL, "headline")
    assert [
        entry.action for entry in entries(trial.session) if entry.action.startswith("probation")
    ] == ["probation.demoted", "probation.started"]


def test_verify__better_at_the_end__is_verified_beside_what_was_claimed(held_back, actor):
    trial, promotion, now = held_back(0.15, 0.24, days=28)
    early = now + 21 * DAY
    analyse(trial.session, trial.key, now=early)
    assert verify(trial.session, promotion.id, actor=actor, now=early).state == "running"
    at = probation(trial.session, promotion.id).verify_at
    analyse(trial.session, trial.key, now=at)
    found = verify(trial.session, promotion.id, actor=actor, now=at)
    assert found.state is ProbationState.VERIFIED
    assert found.realised.effect_rel.value == pytest.approx(0.6, abs=0.01)
    assert found.realised.effect_rel.ci_low < 0.6 < found.realised.effect_rel.ci_high
    assert queries.promotion(trial.session, promotion.id).state is PromotionState.VERIFIED
    assert journeys.standard(trial.session, "shop").number == 2


def test_verify__nobody_came__stays_unverified_with_the_reason(promoted, actor):
    trial, promotion, now = promoted()
    found = verify(trial.session, promotion.id, actor=actor, now=now + 30 * DAY)
    assert found.state is ProbationState.UNVERIFIED
    assert "nobody" in found.sentence.lower()
    assert isinstance(found.realised, NotEstimable)
    assert queries.promotion(trial.session, promotion.id).state is PromotionState.APPLIED


def test_revert_promotion__by_hand__ends_the_probation(promoted, actor):
    trial, promotion, now = promoted()
    revert_promotion(trial.session, promotion.id, reason="dull", actor=actor, now=now)
    assert probation(trial.session, promotion.id).state is ProbationState.ENDED
    point = ruleset(trial.session).journeys["shop"].touchpoints["landing_page"]
    assert point.slots["hero_headline"].experiments == ()
