"""Changing experiments: drafts, the life cycle, phases, layers and holdouts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from numpy.random import Generator
from sqlmodel import Session, col, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import queries
from experiments.design.allocation import Allocation
from experiments.design.lifecycle import ENROLLING, check_editable, check_enrolling, check_step
from experiments.design.models import Experiment, Holdout, Layer, Phase, Variant
from experiments.design.schemas import (
    ExperimentIn,
    ExperimentOut,
    HoldoutIn,
    HoldoutOut,
    LayerIn,
    LayerOut,
    PhaseIn,
    Severity,
    Source,
    Status,
)
from experiments.errors import ConflictError, InvalidError, NotFoundError, Problem
from experiments.journeys import queries as journeys

_SALT_BYTES = 8


def create(
    session: Session,
    data: ExperimentIn,
    *,
    rng: Generator,
    source: Source = Source.LIVE,
    actor: Actor,
    now: datetime,
) -> ExperimentOut:
    """Draft an experiment on the standard journey.

    Args:
        session: the transaction.
        data: the draft; checks come later, so it may be incomplete.
        rng: makes the salt, which never depends on the key.
        source: where its data will come from.
        actor: who drafts.
        now: the time.

    Raises:
        ConflictError: when the key is taken.
        InvalidError: when the journey or the layer does not exist, or nothing is published.
    """
    taken = session.exec(select(Experiment.id).where(Experiment.key == data.key)).one_or_none()
    if taken is not None:
        message = f"There is an experiment {data.key!r} already; choose another key."
        raise ConflictError(message)
    row = Experiment(
        **_columns(session, data),
        source=source,
        salt=_salt(rng),
        status=Status.DRAFT,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _add_variants(session, row, data)
    _record(session, "created", row, actor=actor, now=now)
    return queries.experiment(session, data.key)


def edit(
    session: Session, key: str, data: ExperimentIn, *, actor: Actor, now: datetime
) -> ExperimentOut:
    """Write a draft or scheduled experiment again; its salt stays.

    Raises:
        ConflictError: when it has started.
        InvalidError: when the key differs, or the journey or the layer does not exist.
    """
    row = _locked(session, key)
    check_editable(key, Status(row.status))
    if data.key != key:
        raise InvalidError.at("/key", f"must stay {key!r}; draft a new experiment for another key")
    row.sqlmodel_update(_columns(session, data))
    for variant in session.exec(select(Variant).where(Variant.experiment_id == row.id)):
        session.delete(variant)
    session.flush()
    _add_variants(session, row, data)
    _record(session, "edited", row, actor=actor, now=now)
    return queries.experiment(session, key)


def schedule(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Let an experiment start by itself at its `starts_at`.

    Raises:
        ConflictError: when it is no draft.
        InvalidError: when a check forbids the start, or there is no `starts_at`.
    """
    row = _locked(session, key)
    check_step(key, Status(row.status), Status.SCHEDULED)
    if row.starts_at is None:
        raise InvalidError.at("/starts_at", "is needed to schedule; set it or start it now")
    _check_startable(session, key)
    return _step(session, row, Status.SCHEDULED, actor=actor, now=now)


def start(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Start an experiment: its plan is frozen and its first phase opens.

    Raises:
        ConflictError: when it has started before.
        InvalidError: when a check forbids the start.
    """
    row = _locked(session, key)
    check_step(key, Status(row.status), Status.RUNNING)
    if row.started_at is not None:
        message = f"Experiment {key!r} has started already; resume it instead."
        raise ConflictError(message)
    _check_startable(session, key)
    row.base_version = _standard_number(session, queries.experiment(session, key).journey)
    row.started_at = now
    arms = queries.experiment(session, key).variants
    weights = {arm.key: arm.weight for arm in arms}
    _add_phase(session, row, Allocation(coverage=row.coverage, weights=weights), now=now)
    return _step(session, row, Status.RUNNING, actor=actor, now=now, action="started")


def pause(session: Session, key: str, *, reason: str, actor: Actor, now: datetime) -> ExperimentOut:
    """Take in nobody new until it is resumed."""
    row = _locked(session, key)
    return _step(session, row, Status.PAUSED, actor=actor, now=now, reason=reason)


def resume(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Go on after a pause.

    Raises:
        ConflictError: when it is not paused.
    """
    row = _locked(session, key)
    if row.status != Status.PAUSED:
        message = f"Experiment {key!r} is {row.status}, not paused; there is nothing to resume."
        raise ConflictError(message)
    return _step(session, row, Status.RUNNING, actor=actor, now=now, action="resumed")


def stop(
    session: Session, key: str, *, reason: str = "", actor: Actor, now: datetime
) -> ExperimentOut:
    """Take in nobody any more and wait until the last visitor's window is over."""
    row = _locked(session, key)
    row.stopped_at = now
    return _step(session, row, Status.MATURING, actor=actor, now=now, reason=reason)


def abort(session: Session, key: str, *, reason: str, actor: Actor, now: datetime) -> ExperimentOut:
    """End an experiment without a decision.

    Raises:
        InvalidError: when there is no reason.
    """
    if not reason.strip():
        raise InvalidError.at("/reason", "is required: say why the experiment is aborted")
    row = _locked(session, key)
    row.stopped_at = row.stopped_at or now
    row.ended_at = now
    return _step(session, row, Status.ABORTED, actor=actor, now=now, reason=reason)


def conclude(
    session: Session, key: str, status: Status, *, actor: Actor, now: datetime
) -> ExperimentOut:
    """Write down what a decision made of an experiment: decided, promoted, kept, inconclusive."""
    row = _locked(session, key)
    row.ended_at = row.ended_at or now
    return _step(session, row, status, actor=actor, now=now)


def archive(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Put an ended experiment, or a draft nobody wants, out of sight."""
    return _step(session, _locked(session, key), Status.ARCHIVED, actor=actor, now=now)


def open_phase(
    session: Session, key: str, data: PhaseIn, *, actor: Actor, now: datetime
) -> ExperimentOut:
    """Go on with another coverage or allocation, as a stratum of its own.

    Raises:
        ConflictError: when the experiment takes in nobody.
        InvalidError: when the coverage shrinks or the weights do not fit.
    """
    row = _locked(session, key)
    check_enrolling(key, Status(row.status))
    following = _allocation(session, key).changed(data)
    _add_phase(session, row, following, now=now, reason=data.reason)
    _record(session, "phase_opened", row, actor=actor, now=now, reason=data.reason)
    return queries.experiment(session, key)


def remove_variant(
    session: Session, key: str, variant: str, *, reason: str, actor: Actor, now: datetime
) -> ExperimentOut:
    """Show a variant to nobody any more; the others share its visitors in a new phase.

    Raises:
        NotFoundError: when there is no such active variant.
        ConflictError: when it is the control or the last treatment.
    """
    row = _locked(session, key)
    check_enrolling(key, Status(row.status))
    active = [arm for arm in queries.experiment(session, key).variants if arm.removed_at is None]
    leaving = next((arm for arm in active if arm.key == variant), None)
    if leaving is None:
        raise NotFoundError(f"active variant of experiment {key!r}", variant)
    if leaving.control or len(active) <= 2:
        message = f"Without {variant!r} there is nothing to compare; stop the experiment instead."
        raise ConflictError(message)
    session.get_one(Variant, leaving.id).removed_at = now
    following = _allocation(session, key).without(variant)
    _add_phase(session, row, following, now=now, reason=reason)
    detail = {"variant": variant}
    _record(session, "variant_removed", row, actor=actor, now=now, reason=reason, detail=detail)
    return queries.experiment(session, key)


def start_due(session: Session, *, actor: Actor, now: datetime) -> list[str]:
    """Start every scheduled experiment whose time has come; keys of those that changed.

    One that can no longer start becomes a draft again, with the reason in the audit trail.
    """
    query = select(Experiment.key).where(
        Experiment.status == Status.SCHEDULED, col(Experiment.starts_at) <= now
    )
    due = session.exec(query.order_by(Experiment.key)).all()
    for key in due:
        try:
            start(session, key, actor=actor, now=now)
        except InvalidError as error:
            row = _locked(session, key)
            _step(session, row, Status.DRAFT, actor=actor, now=now, reason=str(error))
    return list(due)


def stop_due(session: Session, *, actor: Actor, now: datetime) -> list[str]:
    """Stop every experiment that has run for its maximum days; keys of those that changed."""
    due = [
        found.key
        for found in queries.experiments(session, ENROLLING)
        if found.source is Source.LIVE
        and found.started_at is not None
        and found.started_at + timedelta(days=found.plan.maximum_days) <= now
    ]
    for key in due:
        stop(session, key, reason="maximum days reached", actor=actor, now=now)
    return due


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
    session.add(Layer(**data.model_dump(), salt=_salt(rng)))
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
        salt=_salt(rng),
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


def _locked(session: Session, key: str) -> Experiment:
    query = select(Experiment).where(Experiment.key == key).with_for_update()
    row = session.exec(query).one_or_none()
    if row is None:
        raise NotFoundError("experiment", key)
    return row


def _columns(session: Session, data: ExperimentIn) -> dict[str, Any]:
    fields = data.model_dump(mode="json", exclude={"journey", "place", "variants", "starts_at"})
    place = data.place
    return {
        **fields,
        "journey_id": _journey_id(session, data.journey),
        "base_version": _standard_number(session, data.journey),
        "layer_id": None if place is None else _layer_id(session, place.layer),
        "layer_start": None if place is None else place.start,
        "layer_end": None if place is None else place.end,
        "starts_at": data.starts_at,
    }


def _journey_id(session: Session, key: str) -> int:
    try:
        return journeys.journey(session, key).id
    except NotFoundError as error:
        raise InvalidError.at("/journey", f"{error} Create it first or name another.") from error


def _standard_number(session: Session, journey: str) -> int:
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


def _add_variants(session: Session, row: Experiment, data: ExperimentIn) -> None:
    for position, variant in enumerate(data.variants):
        session.add(Variant(**variant.model_dump(), experiment_id=row.id, position=position))
    session.flush()


def _check_startable(session: Session, key: str) -> None:
    found = queries.check(session, key)
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise InvalidError([Problem(finding.field, finding.message) for finding in errors])


def _allocation(session: Session, key: str) -> Allocation:
    newest = queries.experiment(session, key).phases[-1]
    return Allocation(coverage=newest.coverage, weights=newest.weights)


def _add_phase(
    session: Session, row: Experiment, allocation: Allocation, *, now: datetime, reason: str = ""
) -> None:
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


def _step(
    session: Session,
    row: Experiment,
    following: Status,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    action: str = "",
) -> ExperimentOut:
    check_step(row.key, Status(row.status), following)
    detail = {"from": row.status, "to": following}
    row.status = following
    session.flush()
    _record(session, action or following, row, actor=actor, now=now, reason=reason, detail=detail)
    return queries.experiment(session, row.key)


def _record(
    session: Session,
    action: str,
    row: Experiment,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        f"experiment.{action}",
        subject=("experiment", row.key),
        actor=actor,
        now=now,
        reason=reason,
        detail=detail,
    )


def _salt(rng: Generator) -> str:
    return rng.bytes(_SALT_BYTES).hex()
