"""The jobs, one line each; what they call is safe to run twice and to be killed anywhere.

Each experiment is a transaction of its own: what is done stays done, and one that fails neither
holds back nor undoes the others.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta

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
from experiments.events import service as events
from experiments.idempotency import service as idempotency
from experiments.inbox import service as inbox
from experiments.interference import service as interferences
from experiments.jobs.delivering import deliver
from experiments.jobs.locating import locate
from experiments.jobs.moving import move, tidy
from experiments.jobs.schemas import Job
from experiments.journeys import queries as journeys
from experiments.learnings import queries as learning_queries
from experiments.learnings import service as learnings
from experiments.logs import logger
from experiments.probation import queries as probations
from experiments.probation.schemas import ProbationState
from experiments.replay import log as resolution_log
from experiments.reports import service as reports
from experiments.runtime import Runtime

log = logger("jobs")
KEEP_REJECTED = timedelta(days=30)
LEARNED_AT_ONCE = 200
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


def weekly_report(runtime: Runtime) -> str:
    """Write the report of the week that ended, if it is not written yet."""
    now = runtime.clock.now()
    with transaction(runtime.engine) as session:
        report = reports.weekly(session, now=now)
    if report is None or report.created_at != now:
        return ""
    return f"wrote the report of {report.week}"


def housekeeping(runtime: Runtime) -> str:
    """Drop rejected events, dead letters and kept answers that nobody will ask for any more."""
    now = runtime.clock.now()
    with transaction(runtime.engine) as session:
        refused = events.drop_rejected(session, before=now - KEEP_REJECTED)
        letters = inbox.drop_dead_letters(session, before=now - KEEP_REJECTED)
        answers = idempotency.drop_old(session, before=now - idempotency.KEEP)
        kept = timedelta(days=runtime.settings.resolution_log_days)
        resolutions = resolution_log.drop_old(session, before=now - kept)
    counts = {
        "rejected events": refused,
        "dead letters": letters,
        "kept answers": answers,
        "logged answers": resolutions,
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"dropped {told}" if told else ""


JOBS = (
    Job(
        name="activate",
        description="Starts scheduled experiments and stops those whose time is over",
        every=timedelta(minutes=1),
        run=activate,
    ),
    Job(
        name="locate",
        description="Derives from new events which stage of a journey each visitor is in",
        every=timedelta(minutes=1),
        run=locate,
    ),
    Job(
        name="move",
        description="Moves committed events and exposures into the files that analyses read",
        every=timedelta(minutes=5),
        run=move,
    ),
    Job(
        name="tidy",
        description="Puts small files together; drops old ones, and the events of the forgotten",
        every=timedelta(hours=1),
        run=tidy,
    ),
    Job(
        name="analyse",
        description="Takes a look at every experiment that collects or matures",
        every=timedelta(hours=1),
        run=analyse,
    ),
    Job(
        name="decide",
        description="Puts every new readout before the gate; promotes what it lets through",
        every=timedelta(hours=1),
        run=decide,
    ),
    Job(
        name="describe",
        description="Describes looks: time to convert, projection, groups of visitors",
        every=timedelta(hours=1),
        run=describe,
    ),
    Job(
        name="interference",
        description="Scans concurrent experiments for effects that depend on each other",
        every=timedelta(days=1),
        run=interference,
    ),
    Job(
        name="ramp",
        description="Lets experiments take the steps of their ramps whose gates are open",
        every=timedelta(minutes=10),
        run=ramp,
    ),
    Job(
        name="verify",
        description="Judges promotions on probation; takes back what does not hold",
        every=timedelta(hours=1),
        run=verify,
    ),
    Job(
        name="learn",
        description="Writes down what every ended test taught",
        every=timedelta(minutes=1),
        run=learn,
    ),
    Job(
        name="own-aa",
        description="Divides newcomers for nothing and judges that, to test the platform itself",
        every=timedelta(hours=1),
        run=own_aa,
    ),
    Job(
        name="weekly-report",
        description="Writes the report of the ISO week that ended",
        every=timedelta(hours=1),
        run=weekly_report,
    ),
    Job(
        name="deliver",
        description="Sends reports to their audiences and tells endpoints what happened",
        every=timedelta(minutes=1),
        run=deliver,
    ),
    Job(
        name="housekeeping",
        description="Drops rejected events and dead letters after 30 days, kept answers after one",
        every=timedelta(days=1),
        run=housekeeping,
    ),
)


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


def _told(*parts: tuple[str, Iterable[str]]) -> str:
    named = ((verb, ", ".join(keys)) for verb, keys in parts)
    return "; ".join(f"{verb} {keys}" for verb, keys in named if keys)
