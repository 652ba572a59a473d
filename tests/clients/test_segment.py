"""Segment's library for Node, unmodified, also when an acknowledgement is lost."""

from collections.abc import Callable
from typing import Any

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


def test_segment_node__when_it_sends__then_every_call_is_stored(
    node: Callable[..., Any], shop: Any
) -> None:
    node(IN_NODE, HOST=shop.base, KEY=shop.key, VISITOR="segment-node")
    assert shop.events("segment-node") == ["Identified", "Order Completed", "Page Viewed"]


def test_segment_node__when_the_acknowledgement_is_lost__then_resent_and_stored_once(
    node: Callable[..., Any], shop: Any, cutting: Any
) -> None:
    node(IN_NODE, HOST=cutting.base, KEY=shop.key, VISITOR="node-cut")
    assert cutting.cuts_left == 0
    assert shop.events("node-cut") == ["Identified", "Order Completed", "Page Viewed"]
