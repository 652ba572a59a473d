from datetime import UTC, datetime, timedelta

import pytest

from experiments.database import to_micros
from experiments.errors import InvalidError
from experiments.events.calls import facts, message_id, occurred_at, read_call, source, title
from experiments.events.exposures import Viewed, viewed
from experiments.events.schemas import EventSource

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TRACK = {"type": "track", "userId": "u", "event": "Signed Up"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"event": None}, "/event"),
        ({"userId": ""}, "/userId"),
        ({"type": "merge"}, "/type"),
        ({"messageId": "x" * 129}, "/messageId"),
        ({"properties": "none"}, "/properties"),
        ({"timestamp": "yesterday"}, "/timestamp"),
        ({"userId": "x" * 257}, "/userId"),
        ({"type": "alias"}, "/previousId"),
        ({"properties": {"a": "x" * 33_000}}, ""),
        ({"properties": {"a": "\x00"}}, ""),
        ({"properties": {"a": "\ud800"}}, ""),
        ({"properties": {"a": float("nan")}}, ""),
    ],
)
def test_read_call__a_wrong_field__is_named(changes: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_call({**TRACK, **changes})
    assert [problem.pointer for problem in caught.value.problems] == [pointer]


@pytest.mark.parametrize("raw", ["text", None, [], 3])
def test_read_call__not_an_object__is_refused(raw: object) -> None:
    with pytest.raises(InvalidError, match="must be an object"):
        read_call(raw)


def test_read_call__loose_clients__are_understood() -> None:
    call = read_call(
        {
            "type": "page",
            "anonymousId": 42,
            "name": "Home",
            "properties": None,
            "context": {"channel": "mobile", "library": {"name": "x"}},
            "integrations": {"All": True},
        }
    )
    assert call["anonymous_id"] == "42"
    assert (title(call), facts(call), source(call)) == (
        "Page Viewed",
        {"name": "Home"},
        EventSource.APP,
    )


def test_read_call__text_that_only_looks_like_nul__is_taken() -> None:
    assert facts(read_call({**TRACK, "properties": {"a": r"\u0000"}})) == {"a": r"\u0000"}


@pytest.mark.parametrize(
    ("times", "minutes_ago"),
    [
        ({}, 0),
        ({"timestamp": NOW - timedelta(minutes=5)}, 5),
        ({"timestamp": NOW + timedelta(minutes=5)}, 0),
        # The client's clock is a day ahead: it happened 3 minutes before it was sent.
        (
            {
                "timestamp": NOW + timedelta(days=1, minutes=-3),
                "sentAt": NOW + timedelta(days=1),
            },
            3,
        ),
        (
            {
                "timestamp": NOW,
                "originalTimestamp": NOW - timedelta(days=1, minutes=4),
                "sentAt": NOW - timedelta(days=1),
            },
            4,
        ),
        ({"timestamp": NOW, "sentAt": NOW - timedelta(hours=1)}, 0),
        ({"timestamp": "2026-03-02T08:58:00"}, 2),
    ],
)
def test_occurred_at__client_clock__is_corrected(
    times: dict[str, object], minutes_ago: int
) -> None:
    said = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in times.items()
    }
    call = read_call({**TRACK, **said})
    expected = to_micros(NOW - timedelta(minutes=minutes_ago))
    assert occurred_at(call, received_at=to_micros(NOW)) == expected


def test_occurred_at__out_of_any_calendar__is_refused() -> None:
    call = read_call({**TRACK, "timestamp": "0001-01-01", "sentAt": "9999-12-31"})
    with pytest.raises(InvalidError, match="out of range"):
        occurred_at(call, received_at=to_micros(NOW))


def test_message_id__none_given__a_resend_gets_the_same_and_another_event_does_not() -> None:
    first = {**TRACK, "timestamp": "2026-03-02T08:00:00Z", "sentAt": "2026-03-02T08:00:01Z"}
    resent = {**first, "sentAt": "2026-03-02T08:09:00Z"}
    other = {**first, "event": "Activated"}
    ids = [
        message_id(read_call(raw), raw, index=0, received_at=NOW + timedelta(seconds=number))
        for number, raw in enumerate((first, resent, other))
    ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Experiment Viewed", {"experiment_id": "e", "variation_id": "v"}),
        ("Experiment Viewed", {"experimentId": "e", "variationId": "v"}),
        ("Experiment Viewed", {"experiment_id": "e", "variation_key": "v"}),
        ("$$experiment_viewed", {"experiment_id": "e", "variant_id": "v"}),
        ("$feature_flag_called", {"$feature_flag": "e", "$feature_flag_response": "v"}),
        ("feature_flag.evaluation", {"feature_flag.key": "e", "feature_flag.result.variant": "v"}),
    ],
)
def test_viewed__words_of_clients__are_understood(name: str, properties: dict[str, object]) -> None:
    assert viewed(name, properties) == Viewed(experiment="e", variant="v")


def test_viewed__other_or_incomplete_events__report_nothing() -> None:
    assert viewed("Signed Up", {"experiment_id": "e", "variation_id": "v"}) is None
    assert viewed("Experiment Viewed", {"experiment_id": "e"}) is None
