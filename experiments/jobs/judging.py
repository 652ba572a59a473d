"""What jobs do with experiments, from the start of one to what it taught.

Each experiment is a transaction of its own: what is done stays done, and one that fails neither
holds back nor undoes the others.
"""

from collections.abc import Callable, Collection, Sequence

from experiments.aa import service as aa
from experiments.analysis import queries as analysis_queries
from experiments.analysis import service as analysis
from experiments.analysis.service import NewLook
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import reading, transaction
from experiments.decisions import queries as decision_queries
from experiments.decisions import ramping, verifying
from experiments.decisions import service as decisions
from experiments.descriptions import queries as description_queries
from experiments.descriptions import service as descriptions
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.schemas import Purpose, Source, Status
from experiments.errors import DesirelineError
from experiments.interference import service as interferences
from experiments.jobs.moving import move
from experiments.journeys import queries as journeys
from experiments.learnings import queries as learning_queries
from experiments.learnings import service as learnings
from experiments.logs import logger
from experiments.probation import queries as probations
from experiments.probation.schemas import ProbationState
from experiments.runtime import Runtime

log = logger("jobs")
LEARNED_AT_ONCE = 200
KEYS_TOLD = 3
COLLECTING = (Status.RUNNING, Status.MATURING)


def activate(runtime: Runtime) -> str:
    """Start what is due to start, stop what has run its time."""
    now = runtime.clock.now()
    with transaction(runtime.engine) as session:
        started = design.start_due(session, now=now, actor=_actor("activate"))
        stopped = design.stop_due(session, now=now, actor=_actor("activate"))
    return _told(("started", started), ("stopped", stopped))


def analyse(runtime: Runtime) -> str:
    """Look at every experiment that collects or matures, all in one pass over all that has come."""
    move(runtime)
    keys, now = _open(runtime, tuple(Purpose)), runtime.clock.now()
    with reading(runtime.engine) as session:
        gathered = analysis.gather(session, keys, now=now, engine=runtime.moments.hourly)
    found = dict(zip(keys, gathered, strict=True))

    def look(key: str) -> bool:
        with reading(runtime.engine) as session:
            seen = analysis.look(session, *found[key], now=now)
        if not isinstance(seen, NewLook):
            return False
        with transaction(runtime.engine) as session:
            analysis.write(session, seen)
        return True

    return _told(("analysed", [key for key in keys if _alone(key, look)]))


def decide(runtime: Runtime) -> str:
    """Put every newest readout before the gate."""

    def judge(key: str) -> bool:
        with transaction(runtime.engine) as session:
            run = analysis_queries.latest_run(session, key)
            if run is None or decision_queries.is_judged(session, run.id):
                return False
            now = runtime.clock.now()
            decisions.decide(session, key, actor=_actor("decide"), now=now)
            learnings.learn(session, key, actor=_actor("decide"), now=now)
            return True

    return _told(("judged", _each(runtime, judge)))


def ramp(runtime: Runtime) -> str:
    """Let experiments take the steps of their ramps whose gates are open."""

    def step(key: str) -> bool:
        now = runtime.clock.now()
        with transaction(runtime.engine) as session:
            return ramping.advance(session, key, actor=_actor("ramp"), now=now)

    return _told(("widened", _each(runtime, step)))


def verify(runtime: Runtime) -> str:
    """Judge every promotion that is on probation; take back what does not hold."""
    with reading(runtime.engine) as session:
        running = probations.probations(session, states=(ProbationState.RUNNING,))
    promotions = {found.experiment: found.promotion_id for found in running}

    def judge(key: str) -> bool:
        now, actor = runtime.clock.now(), _actor("verify")
        with transaction(runtime.engine) as session:
            found = verifying.verify(session, promotions[key], actor=actor, now=now)
        return found.state is not ProbationState.RUNNING

    ended = [key for key in promotions if _alone(key, judge)]
    return _told(("ended the probation of", ended))


def describe(runtime: Runtime) -> str:
    """Describe what was looked at: time to convert, projection, groups of visitors."""
    with reading(runtime.engine) as session:
        keys = description_queries.undescribed(session)

    def tell(key: str) -> bool:
        with reading(runtime.engine) as session:
            described = descriptions.describe(session, key, engine=runtime.moments.duckdb)
        with transaction(runtime.engine) as session:
            descriptions.write(session, described)
        return True

    return _told(("described", [key for key in keys if _alone(key, tell)]))


def interference(runtime: Runtime) -> str:
    """Scan concurrent experiments for effects that depend on each other."""
    now = runtime.clock.now()
    with reading(runtime.engine) as session:
        found = interferences.scan(session, as_of=now, engine=runtime.moments.looks)
    with transaction(runtime.engine) as session:
        flagged = interferences.write(
            session, found, as_of=now, actor=_actor("interference"), now=now
        )
    return _told(("found other experiments changing the effect of", flagged))


def learn(runtime: Runtime) -> str:
    """Write down what every test taught that people ended, or that was imported."""
    with reading(runtime.engine) as session:
        keys = learning_queries.unlearned(session, limit=LEARNED_AT_ONCE)

    def write(key: str) -> bool:
        with transaction(runtime.engine) as session:
            learnings.learn(session, key, actor=_actor("learn"), now=runtime.clock.now())
        return True

    return _told(("learned from", [key for key in keys if _alone(key, write)]))


def own_aa(runtime: Runtime) -> str:
    """Divide the newcomers of every journey for nothing, and judge that as a test is judged."""
    with reading(runtime.engine) as session:
        keys = list(journeys.keys(session).values())

    def keep(key: str) -> bool:
        now, actor = runtime.clock.now(), _actor("own-aa")
        with transaction(runtime.engine) as session:
            return aa.keep(session, key, rng=runtime.rng, actor=actor, now=now) > 0

    return _told(("divided newcomers of", [key for key in keys if _alone(key, keep)]))


def _actor(job: str) -> Actor:
    return Actor(kind=ActorKind.JOB, name=job)


def _each(runtime: Runtime, act: Callable[[str], bool]) -> list[str]:
    """The keys of the open live tests on which `act` did something."""
    return [key for key in _open(runtime, (Purpose.TEST,)) if _alone(key, act)]


def _open(runtime: Runtime, purposes: Collection[Purpose]) -> list[str]:
    """The keys of the live experiments that collect or mature."""
    with reading(runtime.engine) as session:
        found = designs.experiments(session, statuses=COLLECTING, purposes=purposes)
    return [item.key for item in found if item.source is Source.LIVE]


def _alone(key: str, act: Callable[[str], bool]) -> bool:
    try:
        return act(key)
    except DesirelineError as error:
        log.warning("experiment left out", experiment=key, error=str(error))
        return False


def _told(*parts: tuple[str, Sequence[str]]) -> str:
    return "; ".join(f"{verb} {_listed(keys)}" for verb, keys in parts if keys)


def _listed(keys: Sequence[str]) -> str:
    """The first few keys, and how many more."""
    told, more = ", ".join(keys[:KEYS_TOLD]), len(keys) - KEYS_TOLD
    return f"{told} and {more} more" if more > 0 else told
