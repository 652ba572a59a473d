"""Visitors, the ids tied to them, what is known of them, and the arms they are in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select, update

from experiments.assignment import queries
from experiments.assignment.merging import merge
from experiments.assignment.models import Alias, Attribute, Visitor
from experiments.assignment.schemas import AliasKind, Identity
from experiments.database import insert_once


def visitor(
    session: Session, value: str, *, kind: AliasKind, now: datetime, joining: int | None = None
) -> int:
    """Whose id this is; an id never seen is given to `joining`, or else to a new visitor.

    Where several write at once, the visitor is held until the transaction ends, so that what is
    then written about them cannot be left behind on somebody who was merged away meanwhile.
    """
    query = (
        select(Alias, Visitor)
        .join(Visitor, col(Visitor.id) == col(Alias.visitor_id))
        .where(Alias.value == value)
        .with_for_update(read=True, key_share=True, of=Visitor)
    )
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        return _new_alias(session, value, kind=kind, now=now, owner=joining)
    alias, owner = found
    if owner.merged_into is not None or owner.erased_at is not None:  # while this waited
        return visitor(session, value, kind=kind, now=now, joining=joining)
    if kind is AliasKind.USER and alias.kind != kind:
        alias.kind = kind
        session.flush()
    return alias.visitor_id


def identify(
    session: Session,
    user_id: str,
    *,
    anonymous_id: str | None = None,
    traits: Mapping[str, Any] | None = None,
    as_of: datetime,
    now: datetime,
) -> Identity:
    """Tie an anonymous id to a user and remember their traits.

    An anonymous id that belongs to another user already stays with them: a shared device does
    not make two people one. Whoever knows better says so with `alias`.
    """
    if anonymous_id is None or _is_of_another_user(session, anonymous_id, user_id):
        identity = Identity(visitor_id=visitor(session, user_id, kind=AliasKind.USER, now=now))
    else:
        identity = _tie(session, user_id, anonymous_id, now=now)
    set_attributes(session, identity.visitor_id, traits or {}, source="identify", as_of=as_of)
    return identity


def alias(session: Session, previous_id: str, *, user_id: str, now: datetime) -> Identity:
    """Tie an earlier id, of whatever kind, to a user."""
    return _tie(session, user_id, previous_id, now=now)


def set_attributes(
    session: Session,
    visitor_id: int,
    attributes: Mapping[str, Any],
    *,
    source: str,
    as_of: datetime,
) -> None:
    """Remember attributes; what was known later than `as_of` stays."""
    for key, value in attributes.items():
        row = Attribute(visitor_id=visitor_id, key=key, value=value, source=source, as_of=as_of)
        if insert_once(session, row):
            continue
        session.exec(
            update(Attribute)
            .where(
                col(Attribute.visitor_id) == visitor_id,
                col(Attribute.key) == key,
                col(Attribute.as_of) <= as_of,
            )
            .values(value=value, source=source, as_of=as_of)
        )


def _new_alias(
    session: Session, value: str, *, kind: AliasKind, now: datetime, owner: int | None
) -> int:
    newcomer = None
    if owner is None:
        newcomer = Visitor(created_at=now)
        session.add(newcomer)
        session.flush()
        owner = int(newcomer.id or 0)
    if insert_once(session, Alias(value=value, kind=kind, visitor_id=owner, created_at=now)):
        return owner
    if newcomer is not None:  # another request brought the same id first
        session.delete(newcomer)
        session.flush()
    return session.exec(select(Alias.visitor_id).where(Alias.value == value)).one()


def _tie(session: Session, user_id: str, other_id: str, *, now: datetime) -> Identity:
    owner = queries.visitor_id(session, other_id)
    person = visitor(session, user_id, kind=AliasKind.USER, now=now, joining=owner)
    other = visitor(session, other_id, kind=AliasKind.ANONYMOUS, now=now, joining=person)
    return merge(session, person, other)


def _is_of_another_user(session: Session, anonymous_id: str, user_id: str) -> bool:
    owner = select(Alias.visitor_id).where(Alias.value == anonymous_id).scalar_subquery()
    users = select(Alias.value).where(
        Alias.visitor_id == owner, Alias.kind == AliasKind.USER, Alias.value != user_id
    )
    return session.exec(users.limit(1)).first() is not None
