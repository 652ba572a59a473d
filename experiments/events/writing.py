"""Writing parcels: all that arrived together, in order, in one transaction."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import compress

from sqlalchemy import Connection, Update, insert
from sqlmodel import Session, col, select, update

from experiments.assignment import service as assignment
from experiments.assignment.owners import Sighting, owners
from experiments.assignment.schemas import AliasKind, Identity
from experiments.assignment.suppression import suppressed
from experiments.database import from_micros, insert_once
from experiments.events import reports
from experiments.events.calls import Call
from experiments.events.models import Event, RejectedEvent, Sender
from experiments.events.parcels import COLUMNS, Arrival, Parcel, describe
from experiments.events.schemas import BatchOut, EventType, Rejected
from experiments.inbox.group_commit import NOT_NOW
from experiments.inbox.rows import insert_new
from experiments.inbox.schemas import Kind
from experiments.inbox.service import set_aside

KIND = "events"
KEY = ("source_key", "message_id")
SENDER_PRECISION = timedelta(seconds=1)


Place = tuple[int, Arrival]  # the number of the parcel that it came in


class EventWriter:
    """Writes parcels into one database.

    It remembers when it noted each sender last, so that noting costs a statement a second and not
    one a commit.
    """

    def __init__(self) -> None:
        self._noted: dict[str, datetime] = {}

    def __call__(self, connection: Connection, parcels: Sequence[Parcel]) -> list[BatchOut]:
        """Store what the parcels hold, once per message id, with what follows from it."""
        stored = [0] * len(parcels)
        # Joined to the transaction that is open already: its commit only flushes.
        with Session(connection, expire_on_commit=False) as session:
            experiments = reports.Experiments(session=session)
            for run in _runs(parcels):
                for number, count in Counter(_store(connection, run, experiments)).items():
                    stored[number] += count
            self._note_senders(session, parcels)
            session.commit()
        _set_aside(connection, parcels)
        return [
            BatchOut(
                stored=count,
                repeated=len(parcel.arrivals) - count,
                rejected=list(parcel.rejected),
            )
            for parcel, count in zip(parcels, stored, strict=True)
        ]

    def rescue(self, connection: Connection, parcel: Parcel) -> BatchOut:
        """Store the calls one by one; what the database refuses is a dead letter and rejected."""
        known = {item.index for item in parcel.rejected}
        places = [index for index in range(parcel.size) if index not in known]
        stored, rejected = 0, list(parcel.rejected)
        for index, arrival in zip(places, parcel.arrivals, strict=True):
            alone = replace(parcel, arrivals=[arrival], rejected=(), refused=())
            try:
                with connection.begin_nested():
                    stored += self(connection, [alone])[0].stored
            except NOT_NOW:
                raise
            except Exception as error:  # whatever is wrong with it, the others are stored
                told = set_aside(
                    connection, error, kind=KIND, body=describe(alone), at=parcel.received_at
                )
                rejected.append(Rejected(index=index, error=str(told)))
        _set_aside(connection, [parcel])
        repeated = parcel.size - stored - len(rejected)
        return BatchOut(stored=stored, repeated=repeated, rejected=rejected)

    def _note_senders(self, session: Session, parcels: Sequence[Parcel]) -> None:
        last = {parcel.source_key: parcel.received_at for parcel in parcels if parcel.arrivals}
        for source_key, at in last.items():
            noted = self._noted.get(source_key)
            if noted is None or at - noted >= SENDER_PRECISION:
                _note(session, source_key, at)
                self._noted[source_key] = at


def kind_of_events() -> Kind[Parcel, BatchOut]:
    """What a group commit must know of parcels; one per database."""
    writer = EventWriter()
    return Kind(name=KIND, write=writer, describe=describe, rescue=writer.rescue)


def _runs(parcels: Sequence[Parcel]) -> Iterator[list[Place]]:
    """Stretches that can be written at once: a call that ties ids together stands alone."""
    run: list[Place] = []
    for number, parcel in enumerate(parcels):
        for arrival in parcel.arrivals:
            if arrival.tie is None:
                run.append((number, arrival))
                continue
            if run:
                yield run
            yield [(number, arrival)]
            run = []
    if run:
        yield run


def _store(
    connection: Connection, run: Sequence[Place], experiments: reports.Experiments
) -> Iterator[int]:
    """Store a run of calls; the number of the parcel of each that was new.

    Of whoever was forgotten nothing is stored.
    """
    visitors = _visitors(connection, run, experiments.session)
    run = [place for place in run if place[1].visitor in visitors]
    rows = [(visitors[arrival.visitor], *arrival.row) for _, arrival in run]
    is_new = insert_new(connection, Event, ("visitor_id", *COLUMNS), rows, key=KEY)
    told = [
        reports.Report(
            arrival.report, arrival.visitor, visitors[arrival.visitor], arrival.occurred_at
        )
        for _, arrival in compress(run, is_new)
        if arrival.report is not None
    ]
    reports.count(connection, experiments, told)
    return (number for number, _ in compress(run, is_new))


def _visitors(connection: Connection, run: Sequence[Place], session: Session) -> dict[str, int]:
    """The visitors of a run by the ids that it names, without those who were forgotten."""
    arrival = run[0][1]
    tie = arrival.tie
    if tie is None:
        return owners(connection, _sightings(run)).ids
    named = (tie.get("user_id"), tie.get("anonymous_id"), tie.get("previous_id"))
    if suppressed(connection, filter(None, named)):
        return {}
    return {arrival.visitor: _tied(session, tie, arrival)}


def _sightings(run: Sequence[Place]) -> dict[str, Sighting]:
    """Every id of a run, of the surest kind, when it came first."""
    seen: dict[str, Sighting] = {}
    for _, arrival in run:
        first = seen.setdefault(arrival.visitor, arrival.sighting)
        if first.kind is not arrival.sighting.kind:
            seen[arrival.visitor] = first._replace(kind=AliasKind.USER)
    return seen


def _tied(session: Session, call: Call, arrival: Arrival) -> int:
    """The visitor of a call that ties ids together or tells what is known of them."""
    now, as_of = from_micros(arrival.sighting.at), from_micros(arrival.occurred_at)
    traits = call.get("traits") or {}
    if call["type"] is EventType.ALIAS:
        previous = call.get("previous_id") or ""
        identity = assignment.alias(session, previous, user_id=arrival.visitor, now=now)
        return _follow(session, identity)
    if call.get("user_id"):
        identity = assignment.identify(
            session,
            arrival.visitor,
            anonymous_id=call.get("anonymous_id") or None,
            traits=traits,
            as_of=as_of,
            now=now,
        )
        return _follow(session, identity)
    visitor_id = assignment.visitor(session, arrival.visitor, kind=arrival.sighting.kind, now=now)
    assignment.set_attributes(session, visitor_id, traits, source="identify", as_of=as_of)
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


def _set_aside(connection: Connection, parcels: Sequence[Parcel]) -> None:
    rows = [
        {
            "received_at": parcel.received_at,
            "source_key": parcel.source_key,
            "error": rejected.error,
            "body": body,
        }
        for parcel in parcels
        for rejected, body in zip(parcel.rejected, parcel.refused, strict=True)
    ]
    if rows:
        connection.execute(insert(RejectedEvent), rows)


def _note(session: Session, source_key: str, at: datetime) -> None:
    """Remember when a source last sent something, without waiting for another that does too."""
    if not insert_once(session, Sender(source_key=source_key, last_at=at)):
        session.exec(_renewal(source_key, at))


def _renewal(source_key: str, at: datetime) -> Update:
    free = (
        select(Sender.source_key)
        .where(Sender.source_key == source_key, col(Sender.last_at) < at)
        .with_for_update(skip_locked=True)
    )
    return update(Sender).where(col(Sender.source_key).in_(free)).values(last_at=at)
