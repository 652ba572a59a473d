"""What an entry point opens once and hands to everything it serves."""

from dataclasses import dataclass

import numpy as np
import sqlalchemy

from experiments.clock import Clock
from experiments.columnar.location import Location, locate
from experiments.database import open_engine
from experiments.events.parcels import Parcel
from experiments.events.schemas import BatchOut
from experiments.events.writing import kind_of_events
from experiments.inbox.group_commit import GroupCommit
from experiments.inbox.pace import Pace
from experiments.inbox.schemas import Kind
from experiments.moments.engines import Engines, chosen
from experiments.replay.log import ResolutionLog
from experiments.resolution.resolver import Resolver
from experiments.resolution.rulesets import RulesetCache
from experiments.resolution.spool import Spool
from experiments.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The settings, the storage and its writer, the clock, the dice and the live ruleset."""

    settings: Settings
    engine: sqlalchemy.Engine
    columnar: Location
    moments: Engines
    clock: Clock
    rng: np.random.Generator
    rulesets: RulesetCache
    commits: GroupCommit
    events: Kind[Parcel, BatchOut]
    pace: Pace
    resolver: Resolver
    spool: Spool

    def close(self) -> None:
        """Store what is on its way and let go of the storage."""
        self.rulesets.stop()
        self.commits.stop()
        self.spool.close()
        self.resolver.close()
        self.engine.dispose()


def open_runtime(
    settings: Settings, clock: Clock | None = None, *, engine: sqlalchemy.Engine | None = None
) -> Runtime:
    """Open everything the settings name; `clock` and `engine` replace those they ask for."""
    engine = engine or open_engine(settings.storage_url)
    clock = clock or settings.clock()
    rulesets, commits = RulesetCache(engine), GroupCommit(engine, clock)
    columnar = locate(settings.columnar_address)
    share = settings.resolution_log_share
    log = ResolutionLog(commits=commits, share=share) if share else None
    spool = Spool(settings.data_dir / "spool")
    resolver = Resolver(engine, commits, spool, note=log.note if log else None)
    rulesets.accompany(resolver.replay)
    return Runtime(
        settings=settings,
        engine=engine,
        columnar=columnar,
        moments=chosen(settings, columnar),
        clock=clock,
        rng=np.random.default_rng(settings.seed),
        rulesets=rulesets,
        commits=commits,
        events=kind_of_events(),
        pace=Pace(settings.tracking_calls_per_minute),
        resolver=resolver,
        spool=spool,
    )
