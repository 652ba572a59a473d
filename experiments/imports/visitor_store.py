"""Storing visitors with their arms, exposures, outcomes and attributes, many at a time."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from experiments.assignment.models import Assignment, Attribute, Exposure
from experiments.assignment.owners import Sighting, owners
from experiments.assignment.schemas import NO_BUCKET, AliasKind, AssignedBy
from experiments.database import to_micros
from experiments.design.schemas import ExperimentOut, VariantOut
from experiments.events.models import Event
from experiments.events.schemas import EventSource, EventType
from experiments.imports import bulk
from experiments.imports.batches import SOURCE, Tally
from experiments.imports.fields import RefusedError
from experiments.imports.forgotten import without_forgotten
from experiments.imports.metrics import metric_key
from experiments.imports.parts import VALUE_PROPERTY
from experiments.imports.reading import Row
from experiments.imports.schemas import Refusal
from experiments.imports.visitors import VisitorRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the visitors of a file go, and when that happens."""

    journey: str
    experiment: ExperimentOut
    now: datetime

    @property
    def phase_id(self) -> int:
        """The one phase of an imported experiment."""
        return self.experiment.phases[0].id

    def variant(self, key: str) -> VariantOut:
        """The arm of that key."""
        return next(variant for variant in self.experiment.variants if variant.key == key)


@dataclass(slots=True, kw_only=True)
class _Sorting:
    """The rows of a chunk, by whether they are stored."""

    standing: list[VisitorRow] = field(default_factory=list)
    newcomers: list[VisitorRow] = field(default_factory=list)
    contaminated: list[int] = field(default_factory=list)


def store(
    session: Session, told: Sequence[tuple[Row, VisitorRow]], *, place: Place, tally: Tally
) -> None:
    """Store a chunk: whoever is in an arm already stays there, and nothing is stored twice."""
    told = without_forgotten(session, told, lambda one: one.visitor, tally=tally)
    seen = {one.visitor: Sighting(AliasKind.USER, to_micros(one.at)) for _, one in told}
    ids = owners(session.connection(), seen).ids
    found = _sorted_out(session, told, ids, place=place, tally=tally)
    new = [(ids[one.visitor], one) for one in found.newcomers]
    standing = [(ids[one.visitor], one) for one in found.standing]
    bulk.add(session, Assignment, [_assignment(*one, place) for one in new])
    bulk.add(session, Exposure, [_exposure(*one, place) for one in new])
    # Only now, because somebody may be new and contaminated in the same chunk.
    bulk.contaminate(session, place.experiment.id, found.contaminated)
    bulk.add(session, Event, [event for one in standing for event in _events(*one, place)])
    bulk.add(session, Attribute, [fact for one in standing for fact in _attributes(*one)])


def _sorted_out(
    session: Session,
    rows: Sequence[tuple[Row, VisitorRow]],
    ids: dict[str, int],
    *,
    place: Place,
    tally: Tally,
) -> _Sorting:
    names = {variant.id: variant.key for variant in place.experiment.variants}
    arms = bulk.arms(session, place.experiment.id, list(ids.values()))
    found = _Sorting()
    for row, told in rows:
        visitor_id = ids[told.visitor]
        arm = names.get(arms.get(visitor_id, 0))
        if arm is not None and arm != told.variant:
            message = f"visitor {told.visitor!r} is already in variant {arm!r}"
            tally.refuse(row, RefusedError(message, Refusal.CONTAMINATED))
            found.contaminated.append(visitor_id)
            continue
        found.standing.append(told)
        if arm is None:
            found.newcomers.append(told)
            arms[visitor_id] = place.variant(told.variant).id
    tally.stored += len(found.newcomers)
    tally.repeated += len(found.standing) - len(found.newcomers)
    return found


def _assignment(visitor_id: int, told: VisitorRow, place: Place) -> bulk.Record:
    variant = place.variant(told.variant)
    return {
        "experiment_id": place.experiment.id,
        "visitor_id": visitor_id,
        "variant_id": variant.id,
        "phase_id": place.phase_id,
        "bucket": NO_BUCKET,
        "propensity": variant.weight,
        "method": AssignedBy.IMPORT,
        "assigned_at": told.at,
        "contaminated": False,
    }


def _exposure(visitor_id: int, told: VisitorRow, place: Place) -> bulk.Record:
    return {
        "experiment_id": place.experiment.id,
        "visitor_id": visitor_id,
        "variant_id": place.variant(told.variant).id,
        "phase_id": place.phase_id,
        "first_at": told.at,
        "count": 1,
    }


def _events(visitor_id: int, told: VisitorRow, place: Place) -> Iterator[bulk.Record]:
    for reached in told.reached:
        # The visitor and the measure, not the line, so that a longer file doubles nothing.
        name = metric_key(place.journey, reached.measure)
        said = f"{told.visitor}\n{name}"
        yield {
            "source_key": f"{SOURCE}:{place.experiment.key}",
            "message_id": hashlib.sha256(said.encode()).hexdigest(),
            "type": EventType.TRACK,
            "name": name,
            "visitor_id": visitor_id,
            "source": EventSource.IMPORT,
            "occurred_at": reached.at,
            "received_at": place.now,
            "properties": {} if reached.value is None else {VALUE_PROPERTY: reached.value},
        }


def _attributes(visitor_id: int, told: VisitorRow) -> Iterator[bulk.Record]:
    for key, value in told.attributes.items():
        yield {
            "visitor_id": visitor_id,
            "key": key,
            "value": value,
            "source": SOURCE,
            "as_of": told.at,
        }
