"""The ruleset of an earlier moment: what is stored, rewound in a copy, read as it is read live."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Table, create_engine, inspect
from sqlmodel import Session, SQLModel, col, select

from experiments.audit.models import AuditEntry
from experiments.design.models import Experiment, Holdout, Layer, Phase, Variant
from experiments.journeys.models import Content, ContentVersion, Journey, JourneyVersion
from experiments.journeys.schemas import VersionStatus
from experiments.personas.models import Persona, PersonaVersion
from experiments.replay.history import History, history
from experiments.resolution.queries import ruleset
from experiments.resolution.ruleset import Ruleset

COPIED = (
    Journey,
    JourneyVersion,
    Content,
    ContentVersion,
    Layer,
    Holdout,
    Experiment,
    Variant,
    Phase,
    Persona,
    PersonaVersion,
)
"""What a ruleset is made of; none of it grows with the visitors."""


def ruleset_as_of(session: Session, version: int) -> Ruleset:
    """What was live after the audit entry of that number."""
    with _copy(session, version) as past:
        _rewind(past, history(session, version))
        return ruleset(past)


@contextmanager
def _copy(session: Session, version: int) -> Iterator[Session]:
    """Everything that rulesets are made of, in memory, to be changed at will."""
    engine = create_engine("sqlite://")
    tables = [cast(Table, inspect(model).local_table) for model in COPIED]
    audit = cast(Table, inspect(AuditEntry).local_table)
    SQLModel.metadata.create_all(engine, [*tables, audit])
    with Session(engine) as past:
        for table in tables:
            rows = [dict(row) for row in session.connection().execute(table.select()).mappings()]
            if rows:
                past.connection().execute(table.insert(), rows)
        newest = session.get(AuditEntry, version)
        if newest is not None:
            past.add(AuditEntry.model_validate(newest.model_dump()))
        past.flush()
        yield past
    engine.dispose()


def _rewind(past: Session, was: History) -> None:
    journeys = {row.id: row.key for row in past.exec(select(Journey))}
    _rewind_versions(past, was, journeys)
    _rewind_approvals(past, was, journeys)
    _rewind_holdouts(past, was)
    _rewind_experiments(past, was)
    _rewind_personas(past, was)
    past.flush()


def _rewind_versions(past: Session, was: History, journeys: dict[int, str]) -> None:
    for version in past.exec(select(JourneyVersion)):
        if version.status == VersionStatus.STANDARD:
            version.status = VersionStatus.SUPERSEDED
    past.flush()  # before another is the standard: the index allows one
    for version in past.exec(select(JourneyVersion)):
        if was.standards.get(journeys[version.journey_id]) == version.number:
            version.status = VersionStatus.STANDARD
            _unpublish_later(past, version)


def _unpublish_later(past: Session, standard: JourneyVersion) -> None:
    """Take back what became the standard afterwards: it left nobody on an earlier path yet."""
    query = select(JourneyVersion).where(
        JourneyVersion.journey_id == standard.journey_id,
        col(JourneyVersion.published_at) > standard.published_at,
    )
    for version in past.exec(query):
        version.published_at = None


def _rewind_approvals(past: Session, was: History, journeys: dict[int, str]) -> None:
    query = select(Content, ContentVersion).where(ContentVersion.content_id == Content.id)
    for content, version in past.exec(query):
        if (journeys[content.journey_id], content.key, version.number) not in was.approved:
            version.approved_at = None


def _rewind_holdouts(past: Session, was: History) -> None:
    for holdout in past.exec(select(Holdout)):
        if holdout.key not in was.holdouts:
            past.delete(holdout)
        elif holdout.key not in was.ended_holdouts:
            holdout.ended_at = None


def _rewind_experiments(past: Session, was: History) -> None:
    keys = {row.id: row.key for row in past.exec(select(Experiment))}
    for row in past.exec(select(Experiment)):
        if row.key in was.statuses:
            row.status = was.statuses[row.key]
        else:
            past.delete(row)
    opened: Counter[str] = Counter()
    for phase in past.exec(select(Phase).order_by(col(Phase.number))):
        opened[keys[phase.experiment_id]] += 1
        if opened[keys[phase.experiment_id]] > was.phases[keys[phase.experiment_id]]:
            past.delete(phase)
    for variant in past.exec(select(Variant)):
        if (keys[variant.experiment_id], variant.key) not in was.removed:
            variant.removed_at = None


def _rewind_personas(past: Session, was: History) -> None:
    for persona in past.exec(select(Persona)):
        if persona.key not in was.personas:
            past.delete(persona)
        else:
            persona.version = was.personas[persona.key]
            if persona.key not in was.retired_personas:
                persona.retired_at = None
