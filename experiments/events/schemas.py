"""Shapes of the events slice."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from experiments.shapes import Out


class EventType(StrEnum):
    """The calls of the tracking API."""

    TRACK = "track"
    IDENTIFY = "identify"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


class EventSource(StrEnum):
    """The channel that an event came through."""

    WEB = "web"
    APP = "app"
    EMAIL = "email"
    CRM = "crm"
    PHONE = "phone"
    SURVEY = "survey"
    IMPORT = "import"


class EventOut(Out):
    """One stored event."""

    id: int
    message_id: str
    type: EventType
    name: str
    source: EventSource
    occurred_at: datetime
    received_at: datetime
    properties: dict[str, Any]
    privacy: str


class Rejected(Out):
    """One event of a batch that was not stored, and why."""

    index: int
    error: str


class BatchOut(Out):
    """What became of a batch: stored now, already stored before, rejected."""

    stored: int
    repeated: int
    rejected: list[Rejected]


class RejectedOut(Out):
    """An event that was refused, with what was sent."""

    id: int
    received_at: datetime
    source_key: str
    error: str
    body: str


class ReasonOut(Out):
    """Why events were refused, how many of them, and when the last one was."""

    error: str
    count: int
    last_at: datetime


class Liveness(StrEnum):
    """How long ago the last event of a source came."""

    SENDING = "sending"
    QUIET = "quiet"
    SILENT = "silent"
    NEVER = "never"


class SenderOut(Out):
    """Who sends events, and when the last one came."""

    source_key: str
    name: str
    last_at: datetime | None
    age_seconds: int | None
    liveness: Liveness
