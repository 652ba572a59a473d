"""Shapes of the jobs slice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.runtime import Runtime
from experiments.shapes import Out


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something done again and again; `run` says in words what it did, or "" for nothing."""

    name: str
    description: str
    every: timedelta
    run: Callable[[Runtime], str]


class JobOut(Out):
    """A job with its newest run."""

    name: str
    description: str
    every_seconds: float
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: str = ""
    runs: int = 0
    failures: int = 0


class JobRunOut(Out):
    """What one run of a job did, in words; empty for nothing."""

    job: str
    outcome: str
