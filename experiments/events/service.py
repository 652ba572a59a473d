"""Storing what visitors did, once per message id, with what follows from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, delete, update

from experiments.assignment import queries as visitors
from experiments.assignment import service as assignment
from experiments.assignment.bucketing import bucket
from experiments.assignment.identity import Claim
from experiments.assignment.schemas import AliasKind, AssignedBy, Identity
from experiments.database import insert_once
from experiments.design import queries as design
from experiments.design.schemas import ExperimentOut, PhaseOut, VariantOut
from experiments.errors import InvalidError, NotFoundError
from experiments.events.calls import Call, message_id, occurred_at, read_call
from experiments.events.exposures import Viewed, viewed
from experiments.events.models import Event, RejectedEvent
from experiments.events.schemas import BatchOut, EventType, Rejected

LONGEST_BODY_KEPT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What the calls of one request share."""

    session: Session
    source_key: str
    received_at: datetime
    experiments: dict[str, ExperimentOut | None] = field(default_factory=dict)

    def experiment(self, key: str) -> ExperimentOut | None:
        """The experiment of that key, looked up once a batch."""
        if key not in self.experiments:
            try:
                self.experiments[key] = design.experiment(self.session, key)
            except NotFoundError:
                self.experiments[key] = None
        return self.experiments[key]


def ingest(
    session: Session, calls: Sequence[object], *, source_key: str, received_at: datetime
) -> BatchOut:
    """Store the calls of a batch; one that is wrong is kept aside and stops no other."""
    batch = _Batch(session=session, source_key=source_key, received_at=received_at)
    stored, rejected = 0, []
    for index, raw in enumerate(calls):
        try:
            stored += _take(batch, raw, index=index)
        except InvalidError as error:
            rejected.append(Rejected(index=index, error=str(error)))
            _set_aside(batch, raw, error=str(error))
    session.flush()
    repeated = len(calls) - stored - len(rejected)
    return BatchOut(stored=stored, repeated=repeated, rejected=rejected)


def drop_rejected(session: Session, *, before: datetime) -> int:
    """Forget the events that were refused before a time; how many there were."""
    old = delete(RejectedEvent).where(col(RejectedEvent.received_at) < before)
    return session.exec(old).rowcount


def _take(batch: _Batch, raw: object, *, index: int) -> bool:
    """Store one call; False when it was stored before."""
    call = read_call(raw)
    at = occurred_at(call, received_at=batch.received_at)
    said = raw if isinstance(raw, Mapping) else {}
    visitor_id = _who(batch, call, at=at)
    event = Event(
        source_key=batch.source_key,
        message_id=message_id(call, said, index=index, received_at=batch.received_at),
        type=call.type,
        name=call.title,
        visitor_id=visitor_id,
        source=call.source,
        occurred_at=at,
        received_at=batch.received_at,
        properties=call.facts,
    )
    is_new = insert_once(batch.session, event)
    report = viewed(call.title, call.properties) if call.type is EventType.TRACK else None
    if is_new and report is not None:
        _expose(batch, report, call=call, visitor_id=visitor_id, at=at)
    return is_new


def _who(batch: _Batch, call: Call, *, at: datetime) -> int:
    """The visitor of a call, after tying together the ids that it ties."""
    session, now = batch.session, batch.received_at
    if call.type is EventType.ALIAS and call.user_id and call.previous_id:
        identity = assignment.alias(session, call.previous_id, user_id=call.user_id, now=now)
        return _follow(session, identity)
    if call.type is EventType.IDENTIFY and call.user_id:
        identity = assignment.identify(
            session,
            call.user_id,
            anonymous_id=call.anonymous_id,
            traits=call.traits,
            as_of=at,
            now=now,
        )
        return _follow(session, identity)
    kind = AliasKind.USER if call.user_id else AliasKind.ANONYMOUS
    value = call.user_id or call.anonymous_id or ""
    visitor_id = assignment.visitor(session, value, kind=kind, now=now)
    if call.type is EventType.IDENTIFY:
        assignment.set_attributes(session, visitor_id, call.traits, source="identify", as_of=at)
    return visitor_id


def _follow(session: Session, identity: Identity) -> int:
    """Move the events of a visitor who turned out to be another."""
    if identity.merged_id is not None:
        session.exec(
            update(Event)
            .where(col(Event.visitor_id) == identity.merged_id)
            .values(visitor_id=identity.visitor_id)
        )
    return identity.visitor_id


def _expose(batch: _Batch, report: Viewed, *, call: Call, visitor_id: int, at: datetime) -> None:
    """Count a reported exposure; whoever has no arm yet is in the one that they were shown."""
    experiment = batch.experiment(report.experiment)
    if experiment is None:
        return
    variant, phase = _variant(experiment, report.variant), _phase(experiment, at)
    if variant is None or phase is None:
        return
    value = call.user_id or call.anonymous_id or ""
    claim = Claim(
        variant_id=variant.id,
        phase_id=phase.id,
        bucket=bucket(experiment.salt, value),
        propensity=phase.weights.get(variant.key, variant.weight),
        method=AssignedBy.REPORT,
        assigned_at=at,
        contaminated=False,
    )
    ids = {"experiment_id": experiment.id, "visitor_id": visitor_id}
    assignment.assign(batch.session, claim, **ids)
    stored = visitors.assignment(batch.session, **ids)
    if stored.variant_id != variant.id:
        assignment.contaminate(batch.session, **ids)
    assignment.expose(
        batch.session, **ids, variant_id=stored.variant_id, phase_id=stored.phase_id, at=at
    )


def _variant(experiment: ExperimentOut, said: str) -> VariantOut | None:
    """The variant of that key, or of that position, as some clients say."""
    by_key = {variant.key: variant for variant in experiment.variants}
    if said in by_key or not (said.isascii() and said.isdigit()):
        return by_key.get(said)
    position = int(said)
    return experiment.variants[position] if position < len(experiment.variants) else None


def _phase(experiment: ExperimentOut, at: datetime) -> PhaseOut | None:
    """The phase that was open at a time, if the experiment was taking visitors then."""
    if experiment.stopped_at is not None and at >= experiment.stopped_at:
        return None
    opened = [phase for phase in experiment.phases if phase.started_at <= at]
    return max(opened, key=lambda phase: phase.number, default=None)


def _set_aside(batch: _Batch, raw: object, *, error: str) -> None:
    body = json.dumps(raw)  # escapes what a database could not hold as text
    batch.session.add(
        RejectedEvent(
            received_at=batch.received_at,
            source_key=batch.source_key,
            error=error,
            body=body[:LONGEST_BODY_KEPT],
        )
    )
