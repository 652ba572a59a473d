"""A year of experiments in minutes: the real server and scheduler, on a clock that runs ahead."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from experiments.clock import SteppedClock, SystemClock
from experiments.simulation.customers import CONTROL, VARIANT, WINDOW_HOURS, behaviour, content_of
from experiments.simulation.portfolio import (
    BANNER,
    BANNER_SLOTS,
    PAGE,
    PAGE_SLOTS,
    ROUND_DAYS,
    Trial,
    portfolio,
)
from experiments.simulation.servers import Servers
from experiments.simulation.site import Site
from experiments.simulation.traffic import Traffic

JOURNEY, METRIC = "shop", "shop.order"
STEP = timedelta(days=7)
HOLDOUT_SHARE = 0.2
HOLDBACK_SHARE = 0.3
TEST_DAYS = 28
STILL_OPEN = {"draft", "scheduled", "running", "paused", "maturing", "decided"}
JUDGING = ("activate", "analyse", "decide", "verify")
"""The jobs that must have run at the end of each step."""

POLL_SECONDS = 0.25
LONGEST_ROUND_SECONDS = 600.0


class StallError(Exception):
    """The scheduler does not run its jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a year is simulated; twelve experiments begin in each round."""

    rounds: int
    days: int
    visitors_per_day: int
    seed: int


def size_of(rounds: int, *, seed: int) -> Size:
    """So many rounds in full; the last one gets what the others had, and a few days more."""
    return Size(rounds=rounds, days=rounds * ROUND_DAYS + 15, visitors_per_day=36, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the server says after the year; the truth stands in the trials."""

    trials: Sequence[Trial]
    experiments: Mapping[str, Mapping[str, Any]]
    decisions: Mapping[str, Sequence[Mapping[str, Any]]]
    probations: Mapping[str, Mapping[str, Any]]
    shipped: Mapping[str, Any]
    visitors: int
    starts_at: datetime


def play(
    servers: Servers, token: str, size: Size, *, progress: Callable[[float, str], None]
) -> Played:
    """Let a year pass and ask the server what became of it.

    Args:
        servers: not started yet.
        token: may do everything.
        size: how much is simulated.
        progress: told the days that have passed and what is going on.

    Raises:
        StallError: when the scheduler does not come round.
    """
    rng = np.random.default_rng(size.seed)
    trials = portfolio(size.rounds, rng)
    clock = SteppedClock(servers.settings.data_dir / "clock")
    today = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = today - timedelta(days=size.days + 1)
    clock.set(starts_at)
    servers.start(clock)
    site = Site(servers.settings.host, servers.settings.port, token)
    try:
        _set_up(site)
        traffic = _traffic(site, clock, trials, size, starts_at=starts_at)
        for now, told in _steps(site, traffic, trials, size, starts_at=starts_at):
            progress((now - starts_at) / timedelta(days=1), told)
        return _asked(site, trials, visitors=traffic.arrived, starts_at=starts_at)
    finally:
        site.close()
        servers.stop()


def _steps(
    site: Site, traffic: Traffic, trials: Sequence[Trial], size: Size, *, starts_at: datetime
) -> Iterator[tuple[datetime, str]]:
    """Start what is due, let people come, wait until the jobs have judged; tell, and so on."""
    waiting = list(trials)
    now = starts_at
    while now < starts_at + timedelta(days=size.days):
        begun = _begin_due(site, waiting, day=(now - starts_at).days)
        waiting = [trial for trial in waiting if trial.key not in begun]
        now += STEP
        traffic.advance(now)
        _let_jobs_run(site, now)
        count = len(trials) - len(waiting)
        yield now, f"{traffic.arrived:,} visitors, {count} experiments begun"


def _begin_due(site: Site, waiting: Sequence[Trial], *, day: int) -> set[str]:
    """Start what is due in a slot that is free; the keys of what was started."""
    due = [trial for trial in waiting if trial.round * ROUND_DAYS <= day]
    if not due:
        return set()
    taken = _taken(site)
    free = [trial for trial in due if trial.slot not in taken]
    begun = {trial.slot: trial for trial in reversed(free)}.values()
    for trial in begun:
        site.post("/api/v1/experiments", _experiment(trial))
        site.post(f"/api/v1/experiments/{trial.key}/start", {})
    return {trial.key for trial in begun}


def _taken(site: Site) -> set[str]:
    """The slots in which something is tested or on probation."""
    found = _all(site, f"/api/v1/experiments?journey={JOURNEY}")
    busy = {item["slot"] for item in found if item["status"] in STILL_OPEN}
    slots = {item["key"]: item["slot"] for item in found}
    probations = _all(site, "/api/v1/probations")
    return busy | {slots[item["experiment"]] for item in probations if item["state"] == "running"}


def _let_jobs_run(site: Site, since: datetime) -> None:
    """Wait until every judging job has begun after `since` and ended.

    Raises:
        StallError: when they do not.
    """
    for _ in range(int(LONGEST_ROUND_SECONDS / POLL_SECONDS)):
        jobs = {item["name"]: item for item in _all(site, "/api/v1/jobs")}
        if all(_has_run(jobs[name], since) for name in JUDGING):
            return
        time.sleep(POLL_SECONDS)
    message = "The scheduler does not come round; see scheduler.log."
    raise StallError(message)


def _has_run(job: Mapping[str, Any], since: datetime) -> bool:
    started, finished = job["started_at"], job["finished_at"]
    return bool(started and finished) and datetime.fromisoformat(started) >= since


def _traffic(
    site: Site, clock: SteppedClock, trials: Sequence[Trial], size: Size, *, starts_at: datetime
) -> Traffic:
    return Traffic(
        site,
        clock,
        journey=JOURNEY,
        behaviour=behaviour(trials),
        starts_at=starts_at,
        days=size.days,
        visitors_per_day=size.visitors_per_day,
        seed=size.seed,
    )


def _set_up(site: Site) -> None:
    """A journey of two stages, its metric, and a holdout in two parts."""
    site.post("/api/v1/journeys", _journey())
    site.post(f"/api/v1/journeys/{JOURNEY}/versions/1/publish", {"reason": "first standard"})
    holdout = {"key": "year", "name": "The year", "journey": JOURNEY, "share": HOLDOUT_SHARE}
    site.post("/api/v1/holdouts", {**holdout, "metric": METRIC})


def _journey() -> dict[str, Any]:
    visit = {"key": "shop.visit", "name": "Visits", "rule": {"event": "Page Viewed"}}
    order = {"key": METRIC, "name": "Orders", "rule": {"event": "Order Placed"}}
    plain = {"type": "string", "payload": "as it always was"}
    slots = (*PAGE_SLOTS, *BANNER_SLOTS)
    return {
        "key": JOURNEY,
        "name": "A shop for a year",
        "metrics": [{**metric, "window_hours": WINDOW_HOURS} for metric in (visit, order)],
        "contents": [{"key": f"plain-{slot}", **plain} for slot in slots],
        "graph": {"entry_points": ["visit"], "goal": "order", "stages": _stages()},
    }


def _stages() -> list[dict[str, Any]]:
    visit = {
        "key": "visit",
        "name": "Visits the shop",
        "entry_rule": {"event": "Page Viewed"},
        "goal_metric": "shop.visit",
        "next": ["order"],
        "touchpoints": [
            {"key": PAGE, "name": "Page", "slots": _slots(PAGE_SLOTS)},
            {"key": BANNER, "name": "Banner", "expose": "on_event", "slots": _slots(BANNER_SLOTS)},
        ],
    }
    order = {
        "key": "order",
        "name": "Orders",
        "entry_rule": {"event": "Order Placed"},
        "goal_metric": METRIC,
    }
    return [visit, order]


def _slots(keys: Sequence[str]) -> list[dict[str, str]]:
    return [{"key": key, "type": "string", "content": f"plain-{key}"} for key in keys]


def _experiment(trial: Trial) -> dict[str, Any]:
    return {
        "key": trial.key,
        "name": f"Idea for {trial.slot}, round {trial.round + 1}",
        "journey": JOURNEY,
        "touchpoint": trial.touchpoint,
        "slot": trial.slot,
        "variants": [
            {"key": CONTROL, "control": True, "weight": 0.5},
            {"key": VARIANT, "weight": 0.5, "content": content_of(trial)},
        ],
        "primary_metric": METRIC,
        "plan": {
            "baseline": 0.43,
            "minimum_lift": 0.2,
            "visitors_per_week": 200,
            "minimum_days": 14,
            "maximum_days": TEST_DAYS,
            "promotion": "automatic",
            "holdback_share": HOLDBACK_SHARE,
            "probation_days": 28,
        },
    }


def _asked(site: Site, trials: Sequence[Trial], *, visitors: int, starts_at: datetime) -> Played:
    found = {item["key"]: item for item in _all(site, f"/api/v1/experiments?journey={JOURNEY}")}
    return Played(
        trials=trials,
        experiments=found,
        decisions={
            trial.key: _all(site, f"/api/v1/experiments/{trial.key}/decisions")
            for trial in trials
            if trial.key in found
        },
        probations={item["experiment"]: item for item in _all(site, "/api/v1/probations")},
        shipped=_all(site, "/api/v1/holdouts/comparisons")[0],
        visitors=visitors,
        starts_at=starts_at,
    )


def _all(site: Site, path: str) -> list[dict[str, Any]]:
    """Every item of a list, page after page."""
    found: list[dict[str, Any]] = []
    joint = "&" if "?" in path else "?"
    cursor = ""
    while True:
        answer = site.get(f"{path}{joint}limit=100{cursor}")
        found += answer["data"]
        if not answer["next_cursor"]:
            return found
        cursor = f"&cursor={answer['next_cursor']}"
