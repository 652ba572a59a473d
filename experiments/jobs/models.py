"""Tables of the jobs slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.database import Instant


class Lease(SQLModel, table=True):
    """Who may run jobs, until when; a second scheduler waits for it to run out."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    expires_at: datetime = Field(sa_type=Instant)


class JobRun(SQLModel, table=True):
    """The newest run of a job."""

    __tablename__ = "job_run"

    job: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    outcome: str = ""
    runs: int = 0
    failures: int = 0
