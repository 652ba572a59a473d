from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from experiments import logs
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor
from experiments.database import transaction
from experiments.design import service as design
from experiments.design.schemas import ExperimentOut
from experiments.resolution.ruleset import Ruleset
from experiments.resolution.rulesets import RulesetCache

Launch = Callable[..., ExperimentOut]


@pytest.fixture
def cache(engine: Engine) -> Iterator[RulesetCache]:
    """One whose thread never looks by itself."""
    made = RulesetCache(engine, poll_seconds=3600)
    yield made
    made.stop()


def experiments(ruleset: Ruleset) -> list[str]:
    slot = ruleset.journeys["signup"].touchpoints["landing_page"].slots["hero_headline"]
    return [rule.key for rule in slot.experiments]


def test_look__after_a_change__swaps_once(
    engine: Engine, cache: RulesetCache, signup: Callable[[Session], None], launch: Launch
) -> None:
    assert cache.current().journeys == {}
    with transaction(engine) as session:
        signup(session)
        launch(session)
    cache.look()
    found = cache.current()
    cache.look()
    assert cache.current() is found
    assert experiments(found) == ["headline"]


def test_look__what_cannot_be_read_or_evaluated__never_replaces_what_can(
    engine: Engine,
    cache: RulesetCache,
    now: datetime,
    actor: Actor,
    signup: Callable[[Session], None],
    launch: Launch,
) -> None:
    logs.configure(as_json=True)
    with transaction(engine) as session:
        signup(session)
        launch(session)
    good = cache.current()
    with transaction(engine) as session:
        design.pause(session, "headline", reason="test", actor=actor, now=now)
    rename(engine, "holdout", "elsewhere")
    cache.look()
    rename(engine, "elsewhere", "holdout")
    assert cache.current() is good
    poison(engine, "[1]")
    cache.look()
    assert cache.current() is good
    poison(engine, "{}")
    cache.look()
    assert cache.current() is not good


def test_current__a_change_elsewhere__is_live_within_a_second(
    engine: Engine, signup: Callable[[Session], None]
) -> None:
    cache = RulesetCache(engine)
    assert cache.current().journeys == {}
    with transaction(engine) as session:
        signup(session)
    until = monotonic() + 30  # a second, and what a busy machine may add
    while not cache.current().journeys and monotonic() < until:
        sleep(0.05)
    cache.stop()
    assert set(cache.current().journeys) == {"signup"}


def test_grant__revoked_or_expired__ends(
    engine: Engine, cache: RulesetCache, clock: Any, now: datetime, actor: Actor
) -> None:
    soon = now + timedelta(hours=1)
    data = TokenIn(name="site", scopes=[Scope.EVALUATE], expires_at=soon)
    with transaction(engine) as session:
        made = accounts.create_token(session, data, actor=actor, now=now)
    found = cache.grant(made.secret, clock=clock)
    assert found is not None
    assert (found.token_id, found.scopes) == (made.id, {Scope.EVALUATE})
    clock.at = soon
    assert cache.grant(made.secret, clock=clock) is None
    clock.at = now
    assert cache.grant("somebody else", clock=clock) is None
    with transaction(engine) as session:
        accounts.revoke_token(session, made.id, actor=actor, now=now)
    cache.look()
    assert cache.grant(made.secret, clock=clock) is None


def rename(engine: Engine, table: str, name: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


def poison(engine: Engine, audience: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE experiment SET audience = '{audience}'")
