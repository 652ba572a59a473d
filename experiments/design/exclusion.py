"""What keeps visitors apart: layers, whose experiments exclude each other, and holdouts."""

from datetime import datetime

from numpy.random import Generator
from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import queries
from experiments.design.models import Holdout, Layer
from experiments.design.rows import new_salt
from experiments.design.schemas import HoldoutIn, HoldoutOut, LayerIn, LayerOut
from experiments.errors import ConflictError, NotFoundError
from experiments.journeys import queries as journeys


def create_layer(
    session: Session, data: LayerIn, *, rng: Generator, actor: Actor, now: datetime
) -> LayerOut:
    """Make a layer, whose experiments exclude each other.

    Raises:
        ConflictError: when the key is taken.
    """
    if session.exec(select(Layer.id).where(Layer.key == data.key)).one_or_none() is not None:
        message = f"There is a layer {data.key!r} already; choose another key."
        raise ConflictError(message)
    session.add(Layer(**data.model_dump(), salt=new_salt(rng)))
    session.flush()
    audit.record(session, "layer.created", subject=("layer", data.key), actor=actor, now=now)
    return queries.layer(session, data.key)


def create_holdout(
    session: Session, data: HoldoutIn, *, rng: Generator, actor: Actor, now: datetime
) -> HoldoutOut:
    """Keep a share of visitors out of every experiment of a journey from now on.

    Raises:
        NotFoundError: when there is no such journey.
        ConflictError: when the key is taken.
    """
    if session.exec(select(Holdout.id).where(Holdout.key == data.key)).one_or_none() is not None:
        message = f"There is a holdout {data.key!r} already; choose another key."
        raise ConflictError(message)
    row = Holdout(
        **data.model_dump(exclude={"journey"}),
        journey_id=journeys.journey(session, data.journey).id,
        salt=new_salt(rng),
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(session, "holdout.created", subject=("holdout", data.key), actor=actor, now=now)
    return queries.holdout_out(row, data.journey)


def end_holdout(
    session: Session, key: str, *, reason: str, actor: Actor, now: datetime
) -> HoldoutOut:
    """Let the visitors of a holdout take part again; ending it twice changes nothing.

    Raises:
        NotFoundError: when there is no such holdout.
    """
    row = session.exec(select(Holdout).where(Holdout.key == key).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError("holdout", key)
    if row.ended_at is None:
        row.ended_at = now
        session.flush()
        audit.record(
            session, "holdout.ended", subject=("holdout", key), actor=actor, now=now, reason=reason
        )
    return next(found for found in queries.holdouts(session) if found.key == key)
