"""Decisions carried out on a running experiment, on both databases."""

from datetime import timedelta
from functools import partial

import pytest

from experiments.analysis.service import analyse
from experiments.audit.queries import entries
from experiments.decisions import queries
from experiments.decisions.blame import blame
from experiments.decisions.schemas import Outcome, PromotionState
from experiments.decisions.service import decide
from experiments.decisions.settling import approve, decline, rebase, revert_promotion
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import Status
from experiments.errors import ConflictError, MergeConflictError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.journeys import service as journey_service
from experiments.journeys.schemas import ContentIn, VersionIn
from experiments.notifications.queries import notifications
from experiments.notifications.schemas import Severity

DAY = timedelta(days=1)
WHERE = ("landing_page", "hero_headline")


@pytest.fixture
def judged(start_trial, act, actor):
    """Starts a trial, lets people convert day by day, and decides on the ninth."""

    def play(rates, *, mode=PromotionMode.AUTOMATIC, days=8, maximum_days=14, per_day=120):
        trial = start_trial(
            treatments=tuple(key for key in rates if key != "control"),
            plan=Plan(promotion=mode, maximum_days=maximum_days),
        )
        for day in range(days):
            at = trial.started_at + day * DAY
            for variant, rate in rates.items():
                converted = round(per_day * rate)
                trial.expose(variant, converted, at=at, acts=[act("Signed Up", 1)])
                trial.expose(variant, per_day - converted, at=at)
        now = trial.started_at + (days + 1) * DAY
        analyse(trial.session, trial.key, now=now)
        return trial, decide(trial.session, trial.key, actor=actor, now=now), now

    return play


WINNER = {"control": 0.15, "bold": 0.30}


def slot_of(trial):
    return journeys.standard(trial.session, "shop").graph.slot(*WHERE)


def replace_headline(trial, actor, now):
    """Somebody publishes another headline by hand."""
    data = ContentIn(key="by-hand", type="string", payload="By hand")
    made = journey_service.add_content(trial.session, "shop", data, actor=actor, now=now)
    journey_service.approve_content(trial.session, "shop", made.key, 1, actor=actor, now=now)
    document = journeys.standard(trial.session, "shop").graph.model_dump(mode="json")
    document["stages"][0]["touchpoints"][0]["slots"][0] |= {
        "content": made.key,
        "content_version": 1,
    }
    drafted = journey_service.draft_version(
        trial.session, "shop", VersionIn(graph=document), actor=actor, now=now
    )
    journey_service.publish(
        trial.session, "shop", drafted.number, reason="by hand", actor=actor, now=now
    )


def test_decide__automatic_plan_and_a_winner__publishes_it_with_provenance(judged, actor):
    trial, decision, _ = judged(WINNER)
    assert (decision.outcome, decision.variant) == (Outcome.PROMOTE, "bold")
    standard = journeys.standard(trial.session, "shop")
    slot = standard.graph.slot(*WHERE)
    content = journeys.content(trial.session, "shop", slot.content, slot.content_version)
    assert content.payload == "bold!"
    assert content.approved_at is not None
    assert standard.number == 2
    assert standard.provenance == {
        "experiment": "headline",
        "variant": "bold",
        "decision": decision.id,
        "promotion": decision.promotion.id,
        "look": 1,
        "data_hash": decision.data_hash,
        "actor": str(actor),
        "rule": [item.words for item in decision.trace],
    }
    assert decision.promotion.state is PromotionState.APPLIED
    assert (decision.promotion.from_version, decision.promotion.to_version) == (1, 2)
    assert trial.experiment.status is Status.PROMOTED
    actions = [entry.action for entry in entries(trial.session)]
    assert {"experiment.judged", "promotion.proposed", "promotion.applied"} <= set(actions)


def test_blame__promoted__names_the_decision_the_experiment_and_the_figures(judged, actor):
    trial, decision, now = judged(WINNER)
    (found,) = blame(trial.session, "shop", node="touchpoints/landing_page/slots/hero_headline")
    assert (found.origin, found.version, found.decision) == ("promotion", 2, decision.id)
    assert (found.promotion.experiment, found.promotion.variant) == ("headline", "bold")
    assert found.promotion.predicted["belief"]["effect_rel"] > 0
    assert found.by == str(actor)
    revert_promotion(trial.session, 1, reason="did not hold", actor=actor, now=now + DAY)
    (after,) = blame(trial.session, "shop", node="touchpoints/landing_page/slots/hero_headline")
    assert (after.origin, after.promotion.experiment) == ("revert", "headline")


def test_decide__the_same_look_again__changes_nothing(judged, actor):
    trial, decision, now = judged(WINNER)
    assert decide(trial.session, trial.key, actor=actor, now=now + DAY) == decision
    assert journeys.journey(trial.session, "shop").versions == 2
    assert len(queries.decisions(trial.session, trial.key)) == 1


def test_decide__plan_that_asks__waits_for_a_person(judged, actor):
    trial, decision, now = judged(WINNER, mode=PromotionMode.ASK)
    assert decision.promotion.state is PromotionState.PROPOSED
    assert journeys.standard(trial.session, "shop").number == 1
    assert trial.experiment.status is Status.DECIDED
    applied = approve(trial.session, decision.promotion.id, actor=actor, now=now + DAY)
    assert applied.state is PromotionState.APPLIED
    assert approve(trial.session, applied.id, actor=actor, now=now + 2 * DAY) == applied
    assert journeys.standard(trial.session, "shop").number == 2
    assert trial.experiment.status is Status.PROMOTED


def test_decide__promotion_off__only_says_so(judged):
    trial, decision, _ = judged(WINNER, mode=PromotionMode.OFF)
    assert (decision.outcome, decision.promotion) == (Outcome.PROMOTE, None)
    assert trial.experiment.status is Status.DECIDED


def test_decide__no_difference__continues_and_leaves_the_experiment_running(judged):
    trial, decision, _ = judged({"control": 0.2, "bold": 0.2})
    assert decision.outcome is Outcome.CONTINUE
    assert trial.experiment.status is Status.RUNNING


def test_decide__harmful_treatment__aborts(judged):
    trial, decision, _ = judged({"control": 0.4, "bold": 0.15}, days=4)
    assert decision.outcome is Outcome.ABORT
    assert trial.experiment.status is Status.ABORTED
    assert [told.severity for told in notifications(trial.session)] == [Severity.CRITICAL]


def test_decide__one_harmful_treatment_of_two__is_taken_out(judged):
    trial, decision, _ = judged({"control": 0.4, "bold": 0.15, "calm": 0.4}, days=4)
    assert decision.outcome is Outcome.CONTINUE
    removed = [item.key for item in trial.experiment.variants if item.removed_at is not None]
    assert removed == ["bold"]
    assert trial.experiment.status is Status.RUNNING
    (told,) = notifications(trial.session)
    assert told.what.startswith("Variant \u201cbold\u201d does harm to Signed up.")
    assert trial.experiment.phases[-1].weights.keys() == {"control", "calm"}


def test_decide__horizon_over_without_gain__keeps_the_standard(judged):
    trial, decision, _ = judged({"control": 0.4, "bold": 0.35}, days=14, maximum_days=14)
    assert decision.outcome is Outcome.KEEP
    assert trial.experiment.status is Status.KEPT


def test_decide__before_the_first_look__is_not_found(start_trial, actor, now):
    trial = start_trial()
    with pytest.raises(NotFoundError):
        decide(trial.session, trial.key, actor=actor, now=now)


def test_approve__standard_changed_meanwhile__is_refused_and_writes_nothing(judged, actor):
    trial, decision, now = judged(WINNER, mode=PromotionMode.ASK)
    replace_headline(trial, actor, now)
    with pytest.raises(MergeConflictError, match="landing_page/slots/hero_headline"):
        approve(trial.session, decision.promotion.id, actor=actor, now=now)
    assert slot_of(trial).content == "by-hand"
    assert queries.promotion(trial.session, decision.promotion.id).applied_at is None


@pytest.fixture
def conflict(judged, act, actor):
    """A winner whose slot somebody has changed since the start."""
    trial, _, now = judged({"control": 0.15, "bold": 0.16})
    replace_headline(trial, actor, now)
    trial.expose("bold", 200, at=now, acts=[act("Signed Up", 1)])
    trial.expose("control", 200, at=now)
    later = now + 1.5 * DAY
    analyse(trial.session, trial.key, now=later)
    return trial, decide(trial.session, trial.key, actor=actor, now=later), later


def test_decide__standard_changed_before_the_decision__waits_for_a_person(conflict, actor):
    trial, decision, now = conflict
    assert decision.outcome is Outcome.CONFLICT
    failed = [item.condition for item in decision.trace if item.ruling == "failed"]
    assert failed == ["unchanged standard"]
    assert (trial.experiment.status, decision.promotion.state) == (
        Status.DECIDED,
        PromotionState.PROPOSED,
    )
    assert slot_of(trial).content == "by-hand"
    with pytest.raises(MergeConflictError):
        approve(trial.session, decision.promotion.id, actor=actor, now=now)
    (told,) = notifications(trial.session)
    assert (told.severity, told.subject_key) == (Severity.WARNING, trial.key)


def test_rebase__conflict__puts_the_winner_over_the_change_and_says_by_whom(conflict, actor):
    trial, decision, now = conflict
    number = decision.promotion.id
    made = rebase(trial.session, number, reason="still right", actor=actor, now=now)
    assert (made.state, made.rebased_by) == (PromotionState.APPLIED, str(actor))
    assert trial.experiment.status is Status.PROMOTED
    standard = journeys.standard(trial.session, "shop")
    assert slot_of(trial).content == "headline.bold"
    assert standard.provenance["rebased"] == {
        "base_version": 1,
        "onto_version": 2,
        "changed": ["touchpoints/landing_page/slots/hero_headline"],
        "by": str(actor),
        "reason": "still right",
    }
    assert rebase(trial.session, number, reason="again", actor=actor, now=now) == made
    assert journeys.journey(trial.session, "shop").versions == 3
    assert [e.action for e in entries(trial.session)].count("promotion.rebased") == 1


def test_revert_promotion__rebased__gives_the_change_by_hand_back(conflict, actor):
    trial, decision, now = conflict
    rebase(trial.session, decision.promotion.id, reason="right", actor=actor, now=now)
    revert_promotion(trial.session, decision.promotion.id, reason="no", actor=actor, now=now)
    assert slot_of(trial).content == "by-hand"


def test_decline__conflict__keeps_the_change_and_ends_the_experiment(conflict, actor):
    trial, decision, now = conflict
    number = decision.promotion.id
    made = decline(trial.session, number, reason="ours is better", actor=actor, now=now)
    assert made.state is PromotionState.DECLINED
    assert (trial.experiment.status, slot_of(trial).content) == (Status.KEPT, "by-hand")
    assert decline(trial.session, number, reason="again", actor=actor, now=now) == made
    for step in (approve, partial(rebase, reason="changed my mind")):
        with pytest.raises(ConflictError, match="was declined"):
            step(trial.session, number, actor=actor, now=now)


def test_decline__applied__is_refused(judged, actor):
    trial, decision, now = judged(WINNER)
    with pytest.raises(ConflictError, match="take it back instead"):
        decline(trial.session, decision.promotion.id, reason="no", actor=actor, now=now)


def test_revert_promotion__applied__gives_the_earlier_content_as_a_new_version(judged, actor):
    trial, decision, now = judged(WINNER)
    reverted = revert_promotion(
        trial.session, decision.promotion.id, reason="did not hold", actor=actor, now=now
    )
    assert reverted.state is PromotionState.ROLLED_BACK
    assert slot_of(trial).content == "hero-headline"
    assert journeys.standard(trial.session, "shop").number == 3
    again = revert_promotion(
        trial.session, decision.promotion.id, reason="twice", actor=actor, now=now
    )
    assert again == reverted
    assert journeys.journey(trial.session, "shop").versions == 3
    with pytest.raises(ConflictError):
        approve(trial.session, decision.promotion.id, actor=actor, now=now)


def test_revert_promotion__not_applied_yet__is_refused(judged, actor):
    trial, decision, now = judged(WINNER, mode=PromotionMode.ASK)
    with pytest.raises(ConflictError, match="has not been applied"):
        revert_promotion(trial.session, decision.promotion.id, reason="why", actor=actor, now=now)


def test_revert_promotion__slot_changed_since__is_refused(judged, actor):
    trial, decision, now = judged(WINNER)
    replace_headline(trial, actor, now)
    with pytest.raises(MergeConflictError):
        revert_promotion(trial.session, decision.promotion.id, reason="why", actor=actor, now=now)
