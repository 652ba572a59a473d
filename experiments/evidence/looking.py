"""Bringing a data set into a database of its own and putting every look before the gate."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import Engine
from sqlmodel import Session

from experiments.analysis.queries import runs
from experiments.analysis.service import analyse
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import open_engine, reading, transaction
from experiments.decisions.queries import decisions
from experiments.decisions.service import decide
from experiments.design.queries import experiment
from experiments.design.schemas import ExperimentOut, Source
from experiments.errors import ConflictError
from experiments.evidence.reading import story
from experiments.evidence.schemas import Story
from experiments.imports import service as imports
from experiments.imports.looks import snapshot_times
from experiments.imports.schemas import AnyMapping
from experiments.tables import create_tables

ACTOR = Actor(kind=ActorKind.OPERATOR, name="evidence")
SEED = 20260105


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to look at: a file, what its columns mean, and which share of its experiments.

    A large file is shared out to several processes, `part` of `parts`; each has a database of its
    own, so that what is learned of the size of effects comes from earlier tests of its share. Of
    that the oldest `most` are looked at, or all.
    """

    mapping: AnyMapping
    file: Path
    now: datetime
    part: int = 0
    parts: int = 1
    most: int | None = None


def stories(order: Order) -> list[Story]:
    """Import a file and tell the story of each experiment of a share, in the order they began."""
    with _store() as (engine, folder):
        summary = imports.run(
            engine,
            order.mapping,
            order.file,
            refused_path=folder / "rejected.csv",
            rng=np.random.default_rng(SEED),
            actor=ACTOR,
            now=order.now,
            progress=lambda *_: None,
        )
        share = _in_order(engine, summary.experiments)[order.part :: order.parts][: order.most]
        return [_told(engine, item) for item in share]


@contextmanager
def _store() -> Iterator[tuple[Engine, Path]]:
    with TemporaryDirectory(prefix="desireline-evidence-") as name:
        folder = Path(name)
        engine = open_engine(f"sqlite:///{folder / 'evidence.db'}")
        create_tables(engine)
        try:
            yield engine, folder
        finally:
            engine.dispose()


def _in_order(engine: Engine, keys: list[str]) -> list[ExperimentOut]:
    """The oldest first, so that what was learned of the size of effects comes from earlier ones."""
    with reading(engine) as session:
        found = [experiment(session, key) for key in keys]
    return sorted(found, key=lambda item: (item.started_at or item.created_at, item.key))


def _told(engine: Engine, item: ExperimentOut) -> Story:
    with reading(engine) as session:
        due = _due(session, item)
    for at in due:
        with transaction(engine) as session:
            analyse(session, item.key, now=at)
            # One that was decided before stays decided; its later looks tell how it went on.
            with suppress(ConflictError):
                decide(session, item.key, actor=ACTOR, now=at)
    with reading(engine) as session:
        looks = [run.readout for run in reversed(runs(session, item.key))]
        judged = list(reversed(decisions(session, item.key)))
        return story(item, looks, judged)


def _due(session: Session, item: ExperimentOut) -> list[datetime]:
    if item.source is Source.SNAPSHOTS:
        return snapshot_times(session, item.key)
    return [item.stopped_at or item.created_at]
