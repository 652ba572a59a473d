"""Visitors coming and going in told time: a queue of who does what next, and when."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from experiments.clock import SteppedClock
from experiments.simulation.site import Site
from experiments.simulation.visitors import Answer, Ask, Behaviour, Shown, Step, Tell, Track, Wait

LARGEST_BATCH = 100
A_MOMENT = timedelta(seconds=1)


@dataclass(slots=True, kw_only=True)
class Walker:
    """One visitor on their way."""

    id: str
    shown: Shown
    steps: Iterator[Step]


def arriving(number: int, behaviour: Behaviour, *, seed: int) -> Walker:
    """The visitor of a number, who behaves the same every time."""
    shown = Shown()
    steps = behaviour(np.random.default_rng([seed, number]), shown)
    return Walker(id=f"visitor-{number:06d}", shown=shown, steps=steps)


def call_of(step: Track | Tell, *, visitor: str, message_id: str, at: datetime) -> dict[str, Any]:
    """What the site sends of a step; what it knows of somebody it knew before they came."""
    call = {"messageId": message_id, "anonymousId": visitor}
    if isinstance(step, Tell):
        at -= A_MOMENT
        said = {"type": "identify", "traits": step.traits}
    else:
        said = {"type": "track", "event": step.event, "properties": step.properties}
    return {**call, **said, "timestamp": at.isoformat()}


class Traffic:
    """Lets visitors arrive at a steady rate and walk their steps as told time passes."""

    def __init__(
        self,
        site: Site,
        clock: SteppedClock,
        *,
        journey: str,
        behaviour: Behaviour,
        starts_at: datetime,
        days: int,
        visitors_per_day: int,
        seed: int,
    ) -> None:
        self._site = site
        self._clock = clock
        self._journey = journey
        self._behaviour = behaviour
        self._starts_at = starts_at
        self._gap = timedelta(days=1) / visitors_per_day
        self._expected = days * visitors_per_day
        self._seed = seed
        self._queue: list[tuple[datetime, int, Walker]] = []
        self._outbox: list[dict[str, Any]] = []
        self.arrived = 0
        self.tracked = 0

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due by then, moving the clock along."""
        self._let_in(until)
        while self._queue and self._queue[0][0] <= until:
            at, number, walker = heapq.heappop(self._queue)
            self._clock.set(at)
            self._walk(walker, number, at=at)
        self._clock.set(until)
        self._send()

    def _let_in(self, until: datetime) -> None:
        while self.arrived < self._expected:
            at = self._starts_at + self.arrived * self._gap
            if at > until:
                return
            walker = arriving(self.arrived, self._behaviour, seed=self._seed)
            heapq.heappush(self._queue, (at, self.arrived, walker))
            self.arrived += 1

    def _walk(self, walker: Walker, number: int, *, at: datetime) -> None:
        for step in walker.steps:
            if isinstance(step, Wait):
                heapq.heappush(self._queue, (at + step.by, number, walker))
                return
            if isinstance(step, Ask):
                self._ask(walker, step)
            else:
                self._track(walker, step, at=at)

    def _ask(self, walker: Walker, step: Ask) -> None:
        question = {
            "visitor": walker.id,
            "journey": self._journey,
            "touchpoint": step.touchpoint,
        }
        answer = self._site.post("/api/v1/resolve", question)
        for key, slot in answer["slots"].items():
            walker.shown.slots[key] = Answer(
                value=slot["value"], experiment=slot["experiment"], variant=slot["variant"]
            )

    def _track(self, walker: Walker, step: Track | Tell, *, at: datetime) -> None:
        self.tracked += 1
        call = call_of(step, visitor=walker.id, message_id=f"simulated-{self.tracked}", at=at)
        self._outbox.append(call)
        if len(self._outbox) >= LARGEST_BATCH:
            self._send()

    def _send(self) -> None:
        if self._outbox:
            self._site.post("/v1/batch", {"batch": self._outbox})
            self._outbox = []
