"""Shapes of the audit slice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from experiments.shapes import Out


class ActorKind(StrEnum):
    """What kind of somebody acts."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 (a word, not a secret)
    JOB = "job"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person by e-mail, a token by name, a job by name, or the operator's shell."""

    kind: ActorKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class AuditOut(Out):
    """One change."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_key: str
    reason: str
    detail: dict[str, Any]
