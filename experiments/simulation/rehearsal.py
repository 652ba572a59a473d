"""The demonstration inside one process, in seconds: the same visitors, storage, jobs and gate.

Nobody waits for a network or a scheduler here. Visitors walk side by side in threads, so that
what they are shown is recorded together, and the jobs run when some days have passed.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from experiments.clock import SteppedClock
from experiments.events.parcels import pack
from experiments.jobs import service as jobs
from experiments.jobs.table import JOBS
from experiments.resolution import service as resolution
from experiments.resolution.schemas import ResolveIn
from experiments.runtime import Runtime
from experiments.simulation import scene
from experiments.simulation.demo import DAYS_AGO, LATER_DAYS, SEED, VISITORS_PER_DAY, begins_at
from experiments.simulation.traffic import Walker, arriving, call_of
from experiments.simulation.visitors import Answer, Ask, Wait, visit

SIDE_BY_SIDE = 64
LARGEST_BATCH = 200
BETWEEN_LOOKS = timedelta(days=3, hours=12)
SUNDAY = 6
LAST_HOUR = timedelta(hours=22)
UNTIL_REPORT = timedelta(hours=8)
"""From the look on a Sunday's evening to the report of the week, on Monday morning."""
AT_EVERY_LOOK = (
    *("activate", "locate", "move", "own-aa", "analyse", "decide"),
    *("verify", "learn"),
)
"""The jobs that the story needs on its way; all of them run at its end."""


@dataclass(slots=True, kw_only=True)
class Stroller:
    """Somebody under way: when they do their next step, and how often they have called so far."""

    walker: Walker
    at: datetime
    calls: int = 0
    gone: bool = False


@dataclass(slots=True, kw_only=True)
class Street:
    """Who is under way, and who comes next."""

    runtime: Runtime
    source_key: str
    starts_at: datetime
    arrived: int = 0
    tracked: int = 0
    under_way: list[Stroller] = field(default_factory=list)

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due by then."""
        self._let_in(until)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            walked = pool.map(partial(self._walk, until=until), self.under_way)
            calls = [call for done in walked for call in done]
        self.under_way = [stroller for stroller in self.under_way if not stroller.gone]
        calls.sort(key=lambda call: call["timestamp"])
        for start in range(0, len(calls), LARGEST_BATCH):
            self._send(calls[start : start + LARGEST_BATCH])

    def _let_in(self, until: datetime) -> None:
        gap = timedelta(days=1) / VISITORS_PER_DAY
        while (at := self.starts_at + self.arrived * gap) <= until:
            walker = arriving(self.arrived, visit, seed=SEED)
            self.under_way.append(Stroller(walker=walker, at=at))
            self.arrived += 1

    def _walk(self, stroller: Stroller, *, until: datetime) -> list[dict[str, Any]]:
        """Do what is due; what the site sends of it."""
        walker = stroller.walker
        calls = []
        while stroller.at <= until:
            step = next(walker.steps, None)
            if step is None:
                stroller.gone = True
                break
            if isinstance(step, Wait):
                stroller.at += step.by
            elif isinstance(step, Ask):
                self._ask(walker, step, at=stroller.at)
            else:
                stroller.calls += 1
                number = f"{walker.id}-{stroller.calls}"
                calls.append(call_of(step, visitor=walker.id, message_id=number, at=stroller.at))
        return calls

    def _ask(self, walker: Walker, step: Ask, *, at: datetime) -> None:
        question = ResolveIn(visitor=walker.id, journey=scene.JOURNEY, touchpoint=step.touchpoint)
        ruleset = self.runtime.rulesets.current()
        found = resolution.resolve(self.runtime.resolver, ruleset, question, now=at)
        for key, slot in found.slots.items():
            walker.shown.slots[key] = Answer(
                value=slot.value, experiment=slot.experiment, variant=slot.variant
            )

    def _send(self, batch: Sequence[dict[str, Any]]) -> None:
        received_at = datetime.fromisoformat(batch[-1]["timestamp"])
        parcel = pack(batch, source_key=self.source_key, received_at=received_at)
        self.runtime.commits.store(self.runtime.events, parcel, size=parcel.size)
        self.tracked += len(batch)


def play(
    runtime: Runtime,
    clock: SteppedClock,
    *,
    source_key: str,
    until: datetime,
    progress: Callable[[float, str], None],
) -> None:
    """Play the month that ends at `until`.

    Args:
        runtime: opened with that clock, on an empty storage.
        clock: moved along.
        source_key: who sends the events.
        until: when it ends.
        progress: called with the days that have passed and what is going on.
    """
    starts_at = begins_at(until)
    clock.set(starts_at)
    scene.set_up(runtime, now=starts_at)
    street = Street(runtime=runtime, source_key=source_key, starts_at=starts_at)
    has_gone_on = False
    for look_at in looks(starts_at, until):
        if not has_gone_on and look_at >= starts_at + timedelta(days=LATER_DAYS):
            scene.go_on(runtime, now=clock.now())
            has_gone_on = True
        runtime.rulesets.look()
        street.advance(look_at)
        clock.set(look_at)
        for job in JOBS:
            if look_at == until or job.name in AT_EVERY_LOOK:
                jobs.run(runtime, job)
        if look_at.weekday() == SUNDAY and look_at + UNTIL_REPORT < until:
            clock.set(look_at + UNTIL_REPORT)
            jobs.run(runtime, jobs.job("weekly-report"))
        what = f"{street.arrived:,} visitors, {street.tracked:,} events"
        progress(min((look_at - starts_at) / timedelta(days=1), DAYS_AGO), what)


def looks(starts_at: datetime, until: datetime) -> list[datetime]:
    """When the jobs run: in the middle and on the last evening of every week, and at the end."""
    at = starts_at - timedelta(days=starts_at.weekday() + 1) + LAST_HOUR
    found = []
    while at < until:
        if at > starts_at:
            found.append(at)
        at += BETWEEN_LOOKS
    return [*found, until]
