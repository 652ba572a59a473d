"""Reading journeys, their versions and their contents."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from experiments.errors import NotFoundError
from experiments.journeys.differences import differences
from experiments.journeys.models import Content, ContentVersion, Journey, JourneyVersion
from experiments.journeys.pinning import Publication
from experiments.journeys.schemas import (
    Change,
    ContentOut,
    JourneyOut,
    VersionOut,
    VersionStatus,
)


def journeys(session: Session) -> list[JourneyOut]:
    """Every journey, by name."""
    return _with_versions(session, session.exec(select(Journey).order_by(Journey.name)).all())


def journey(session: Session, key: str) -> JourneyOut:
    """The journey of that key.

    Raises:
        NotFoundError: when there is none.
    """
    return _with_versions(session, [_row(session, key)])[0]


def keys(session: Session) -> dict[int, str]:
    """The key of every journey, by id."""
    return {row.id or 0: row.key for row in session.exec(select(Journey))}


def names(session: Session) -> dict[str, str]:
    """What people call the journeys, by key."""
    return dict(session.exec(select(Journey.key, Journey.name)).all())


def standard(session: Session, key: str) -> VersionOut | None:
    """The standard version of a journey, if one has been published.

    Raises:
        NotFoundError: when there is no such journey.
    """
    row = _row(session, key)
    query = select(JourneyVersion).where(
        JourneyVersion.journey_id == row.id, JourneyVersion.status == VersionStatus.STANDARD
    )
    found = session.exec(query).one_or_none()
    return None if found is None else version_out(found, key)


def version(session: Session, key: str, number: int) -> VersionOut:
    """One version of a journey.

    Raises:
        NotFoundError: when there is no such journey or version.
    """
    row = _row(session, key)
    query = select(JourneyVersion).where(
        JourneyVersion.journey_id == row.id, JourneyVersion.number == number
    )
    found = session.exec(query).one_or_none()
    if found is None:
        raise NotFoundError(f"version of journey {key!r}", number)
    return version_out(found, key)


def versions(session: Session, key: str) -> list[VersionOut]:
    """Every version of a journey, the newest first."""
    row = _row(session, key)
    query = select(JourneyVersion).where(JourneyVersion.journey_id == row.id)
    found = session.exec(query.order_by(col(JourneyVersion.number).desc()))
    return [version_out(item, key) for item in found]


def publications(session: Session, key: str) -> list[Publication]:
    """Every version that became the standard, the oldest first."""
    found = [item for item in versions(session, key) if item.published_at is not None]
    oldest_first = sorted(found, key=lambda item: (item.published_at, item.number))
    return [Publication.model_validate(item) for item in oldest_first]


def diff(session: Session, key: str, before: int, after: int) -> list[Change]:
    """What differs from version `before` to version `after`."""
    earlier, later = version(session, key, before), version(session, key, after)
    return differences(earlier.graph, later.graph)


def contents(session: Session, key: str) -> list[ContentOut]:
    """Every version of every content of a journey, by key and number."""
    row = _row(session, key)
    query = (
        select(Content, ContentVersion)
        .where(Content.journey_id == row.id, ContentVersion.content_id == Content.id)
        .order_by(Content.key, col(ContentVersion.number))
    )
    return [content_out(item, number) for item, number in session.exec(query)]


def content(session: Session, journey: str, key: str, number: int) -> ContentOut:
    """One version of a content.

    Raises:
        NotFoundError: when there is no such journey, content or version.
    """
    query = select(Content, ContentVersion).where(
        Content.journey_id == _row(session, journey).id,
        Content.key == key,
        ContentVersion.content_id == Content.id,
        ContentVersion.number == number,
    )
    found = session.exec(query).one_or_none()
    if found is None:
        raise NotFoundError("content", f"{key} version {number}")
    return content_out(*found)


def version_out(row: JourneyVersion, journey: str) -> VersionOut:
    """The shape of a version row."""
    return VersionOut.model_validate({**row.model_dump(), "journey": journey})


def content_out(row: Content, number: ContentVersion) -> ContentOut:
    """The shape of a content row and one of its versions."""
    return ContentOut.model_validate({**number.model_dump(), "key": row.key, "type": row.type})


def _row(session: Session, key: str) -> Journey:
    row = session.exec(select(Journey).where(Journey.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("journey", key)
    return row


def _with_versions(session: Session, rows: Sequence[Journey]) -> list[JourneyOut]:
    ids = [row.id for row in rows]
    counted = (
        select(JourneyVersion.journey_id, func.count())
        .where(col(JourneyVersion.journey_id).in_(ids))
        .group_by(col(JourneyVersion.journey_id))
    )
    standards = select(JourneyVersion.journey_id, JourneyVersion.number).where(
        col(JourneyVersion.journey_id).in_(ids), JourneyVersion.status == VersionStatus.STANDARD
    )
    counts, numbers = dict(session.exec(counted).all()), dict(session.exec(standards).all())
    return [
        JourneyOut.model_validate(
            {
                **row.model_dump(),
                "standard": numbers.get(row.id),
                "versions": counts.get(row.id, 0),
            }
        )
        for row in rows
    ]
