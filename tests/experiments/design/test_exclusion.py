from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.design import exclusion, queries
from experiments.design.schemas import HoldoutIn, LayerIn
from experiments.errors import ConflictError, NotFoundError


def test_create_layer__new_and_taken_key__is_made_once(
    session: Session, rng: np.random.Generator, actor: Actor, now: datetime
) -> None:
    data = LayerIn(key="home", name="Home")
    made = exclusion.create_layer(session, data, rng=rng, actor=actor, now=now)
    assert queries.layers(session) == [made]
    with pytest.raises(ConflictError, match="choose another key"):
        exclusion.create_layer(session, data, rng=rng, actor=actor, now=now)


def test_holdout__ended_twice__keeps_the_first_end(
    session: Session, journey: None, rng: np.random.Generator, actor: Actor, now: datetime
) -> None:
    data = HoldoutIn(key="h", name="H", journey="shop", share=0.05)
    made = exclusion.create_holdout(session, data, rng=rng, actor=actor, now=now)
    assert queries.holdouts(session) == [made]
    for hours in (1, 2):
        at = now + timedelta(hours=hours)
        ended = exclusion.end_holdout(session, "h", reason="over", actor=actor, now=at)
        assert ended.ended_at == now + timedelta(hours=1)
    with pytest.raises(NotFoundError):
        exclusion.end_holdout(session, "none", reason="r", actor=actor, now=now)


def test_create_holdout__unknown_journey_or_taken_key__is_refused(
    session: Session, journey: None, rng: np.random.Generator, actor: Actor, now: datetime
) -> None:
    data = HoldoutIn(key="h", name="H", journey="none", share=0.05)
    with pytest.raises(NotFoundError):
        exclusion.create_holdout(session, data, rng=rng, actor=actor, now=now)
    known = HoldoutIn(key="h", name="H", journey="shop", share=0.05)
    exclusion.create_holdout(session, known, rng=rng, actor=actor, now=now)
    with pytest.raises(ConflictError, match="choose another key"):
        exclusion.create_holdout(session, known, rng=rng, actor=actor, now=now)
