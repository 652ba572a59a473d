"""Shapes of the notifications slice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from experiments.shapes import Out


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is to be told, about which subject; the key tells two notices apart."""

    key: str
    severity: Severity
    what: str
    subject: tuple[str, str]


class NotificationOut(Out):
    """Something that people were told, and who has read it."""

    id: int
    severity: Severity
    what: str
    subject_kind: str
    subject_key: str
    at: datetime
    read_by: str | None
    read_at: datetime | None
