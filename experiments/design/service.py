"""Changing experiments: drafts, the life cycle and phases."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from numpy.random import Generator
from sqlmodel import Session, col, select

from experiments.audit.schemas import Actor
from experiments.design import queries, rows
from experiments.design.allocation import Allocation
from experiments.design.lifecycle import ENROLLING, check_editable, check_enrolling, check_step
from experiments.design.models import Experiment, Variant
from experiments.design.schemas import (
    ExperimentIn,
    ExperimentOut,
    PhaseIn,
    Severity,
    Source,
    Status,
)
from experiments.errors import ConflictError, InvalidError, NotFoundError, Problem


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

    The draft may be incomplete, since checks come later. `rng` makes the salt, which never
    depends on the key.

    Raises:
        ConflictError: when the key is taken.
        InvalidError: when the journey or the layer does not exist, or nothing is published.
    """
    taken = session.exec(select(Experiment.id).where(Experiment.key == data.key)).one_or_none()
    if taken is not None:
        message = f"There is an experiment {data.key!r} already; choose another key."
        raise ConflictError(message)
    row = Experiment(
        **rows.columns(session, data),
        source=source,
        salt=rows.new_salt(rng),
        status=Status.DRAFT,
        created_at=now,
    )
    session.add(row)
    session.flush()
    rows.add_variants(session, row, data)
    rows.record(session, "created", row, actor=actor, now=now)
    return queries.experiment(session, data.key)


def held(session: Session, key: str) -> ExperimentOut:
    """An experiment as it stands, which nobody else changes until the transaction ends.

    Raises:
        NotFoundError: when there is none.
    """
    rows.locked(session, key)
    return queries.experiment(session, key)


def edit(
    session: Session, key: str, data: ExperimentIn, *, actor: Actor, now: datetime
) -> ExperimentOut:
    """Write a draft or scheduled experiment again; its salt stays.

    Raises:
        ConflictError: when it has started.
        InvalidError: when the key differs, or the journey or the layer does not exist.
    """
    row = rows.locked(session, key)
    check_editable(key, Status(row.status))
    if data.key != key:
        raise InvalidError.at("/key", f"must stay {key!r}; draft a new experiment for another key")
    row.sqlmodel_update(rows.columns(session, data))
    for variant in session.exec(select(Variant).where(Variant.experiment_id == row.id)):
        session.delete(variant)
    session.flush()
    rows.add_variants(session, row, data)
    rows.record(session, "edited", row, actor=actor, now=now)
    return queries.experiment(session, key)


def schedule(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Let an experiment start by itself at its `starts_at`.

    Raises:
        ConflictError: when it is no draft.
        InvalidError: when a check forbids the start, or there is no `starts_at`.
    """
    row = rows.locked(session, key)
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
    row = rows.locked(session, key)
    check_step(key, Status(row.status), Status.RUNNING)
    if row.started_at is not None:
        message = f"Experiment {key!r} has started already; resume it instead."
        raise ConflictError(message)
    _check_startable(session, key)
    draft = queries.experiment(session, key)
    weights = {arm.key: arm.weight for arm in draft.variants}
    first = Allocation(coverage=draft.coverage, weights=weights)
    rows.add_phase(session, row, first, now=now)
    based = rows.base(session, draft.journey, draft.level, draft.variants)
    stamps = {**based, "started_at": now}
    return _step(
        session, row, Status.RUNNING, actor=actor, now=now, action="started", stamps=stamps
    )


def pause(session: Session, key: str, *, reason: str, actor: Actor, now: datetime) -> ExperimentOut:
    """Take in nobody new until it is resumed."""
    row = rows.locked(session, key)
    return _step(session, row, Status.PAUSED, actor=actor, now=now, reason=reason)


def resume(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Go on after a pause.

    Raises:
        ConflictError: when it is not paused.
    """
    row = rows.locked(session, key)
    if row.status != Status.PAUSED:
        message = f"Experiment {key!r} is {row.status}, not paused; there is nothing to resume."
        raise ConflictError(message)
    return _step(session, row, Status.RUNNING, actor=actor, now=now, action="resumed")


def stop(
    session: Session, key: str, *, reason: str = "", actor: Actor, now: datetime
) -> ExperimentOut:
    """Take in nobody any more and wait until the last visitor's window is over."""
    row = rows.locked(session, key)
    stamps = {"stopped_at": now}
    return _step(session, row, Status.MATURING, actor=actor, now=now, reason=reason, stamps=stamps)


def abort(session: Session, key: str, *, reason: str, actor: Actor, now: datetime) -> ExperimentOut:
    """End an experiment without a decision.

    Raises:
        InvalidError: when there is no reason.
    """
    if not reason.strip():
        raise InvalidError.at("/reason", "is required: say why the experiment is aborted")
    row = rows.locked(session, key)
    stamps = {"stopped_at": row.stopped_at or now, "ended_at": now}
    return _step(session, row, Status.ABORTED, actor=actor, now=now, reason=reason, stamps=stamps)


def conclude(
    session: Session, key: str, status: Status, *, actor: Actor, now: datetime
) -> ExperimentOut:
    """Write down what a decision made of an experiment: decided first, then how it ended."""
    row = rows.locked(session, key)
    stamps = {"ended_at": row.ended_at or now}
    return _step(session, row, status, actor=actor, now=now, stamps=stamps)


def archive(session: Session, key: str, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Put an ended experiment, or a draft nobody wants, out of sight."""
    return _step(session, rows.locked(session, key), Status.ARCHIVED, actor=actor, now=now)


def open_phase(
    session: Session, key: str, data: PhaseIn, *, actor: Actor, now: datetime
) -> ExperimentOut:
    """Go on with another coverage or allocation, as a stratum of its own.

    Raises:
        ConflictError: when the experiment takes in nobody.
        InvalidError: when the coverage shrinks or the weights do not fit.
    """
    row = rows.locked(session, key)
    check_enrolling(key, Status(row.status))
    following = rows.newest_allocation(session, key).changed(data)
    rows.add_phase(session, row, following, now=now, reason=data.reason)
    rows.record(session, "phase_opened", row, actor=actor, now=now, reason=data.reason)
    return queries.experiment(session, key)


def remove_variant(
    session: Session, key: str, variant: str, *, reason: str, actor: Actor, now: datetime
) -> ExperimentOut:
    """Show a variant to nobody any more; the others share its visitors in a new phase.

    Raises:
        NotFoundError: when there is no such active variant.
        ConflictError: when it is the control or the last treatment.
    """
    row = rows.locked(session, key)
    check_enrolling(key, Status(row.status))
    active = [arm for arm in queries.experiment(session, key).variants if arm.removed_at is None]
    leaving = next((arm for arm in active if arm.key == variant), None)
    if leaving is None:
        raise NotFoundError(f"active variant of experiment {key!r}", variant)
    if leaving.control or len(active) <= 2:
        message = f"Without {variant!r} there is nothing to compare; stop the experiment instead."
        raise ConflictError(message)
    session.get_one(Variant, leaving.id).removed_at = now
    following = rows.newest_allocation(session, key).without(variant)
    rows.add_phase(session, row, following, now=now, reason=reason)
    detail = {"variant": variant}
    rows.record(session, "variant_removed", row, actor=actor, now=now, reason=reason, detail=detail)
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
            row = rows.locked(session, key)
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


def _check_startable(session: Session, key: str) -> None:
    found = queries.check(session, key)
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise InvalidError([Problem(finding.field, finding.message) for finding in errors])


def _step(
    session: Session,
    row: Experiment,
    following: Status,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    action: str = "",
    stamps: Mapping[str, object] = MappingProxyType({}),
) -> ExperimentOut:
    check_step(row.key, Status(row.status), following)
    name = action or following.value
    detail = {"from": row.status, "to": following}
    row.sqlmodel_update({**stamps, "status": following})
    session.flush()
    rows.record(session, name, row, actor=actor, now=now, reason=reason, detail=detail)
    return queries.experiment(session, row.key)
