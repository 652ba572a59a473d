"""Reading personas."""

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from experiments.errors import NotFoundError
from experiments.personas.models import Persona, PersonaVersion
from experiments.personas.schemas import PersonaOut


def personas(session: Session, *, with_retired: bool = False) -> list[PersonaOut]:
    """Every persona in use as it is now, the one that wins first."""
    query = _current().order_by(col(PersonaVersion.priority).desc(), col(Persona.key))
    if not with_retired:
        query = query.where(col(Persona.retired_at).is_(None))
    return [_out(*row) for row in session.exec(query)]


def persona(session: Session, key: str) -> PersonaOut:
    """The persona of that key as it is now.

    Raises:
        NotFoundError: when there is none.
    """
    row = session.exec(_current().where(Persona.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("persona", key)
    return _out(*row)


def versions(session: Session, key: str) -> list[PersonaOut]:
    """Every version of a persona, the newest first.

    Raises:
        NotFoundError: when there is no such persona.
    """
    found = persona(session, key)
    query = (
        select(Persona, PersonaVersion)
        .where(Persona.id == found.id, PersonaVersion.persona_id == Persona.id)
        .order_by(col(PersonaVersion.number).desc())
    )
    return [_out(*row) for row in session.exec(query)]


def _current() -> Select[Persona, PersonaVersion]:
    return select(Persona, PersonaVersion).where(
        PersonaVersion.persona_id == Persona.id, PersonaVersion.number == Persona.version
    )


def _out(row: Persona, said: PersonaVersion) -> PersonaOut:
    fields = said.model_dump(exclude={"id", "number", "persona_id"})
    state = {"id": row.id, "key": row.key, "retired_at": row.retired_at}
    return PersonaOut.model_validate({**fields, **state, "version": said.number})
