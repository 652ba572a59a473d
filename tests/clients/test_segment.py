"""Segment's library for Node, unmodified, also when an acknowledgement is lost."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

IN_NODE = """
import { Analytics } from '@segment/analytics-node'
const { HOST, KEY } = process.env
const analytics = new Analytics({ writeKey: KEY, host: HOST, flushAt: 3, maxRetries: 5 })
analytics.on('error', (error) => { console.error(error); process.exitCode = 1 })
const userId = process.env.VISITOR
analytics.identify({ userId, traits: { plan: 'pro' } })
analytics.track({ userId, event: 'Order Completed', properties: { revenue: 5, currency: 'EUR' } })
analytics.page({ userId, name: 'Home' })
await analytics.closeAndFlush({ timeout: 20000 })
"""


class Cutting:
    """Stands before the server and swallows the first answers, after the server has the batch."""

    def __init__(self, upstream: str, cuts: int) -> None:
        parts = urlsplit(upstream)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.cuts_left = cuts
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server:
            threading.Thread(target=pass_on, args=(client, server), daemon=True).start()
            while data := server.recv(65536):
                if self.cuts_left:
                    self.cuts_left -= 1
                    return
                client.sendall(data)


def pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return


@pytest.fixture
def cutting(shop: Any) -> Iterator[Cutting]:
    proxy = Cutting(shop.base, cuts=1)
    yield proxy
    proxy.close()


def test_segment_node__when_it_sends__then_every_call_is_stored(
    node: Callable[..., Any], shop: Any
) -> None:
    node(IN_NODE, HOST=shop.base, KEY=shop.key, VISITOR="segment-node")
    assert shop.events("segment-node") == ["Identified", "Order Completed", "Page Viewed"]


def test_segment_node__when_the_acknowledgement_is_lost__then_resent_and_stored_once(
    node: Callable[..., Any], shop: Any, cutting: Cutting
) -> None:
    node(IN_NODE, HOST=cutting.base, KEY=shop.key, VISITOR="segment-cut")
    assert cutting.cuts_left == 0
    assert shop.events("segment-cut") == ["Identified", "Order Completed", "Page Viewed"]
