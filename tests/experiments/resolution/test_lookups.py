from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from experiments.assignment import service as assignment
from experiments.assignment.schemas import AliasKind, Known
from experiments.database import open_engine, transaction
from experiments.errors import UnavailableError
from experiments.resolution.lookups import KEPT, Lookups
from experiments.resolution.ruleset import Ruleset

RULES = Ruleset()


@pytest.fixture
def lookups(engine: Engine) -> Iterator[Lookups]:
    opened = Lookups(engine)
    yield opened
    opened.close()


def test_known__stored_after_an_earlier_look__is_seen(
    engine: Engine, lookups: Lookups, now: datetime
) -> None:
    assert lookups.known(RULES, "v").visitor_id is None
    with transaction(engine) as session:
        stored = assignment.visitor(session, "v", kind=AliasKind.ANONYMOUS, now=now)
    assert lookups.known(RULES, "v").visitor_id == stored


def test_known__connection_was_lost_meanwhile__is_opened_anew(lookups: Lookups) -> None:
    lookups.known(RULES, "v")
    for seat in lookups._idle:
        seat.connection.connection.driver_connection.close()
    assert lookups.known(RULES, "v") == Known()


def test_known__many_ask_at_once__keeps_a_few_connections_and_gives_back_the_others(
    engine: Engine, lookups: Lookups
) -> None:
    with ThreadPoolExecutor(3 * KEPT) as threads:
        found = list(threads.map(lambda number: lookups.known(RULES, str(number)), range(100)))
    assert found == [Known()] * 100
    assert engine.pool.checkedout() <= KEPT  # type: ignore[attr-defined] # of a QueuePool


@pytest.mark.parametrize(
    "url", ["sqlite:////dev/null/nowhere.db", "postgresql+psycopg://localhost:1/nowhere"]
)
def test_known__database_away__says_so(url: str) -> None:
    with pytest.raises(UnavailableError):
        Lookups(create_engine(url)).known(RULES, "v")


def test_known__layout_is_another__is_unavailable(tmp_path: Path) -> None:
    bare = open_engine(f"sqlite:///{tmp_path / 'bare.db'}")
    with pytest.raises(UnavailableError):
        Lookups(bare).known(RULES, "v")
    bare.dispose()
