"""Segment's and RudderStack's libraries for Python, unmodified."""

from collections.abc import Callable
from typing import Any

import pytest
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

FAST_SECONDS = 0.05
OPTIONS = {"upload_interval": FAST_SECONDS, "max_retries": 5, "sync_mode": False}


@pytest.fixture(
    params=[(Segment, True), (Segment, False), (Rudder, True), (Rudder, False)],
    ids=["segment-gzip", "segment", "rudder-gzip", "rudder"],
)
def sender(request: pytest.FixtureRequest) -> Callable[[str, str], Any]:
    """Makes a client of one of the libraries, packed or not."""
    kind, packed = request.param

    def make(key: str, base: str) -> Any:
        return kind(key, host=base, gzip=packed, **OPTIONS)

    return make


def act(client: Any, visitor: str) -> None:
    client.track(anonymous_id=f"{visitor}-before", event="Product Viewed")
    client.identify(visitor, {"plan": "pro"}, anonymous_id=f"{visitor}-before")
    client.track(visitor, "Order Completed", {"revenue": 5, "currency": "EUR"})
    client.page(visitor, "Docs", "Home", {"path": "/"})
    client.screen(visitor, "App", "Start")
    client.group(visitor, f"{visitor}-company", {"size": 3})
    client.alias(f"{visitor}-old", visitor)
    client.flush()
    client.join()


DONE = [
    "Product Viewed",
    "Identified",
    "Order Completed",
    "Page Viewed",
    "Screen Viewed",
    "Grouped",
    "Aliased",
]


def test_python_library__every_call__is_stored_in_order_for_one_visitor(
    sender: Callable[[str, str], Any], shop: Any, request: pytest.FixtureRequest
) -> None:
    visitor = request.node.callspec.id
    failures: list[Exception] = []
    client = sender(shop.key, shop.base)
    client.on_error = lambda error, _items: failures.append(error)
    act(client, visitor)
    assert (failures, shop.events(visitor)) == ([], DONE)
    assert shop.events(f"{visitor}-old") == shop.events(f"{visitor}-before") == DONE


def test_python_library__acknowledgement_is_lost__is_resent_and_stored_once(
    sender: Callable[[str, str], Any], shop: Any, cutting: Any, request: pytest.FixtureRequest
) -> None:
    visitor = f"{request.node.callspec.id}-cut"
    act(sender(shop.key, cutting.base), visitor)
    assert cutting.cuts_left == 0
    assert shop.events(visitor) == DONE
