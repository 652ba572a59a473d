"""Changing personas: every change is a version, and a retired one is kept."""

from datetime import datetime

from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.personas import queries
from experiments.personas.models import Persona, PersonaVersion
from experiments.personas.schemas import PersonaIn, PersonaOut


def create(session: Session, data: PersonaIn, *, actor: Actor, now: datetime) -> PersonaOut:
    """Describe a new persona.

    Raises:
        ConflictError: when the key is taken.
    """
    if session.exec(select(Persona.id).where(Persona.key == data.key)).one_or_none() is not None:
        message = f"There is a persona {data.key!r} already; choose another key or change that one."
        raise ConflictError(message)
    row = Persona(key=data.key, version=0)
    session.add(row)
    session.flush()
    return _write(session, row, data, action="created", actor=actor, now=now)


def held(session: Session, key: str) -> PersonaOut:
    """A persona as it stands, which nobody else changes until the transaction ends.

    Raises:
        NotFoundError: when there is no such persona.
    """
    _locked(session, key)
    return queries.persona(session, key)


def update(
    session: Session, key: str, data: PersonaIn, *, actor: Actor, now: datetime
) -> PersonaOut:
    """Write a new version; what was aimed at an earlier one keeps that rule.

    Raises:
        NotFoundError: when there is no such persona.
        InvalidError: when the key differs.
        ConflictError: when it is retired.
    """
    row = _locked(session, key)
    if data.key != key:
        raise InvalidError.at("/key", f"must stay {key!r}; describe a new persona for another key")
    if row.retired_at is not None:
        message = f"Persona {key!r} is retired and never changes; describe a new one."
        raise ConflictError(message)
    return _write(session, row, data, action="updated", actor=actor, now=now)


def retire(session: Session, key: str, *, reason: str, actor: Actor, now: datetime) -> PersonaOut:
    """Offer a persona no more; retiring twice changes nothing.

    Raises:
        NotFoundError: when there is no such persona.
    """
    row = _locked(session, key)
    if row.retired_at is None:
        row.retired_at = now
        session.flush()
        subject = ("persona", key)
        audit.record(
            session, "persona.retired", subject=subject, actor=actor, now=now, reason=reason
        )
    return queries.persona(session, key)


def _locked(session: Session, key: str) -> Persona:
    query = select(Persona).where(Persona.key == key).with_for_update()
    row = session.exec(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFoundError("persona", key)
    return row


def _write(
    session: Session, row: Persona, data: PersonaIn, *, action: str, actor: Actor, now: datetime
) -> PersonaOut:
    row.version += 1
    said = data.model_dump(mode="json", exclude={"key"})
    session.add(
        PersonaVersion(
            persona_id=row.id,
            number=row.version,
            **said,
            written_by=str(actor),
            written_at=now,
        )
    )
    session.flush()
    audit.record(
        session,
        f"persona.{action}",
        subject=("persona", row.key),
        actor=actor,
        now=now,
        detail={"version": row.version, "rule": data.rule},
    )
    return queries.persona(session, row.key)
