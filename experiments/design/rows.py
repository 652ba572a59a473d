"""The rows of an experiment: how they are locked, filled and recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from numpy.random import Generator
from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import queries
from experiments.design.allocation import Allocation
from experiments.design.audiences import check_audience
from experiments.design.models import Experiment, Phase, Variant
from experiments.design.paths import Walked, parting
from experiments.design.schemas import ExperimentIn, Level, Purpose
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import queries as journeys

_SALT_BYTES = 8


def locked(session: Session, key: str) -> Experiment:
    """The row of a test, held until the transaction ends.

    Raises:
        NotFoundError: when there is none.
        ConflictError: when people do not lead it, but a promotion or a holdout does.
    """
    query = select(Experiment).where(Experiment.key == key).with_for_update()
    # What this session read before it had the lock may be old by now.
    row = session.exec(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFoundError("experiment", key)
    if row.purpose != Purpose.TEST:
        message = f"{key!r} is no test but a {row.purpose}; it begins and ends with what it is for."
        raise ConflictError(message)
    return row


def columns(session: Session, data: ExperimentIn) -> dict[str, Any]:
    """The columns that a draft fills.

    Raises:
        InvalidError: when the journey, the layer or what the audience asks for does not exist, or
            nothing is published.
    """
    journey_id = _journey_id(session, data.journey)
    check_audience(session, data.audience, journey=data.journey)
    fields = data.model_dump(mode="json", exclude={"journey", "place", "variants", "starts_at"})
    place = data.place
    return {
        **fields,
        "journey_id": journey_id,
        **base(session, data.journey, data.level, data.variants),
        "layer_id": None if place is None else _layer_id(session, place.layer),
        "layer_start": None if place is None else place.start,
        "layer_end": None if place is None else place.end,
        "starts_at": data.starts_at,
    }


def base(
    session: Session, journey: str, level: Level, variants: Sequence[Walked]
) -> dict[str, Any]:
    """The columns that follow from the standard: which it is, and where paths part on it.

    Raises:
        InvalidError: when nothing has been published, or a patch does not fit.
    """
    number = standard_number(session, journey)
    if level is Level.MESSAGE:
        return {"base_version": number}
    parted = parting(variants, journeys.version(session, journey, number).graph)
    return {
        "base_version": number,
        "divergence": None if parted is None else parted.model_dump(mode="json"),
        "touchpoint": next(iter(parted.touchpoints), "") if parted else "",
    }


def _journey_id(session: Session, key: str) -> int:
    try:
        return journeys.journey(session, key).id
    except NotFoundError as error:
        raise InvalidError.at("/journey", f"{error} Create it first or name another.") from error


def standard_number(session: Session, journey: str) -> int:
    """The number of the standard version.

    Raises:
        InvalidError: when nothing has been published.
    """
    standard = journeys.journey(session, journey).standard
    if standard is None:
        raise InvalidError.at("/journey", f"{journey!r} has no standard version; publish one first")
    return standard


def _layer_id(session: Session, key: str) -> int:
    try:
        return queries.layer(session, key).id
    except NotFoundError as error:
        detail = f"{error} Create it first or name another."
        raise InvalidError.at("/place/layer", detail) from error


def add_variants(session: Session, row: Experiment, data: ExperimentIn) -> None:
    """Store the arms of a draft in their order."""
    for position, variant in enumerate(data.variants):
        fields = variant.model_dump(mode="json")
        session.add(Variant(**fields, experiment_id=row.id, position=position))
    session.flush()


def newest_allocation(session: Session, key: str) -> Allocation:
    """The allocation of the newest phase."""
    newest = queries.experiment(session, key).phases[-1]
    return Allocation(coverage=newest.coverage, weights=newest.weights)


def add_phase(
    session: Session, row: Experiment, allocation: Allocation, *, now: datetime, reason: str = ""
) -> None:
    """Open the next phase."""
    numbers = session.exec(select(Phase.number).where(Phase.experiment_id == row.id)).all()
    phase = Phase(
        experiment_id=row.id,
        number=max(numbers, default=0) + 1,
        started_at=now,
        coverage=allocation.coverage,
        weights=dict(allocation.weights),
        reason=reason,
    )
    session.add(phase)
    session.flush()


def record(
    session: Session,
    action: str,
    row: Experiment,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write `experiment.<action>` into the audit trail."""
    audit.record(
        session,
        f"experiment.{action}",
        subject=("experiment", row.key),
        actor=actor,
        now=now,
        reason=reason,
        detail=detail,
    )


def new_salt(rng: Generator) -> str:
    """A random salt; never made of a name, so that experiments are independent."""
    return rng.bytes(_SALT_BYTES).hex()
