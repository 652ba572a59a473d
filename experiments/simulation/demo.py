"""The demonstration: a month of a pretended site in a minute, over the real API."""

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.clock import SteppedClock, SystemClock
from experiments.database import transaction
from experiments.reports import service as reports
from experiments.runtime import Runtime
from experiments.settings import Settings
from experiments.simulation.servers import Servers
from experiments.simulation.site import Site
from experiments.simulation.traffic import Traffic
from experiments.simulation.visitors import visit

SEED = 20260105
READY = "ready"
"""The file that tells that a demonstration has come to its end."""
DAYS = 32
VISITORS_PER_DAY = 60
DAYS_AGO = 34
STEP = timedelta(hours=6)
STEP_SECONDS = 0.4
LONGEST_WAIT = timedelta(days=7)
RULESET_SECONDS = 1.5
JOURNEY = "insurance"
STILL_OPEN = {"running", "paused", "maturing", "decided"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one experiment ended, and how it had to."""

    key: str
    name: str
    truth: str
    status: str
    sentence: str
    expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a person needs to look around."""

    email: str
    password: str
    token: str


# What each variant truly does (see visitors.py), and whether its promotion would be right.
TRUTHS = {
    "hero-pain": ("a true winner (+40% quotes)", True),
    "banner-refund": ("no effect, a broken split", False),
    "button-word": ("no effect", False),
    "form-long": ("a loser (-50% details)", False),
}


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
    actor = Actor(kind=ActorKind.OPERATOR, name="demo")
    with transaction(runtime.engine) as session:
        password = accounts.first_admin(session, now=now) or ""
        token = accounts.create_token(
            session, TokenIn(name="demo site", scopes=list(Scope)), actor=actor, now=now
        )
    return Credentials(email=accounts.FIRST_ADMIN, password=password, token=token.secret)


def play(
    servers: Servers, credentials: Credentials, *, progress: Callable[[float, str], None]
) -> list[Ending]:
    """Set the experiments up, let the visitors come, wait for the decisions; tell how it ended.

    `progress` is called with the days that have passed and what is going on.
    """
    clock = SteppedClock(servers.settings.data_dir / "clock")
    starts_at = begins_at(SystemClock().now())
    clock.set(starts_at)
    servers.start(clock)
    site = Site(servers.settings.host, servers.settings.port, credentials.token)
    try:
        keys = set_up(site)
        traffic = Traffic(
            site,
            clock,
            journey=JOURNEY,
            behaviour=visit,
            starts_at=starts_at,
            days=DAYS,
            visitors_per_day=VISITORS_PER_DAY,
            seed=SEED,
        )
        # The server notices within a second of the machine's time that something is live.
        time.sleep(RULESET_SECONDS)
        _let_visitors_come(traffic, starts_at, progress)
        _wait_for_decisions(site, clock, keys, starts_at=starts_at, progress=progress)
        return [_ending(site, key) for key in keys]
    finally:
        site.close()
        servers.stop()


def set_up(site: Site) -> list[str]:
    """Create the metrics, the journey and the experiments; returns the experiments' keys."""
    scenario = yaml.safe_load(Path(__file__).with_name("insurance.yaml").read_text())
    site.post("/api/v1/journeys", scenario["journey"])
    site.post("/api/v1/journeys/insurance/versions/1/publish", {"reason": "first standard"})
    for experiment in scenario["experiments"]:
        site.post("/api/v1/experiments", experiment)
        site.post(f"/api/v1/experiments/{experiment['key']}/start", {})
    return [experiment["key"] for experiment in scenario["experiments"]]


def begins_at(now: datetime) -> datetime:
    """When the month begins that is over about now."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS_AGO)


def _let_visitors_come(
    traffic: Traffic, starts_at: datetime, progress: Callable[[float, str], None]
) -> None:
    until = starts_at
    while not traffic.finished and until < starts_at + timedelta(days=DAYS):
        until += STEP
        traffic.advance(until)
        what = f"{traffic.arrived:,} visitors, {traffic.tracked:,} events"
        progress(_days(until - starts_at), what)


def _wait_for_decisions(
    site: Site,
    clock: SteppedClock,
    keys: list[str],
    *,
    starts_at: datetime,
    progress: Callable[[float, str], None],
) -> None:
    for _ in range(LONGEST_WAIT // STEP):
        open_ones = [key for key in keys if _status(site, key) in STILL_OPEN]
        if not open_ones:
            return
        what = f"waiting for the decision on {', '.join(open_ones)}"
        progress(_days(clock.now() - starts_at), what)
        clock.set(clock.now() + STEP)
        time.sleep(STEP_SECONDS)


def _days(passed: timedelta) -> float:
    return passed / timedelta(days=1)


def _ending(site: Site, key: str) -> Ending:
    experiment: dict[str, Any] = site.get(f"/api/v1/experiments/{key}")
    decisions = site.get(f"/api/v1/experiments/{key}/decisions")["data"]
    truth, should_promote = TRUTHS[key]
    promoted = experiment["status"] == "promoted"
    return Ending(
        key=key,
        name=experiment["name"],
        truth=truth,
        status=experiment["status"],
        sentence=decisions[0]["sentence"] if decisions else "no decision yet",
        expected=promoted == should_promote,
    )


def _status(site: Site, key: str) -> str:
    return str(site.get(f"/api/v1/experiments/{key}")["status"])


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
