"""Two experiments on the same visitors: what a scan finds, stores, tells and holds back."""

from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from sqlalchemy import insert, text

from experiments.analysis.data import Cell
from experiments.analysis.service import analyse
from experiments.analysis.strata import combined_cells
from experiments.assignment.models import Assignment, Exposure
from experiments.audit.queries import entries
from experiments.decisions.models import Decision, Promotion
from experiments.decisions.neighbours import Turn, turned
from experiments.decisions.schemas import Outcome
from experiments.decisions.service import decide
from experiments.design import service as design
from experiments.design.plans import Plan
from experiments.interference.queries import interferences
from experiments.interference.service import scan, write
from experiments.metrics.schemas import MetricKind
from experiments.notifications.queries import notifications

DAY = timedelta(days=1)
ARMS = ("control", "bold")


@pytest.fixture
def both(start_trial, act, actor, now):
    """Runs two experiments and sends 300 visitors into each of the four combinations of arms."""
    first = start_trial(plan=Plan(minimum_days=7, maximum_days=28))
    second = start_trial("banner", touchpoint="plan_page", slot="plan_claim")

    def play(rates):
        other = second.experiment
        phase = other.phases[0].id
        for (one, two), rate in zip(product(ARMS, ARMS), rates, strict=True):
            before = next(first.numbers)
            converted = round(300 * rate)
            first.expose(one, converted, acts=[act("Signed Up", 1)])
            first.expose(one, 300 - converted)
            people = range(before + 1, next(first.numbers))
            arm = next(item.id for item in other.variants if item.key == two)
            place = {"experiment_id": other.id, "variant_id": arm, "phase_id": phase}
            claim = {"bucket": 0, "propensity": 0.5, "method": "hash", "assigned_at": now}
            rows = [{"visitor_id": number, **place} for number in people]
            run = first.session.connection().execute
            run(insert(Assignment), [{**row, **claim, "contaminated": False} for row in rows])
            run(insert(Exposure), [{**row, "first_at": now, "count": 1} for row in rows])
        # PostgreSQL knows nothing of rows this new, and would join them pair by pair.
        first.session.connection().execute(text("ANALYZE"))
        return first, second

    return play


def scanned(trial, actor, at):
    found = scan(trial.session, as_of=at)
    return write(trial.session, found, as_of=at, actor=actor, now=at)


def test_scan__effects_add__flags_nothing_and_keeps_the_figures(both, actor, now):
    first, _ = both((0.2, 0.3, 0.3, 0.4))
    assert scanned(first, actor, now + 2 * DAY) == []
    (row,) = interferences(first.session, first.key)
    assert (row.variant, row.other, row.other_variant) == ("bold", "banner", "bold")
    assert (row.effect_beside_control, row.effect_beside_variant) == pytest.approx((0.1, 0.1))
    assert (row.visitors, row.flagged, row.flips) == (1200, False, False)
    assert notifications(first.session) == []


def test_scan__effect_turns_around__is_told_once_and_holds_the_promotion_back(both, actor, now):
    first, second = both((0.1, 0.6, 0.9, 0.45))
    session = first.session
    for day in (2, 3):
        assert scanned(first, actor, now + day * DAY) == ["banner", "headline"]
    (row,) = interferences(session, first.key)
    assert (row.flips, row.as_of) == (True, now + 3 * DAY)
    assert len(notifications(session, subject_key=first.key)) == 1
    found = [e.action for e in entries(session)].count("experiment.interference_found")
    assert found == 2  # once for each of the two
    at = now + 9 * DAY
    first.expose("control", at=now + 8.5 * DAY)
    analyse(session, first.key, now=at)
    held = decide(session, first.key, actor=actor, now=at)
    still_open = [item.condition for item in held.trace if item.ruling != "passed"]
    assert (held.outcome, still_open) == (Outcome.CONTINUE, ["no interference"])
    design.abort(session, second.key, reason="in the way", actor=actor, now=at)
    first.expose("control", at=at)
    analyse(session, first.key, now=at + DAY / 2)
    let_through = decide(session, first.key, actor=actor, now=at + DAY / 2)
    assert let_through.outcome is Outcome.PROMOTE


@pytest.mark.parametrize(("state", "in_the_way"), [("applied", True), ("rolled_back", False)])
def test_turned__other_ended__asks_what_is_the_standard_now(both, actor, now, state, in_the_way):
    first, second = both((0.1, 0.6, 0.9, 0.45))
    session, other = first.session, second.experiment
    scanned(first, actor, now + 2 * DAY)
    design.abort(session, other.key, reason="by hand", actor=actor, now=now + 3 * DAY)
    look = analyse(session, first.key, now=now + 3 * DAY)
    place = {"experiment_id": other.id, "variant": "bold", "actor": "alice"}
    rest = {"look": 1, "data_hash": "", "outcome": "promote", "sentence": "", "trace": []}
    session.add(Decision(id=1, run_id=look.id, at=now, **place, **rest))
    session.flush()
    session.add(
        Promotion(decision_id=1, journey_id=1, state=state, predicted={}, proposed_at=now, **place)
    )
    session.flush()
    found = turned(session, first.experiment)
    assert not found[Turn.MAY_COME]
    assert found[Turn.HAS_COME] == ({"bold": ("banner",)} if in_the_way else {})


def test_scan__effect_only_grows__warns_and_holds_nothing_back(both, actor, now):
    first, _ = both((0.1, 0.1, 0.2, 0.6))
    assert scanned(first, actor, now + 2 * DAY) == ["banner", "headline"]
    (row,) = interferences(first.session, first.key)
    assert (row.flagged, row.flips) == (True, False)
    assert not any(turned(first.session, first.experiment).values())


def test_scan__too_few_conversions_in_a_cell__says_nothing(both, actor, now):
    first, _ = both((0.05, 0.3, 0.3, 0.3))
    assert scan(first.session, as_of=now + 2 * DAY) == []


def test_scan__nobody_shared__asks_nothing(start_trial, act, now):
    trial = start_trial()
    start_trial("banner", touchpoint="plan_page", slot="plan_claim")
    trial.expose("bold", 500, acts=[act("Signed Up", 1)])
    assert scan(trial.session, as_of=now + 2 * DAY) == []


def test_combined_cells__two_phases__weighs_as_counted_by_hand():
    def cell(phase, visitors, conversions):
        rate = conversions / visitors
        return Cell(
            variant="any",
            phase=phase,
            visitors=visitors,
            matured=visitors,
            conversions=conversions,
            means=(rate,),
            comoments=((0.0,),),
            observed_conversions=conversions,
            observed_total=conversions,
        )

    groups = [[cell(1, 100, 10), cell(2, 400, 80)], [cell(1, 300, 90), cell(2, 400, 40)]]
    weights = np.array([1 / (1 / 100 + 1 / 300), 1 / (1 / 400 + 1 / 400)])
    weights /= weights.sum()
    first, second = combined_cells(groups, kind=MetricKind.CONVERSION)
    assert first.value == pytest.approx(weights @ [0.1, 0.2])
    assert second.value == pytest.approx(weights @ [0.3, 0.1])
