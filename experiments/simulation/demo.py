"""The demonstration: a month of a pretended site in a minute, over the real API."""

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.clock import SteppedClock, SystemClock
from experiments.database import transaction
from experiments.reports import service as reports
from experiments.runtime import Runtime
from experiments.settings import Settings
from experiments.simulation import scene
from experiments.simulation.scene import DIRECTOR, JOURNEY
from experiments.simulation.servers import Servers
from experiments.simulation.site import Site
from experiments.simulation.traffic import Traffic
from experiments.simulation.visitors import visit

SEED = 20260107
READY = "ready"
"""The file that tells that a demonstration has come to its end."""
VISITORS_PER_DAY = 60
DAYS_AGO = 34
LATER_DAYS = 20
"""When the second half of the experiments begins."""
STEP = timedelta(hours=6)
STEP_SECONDS = 0.4
LONGEST_WAIT_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a person needs to look around."""

    email: str
    password: str
    token: str
    token_id: int


def prepare(data_dir: Path) -> Settings:
    """An empty folder and a free port; what an earlier demonstration left is removed."""
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True)
    port = _free_port(8000)
    return Settings(
        data_dir=data_dir,
        database_url="",
        columnar_location="",
        port=port,
        base_url=f"http://127.0.0.1:{port}",
        seed=SEED,
    )


def finish(runtime: Runtime) -> None:
    """Write the reports of the weeks that were played, and note that everything is there."""
    now = runtime.clock.now()
    for weeks_ago in range(DAYS_AGO // 7, -1, -1):
        with transaction(runtime.engine) as session:
            reports.weekly(session, now=now - timedelta(weeks=weeks_ago))
    (runtime.settings.data_dir / READY).touch()


def sign_up(runtime: Runtime, *, now: datetime) -> Credentials:
    """An administrator for the person who watches, and a token for the pretended site.

    They are made at `now`, before which nothing was done here and no week is reported.
    """
    with transaction(runtime.engine) as session:
        password = accounts.first_admin(session, now=now) or ""
        token = accounts.create_token(
            session, TokenIn(name="demo site", scopes=list(Scope)), actor=DIRECTOR, now=now
        )
    return Credentials(
        email=accounts.FIRST_ADMIN, password=password, token=token.secret, token_id=token.id
    )


def play(
    runtime: Runtime,
    servers: Servers,
    credentials: Credentials,
    *,
    progress: Callable[[float, str], None],
) -> None:
    """Let the visitors come over HTTP until the experiments of known truth are decided.

    `progress` is called with the days that have passed and what is going on.
    """
    clock = SteppedClock(servers.settings.data_dir / "clock")
    ends_at = SystemClock().now()
    starts_at = begins_at(ends_at)
    clock.set(starts_at)
    scene.set_up(runtime, now=starts_at)
    servers.start(clock)
    site = Site(servers.settings.host, servers.settings.port, credentials.token)
    traffic = Traffic(
        site,
        clock,
        journey=JOURNEY,
        behaviour=visit,
        starts_at=starts_at,
        days=DAYS_AGO,
        visitors_per_day=VISITORS_PER_DAY,
        seed=SEED,
    )
    try:
        _let_visitors_come(runtime, traffic, starts_at, progress)
        _wait_for_decisions(runtime, clock, progress)
    finally:
        site.close()
        servers.stop()


def begins_at(now: datetime) -> datetime:
    """When the month begins that is over about now."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS_AGO)


def _let_visitors_come(
    runtime: Runtime,
    traffic: Traffic,
    starts_at: datetime,
    progress: Callable[[float, str], None],
) -> None:
    until = starts_at
    while until < starts_at + timedelta(days=DAYS_AGO):
        if until == starts_at + timedelta(days=LATER_DAYS):
            scene.go_on(runtime, now=until)
        until += STEP
        traffic.advance(until)
        what = f"{traffic.arrived:,} visitors, {traffic.tracked:,} events"
        progress((until - starts_at) / timedelta(days=1), what)


def _wait_for_decisions(
    runtime: Runtime, clock: SteppedClock, progress: Callable[[float, str], None]
) -> None:
    """The jobs may be behind the visitors; they get some more rounds at almost the same time."""
    for _ in range(LONGEST_WAIT_STEPS):
        waiting = scene.still_open(runtime)
        if not waiting:
            return
        progress(DAYS_AGO, f"waiting for the decision on {', '.join(waiting)}")
        clock.set(clock.now() + timedelta(minutes=1))
        time.sleep(STEP_SECONDS)


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    message = "no free port"
    raise OSError(message)
