"""The jobs, one line each; what they call is safe to run twice and to be killed anywhere."""

from datetime import timedelta

from experiments.database import transaction
from experiments.events import service as events
from experiments.idempotency import service as idempotency
from experiments.inbox import service as inbox
from experiments.jobs import judging
from experiments.jobs.delivering import deliver
from experiments.jobs.locating import locate
from experiments.jobs.moving import move, tidy
from experiments.jobs.schemas import Job
from experiments.replay import log as resolution_log
from experiments.reports import service as reports
from experiments.runtime import Runtime

KEEP_REJECTED = timedelta(days=30)


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
        run=judging.activate,
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
        description="Puts files in order; drops old ones, and the events of the forgotten",
        every=timedelta(hours=1),
        run=tidy,
    ),
    Job(
        name="analyse",
        description="Takes a look at every experiment that collects or matures",
        every=timedelta(hours=1),
        run=judging.analyse,
    ),
    Job(
        name="decide",
        description="Puts every new readout before the gate; promotes what it lets through",
        every=timedelta(hours=1),
        run=judging.decide,
    ),
    Job(
        name="describe",
        description="Describes looks: time to convert, projection, groups of visitors",
        every=timedelta(hours=1),
        run=judging.describe,
    ),
    Job(
        name="interference",
        description="Scans concurrent experiments for effects that depend on each other",
        every=timedelta(days=1),
        run=judging.interference,
    ),
    Job(
        name="ramp",
        description="Lets experiments take the steps of their ramps whose gates are open",
        every=timedelta(minutes=10),
        run=judging.ramp,
    ),
    Job(
        name="verify",
        description="Judges promotions on probation; takes back what does not hold",
        every=timedelta(hours=1),
        run=judging.verify,
    ),
    Job(
        name="learn",
        description="Writes down what every ended test taught",
        every=timedelta(minutes=1),
        run=judging.learn,
    ),
    Job(
        name="own-aa",
        description="Divides newcomers for nothing and judges that, to test the platform itself",
        every=timedelta(hours=1),
        run=judging.own_aa,
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
