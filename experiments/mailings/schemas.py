"""Shapes of the mailings slice."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from experiments.accounts.schemas import Email
from experiments.shapes import In, Name, Out

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class SubscriptionIn(In):
    """Who gets the weekly report, by mail or in a Slack channel, and when."""

    audience: Name
    journey: str = Field(default="", max_length=80, description="Only this one; empty for all.")
    recipients: list[Email] = Field(default_factory=list, max_length=200)
    endpoint_id: int | None = Field(default=None, description="A Slack endpoint, instead of mail.")
    weekday: int = Field(default=1, ge=1, le=7, description="1 is Monday.")
    hour: int = Field(default=8, ge=0, le=23)
    time_zone: str = Field(default="UTC", max_length=60, description="Such as Europe/Madrid.")

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = f"there is no time zone {name!r}; use a name such as Europe/Madrid"
            raise ValueError(message) from error
        return name

    @model_validator(mode="after")
    def _one_channel(self) -> "SubscriptionIn":
        if bool(self.recipients) == (self.endpoint_id is not None):
            message = "name recipients for mail or an endpoint for Slack, and not both"
            raise ValueError(message)
        return self


class MailTrialIn(In):
    """Where a test mail goes."""

    recipient: Email


class SubscriptionOut(Out):
    """An audience with its schedule."""

    id: int
    audience: str
    journey: str
    recipients: list[str]
    endpoint_id: int | None
    weekday: int
    hour: int
    time_zone: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def when(self) -> str:
        """The schedule in words."""
        return f"{WEEKDAYS[self.weekday - 1]}s at {self.hour:02}:00, {self.time_zone}"
