"""Weeks on several paths: each logged answer is given again from what was noted with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from experiments.assignment import service as assignment
from experiments.database import reading, transaction
from experiments.design import exclusion
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn, HoldoutIn
from experiments.events import service as events
from experiments.jobs.locating import locate
from experiments.journeys import queries as journeys
from experiments.journeys import service as journey_service
from experiments.journeys.schemas import InFlight, VersionIn
from experiments.metrics import service as metrics
from experiments.metrics.schemas import MetricIn
from experiments.replay.log import ResolutionLog
from experiments.replay.proving import prove
from experiments.replay.queries import logged, replay
from experiments.replay.schemas import ReplayIn
from experiments.resolution.ladder import Place
from experiments.resolution.memory import Memory
from experiments.resolution.resolver import Asker, Resolver
from experiments.resolution.spool import Spool
from experiments.runtime import open_runtime
from experiments.settings import Settings

DAY = timedelta(days=1)
VISITORS = [f"visitor-{number}" for number in range(30)]
PLACES = [Place("signup", key) for key in ("landing_page", "first_steps", "plan_page")]
EXPERIMENT = {
    "key": "short",
    "name": "Short",
    "journey": "signup",
    "level": "path",
    "primary_metric": "subscribed",
    "audience": {"country": "DE"},
    "variants": [
        {"key": "control", "control": True, "weight": 0.5},
        {
            "key": "short",
            "weight": 0.5,
            "patch": {"operations": [{"op": "skip_touchpoint", "touchpoint": "plan_page"}]},
        },
    ],
}
SUBSCRIBED = {
    "key": "subscribed",
    "name": "Subscribed",
    "rule": {"event": "Subscribed"},
    "window_hours": 24,
}


@pytest.fixture
def runtime(tmp_path, sqlite_engine, clock):
    settings = Settings(data_dir=tmp_path, secret_key="k", resolution_log_share=1, seed=1)
    opened = open_runtime(settings, clock, engine=sqlite_engine)
    resolver = Resolver(
        opened.engine,
        opened.commits,
        Spool(tmp_path / "spool"),
        memory=Memory(keep_seconds=0),  # the days pass faster than it forgets
        note=ResolutionLog(commits=opened.commits, share=1).note,
    )
    yield replace(opened, resolver=resolver)
    opened.close()


@pytest.fixture
def play(runtime, clock, now):
    """Lets a day pass: something changes, everybody asks, some do something, they are located."""
    told = {"given": 0, "sent": 0}

    def then(day, change=None, *, happens=()):
        clock.at = now + day * DAY
        if change is not None:
            with transaction(runtime.engine) as session:
                change(session, clock.at)
        runtime.rulesets.look()
        ask(clock.at + DAY / 4)
        for visitor, event in happens:
            told["sent"] += 1
            call = {"type": "track", "event": event, "userId": visitor}
            stamp = {"messageId": str(told["sent"]), "timestamp": (clock.at + DAY / 3).isoformat()}
            with transaction(runtime.engine) as session:
                at = clock.at + DAY / 3
                events.ingest(session, [call | stamp], source_key="t", received_at=at)
        ask(clock.at + DAY / 2)  # it has happened, and nobody has been located yet
        clock.at += 3 * DAY / 4
        locate(runtime)
        ask(clock.at)
        return told["given"]

    def ask(at):
        rules = runtime.rulesets.current()
        for number, visitor in enumerate(VISITORS):
            for place in PLACES:
                asker = Asker(visitor=visitor, context={"country": "DE" if number % 3 else "FR"})
                runtime.resolver.visit(rules, place, asker, now=at)
                told["given"] += 1

    return then


def changed_map(session, at, *, actor, in_flight):
    """A standard without the landing page's second neighbour: another path."""
    document = journeys.standard(session, "signup").graph.model_dump(mode="json")
    stage = next(stage for stage in document["stages"] if stage["key"] == "activate")
    stage["touchpoints"] = []
    draft = VersionIn(graph=document)
    made = journey_service.draft_version(session, "signup", draft, actor=actor, now=at)
    journey_service.publish(
        session, "signup", made.number, reason="t", in_flight=in_flight, actor=actor, now=at
    )


def test_replay__paths_holdouts_and_late_locating__equals_every_logged_answer(
    play, runtime, signup, actor, rng, now
):
    def acting(step, *words, **fields):
        return lambda session, at: step(session, *words, actor=actor, now=at, **fields)

    def begin(session, at):
        signup(session)
        metrics.create(session, MetricIn.model_validate(SUBSCRIBED), actor=actor, now=at)
        data = ExperimentIn.model_validate(EXPERIMENT)
        design.create(session, data, rng=rng, actor=actor, now=at)

    def tie(session, at):
        assignment.alias(session, VISITORS[3], user_id=VISITORS[4], now=at)

    holdout = HoldoutIn(
        key="out", name="Out", journey="signup", share=0.4, status_quo=0.5, metric="subscribed"
    )
    seen = [(visitor, "Page Viewed") for visitor in VISITORS[:20]]
    went_on = [(visitor, "Signed Up") for visitor in VISITORS[:10]]
    play(0, begin)
    play(1, acting(design.start, "short"), happens=seen)
    play(2, tie, happens=went_on)
    play(3, acting(exclusion.create_holdout, holdout, rng=rng))
    play(4, lambda session, at: changed_map(session, at, actor=actor, in_flight=InFlight.PINNED))
    play(5, happens=[(visitor, "Activated") for visitor in VISITORS[:5]])
    play(6, acting(journey_service.revert, "signup", 2, reason="by hand"))
    play(7, acting(design.abort, "short", reason="enough"))
    given = play(8, acting(exclusion.end_holdout, "out", reason="enough"))
    runtime.commits.stop()

    proof = prove(runtime.engine)
    assert (proof.logged, proof.equal, proof.differing) == (given, given, [])
    with reading(runtime.engine) as session:
        found = logged(session, limit=10_000)
        assert {one.journey_version for one in found} >= {2, 3}
        assert {bool(one.known.standing) for one in found} == {True, False}
        assert any(not one.answers for one in found)  # led past a touchpoint
        one = next(one for one in found if one.known.standing and one.answers)
        asked = {"visitor": one.visitor, "journey": "signup", "touchpoint": one.touchpoint}
        again = replay(session, ReplayIn.model_validate({**asked, "at": one.at}))
    assert again.is_noted
    assert {slot: item.source for slot, item in again.slots.items()} == {
        slot: item.source for slot, item in one.answers.items()
    }
