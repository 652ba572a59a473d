"""Tables of the accounts slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.accounts.schemas import Role
from experiments.database import Instant, Json


class User(SQLModel, table=True):
    """A person who signs in."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str
    role: str = Role.VIEWER
    password_hash: str
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)


class ApiToken(SQLModel, table=True):
    """A secret for a machine; only its hash is stored, and a client's public key as it is."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    prefix: str
    secret_hash: str = Field(unique=True)
    scopes: list[str] = Field(sa_type=Json)
    origins: list[str] = Field(default_factory=list, sa_type=Json)
    client_key: str = ""
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
