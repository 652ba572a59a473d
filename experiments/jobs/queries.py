"""Reading how the jobs do."""

from datetime import datetime

from sqlmodel import Session

from experiments.jobs.models import JobRun, Lease
from experiments.jobs.schemas import JobOut
from experiments.jobs.service import SCHEDULER
from experiments.jobs.table import JOBS


def jobs(session: Session) -> list[JobOut]:
    """Every job with its newest run."""
    found = []
    for job in JOBS:
        state = session.get(JobRun, job.name)
        run = state.model_dump(exclude={"job"}) if state else {}
        found.append(
            JobOut(
                name=job.name,
                description=job.description,
                every_seconds=job.every.total_seconds(),
                **run,
            )
        )
    return found


def scheduler_is_alive(session: Session, *, now: datetime) -> bool:
    """Whether a scheduler holds an unexpired lease."""
    lease = session.get(Lease, SCHEDULER)
    return lease is not None and lease.expires_at > now
