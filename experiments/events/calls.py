"""Reading one call of the tracking API: its shape, its true time, its own message id."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from experiments.assignment.schemas import AliasKind
from experiments.errors import InvalidError, Problem
from experiments.events.schemas import EventSource, EventType
from experiments.shapes import parse

LARGEST_EVENT_BYTES = 32 * 1024
NAMES = {
    EventType.IDENTIFY: "Identified",
    EventType.PAGE: "Page Viewed",
    EventType.SCREEN: "Screen Viewed",
    EventType.GROUP: "Grouped",
    EventType.ALIAS: "Aliased",
}
TOLD = ("name", "category", "groupId", "previousId")
CHANNELS = {
    **{source.value: source for source in EventSource},
    "browser": EventSource.WEB,
    "mobile": EventSource.APP,
}
# Plain types without a validator of ours: a call from C back to Python costs as much as the rest.
# Clients send empty and null where they mean nothing.
Id = Annotated[str, Field(max_length=256)] | None
Label = Annotated[str, Field(max_length=200)] | None
MessageId = Annotated[str, Field(max_length=128)] | None
Bag = dict[str, Any] | None


class Call(BaseModel):
    """One call as clients send it; what they send beyond this is ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, coerce_numbers_to_str=True, extra="ignore", frozen=True
    )

    type: EventType
    message_id: MessageId = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    event: Label = None
    name: Label = None
    category: Label = None
    channel: str | None = None
    properties: Bag = None
    traits: Bag = None
    context: Bag = None
    timestamp: datetime | None = None
    original_timestamp: datetime | None = None
    sent_at: datetime | None = None

    @property
    def title(self) -> str:
        """The name under which the event is stored."""
        return NAMES.get(self.type) or self.event or ""

    @property
    def visitor(self) -> str:
        """The id of who did it: the user's, or else the anonymous one."""
        return self.user_id or self.anonymous_id or ""

    @property
    def kind(self) -> AliasKind:
        """Of which kind that id is."""
        return AliasKind.USER if self.user_id else AliasKind.ANONYMOUS

    @property
    def facts(self) -> dict[str, Any]:
        """Everything the call says about what happened."""
        facts = dict(self.traits or {})
        fields = (self.name, self.category, self.group_id, self.previous_id)
        if any(fields):
            facts |= {key: value for key, value in zip(TOLD, fields, strict=True) if value}
        return facts | (self.properties or {})

    @property
    def source(self) -> EventSource:
        """The channel that the event came through, web unless it says otherwise."""
        said = self.channel or (self.context or {}).get("channel")
        return CHANNELS.get(str(said), EventSource.WEB) if said else EventSource.WEB


def read_call(raw: object, *, is_clean: bool = False) -> Call:
    """Check one call; `is_clean` when a strict reader found no text in it that cannot be stored.

    Raises:
        InvalidError: naming every field that is wrong.
    """
    if not isinstance(raw, dict):
        raise InvalidError.at("", "must be an object with type, userId or anonymousId")
    _check_size(len(orjson.dumps(raw)) if is_clean else _size_of_text(raw))
    call = parse(Call, raw)
    if problems := _missing(call):
        raise InvalidError(problems)
    return call


def occurred_at(call: Call, *, received_at: datetime) -> datetime:
    """When it happened by our clock: the client's clock is corrected by when it said it sent.

    Never in the future. Without `sentAt` nothing is known of the client's clock, and its word
    is taken.

    Raises:
        InvalidError: when the times lie outside what a calendar holds.
    """
    original = call.original_timestamp or call.timestamp
    if original is None:
        return received_at
    if call.sent_at is None:
        return min(_aware(original), received_at)
    try:
        return min(received_at - (_aware(call.sent_at) - _aware(original)), received_at)
    except OverflowError as error:
        detail = "is out of range; send the time in ISO 8601"
        raise InvalidError.at("/timestamp", detail) from error


def message_id(call: Call, raw: Mapping[str, Any], *, index: int, received_at: datetime) -> str:
    """The id under which the call is stored once: its own, or one made of what it says.

    A resend that still carries its time is recognised; a call with neither id nor time is taken
    for a new one.
    """
    if call.message_id:
        return call.message_id
    said = {key: value for key, value in raw.items() if key != "sentAt"}
    moment = "" if call.timestamp or call.original_timestamp else received_at.isoformat()
    text = json.dumps([index, moment, said], sort_keys=True)
    return f"made-{sha256(text.encode()).hexdigest()}"


def _check_size(size: int) -> None:
    if size > LARGEST_EVENT_BYTES:
        raise InvalidError.at("", f"has {size} bytes; at most {LARGEST_EVENT_BYTES} are taken")


def _size_of_text(raw: Mapping[str, Any]) -> int:
    """How long the call is, when every text in it can be stored."""
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidError.at("", "holds half a surrogate pair; send valid Unicode") from error
    except ValueError as error:
        raise InvalidError.at("", "holds NaN or infinity; send a finite number") from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise InvalidError.at("", "holds a NUL character; remove it")
    return size


def _missing(call: Call) -> list[Problem]:
    problems = []
    if call.type is EventType.TRACK and not call.event:
        problems.append(Problem("/event", "is required: the name of what happened"))
    if not call.user_id and (not call.anonymous_id or call.type is EventType.ALIAS):
        wanted = "userId" if call.type is EventType.ALIAS else "userId or anonymousId"
        problems.append(Problem("/userId", f"is required: send {wanted}"))
    if call.type is EventType.ALIAS and not call.previous_id:
        problems.append(Problem("/previousId", "is required: the id used before"))
    return problems


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
