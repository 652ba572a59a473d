"""What the demonstration is about: a journey, its experiments, and the truth about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from experiments.audit.schemas import Actor, ActorKind
from experiments.database import reading, transaction
from experiments.decisions import queries as decisions
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn, ExperimentOut, Status
from experiments.journeys import service as journeys
from experiments.journeys.schemas import JourneyIn
from experiments.personas import service as personas
from experiments.personas.schemas import PersonaIn
from experiments.runtime import Runtime
from experiments.shapes import parse

JOURNEY = "insurance"
DIRECTOR = Actor(kind=ActorKind.OPERATOR, name="demo")
OPEN = {Status.RUNNING, Status.PAUSED, Status.MATURING, Status.DECIDED}

# What each variant truly does (see visitors.py), and whether its promotion would be right.
TRUTHS = {
    "hero-pain": ("a true winner (+40% quotes)", True),
    "banner-refund": ("no effect, a broken split", False),
    "button-word": ("no effect", False),
    "form-long": ("a loser (-50% details)", False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one experiment ended, and how it had to."""

    key: str
    name: str
    truth: str
    status: str
    sentence: str
    expected: bool


def set_up(runtime: Runtime, *, now: datetime) -> None:
    """Publish the journey, describe the personas, start what runs from the first day."""
    scenario = _scenario()
    with transaction(runtime.engine) as session:
        journeys.create(session, parse(JourneyIn, scenario["journey"]), actor=DIRECTOR, now=now)
        journeys.publish(session, JOURNEY, 1, reason="first standard", actor=DIRECTOR, now=now)
        for persona in scenario["personas"]:
            personas.create(session, parse(PersonaIn, persona), actor=DIRECTOR, now=now)
    _begin(runtime, scenario["experiments"], now=now)


def go_on(runtime: Runtime, *, now: datetime) -> None:
    """Start what begins later and is still under way when the month is over, and draft the next."""
    scenario = _scenario()
    _begin(runtime, scenario["later"], now=now)
    with transaction(runtime.engine) as session:
        for drafted in scenario["drafts"]:
            data = parse(ExperimentIn, drafted)
            design.create(session, data, rng=runtime.rng, actor=DIRECTOR, now=now)


def still_open(runtime: Runtime) -> list[str]:
    """The experiments with a known truth that are not decided yet."""
    return [found.key for found in _known(runtime) if found.status in OPEN]


def endings(runtime: Runtime) -> list[Ending]:
    """What became of every experiment with a known truth."""
    return [_ending(runtime, found) for found in _known(runtime)]


def _begin(runtime: Runtime, planned: Sequence[Any], *, now: datetime) -> None:
    with transaction(runtime.engine) as session:
        for plan in planned:
            data = parse(ExperimentIn, plan)
            design.create(session, data, rng=runtime.rng, actor=DIRECTOR, now=now)
            design.start(session, data.key, actor=DIRECTOR, now=now)


def _known(runtime: Runtime) -> list[ExperimentOut]:
    with reading(runtime.engine) as session:
        found = designs.named(session, TRUTHS)
    return [found[key] for key in TRUTHS]


def _ending(runtime: Runtime, found: ExperimentOut) -> Ending:
    with reading(runtime.engine) as session:
        judged = decisions.decisions(session, found.key, limit=1)
    truth, should_promote = TRUTHS[found.key]
    return Ending(
        key=found.key,
        name=found.name,
        truth=truth,
        status=found.status,
        sentence=judged[0].sentence if judged else "no decision yet",
        expected=(found.status is Status.PROMOTED) == should_promote,
    )


def _scenario() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("insurance.yaml").read_text())
    return read
