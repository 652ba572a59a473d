"""Looking at the whole way of an event: inbox, files, jobs."""

from experiments.audit.schemas import Actor
from experiments.columnar import health
from experiments.columnar.repairing import repair
from experiments.columnar.schemas import DayOut, HealthOut, TroubleOut
from experiments.database import reading
from experiments.jobs import queries
from experiments.runtime import Runtime


def examine(runtime: Runtime) -> HealthOut:
    """What is wrong, and what to do."""
    found = health.examine(runtime.engine, runtime.columnar, now=runtime.clock.now())
    with reading(runtime.engine) as session:
        failed = [job for job in queries.jobs(session) if job.outcome.startswith("failed")]
    troubles = [
        TroubleOut(
            words=f"the last run of the job {job.name} {job.outcome}",
            remedy=f"look at the log, then run `desireline jobs run {job.name}`",
        )
        for job in failed
    ]
    return found.model_copy(update={"troubles": [*found.troubles, *troubles]})


def mend(runtime: Runtime, found: HealthOut, *, actor: Actor) -> int:
    """Write the files of every day anew of which something is wrong; how many days."""
    days: dict[tuple[str, str], DayOut] = {
        (trouble.day.kind, trouble.day.day.isoformat()): trouble.day
        for trouble in found.troubles
        if trouble.day is not None
    }
    now = runtime.clock.now()
    repair(runtime.engine, runtime.columnar, days.values(), actor=actor, now=now)
    return len(days)
