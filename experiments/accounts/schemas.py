"""Shapes of the accounts slice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from experiments.audit.schemas import Actor
from experiments.shapes import In, Name, Out


class Role(StrEnum):
    """What a person may do; each role includes those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what `other` may do."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Scope(StrEnum):
    """What a token may do; scopes do not include each other."""

    EVALUATE = "evaluate"
    INGEST = "ingest"
    READ = "read"
    MANAGE = "manage"

    __hash__ = str.__hash__  # an enumeration's own is written in Python and asked on each request


Email = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^@\s]+@[^@\s]+$", max_length=200, to_lower=True, strip_whitespace=True
    ),
]


ANY_ORIGIN = "*"
PUBLIC_SCOPES = frozenset({Scope.EVALUATE, Scope.INGEST})
Origin = Annotated[
    str,
    StringConstraints(
        pattern=r"^(\*|https?://[^/?#@\s]+)$", max_length=200, to_lower=True, strip_whitespace=True
    ),
]


class UserIn(In):
    """A new person."""

    email: Email
    name: Name
    role: Role = Role.VIEWER
    password: str = Field(min_length=12, max_length=200)


class UserOut(Out):
    """A person, without the password."""

    id: int
    email: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


class TokenIn(In):
    """A new token; one with origins is a client's, which anybody can read in the pages there."""

    name: Name
    scopes: list[Scope] = Field(min_length=1)
    origins: list[Origin] = Field(
        default_factory=list,
        max_length=50,
        description="Sites whose pages may use it, as https://shop.example; * for any.",
    )
    expires_at: datetime | None = None

    @model_validator(mode="after")
    def _public_means_harmless(self) -> "TokenIn":
        if self.origins and not PUBLIC_SCOPES.issuperset(self.scopes):
            message = "a token with origins is public, so its scopes are evaluate and ingest only"
            raise ValueError(message)
        return self


class TokenOut(Out):
    """A token, without the secret; a client's key is public and stays readable."""

    id: int
    name: str
    prefix: str
    scopes: list[Scope]
    origins: list[str]
    client_key: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewTokenOut(TokenOut):
    """A token just made: the only time the secret is shown."""

    secret: str


class Grant(Out):
    """What an authenticated token may do, and in whose name."""

    token_id: int
    actor: Actor
    scopes: frozenset[Scope]
    origins: frozenset[str] = frozenset()

    def admits(self, origin: str) -> bool:
        """Whether a page of this origin may use the token; a server has no origin."""
        return not (origin and self.origins) or bool(self.origins & {origin.lower(), ANY_ORIGIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGrant:
    """A grant kept in memory, until when it holds."""

    grant: Grant
    expires_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether the token has not expired."""
        return self.expires_at is None or now < self.expires_at
