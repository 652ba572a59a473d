"""A month in which everything changes: each logged answer is the answer of the replay."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import insert

from experiments.analysis.service import analyse
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.database import reading, transaction
from experiments.decisions.schemas import Outcome
from experiments.decisions.service import decide
from experiments.decisions.settling import revert_promotion
from experiments.design import exclusion
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.schemas import HoldoutIn, PhaseIn
from experiments.errors import NotFoundError
from experiments.events.models import Event
from experiments.journeys import service as journeys
from experiments.replay.log import drop_old
from experiments.replay.proving import prove
from experiments.replay.queries import answer, answer_out, logged, replay
from experiments.replay.rewinding import ruleset_as_of
from experiments.replay.schemas import ReplayIn
from experiments.resolution.ladder import Place
from experiments.resolution.resolver import Asker
from experiments.runtime import open_runtime
from experiments.settings import Settings

DAY = timedelta(days=1)
VISITORS = [f"visitor-{number}" for number in range(40)]
PLACES = [Place("signup", "landing_page"), Place("signup", "plan_page")]
THREE = [
    {"key": "control", "control": True, "weight": 0.4},
    {"key": "pain", "weight": 0.4, "content": "Stop losing time."},
    {"key": "gain", "weight": 0.2, "content": "Win time."},
]


@pytest.fixture
def runtime(engine, tmp_path, clock):
    settings = Settings(data_dir=tmp_path, secret_key="k", resolution_log_share=1)
    opened = open_runtime(settings, clock, engine=engine)
    yield opened
    opened.close()


@pytest.fixture
def month(runtime, signup, launch, actor, now, rng):
    """Plays the month; the number of answers given."""
    given = 0

    def then(day, change=None):
        nonlocal given
        at = now + day * DAY
        if change is not None:
            with transaction(runtime.engine) as session:
                change(session, at)
        runtime.rulesets.look()
        rules = runtime.rulesets.current()
        for visitor, place in product(
            [*VISITORS, *(f"new-on-{day}-{n}" for n in range(8))], PLACES
        ):
            runtime.resolver.visit(rules, place, Asker(visitor=visitor), now=at + DAY / 2)
            given += 1

    def acting(step, *words, **fields):
        return lambda session, at: step(session, *words, actor=actor, now=at, **fields)

    holdout = HoldoutIn(key="out", name="Kept out", journey="signup", share=0.3)
    plan = {"promotion": "automatic", "maximum_days": 28}
    then(0, lambda session, _: signup(session))
    then(1, lambda session, _: launch(session, variants=THREE, coverage=0.5, plan=plan))
    then(2, acting(design.open_phase, "headline", PhaseIn(coverage=0.9, reason="more")))
    then(3, acting(exclusion.create_holdout, holdout, rng=rng))
    then(4, acting(design.pause, "headline", reason="look"))
    then(5, acting(design.resume, "headline"))
    then(6, acting(design.remove_variant, "headline", "gain", reason="enough"))
    then(7, acting(exclusion.end_holdout, "out", reason="enough"))
    then(23)
    then(24, lambda session, at: decided(session, actor=actor, at=at))
    then(25, acting(revert_promotion, 1, reason="it did not hold"))
    then(26, acting(journeys.revert, "signup", 2, reason="by hand"))
    runtime.commits.stop()
    return given


def decided(session, *, actor, at):
    """So many convert in one arm that it is promoted and put on probation."""
    found = designs.experiment(session, "headline")
    first = 100_000
    for arm, converted in (("control", 150), ("pain", 400)):
        people = range(first, first := first + 600)
        crowd(session, found, arm, people, converted, at=at - 15 * DAY)
    analyse(session, "headline", now=at)
    decision = decide(session, "headline", actor=actor, now=at)
    assert decision.outcome is Outcome.PROMOTE, decision.sentence


def crowd(session, found, arm, people, converted, *, at):
    variant = next(item.id for item in found.variants if item.key == arm)
    place = {
        "experiment_id": found.id,
        "variant_id": variant,
        "phase_id": found.phases[-1].id,
    }
    claim = {"bucket": 0, "propensity": 0.5, "method": "hash", "contaminated": False}
    run = session.connection().execute
    run(insert(Visitor), [{"id": number, "created_at": at} for number in people])
    rows = [{"visitor_id": number, **place} for number in people]
    run(insert(Assignment), [{**row, **claim, "assigned_at": at} for row in rows])
    run(insert(Exposure), [{**row, "first_at": at, "count": 1} for row in rows])
    did = {"source_key": "t", "type": "track", "name": "Signed Up", "source": "web"}
    when = {"occurred_at": at + DAY / 24, "received_at": at + DAY / 24, "properties": {}}
    run(
        insert(Event),
        [{"visitor_id": n, "message_id": str(n), **did, **when} for n in people[:converted]],
    )


@pytest.mark.slow
def test_replay__month_of_changes__equals_every_logged_answer(month, runtime):
    proof = prove(runtime.engine)
    assert (proof.logged, proof.equal, proof.differing) == (month, month, [])
    with reading(runtime.engine) as session:
        found = logged(session, limit=10_000)
        rules = {item: ruleset_as_of(session, item) for item in {one.ruleset for one in found}}
        differing = [
            (one, said)
            for one in found
            if (said := replayed(session, rules[one.ruleset], one)) != one.answers
        ]
    assert differing == []  # what is stored says the same as what was noted
    assert len(found) == month
    assert len(rules) == 11
    seen = {item.source for one in found for item in one.answers.values()}
    assert {"experiment", "standard"} <= seen
    met = {(item.experiment, item.variant) for one in found for item in one.answers.values()}
    assert len({key for key, _ in met if key}) == 2  # the test and its probation


def replayed(session, rules, one):
    asked = ReplayIn(visitor=one.visitor, journey=one.journey, touchpoint=one.touchpoint, at=one.at)
    return {item.slot: answer_out(item) for item in answer(session, rules, asked).answers}


def test_replay__day_of_the_pause__says_what_was_shown_beside_what_was_logged(month, runtime, now):
    def on(day):
        asked = ReplayIn(
            visitor=VISITORS[0],
            journey="signup",
            touchpoint="landing_page",
            at=now + day * DAY + DAY / 2,
        )
        with reading(runtime.engine) as session:
            return replay(session, asked)

    paused = on(4)
    assert paused.slots["hero_headline"].source == "standard"
    assert [one.answers["hero_headline"].source for one in paused.logged] == ["standard"]
    assert paused.is_noted
    with pytest.raises(NotFoundError):
        on(-1)
    with transaction(runtime.engine) as session:
        assert drop_old(session, before=now + 10 * DAY) > 0
    assert on(4).logged == []
    assert on(4).slots == paused.slots
    assert not on(4).is_noted
