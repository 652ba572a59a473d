"""Running jobs: by whom, when, with what outcome."""

from datetime import datetime, timedelta

from sqlmodel import Session

from experiments.database import transaction
from experiments.errors import NotFoundError
from experiments.jobs.models import JobRun, Lease
from experiments.jobs.schemas import Job
from experiments.jobs.table import JOBS
from experiments.logs import logger
from experiments.runtime import Runtime

log = logger("jobs")
SCHEDULER = "scheduler"


def job(name: str) -> Job:
    """The job of that name."""
    found = next((item for item in JOBS if item.name == name), None)
    if found is None:
        raise NotFoundError("job", name)
    return found


def run(runtime: Runtime, task: Job) -> str:
    """Run a job now and remember how it went; an error is logged, counted and raised again."""
    started = runtime.clock.now()
    with transaction(runtime.engine) as session:
        _begin(session, task.name, now=started)
    try:
        outcome = task.run(runtime) or "nothing to do"
    except Exception as error:
        log.exception("job failed", job=task.name)
        _finish(runtime, task.name, outcome=f"failed: {error}", failed=True)
        raise
    log.info("job done", job=task.name, outcome=outcome)
    _finish(runtime, task.name, outcome=outcome, failed=False)
    return outcome


def take_lease(session: Session, holder: str, *, now: datetime, lasts: timedelta) -> bool:
    """Take or renew the right to run jobs; false while somebody else holds it."""
    lease = session.get(Lease, SCHEDULER, with_for_update=True)
    if lease is None:
        session.add(Lease(name=SCHEDULER, holder=holder, expires_at=now + lasts))
        session.flush()
        return True
    if lease.holder != holder and lease.expires_at > now:
        return False
    lease.holder = holder
    lease.expires_at = now + lasts
    return True


def give_up_lease(session: Session, holder: str) -> None:
    """Let the next scheduler start at once instead of waiting for the lease to run out."""
    lease = session.get(Lease, SCHEDULER, with_for_update=True)
    if lease is not None and lease.holder == holder:
        session.delete(lease)
        session.flush()


def _begin(session: Session, name: str, *, now: datetime) -> None:
    state = session.get(JobRun, name, with_for_update=True) or JobRun(job=name, started_at=now)
    state.started_at = now
    state.finished_at = None
    state.outcome = "running"
    session.add(state)


def _finish(runtime: Runtime, name: str, *, outcome: str, failed: bool) -> None:
    with transaction(runtime.engine) as session:
        state = session.get(JobRun, name, with_for_update=True)
        if state is None:
            raise NotFoundError("job run", name)
        state.finished_at = runtime.clock.now()
        state.outcome = outcome
        state.runs += 1
        state.failures += failed
