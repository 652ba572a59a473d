"""Carrying a promotion out, and taking it back: always a new version of the journey."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session, select

from experiments.analysis.schemas import RunOut
from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.decisions import queries
from experiments.decisions.levels import LEVELS
from experiments.decisions.models import Promotion
from experiments.decisions.schemas import DecisionOut, Maps, PromotionOut, PromotionState
from experiments.design import queries as designs
from experiments.design.schemas import ExperimentOut
from experiments.errors import ConflictError, MergeConflictError, NotFoundError
from experiments.journeys import queries as journey_queries
from experiments.journeys import service as journeys
from experiments.journeys.schemas import InFlight, JourneyGraph, VersionIn, VersionOut

PREDICTED = {"effect_abs", "effect_rel", "belief"}
"""What a promotion claims, to be held against what it brings."""


def propose(
    session: Session, decision: DecisionOut, run: RunOut, *, actor: Actor, now: datetime
) -> int:
    """Write down that a variant should become the standard, with what it is expected to bring."""
    experiment = designs.experiment(session, decision.experiment)
    variant = decision.variant or ""
    comparison = run.readout.primary.comparison(variant)
    row = Promotion(
        decision_id=decision.id,
        experiment_id=experiment.id,
        journey_id=journey_queries.journey(session, experiment.journey).id,
        variant=variant,
        state=PromotionState.PROPOSED,
        predicted=comparison.model_dump(mode="json", include=PREDICTED),
        actor=str(actor),
        proposed_at=now,
    )
    insert_once(session, row)
    stored = session.exec(select(Promotion).where(Promotion.decision_id == decision.id)).one()
    record(session, stored, "proposed", actor=actor, now=now, reason=decision.sentence)
    return stored.id


def locked(session: Session, promotion_id: int) -> Promotion:
    """The promotion's row, which nobody else can change until the transaction ends.

    Raises:
        NotFoundError: when there is none with that number.
    """
    query = select(Promotion).where(Promotion.id == promotion_id).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFoundError("promotion", promotion_id)
    return row


def apply(
    session: Session, row: Promotion, *, decision: DecisionOut, actor: Actor, now: datetime
) -> None:
    """Publish the journey with what the variant changes as the standard.

    Raises:
        MergeConflictError: when it has changed there since the experiment began.
    """
    experiment = designs.experiment(session, decision.experiment)
    if changed := changed_since(session, experiment):
        raise MergeConflictError(experiment.journey, changed)
    _merge(session, row, decision=decision, actor=actor, now=now)


def rebase(
    session: Session,
    row: Promotion,
    *,
    decision: DecisionOut,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Put what the variant changes over what somebody else has made standard since the start.

    Everything else of the current standard stays. Who did it, over which changes and why is part
    of the version that results.

    Raises:
        ConflictError: when the place to write to is gone.
    """
    experiment = designs.experiment(session, decision.experiment)
    current = standard(session, experiment.journey)
    over = {
        "base_version": experiment.base_version,
        "onto_version": current.number,
        "changed": list(changed_since(session, experiment)),
        "by": str(actor),
        "reason": reason,
    }
    row.rebased_by = str(actor)
    _merge(session, row, decision=decision, actor=actor, now=now, more={"rebased": over})


def _merge(
    session: Session,
    row: Promotion,
    *,
    decision: DecisionOut,
    actor: Actor,
    now: datetime,
    more: Mapping[str, object] = MappingProxyType({}),
) -> None:
    experiment = designs.experiment(session, decision.experiment)
    before = standard(session, experiment.journey)
    merging = LEVELS[experiment.level]
    graph = merging.merged(session, experiment, row.variant, before.graph, actor=actor, now=now)
    reason = f"Experiment {experiment.key}: {decision.sentence}"
    published = _publish(
        session,
        experiment.journey,
        graph,
        reason=reason,
        in_flight=merging.in_flight(experiment),
        provenance={**_provenance(decision, row, actor), **more},
        actor=actor,
        now=now,
    )
    row.state, row.applied_at = PromotionState.APPLIED, now
    row.from_version, row.to_version = before.number, published.number
    session.flush()
    record(session, row, "rebased" if more else "applied", actor=actor, now=now, reason=reason)


def revert(session: Session, row: Promotion, *, reason: str, actor: Actor, now: datetime) -> None:
    """Publish the journey with what was standard there before the promotion.

    Raises:
        ConflictError: when the promotion has not been applied.
        MergeConflictError: when somebody has changed the same since.
    """
    made = queries.promotion(session, row.id)
    maps = maps_of(session, made)
    if maps is None:
        message = f"Promotion {row.id} has not been applied, so there is nothing to take back."
        raise ConflictError(message)
    experiment = designs.experiment(session, made.experiment)
    merging = LEVELS[experiment.level]
    if places := merging.overwritten(experiment, maps):
        raise MergeConflictError(made.journey, places)
    _publish(
        session,
        made.journey,
        merging.undone(experiment, maps),
        reason=reason,
        provenance={"reverts_promotion": row.id, "experiment": made.experiment},
        actor=actor,
        now=now,
    )
    row.state, row.rolled_back_at = PromotionState.ROLLED_BACK, now
    session.flush()
    record(session, row, "rolled_back", actor=actor, now=now, reason=reason)


def changed_since(session: Session, experiment: ExperimentOut) -> tuple[str, ...]:
    """The nodes of the experiment that somebody has changed since it began."""
    base = journey_queries.version(session, experiment.journey, experiment.base_version)
    current = standard(session, experiment.journey)
    return LEVELS[experiment.level].conflicts(experiment, base.graph, current.graph)


def maps_of(session: Session, made: PromotionOut) -> Maps | None:
    """The journey before, after and now; nothing when the promotion has not been applied."""
    if made.from_version is None or made.to_version is None:
        return None
    return Maps(
        earlier=journey_queries.version(session, made.journey, made.from_version),
        promoted=journey_queries.version(session, made.journey, made.to_version),
        current=standard(session, made.journey),
    )


def standard(session: Session, journey: str) -> VersionOut:
    """The standard version of a journey that has one.

    Raises:
        ConflictError: when nothing has been published.
    """
    found = journey_queries.standard(session, journey)
    if found is None:
        message = f"The journey {journey!r} has no standard version; publish one first."
        raise ConflictError(message)
    return found


def record(
    session: Session,
    row: Promotion,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
) -> None:
    """Write a change of a promotion into the audit trail."""
    audit.record(
        session,
        f"promotion.{action}",
        subject=("promotion", str(row.id)),
        actor=actor,
        now=now,
        reason=reason,
        detail={"variant": row.variant, "from": row.from_version, "to": row.to_version},
    )


def _provenance(decision: DecisionOut, row: Promotion, actor: Actor) -> dict[str, object]:
    return {
        "experiment": decision.experiment,
        "variant": row.variant,
        "decision": decision.id,
        "look": decision.look,
        "data_hash": decision.data_hash,
        "promotion": row.id,
        "actor": str(actor),
        "rule": [item.words for item in decision.trace if item.variant in {None, decision.variant}],
    }


def _publish(
    session: Session,
    journey: str,
    graph: JourneyGraph,
    *,
    reason: str,
    in_flight: InFlight = InFlight.NOW,
    provenance: dict[str, object],
    actor: Actor,
    now: datetime,
) -> VersionOut:
    data = VersionIn(graph=graph, note=reason)
    drafted = journeys.draft_version(session, journey, data, actor=actor, now=now)
    return journeys.publish(
        session,
        journey,
        drafted.number,
        reason=reason,
        in_flight=in_flight,
        provenance=provenance,
        actor=actor,
        now=now,
    )
