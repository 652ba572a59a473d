import pytest

from experiments.assignment.bucketing import BUCKETS, bucket, ranges
from experiments.assignment.schemas import StoredArm
from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType, Exposing
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Answer, Place, Rung, climb
from experiments.resolution.overrides import Forced
from experiments.resolution.ruleset import (
    ArmRule,
    ExperimentRule,
    HoldoutRule,
    JourneyRule,
    LayerRule,
    Ruleset,
    SlotRule,
    StandardContent,
    TouchpointRule,
)

CONTROL = ArmRule(id=1, key="control", weight=0.5, content=None, defers=True, removed=False)
BOLD = ArmRule(id=2, key="bold", weight=0.5, content="Bold", defers=False, removed=False)
GONE = ArmRule(id=2, key="bold", weight=0.5, content="Bold", defers=True, removed=True)
STANDARD = StandardContent(key="hero", number=3, value="Plain", approved=True)


def experiment(
    key: str = "test",
    *,
    number: int = 1,
    status: Status = Status.RUNNING,
    arms: tuple[ArmRule, ...] = (CONTROL, BOLD),
    coverage: float = 1.0,
    audience: dict[str, object] | None = None,
    layer: LayerRule | None = None,
) -> ExperimentRule:
    return ExperimentRule(
        id=number,
        key=key,
        status=status,
        salt=f"salt of {key}",
        audience=audience or {},
        layer=layer,
        phase_id=1,
        arms=arms,
        stretches=tuple(ranges([arm.weight for arm in arms], coverage)),
    )


def rules(
    *experiments: ExperimentRule,
    holdouts: tuple[HoldoutRule, ...] = (),
    standard: StandardContent | None = STANDARD,
) -> Ruleset:
    slot = SlotRule(key="hero", type=ContentType.STRING, standard=standard, experiments=experiments)
    point = TouchpointRule(
        key="home",
        stage="aware",
        expose=Exposing.ON_RESOLVE,
        slots={"hero": slot},
        reads_attributes=True,
    )
    journey = JourneyRule(key="shop", version=4, touchpoints={"home": point}, holdouts=holdouts)
    return Ruleset(version=9, journeys={"shop": journey})


HOME = Place("shop", "home")


def question(visitor: str | None = "v", **changes: object) -> Question:
    return Question(**({"visitor": visitor} | changes))  # type: ignore[arg-type] # any field varies


def visitor_in(rule: ExperimentRule, arm: int) -> str:
    """An id that the hash puts into that arm."""
    start, end = rule.stretches[arm]
    names = (f"visitor-{number}" for number in range(1000))
    return next(name for name in names if start <= bucket(rule.salt, name) / BUCKETS < end)


def stored(rule: ExperimentRule, variant_id: int) -> dict[int, StoredArm]:
    return {rule.id: StoredArm(variant_id=variant_id, phase_id=1, bucket=0)}


def only(ruleset: Ruleset, asked: Question, place: Place = HOME) -> Answer:
    (answer,) = climb(ruleset, place, asked, traced=True).answers
    return answer


def test_climb__treatment__shows_the_variant() -> None:
    rule = experiment()
    answer = only(rules(rule), question(visitor_in(rule, 1)))
    assert (answer.rung, answer.shown.value) == (Rung.EXPERIMENT, "Bold")
    assert answer.enrolment is not None
    assert answer.enrolment.is_new


def test_climb__control__defers_to_the_standard_and_is_enrolled() -> None:
    rule = experiment()
    answer = only(rules(rule), question(visitor_in(rule, 0)))
    assert (answer.rung, answer.shown.value) == (Rung.STANDARD, "Plain")
    assert answer.enrolment is not None
    assert answer.enrolment.arm is CONTROL
    assert [tried.rung for tried in answer.tried] == list(Rung)[:-1]


def test_climb__stored_arm__wins_over_the_hash() -> None:
    rule = experiment()
    asked = question(visitor_in(rule, 0), arms=stored(rule, BOLD.id))
    answer = only(rules(rule), asked)
    assert answer.shown.value == "Bold"
    assert answer.enrolment is not None
    assert not answer.enrolment.is_new


def test_climb__stored_arm_left_the_audience__stays() -> None:
    rule = experiment(audience={"country": "CH"}, coverage=0.01)
    asked = question(arms=stored(rule, BOLD.id), attributes={"country": "FR"})
    assert only(rules(rule), asked).shown.value == "Bold"


@pytest.mark.parametrize(
    ("status", "is_stored", "shown", "is_enrolled"),
    [
        (Status.DRAFT, True, "Plain", False),
        (Status.SCHEDULED, False, "Plain", False),
        (Status.RUNNING, True, "Bold", True),
        (Status.PAUSED, True, "Plain", False),
        (Status.PAUSED, False, "Plain", False),
        (Status.MATURING, True, "Bold", True),
        (Status.MATURING, False, "Plain", False),
    ],
)
def test_climb__state_of_the_experiment__decides_who_sees_it(
    status: Status, is_stored: bool, shown: str, is_enrolled: bool
) -> None:
    rule = experiment(status=status)
    asked = question(visitor_in(rule, 1), arms=stored(rule, BOLD.id) if is_stored else {})
    answer = only(rules(rule), asked)
    assert answer.shown.value == shown
    assert (answer.enrolment is not None) == is_enrolled


def test_climb__maturing__counts_nothing_more() -> None:
    rule = experiment(status=Status.MATURING)
    answer = only(rules(rule), question(arms=stored(rule, BOLD.id)))
    assert answer.enrolment is not None
    assert not answer.enrolment.is_counted


def test_climb__variant_taken_out__shows_the_standard_and_takes_nobody_new() -> None:
    rule = experiment(arms=(CONTROL, GONE))
    fresh = only(rules(rule), question(visitor_in(rule, 1)))
    assert (fresh.shown.value, fresh.enrolment) == ("Plain", None)
    known = only(rules(rule), question(arms=stored(rule, GONE.id)))
    assert known.shown.value == "Plain"
    assert known.enrolment is not None


def test_climb__no_visitor_id__gets_the_standard_and_no_test() -> None:
    answer = only(rules(experiment()), question(None))
    assert (answer.rung, answer.enrolment) == (Rung.STANDARD, None)


def test_climb__outside_audience_coverage_or_layer__says_so() -> None:
    nobody = LayerRule(key="top", salt="layer", stretch=(0.0, 0.0))
    ruleset = rules(
        experiment("a", number=1, audience={"country": "CH"}),
        experiment("b", number=2, coverage=0.0),
        experiment("c", number=3, layer=nobody),
    )
    answer = only(ruleset, question())
    reason = next(tried.reason for tried in answer.tried if tried.rung is Rung.EXPERIMENT)
    assert "a: the visitor is not in its audience" in reason
    assert "b: the visitor is outside its coverage" in reason
    assert "c: the visitor is outside its part of layer 'top'" in reason
    assert answer.rung is Rung.STANDARD


def test_climb__layer__each_visitor_is_in_one_of_its_experiments() -> None:
    ruleset = rules(
        experiment("a", number=1, layer=LayerRule(key="top", salt="layer", stretch=(0.0, 0.3))),
        experiment("b", number=2, layer=LayerRule(key="top", salt="layer", stretch=(0.3, 1.0))),
    )
    found = [only(ruleset, question(f"v{number}")).enrolment for number in range(500)]
    keys = [enrolment.experiment.key for enrolment in found if enrolment]
    assert len(keys) == 500
    assert 0.2 < keys.count("a") / 500 < 0.4


def test_climb__control_of_one_experiment__is_in_no_other_of_the_slot() -> None:
    first, second = experiment("a", number=1), experiment("b", number=2)
    answer = only(rules(first, second), question(arms=stored(second, CONTROL.id)))
    assert answer.enrolment is not None
    assert answer.enrolment.experiment is second
    assert answer.rung is Rung.STANDARD


def test_climb__holdout__keeps_out_its_share_and_nobody_else() -> None:
    holdout = HoldoutRule(key="quiet", salt="held", share=0.2, audience={})
    ruleset = rules(experiment(), holdouts=(holdout,))
    answers = [only(ruleset, question(f"v{number}")) for number in range(1000)]
    held = [answer for answer in answers if answer.enrolment is None]
    assert 150 < len(held) < 250
    assert all("quiet" in answer.tried[2].reason for answer in held)
    assert {answer.shown.value for answer in held} == {"Plain"}


def test_climb__preview__shows_the_variant_and_takes_no_part() -> None:
    rule = experiment(status=Status.DRAFT)
    answer = only(rules(rule), question(forced=Forced(experiment="test", variant="bold")))
    assert (answer.rung, answer.shown.value) == (Rung.FORCED, "Bold")
    assert answer.enrolment is None


def test_climb__preview_of_the_control__shows_the_standard_and_takes_no_part() -> None:
    answer = only(
        rules(experiment()), question(forced=Forced(experiment="test", variant="control"))
    )
    assert (answer.rung, answer.enrolment) == (Rung.STANDARD, None)


def test_climb__expired_preview__is_said_and_ignored() -> None:
    answer = only(rules(experiment()), question(preview_refused=True))
    assert "expired" in answer.tried[0].reason
    assert answer.enrolment is not None


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (Place("x", "home"), "there is no standard journey 'x'"),
        (Place("shop", "x"), "the journey has no touchpoint 'x'"),
        (Place("shop", "x", ("hero",)), "the journey has no touchpoint 'x'"),
    ],
)
def test_climb__unknown_place__falls_back_with_a_reason(place: Place, reason: str) -> None:
    answer = only(rules(), question(fallback={"hero": "Own"}), place)
    assert (answer.rung, answer.shown.value) == (Rung.FALLBACK, "Own")
    assert answer.tried[-1].reason == reason


def test_climb__unknown_slot__falls_back_and_the_others_answer() -> None:
    place = Place("shop", "home", ("hero", "x"))
    answers = climb(rules(), place, question(fallback={"x": 1})).answers
    assert [(answer.rung, answer.shown.value) for answer in answers] == [
        (Rung.STANDARD, "Plain"),
        (Rung.FALLBACK, 1),
    ]


def test_climb__traced_or_not__answers_the_same() -> None:
    rule = experiment(audience={"plan": "pro"})
    for asked in (question(), question(attributes={"plan": "pro"}), question(None)):
        plain = climb(rules(rule), HOME, asked).answers
        traced = climb(rules(rule), HOME, asked, traced=True).answers
        assert plain == tuple(answer._replace(tried=()) for answer in traced)


@pytest.mark.parametrize(
    "standard", [None, StandardContent(key="hero", number=4, value="New", approved=False)]
)
def test_climb__standard_content_missing_or_not_approved__falls_back(
    standard: StandardContent | None,
) -> None:
    answer = only(rules(standard=standard), question(fallback={"hero": "Own"}))
    assert (answer.rung, answer.shown.value) == (Rung.FALLBACK, "Own")
