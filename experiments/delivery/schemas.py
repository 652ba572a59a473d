"""Shapes of the delivery slice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from experiments.shapes import In, Name, Out


class Channel(StrEnum):
    """How a message travels."""

    MAIL = "mail"
    SLACK = "slack"
    WEBHOOK = "webhook"


class EventType(StrEnum):
    """What an endpoint can be told of."""

    DECISION = "decision"
    PROMOTION = "promotion"
    DEMOTION = "demotion"
    HARM = "harm"
    ALARM = "alarm"
    REPORT = "report"


class DeliveryState(StrEnum):
    """How far a message came."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/\S*)?$", max_length=1000)]


class EndpointIn(In):
    """A new endpoint."""

    kind: Literal[Channel.WEBHOOK, Channel.SLACK]
    name: Name
    url: Url
    events: list[EventType] = Field(
        default_factory=list, description="What it is told of, besides reports it subscribes to."
    )


class EndpointOut(Out):
    """An endpoint without its secret; of Slack's address, which is a secret, only the host."""

    id: int
    kind: Channel
    name: str
    address: str
    events: list[EventType]
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    ended_because: str


class NewEndpointOut(EndpointOut):
    """An endpoint just made: the only time the signing secret is shown; Slack has none."""

    secret: str


class DeliveryOut(Out):
    """A message on its way, without what it says."""

    id: int
    channel: Channel
    endpoint_id: int | None
    recipient: str
    subject: str
    state: DeliveryState
    attempts: int
    next_at: datetime
    error: str
    created_at: datetime
    sent_at: datetime | None


class TrialOut(Out):
    """What happened when a message was sent to try it out."""

    taken: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be sent; `key` tells two messages apart, however often they are written.

    Attributes:
        key: the same for the same message.
        channel: how it travels.
        recipient: an e-mail address, or what people call the endpoint.
        subject: what it is about, for the list of deliveries.
        content: the mail without recipient, or a JSON document.
        endpoint_id: where it goes, unless it is a mail.
    """

    key: str
    channel: Channel
    recipient: str
    subject: str
    content: str
    endpoint_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """A message that is being sent, with everything its courier needs."""

    id: int
    message: Message
    attempts: int
    url: str = ""
    secret: str = ""
