"""A promotion on probation as the pages show it."""

import pytest

from experiments.analysis.service import analyse
from experiments.database import transaction
from experiments.decisions.models import Decision, Promotion
from experiments.decisions.settling import approve
from experiments.design.models import Experiment
from experiments.probation import service as probation
from experiments.probation.schemas import ProbationState, Realised


@pytest.fixture
def applied(database, signup, launch, actor, now):
    """A test whose winner became the standard; gives the number of the promotion."""
    with transaction(database) as session:
        test = launch(session)
        run = analyse(session, test.key, now=now)
        decision = Decision(
            experiment_id=test.id, run_id=run.id, look=1, data_hash="h", outcome="promote",
            variant="pain", sentence="It wins.", trace=[], actor="job:decide", at=now,
        )  # fmt: skip
        session.add(decision)
        session.flush()
        belief = {
            "prior_sd": 0.03, "observed_log": 0.1, "observed_se_log": 0.03, "chance_to_win": 0.98,
            "expected_loss": 0.001, "effect_rel": 0.051, "ci_low": 0.01, "ci_high": 0.09,
        }  # fmt: skip
        row = Promotion(
            decision_id=decision.id, experiment_id=test.id, journey_id=1, variant="pain",
            state="proposed", predicted={"belief": belief}, actor="job:decide", proposed_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.get_one(Experiment, test.id).status = "decided"
        return approve(session, row.id, actor=actor, now=now).id


def judged(database, number, actor, now):
    """Fresh data have verified the promotion."""
    with transaction(database) as session:
        row = probation.locked(session, number)
        fresh = Realised(
            effect_rel={"value": 0.048, "ci_low": 0.012, "ci_high": 0.085},
            effect_log=0.047, se_log=0.018, promoted=18_000, before=2_000, as_of=now,
        )  # fmt: skip
        probation.note(session, row, realised=fresh, sentence="It held.", trace=[])
        state = ProbationState.VERIFIED
        probation.conclude(session, row, state, sentence="It held.", actor=actor, now=now)


def test_experiment__promotion_on_probation__shows_claim_rule_and_how_to_end_it(alice, applied):
    page = alice.get("/experiments/headline")
    assert "10% of the visitors keep what was standard before" in page
    assert "+5.1%" in page
    ended = alice.post(
        f"/experiments/headline/promotions/{applied}/probation/end", reason="make room"
    )
    assert "make room" in ended
    assert "End the probation" not in ended


def test_experiment__the_comparison_itself__offers_no_steps(alice, applied):
    page = alice.get(f"/experiments/headline.probation-{applied}")
    assert "Probation of Headline" in page
    assert "Open a phase" not in page
    assert "Pause" not in page


def test_calibration__before_and_after_an_end__shows_claims_beside_fresh_data(
    alice, database, applied, actor, now
):
    assert "No probation has come to its end yet" in alice.get("/calibration")
    judged(database, applied, actor, now)
    page = alice.get("/calibration")
    assert "1 of 1" in page
    assert "+4.8%" in page
    assert "<svg" in page


def test_versions__promoted_version__tells_how_its_probation_went(
    alice, database, applied, actor, now
):
    judged(database, applied, actor, now)
    page = alice.get("/journeys/signup/versions")
    assert "verified" in page
    assert "+4.8%" in page


def test_report__running_probation__asks_whether_it_holds(alice, applied):
    page = alice.get("/reports/so-far")
    assert "Does what was promoted hold?" in page


def test_calibration__viewer__cannot_end_anything(bob, applied):
    assert "End the probation" not in bob.get("/experiments/headline")
    bob.post(f"/experiments/headline/promotions/{applied}/probation/end", 403, reason="r")


def test_experiment__ramp_that_asks__shows_its_gates_and_takes_the_approval(
    alice, database, signup, launch
):
    ramp = [{"coverage": 1.0, "after_hours": 24, "approval": True}]
    with transaction(database) as session:
        launch(session, coverage=0.1, ramp=ramp)
    page = alice.get("/experiments/headline")
    assert "Ramp: step 1 of 1" in page
    assert "A person must approve it." in page
    approved = alice.post("/experiments/headline/steps/approve-step")
    assert "A person approved it." in approved
