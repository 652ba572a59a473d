"""What an evaluation costs in process, against the evaluators that people use today.

Run `python benchmarks/assign.py`. Peers are measured in turns with ours when they can be imported
(`pip install growthbook optimizely-sdk UnleashClient planout`); the limit is the bare double hash.
Everybody answers one experiment with two arms and no condition for the same thousand ids; processor
time, medians of rounds.
"""

import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
from fnv_hash_fast import fnv1a_32

from experiments.assignment.bucketing import BUCKETS, ranges
from experiments.assignment.populations import Population
from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType, Exposing
from experiments.resolution.enrolment import Question, draw
from experiments.resolution.ladder import Place, climb
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

IDS = [f"visitor-{number:08}" for number in range(1000)]
CROWD = 1_000_000
ROUNDS = 9
SALT = "0123456789abcdef"
BAR_EXPERIMENT, BAR_LADDER, BAR_CROWD, BAR_RATIO = 700, 2500, 60, 5
HASH_THERE = 197  # nanoseconds of the bare hash on the machine whose nanoseconds the bars are

Task = Callable[[str], object]


def rule(*, audience: dict[str, object], layer: LayerRule | None) -> ExperimentRule:
    """An experiment with two arms of equal weight."""
    arms = (
        ArmRule(id=1, key="control", weight=0.5, content=None, defers=True, removed=False),
        ArmRule(id=2, key="bold", weight=0.5, content="Bold", defers=False, removed=False),
    )
    return ExperimentRule(
        id=1,
        key="test",
        status=Status.RUNNING,
        salt=SALT,
        audience=audience,
        layer=layer,
        phase_id=1,
        arms=arms,
        stretches=tuple(ranges([0.5, 0.5], 1.0)),
    )


def full_ruleset() -> Ruleset:
    """A touchpoint whose slot has standard content, an experiment in a layer, and a holdout."""
    layer = LayerRule(key="layer", salt="another salt", stretch=(0.0, 1.0))
    slot = SlotRule(
        key="hero",
        type=ContentType.STRING,
        standard=StandardContent(key="hero", number=1, value="Plain", approved=True),
        experiments=(rule(audience={"country": "FR"}, layer=layer),),
    )
    point = TouchpointRule(
        key="home",
        stage="aware",
        expose=Exposing.ON_RESOLVE,
        slots={"hero": slot},
        reads_attributes=True,
    )
    holdout = HoldoutRule(key="quiet", salt="a third salt", share=0.05, audience={})
    journey = JourneyRule(key="shop", version=1, touchpoints={"home": point}, holdouts=(holdout,))
    return Ruleset(version=1, journeys={"shop": journey})


def bare_hash(visitor: str) -> int:
    """The limit: two native hashes and a remainder."""
    return fnv1a_32(b"%d" % fnv1a_32((SALT + visitor).encode("latin-1"))) % BUCKETS


def our_experiment() -> Task:
    """One experiment without conditions."""
    found = rule(audience={}, layer=None)
    return lambda visitor: draw(found, visitor)


def our_ladder() -> Task:
    """Every rung: a holdout, an experiment in a layer with a condition, the standard content."""
    ruleset, place = full_ruleset(), Place("shop", "home")

    def ask(visitor: str) -> object:
        return climb(ruleset, place, Question(visitor, {"country": "FR", "id": visitor}))

    return ask


def growthbook() -> Task:
    """GrowthBook's SDK, with the payload loaded once."""
    from growthbook import Experiment, GrowthBook

    client, test = GrowthBook(), Experiment(key="test", variations=[0, 1], hashVersion=2, seed=SALT)

    def ask(visitor: str) -> object:
        client.set_attributes({"id": visitor})
        return client.run(test)

    return ask


def unleash() -> Task:
    """Unleash's engine below its Python client."""
    from yggdrasil_engine.engine import UnleashEngine

    feature = {
        "name": "test",
        "enabled": True,
        "strategies": [{"name": "default", "parameters": {}}],
        "variants": [{"name": name, "weight": 500, "weightType": "fix"} for name in ("a", "b")],
    }
    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 2, "features": [feature]}))
    return lambda visitor: engine.get_variant("test", {"userId": visitor})


def optimizely() -> Task:
    """Optimizely's SDK with a datafile of one experiment."""
    from optimizely.optimizely import Optimizely

    variations = [{"id": str(n), "key": str(n), "variables": []} for n in (1, 2)]
    split = [{"entityId": "1", "endOfRange": 5000}, {"entityId": "2", "endOfRange": 10000}]
    test = {
        "id": "10",
        "key": "test",
        "layerId": "1",
        "status": "Running",
        "audienceIds": [],
        "forcedVariations": {},
        "variations": variations,
        "trafficAllocation": split,
    }
    datafile = {
        "version": "4",
        "projectId": "1",
        "accountId": "1",
        "revision": "1",
        "experiments": [test],
        "featureFlags": [],
        "rollouts": [],
        "audiences": [],
        "typedAudiences": [],
        "groups": [],
        "attributes": [],
        "events": [],
        "variables": [],
        "anonymizeIP": True,
    }
    client = Optimizely(json.dumps(datafile), skip_json_validation=True)
    return lambda visitor: client.get_variation("test", visitor)


def planout() -> Task:
    """Facebook's PlanOut."""
    from planout.experiment import SimpleExperiment
    from planout.ops.random import UniformChoice

    class Test(SimpleExperiment):
        def setup(self) -> None:
            self.salt = SALT
            self.set_auto_exposure_logging(False)

        def configure_logger(self) -> None: ...

        def log(self, data: object) -> None: ...

        def previously_logged(self) -> bool:
            return True

        def assign(self, params: object, visitor: str) -> None:
            params.arm = UniformChoice(choices=["a", "b"], unit=visitor)

    return lambda visitor: Test(visitor=visitor).get("arm")


PEERS = {
    "growthbook": growthbook,
    "UnleashClient": unleash,
    "optimizely": optimizely,
    "planout": planout,
}


def available() -> Iterator[tuple[str, Task]]:
    """The peers that are installed and answer."""
    for name, make in PEERS.items():
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed")
            continue
        try:
            task = make()
            task(IDS[0])
        except Exception as error:  # a peer that cannot be set up is left out, with the reason
            print(f"{name}: left out, {error!r}")
        else:
            yield name, task


def nanoseconds(task: Task) -> float:
    """Processor nanoseconds of one answer."""
    started = time.process_time_ns()
    for visitor in IDS:
        task(visitor)
    return (time.process_time_ns() - started) / len(IDS)


def crowd_nanoseconds() -> tuple[float, float]:
    """Nanoseconds a visitor to lay out a million ids, and to assign them."""
    ids = [f"visitor-{number:08}" for number in range(CROWD)]
    started = time.process_time_ns()
    population = Population.of(ids)
    laid_out = time.process_time_ns()
    population.arms(SALT, ((0.0, 0.5), (0.5, 1.0)))
    return (laid_out - started) / CROWD, (time.process_time_ns() - laid_out) / CROWD


def main() -> None:
    """Measure in turns and print the ratios."""
    tasks = {
        "bare double hash": bare_hash,
        "our experiment": our_experiment(),
        "our full ladder": our_ladder(),
        **dict(available()),
    }
    rounds = [{name: nanoseconds(task) for name, task in tasks.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(row[name] for row in rounds) for name in tasks}
    for name, median in medians.items():
        print(f"{name}: {median:,.0f} ns")
    ours, limit = medians["our experiment"], medians["bare double hash"]
    for name, bar in (("our experiment", BAR_EXPERIMENT), ("our full ladder", BAR_LADDER)):
        print(f"{name}: {medians[name] / limit:.2f} times the bare hash; bar {_scaled(bar)}")
    peers = {name: median for name, median in medians.items() if name in PEERS}
    if peers:
        fastest = min(peers, key=lambda name: peers[name])
        print(f"{fastest} takes {peers[fastest] / ours:.1f} times as long; bar {BAR_RATIO}")
    crowds = np.median([crowd_nanoseconds() for _ in range(3)], axis=0)
    print(f"{CROWD:,} visitors: {crowds[1]:.0f} ns each, after {crowds[0]:.0f} ns to lay them out")
    print(f"which is {crowds[1] / limit:.2f} times the bare hash; bar {_scaled(BAR_CROWD)}")


def _scaled(bar: int) -> str:
    return f"{bar / HASH_THERE:.2f} ({bar} ns where the hash takes {HASH_THERE})"


if __name__ == "__main__":
    main()
