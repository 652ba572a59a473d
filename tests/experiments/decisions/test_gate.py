"""The gate, on readouts that the engine makes of counts written by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.analysis.data import Cell, Delays, ExperimentData, SplitCount
from experiments.analysis.engine import read
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.schemas import Readout, Role
from experiments.decisions.gate import judge
from experiments.decisions.schemas import Condition, Outcome, Ruling, Verdict
from experiments.decisions.trust import Facts
from experiments.design.plans import Method, OnHarm, Plan
from experiments.metrics.schemas import MetricKind, MetricOut

AS_OF = datetime(2026, 3, 30, tzinfo=UTC)
RUNNING = Facts(enrolling=True)
FAIR = {"control": (10_000, 1_000)}


def question(key: str, role: Role, margin: float | None = None) -> Question:
    metric = MetricOut(
        id=1,
        key=key,
        name=key,
        kind=MetricKind.CONVERSION,
        rule={"event": key},
        value_property="",
        denominator=None,
        window_hours=24,
        direction="increase",
        winsorise_above=None,
        unit="",
        description="",
        created_at=AS_OF,
    )
    return Question(metric=metric, roles=(role,), margin=margin)


def cell(variant: str, visitors: int, conversions: int, hours: float | None = None) -> Cell:
    """An arm whose converters took so many hours, exponentially, if that is known."""
    rate = conversions / visitors
    delays = None if hours is None else Delays(mean=hours, m2=conversions * hours**2)
    return Cell(
        variant=variant,
        phase=1,
        visitors=visitors,
        matured=visitors,
        conversions=conversions,
        means=(rate,),
        comoments=((visitors * rate * (1 - rate),),),
        observed_conversions=conversions,
        observed_total=conversions,
        delays=delays,
    )


def readout(
    arms: dict[str, tuple[int, int]],
    *,
    guarded: dict[str, tuple[int, int]] | None = None,
    shown: dict[str, int] | None = None,
    hours: dict[str, float] | None = None,
    contaminated: int = 0,
    newest_at: datetime = AS_OF,
    plan: Plan | None = None,
    **protocol: Any,
) -> Readout:
    """One look at arms of (visitors, conversions), half-way unless said otherwise."""
    questions = [question("buys", Role.PRIMARY)]
    cells = {"buys": [cell(arm, *counts, (hours or {}).get(arm)) for arm, counts in arms.items()]}
    if guarded is not None:
        questions.append(question("stays", Role.GUARDRAIL, margin=0.05))
        cells["stays"] = [cell(arm, *counts) for arm, counts in guarded.items()]
    visitors = shown or {arm: counts[0] for arm, counts in arms.items()}
    split = [SplitCount(phase=1, hour=None, variant=a, visitors=n) for a, n in visitors.items()]
    data = ExperimentData(cells=cells, split=split, contaminated=contaminated, newest_at=newest_at)
    keys = list(arms)
    asked = {
        "calendar_fraction": 0.5,
        "matured_days": 14.0,
        "finished": False,
        **protocol,
    }
    return read(
        data,
        Protocol(
            experiment="headline",
            as_of=AS_OF,
            control=keys[0],
            treatments=tuple(keys[1:]),
            weights={1: dict.fromkeys(keys, 1 / len(keys))},
            plan=plan or Plan(),
            questions=tuple(questions),
            **asked,
        ),
        earlier={},
    )


def verdict(*, facts: Facts = RUNNING, plan: Plan | None = None, **fields: Any) -> Verdict:
    plan = plan or Plan()
    return judge(readout(plan=plan, **fields), plan, facts)


def condition(found: Verdict, name: str, variant: str | None = None) -> Condition:
    named = (item for item in found.trace if item.condition == name and item.variant == variant)
    return next(named)


WINNER = FAIR | {"bold": (10_000, 1_250)}
OVER = {"calendar_fraction": 1.0, "matured_days": 28.0, "finished": True}


def test_judge__clear_winner__is_promoted_with_every_condition_passed():
    found = verdict(arms=WINNER)
    assert (found.outcome, found.variant) == (Outcome.PROMOTE, "bold")
    assert {item.ruling for item in found.trace} == {Ruling.PASSED}
    assert found.sentence.startswith("Variant “bold” wins on buys: +25.0% measured")


def test_judge__variant_has_a_name__is_called_by_it_in_every_sentence():
    named = Facts(enrolling=True, names={"bold": "Bold promise"})
    found = verdict(facts=named, arms=WINNER)
    assert found.sentence.startswith("Variant “Bold promise” wins on buys")
    about = [item.words for item in found.trace if item.variant == "bold"]
    assert not any("bold" in words for words in about)
    assert any("“Bold promise” is better on buys" in words for words in about)


def test_judge__larger_rate_without_evidence__continues():
    found = verdict(arms=FAIR | {"bold": (10_000, 1_030)})
    assert found.outcome is Outcome.CONTINUE
    assert condition(found, "evidence", "bold").ruling is Ruling.WAITING


@pytest.mark.parametrize(
    ("fields", "name", "variant"),
    [
        ({"shown": {"control": 10_000, "bold": 9_000}}, "planned split", None),
        ({"contaminated": 200}, "one arm per visitor", None),
        ({"newest_at": AS_OF - timedelta(hours=49)}, "fresh data", None),
        ({"matured_days": 6.9}, "maturity", None),
        (
            {"facts": Facts(enrolling=True, flips={"bold": ("banner",)})},
            "no interference",
            "bold",
        ),
        (
            {"facts": Facts(enrolling=True, worse_beside={"bold": ("banner",)})},
            "no interference",
            "bold",
        ),
        (
            {"guarded": {"control": (10_000, 5_000), "bold": (10_000, 4_800)}},
            "guardrail",
            "bold",
        ),
        (
            {"plan": Plan(minimum_conversions=1_001)},
            "enough conversions",
            "bold",
        ),
        (
            {"plan": Plan(method=Method.BAYESIAN), "arms": FAIR | {"bold": (10_000, 1_110)}},
            "chance to win",
            "bold",
        ),
    ],
)
def test_judge__one_condition_open__nothing_is_promoted(fields, name, variant):
    found = verdict(**{"arms": WINNER, **fields})
    assert found.outcome is Outcome.CONTINUE
    assert condition(found, name, variant).ruling is not Ruling.PASSED


def test_judge__bayesian_plan__promotes_a_clear_winner_only_with_the_evidence():
    plan = Plan(method=Method.BAYESIAN)
    arms = {"control": (100_000, 10_000), "bold": (100_000, 11_500)}
    found = verdict(arms=arms, plan=plan)
    assert found.outcome is Outcome.PROMOTE
    assert condition(found, "chance to win", "bold").figure > 0.95
    assert condition(found, "evidence", "bold").ruling is Ruling.PASSED


def test_judge__several_winners__promotes_the_one_believed_best():
    found = verdict(arms=WINNER | {"calm": (10_000, 1_350)})
    assert (found.outcome, found.variant) == (Outcome.PROMOTE, "calm")


def test_judge__only_treatment_does_harm__aborts():
    found = verdict(arms=FAIR | {"bold": (10_000, 700)})
    assert (found.outcome, found.harmed) == (Outcome.ABORT, ["bold"])
    assert "does harm to buys" in found.sentence


def test_judge__one_of_two_treatments_does_harm__goes_on_without_it():
    found = verdict(arms=FAIR | {"bold": (10_000, 700), "calm": (10_000, 1_010)})
    assert (found.outcome, found.harmed) == (Outcome.CONTINUE, ["bold"])


def test_judge__harm_on_a_guardrail__aborts_a_winner():
    guarded = {"control": (10_000, 5_000), "bold": (10_000, 4_000)}
    found = verdict(arms=WINNER, guarded=guarded)
    assert found.outcome is Outcome.ABORT


def test_judge__broken_split__is_not_mistaken_for_harm():
    arms = {"control": (10_000, 1_000), "bold": (6_000, 600)}
    found = verdict(arms=arms)
    assert (found.outcome, found.harmed) == (Outcome.CONTINUE, [])
    assert "did not split as planned" in found.sentence


def test_judge__proven_on_a_standard_that_has_changed__is_a_conflict_for_a_person():
    facts = Facts(enrolling=True, changed_nodes=("touchpoints/x/slots/y",))
    found = verdict(arms=WINNER, facts=facts)
    assert (found.outcome, found.variant) == (Outcome.CONFLICT, "bold")
    assert "has changed at touchpoints/x/slots/y" in found.sentence
    assert condition(found, "unchanged standard").ruling is Ruling.FAILED


def test_judge__horizon_over_and_no_gain_worth_having__is_neutral():
    found = verdict(arms=FAIR | {"bold": (10_000, 1_005)}, **OVER)
    assert found.outcome is Outcome.NEUTRAL
    assert "10%" in found.sentence


def test_judge__horizon_over_and_every_variant_worse__keeps_the_standard():
    found = verdict(arms=FAIR | {"bold": (10_000, 890), "calm": (10_000, 895)}, **OVER)
    assert (found.outcome, found.harmed) == (Outcome.KEEP, [])


def test_judge__horizon_over_and_only_sooner__says_sooner():
    found = verdict(
        arms=FAIR | {"bold": (10_000, 1_010)}, hours={"control": 20.0, "bold": 8.0}, **OVER
    )
    assert (found.outcome, found.variant) == (Outcome.SOONER, "bold")
    assert "12 hours sooner and not more often" in found.sentence


def test_judge__sooner_and_fewer__is_no_head_start_but_worse():
    found = verdict(
        arms={"control": (10_000, 1_000), "bold": (10_000, 890)},
        hours={"control": 20.0, "bold": 8.0},
        **OVER,
    )
    assert found.outcome is Outcome.KEEP


def test_judge__more_and_sooner__is_promoted():
    found = verdict(arms=WINNER, hours={"control": 20.0, "bold": 8.0})
    assert found.outcome is Outcome.PROMOTE
    assert condition(found, "more, not only sooner", "bold").figure == pytest.approx(-12)


def test_judge__sooner_in_the_middle__waits():
    found = verdict(arms=FAIR | {"bold": (10_000, 1_010)}, hours={"control": 20.0, "bold": 8.0})
    assert found.outcome is Outcome.CONTINUE
    assert condition(found, "more, not only sooner", "bold").ruling is Ruling.WAITING


def test_judge__plan_aborts_on_harm__one_harmful_treatment_ends_it():
    plan = Plan(on_harm=OnHarm.ABORT)
    found = verdict(arms=FAIR | {"bold": (10_000, 700), "calm": (10_000, 1_010)}, plan=plan)
    assert (found.outcome, found.harmed) == (Outcome.ABORT, ["bold"])


def test_judge__nobody_converts_in_a_variant__calls_it_dead():
    found = verdict(arms={"control": (500, 50), "bold": (500, 0)})
    assert found.outcome is Outcome.ABORT
    assert "is dead: none of its 500 visitors counts on buys" in found.sentence


def test_judge__horizon_over_and_a_gain_still_possible__is_inconclusive():
    found = verdict(arms={"control": (2_000, 200), "bold": (2_000, 215)}, **OVER)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert condition(found, "evidence", "bold").ruling is Ruling.FAILED


def test_judge__horizon_over_with_a_broken_split__trusts_nothing():
    found = verdict(arms=WINNER, shown={"control": 10_000, "bold": 8_000}, **OVER)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.sentence.startswith("The data cannot be trusted.")


def test_judge__removed_variant__is_left_out():
    facts = Facts(enrolling=True, removed=frozenset({"bold"}))
    found = verdict(arms=WINNER | {"calm": (10_000, 1_010)}, facts=facts)
    assert found.outcome is Outcome.CONTINUE
    assert "bold" not in {item.variant for item in found.trace}


def test_judge__nobody_exposed__continues_with_reasons():
    found = verdict(arms={"control": (1, 0), "bold": (1, 0)}, matured_days=0.0)
    assert found.outcome is Outcome.CONTINUE
    assert Verdict.model_validate_json(found.model_dump_json()) == found


@given(
    treatment=st.integers(0, 2_000),
    guarded=st.integers(4_000, 5_500),
    contaminated=st.integers(0, 400),
    lost=st.integers(0, 1_500),
    days=st.floats(0, 28),
    hours=st.floats(1, 40),
    finished=st.booleans(),
    changed=st.booleans(),
    flipped=st.booleans(),
    method=st.sampled_from(Method),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_judge__whatever_the_readout__promotes_only_what_passed_everything(
    treatment, guarded, contaminated, lost, days, hours, finished, changed, flipped, method
):
    facts = Facts(
        enrolling=True,
        changed_nodes=("touchpoints/x",) if changed else (),
        flips={"bold": ("banner",)} if flipped else {},
    )
    found = verdict(
        facts=facts,
        plan=Plan(method=method),
        arms=FAIR | {"bold": (10_000, treatment)},
        guarded={"control": (10_000, 5_000), "bold": (10_000, guarded)},
        shown={"control": 10_000, "bold": 10_000 - lost},
        contaminated=contaminated,
        matured_days=days,
        hours={"control": 20.0, "bold": hours},
        finished=finished,
    )
    passed = all(item.ruling is Ruling.PASSED for item in found.trace)
    assert (found.outcome is Outcome.PROMOTE) == passed
    if finished:
        assert found.outcome is not Outcome.CONTINUE


@given(ahead=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_judge__merely_the_larger_rate__is_never_promoted(ahead):
    for fields in ({}, OVER):
        found = verdict(arms={"control": (2_000, 200), "bold": (2_000, 200 + ahead)}, **fields)
        evidence = condition(found, "evidence", "bold").ruling is Ruling.PASSED
        assert evidence or found.outcome is not Outcome.PROMOTE
        assert ahead > 30 or found.outcome is not Outcome.PROMOTE
