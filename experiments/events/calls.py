"""Reading one call of the tracking API: its shape, its true time, its own message id."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Required

import orjson
from pydantic import ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from experiments.database import MICROSECOND, to_micros
from experiments.errors import InvalidError, Problem
from experiments.events.schemas import EventSource, EventType
from experiments.shapes import invalid

LARGEST_EVENT_BYTES = 32 * 1024
EARLIEST = to_micros(datetime.min.replace(tzinfo=UTC))
NAMES = {
    EventType.IDENTIFY: "Identified",
    EventType.PAGE: "Page Viewed",
    EventType.SCREEN: "Screen Viewed",
    EventType.GROUP: "Grouped",
    EventType.ALIAS: "Aliased",
}
TOLD = {
    "name": "name",
    "category": "category",
    "group_id": "groupId",
    "previous_id": "previousId",
}
TELLING = frozenset({"traits", *TOLD})
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
Bag = InstanceOf[dict[str, Any]] | None  # not copied


class Call(TypedDict, total=False):
    """One call as clients send it; what they send beyond this is ignored.

    A dictionary of what was said: a model, most of whose fields are empty, takes twice as long.
    """

    __pydantic_config__ = ConfigDict(  # type: ignore[misc] # pydantic's documented place for it
        alias_generator=to_camel, coerce_numbers_to_str=True, extra="ignore"
    )

    type: Required[EventType]
    message_id: MessageId
    user_id: Id
    anonymous_id: Id
    previous_id: Id
    group_id: Id
    event: Label
    name: Label
    category: Label
    channel: str | None
    properties: Bag
    traits: Bag
    context: Bag
    timestamp: datetime | None
    original_timestamp: datetime | None
    sent_at: datetime | None


_call = TypeAdapter(Call).validator
# Looking a member of an enumeration up costs as much as checking a field.
TRACK, IDENTIFY, ALIAS = EventType.TRACK, EventType.IDENTIFY, EventType.ALIAS
WEB = EventSource.WEB


def title(call: Call) -> str:
    """The name under which the event is stored."""
    said = call.get("event") or ""
    return said if call["type"] is TRACK else NAMES[call["type"]]


def facts(call: Call) -> dict[str, Any]:
    """Everything the call says about what happened."""
    properties = call.get("properties") or {}
    if TELLING.isdisjoint(call):
        return properties
    said: Mapping[str, Any] = call
    told = {word: said[key] for key, word in TOLD.items() if said.get(key)}
    return (call.get("traits") or {}) | told | properties


def source(call: Call) -> EventSource:
    """The channel that the event came through, web unless it says otherwise."""
    said = call.get("channel") or (call.get("context") or {}).get("channel")
    return CHANNELS.get(str(said), WEB) if said else WEB


def read_call(raw: object, *, is_clean: bool = False) -> Call:
    """Check one call; `is_clean` when a strict reader found no text in it that cannot be stored.

    Raises:
        InvalidError: naming every field that is wrong.
    """
    if not isinstance(raw, dict):
        raise InvalidError.at("", "must be an object with type, userId or anonymousId")
    size = len(orjson.dumps(raw)) if is_clean else _size_of_text(raw)
    if size > LARGEST_EVENT_BYTES:
        raise InvalidError.at("", f"has {size} bytes; at most {LARGEST_EVENT_BYTES} are taken")
    try:
        call: Call = _call.validate_python(raw)
    except ValidationError as error:
        raise invalid(error) from error
    if problems := _missing(call):
        raise InvalidError(problems)
    return call


def occurred_at(call: Call, *, received_at: int) -> int:
    """When it happened by our clock: the client's clock is corrected by when it said it sent.

    In microseconds since 1970, as `received_at`, and never in the future. Without `sentAt`
    nothing is known of the client's clock, and its word is taken.

    Raises:
        InvalidError: when the times lie outside what a calendar holds.
    """
    original, sent = call.get("original_timestamp") or call.get("timestamp"), call.get("sent_at")
    if original is None:
        return received_at
    if sent is None:
        return min(to_micros(_aware(original)), received_at)
    at = received_at - (_aware(sent) - _aware(original)) // MICROSECOND
    if at < EARLIEST:
        detail = "is out of range; send the time in ISO 8601"
        raise InvalidError.at("/timestamp", detail)
    return at if at < received_at else received_at


def message_id(call: Call, raw: Mapping[str, Any], *, index: int, received_at: datetime) -> str:
    """The id under which the call is stored once: its own, or one made of what it says.

    A resend that still carries its time is recognised; a call with neither id nor time is taken
    for a new one.
    """
    if own := call.get("message_id"):
        return own
    said = {key: value for key, value in raw.items() if key != "sentAt"}
    has_time = call.get("timestamp") or call.get("original_timestamp")
    moment = "" if has_time else received_at.isoformat()
    text = json.dumps([index, moment, said], sort_keys=True)
    return f"made-{sha256(text.encode()).hexdigest()}"


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
    kind, problems = call["type"], []
    if kind is TRACK and not call.get("event"):
        problems.append(Problem("/event", "is required: the name of what happened"))
    if not call.get("user_id") and (kind is ALIAS or not call.get("anonymous_id")):
        wanted = "userId" if kind is ALIAS else "userId or anonymousId"
        problems.append(Problem("/userId", f"is required: send {wanted}"))
    if kind is ALIAS and not call.get("previous_id"):
        problems.append(Problem("/previousId", "is required: the id used before"))
    return problems


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
