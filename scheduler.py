"""Serves time: runs the table of jobs in one process, never inside a web worker."""

import os
import signal
import socket
from collections.abc import Callable
from datetime import UTC, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

import migrations
from experiments import logs
from experiments.clock import Clock, SystemClock
from experiments.database import transaction
from experiments.errors import DesirelineError
from experiments.jobs import service
from experiments.jobs.schemas import Job
from experiments.jobs.table import JOBS
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings

HEARTBEAT = timedelta(seconds=5)
LEASE_LASTS = timedelta(seconds=20)
PAUSE_WHEN_TOLD_SECONDS = 1.5

log = logs.logger("scheduler")


class Turn:
    """Whether it is this process's turn to run jobs; renewed by a heartbeat."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.ours = False

    def renew(self) -> None:
        """Take the lease or keep it."""
        # A lease is about processes of this machine's time, whatever time the jobs are told.
        now = SystemClock().now()
        try:
            with transaction(self.runtime.engine) as session:
                ours = service.take_lease(session, self.holder, now=now, lasts=LEASE_LASTS)
        except DesirelineError as error:
            log.warning("no heartbeat", error=str(error))
            ours = False
        if ours != self.ours:
            log.info("running jobs" if ours else "waiting: another scheduler runs the jobs")
        self.ours = ours

    def give_up(self) -> None:
        """Let another scheduler start at once."""
        with transaction(self.runtime.engine) as session:
            service.give_up_lease(session, self.holder)


def build(runtime: Runtime, turn: Turn) -> BlockingScheduler:
    """A scheduler with every job of the table and the heartbeat, which has a thread of its own."""
    scheduler = BlockingScheduler(
        executors={"default": ThreadPoolExecutor(1), "heartbeat": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=UTC,
    )
    scheduler.add_job(
        turn.renew, "interval", seconds=HEARTBEAT.total_seconds(), executor="heartbeat"
    )
    told = runtime.settings.clock_file
    for job in JOBS:
        seconds = job.every.total_seconds() if told is None else PAUSE_WHEN_TOLD_SECONDS
        scheduler.add_job(
            _when_it_is_our_turn(runtime, turn, job),
            "interval",
            id=job.name,
            seconds=seconds,
        )
    return scheduler


def _when_it_is_our_turn(runtime: Runtime, turn: Turn, job: Job) -> Callable[[], None]:
    is_due = _once_in_each(timedelta(hours=runtime.settings.clock_stretch_hours), runtime.clock)

    def run() -> None:
        if turn.ours and is_due():
            service.run(runtime, job)

    return run


def _once_in_each(stretch: timedelta, clock: Clock) -> Callable[[], bool]:
    """Whether told time has come into a stretch that was not asked about; always without one.

    A year of told time passes in minutes; to look all the while would take most of them.
    """
    began, asked = clock.now(), 0

    def is_due() -> bool:
        nonlocal asked
        if not stretch:
            return True
        before, asked = asked, (clock.now() - began) // stretch
        return asked > before

    return is_due


def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    logs.configure(as_json=settings.log_json)
    runtime = open_runtime(settings)
    migrations.upgrade(runtime.engine)
    turn = Turn(runtime)
    turn.renew()
    scheduler = build(runtime, turn)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.shutdown(wait=False))
    scheduler.start()
    turn.give_up()


if __name__ == "__main__":
    main()
