"""The real GrowthBook SDKs load the payload from the server and evaluate by themselves."""

import json
from collections.abc import Callable
from typing import Any

from growthbook import GrowthBook

VISITORS = [f"visitor-{number}" for number in range(40)] + ["é", "日本", "😀", "ß" * 50]


def answered(shop: Any, visitor: str) -> dict[str, Any]:
    """What the server answers: the value of each flag."""
    asked = {"context": {"targetingKey": visitor}}
    found = shop.ask("/ofrep/v1/evaluate/flags", asked)["flags"]
    return {item["key"]: item["value"] for item in found}


def test_python__when_it_loads_the_payload__then_it_finds_what_the_server_answers(
    shop: Any,
) -> None:
    seen: list[tuple[str, str]] = []
    sdk = GrowthBook(
        api_host=shop.base,
        client_key=shop.key,
        on_experiment_viewed=lambda experiment, result, **_: seen.append(
            (experiment.key, result.key)
        ),
    )
    sdk.load_features()
    for visitor in VISITORS:
        sdk.set_attributes({"id": visitor})
        found = {key: sdk.get_feature_value(key, None) for key in answered(shop, visitor)}
        assert found == answered(shop, visitor)
    assert set(seen) >= {("test-title", "control"), ("test-title", "other")}
    sdk.destroy()


IN_NODE = """
import { GrowthBook } from '@growthbook/growthbook'
const { BASE, KEY, VISITORS, KEYS } = process.env
const sdk = new GrowthBook({ apiHost: BASE, clientKey: KEY })
await sdk.init({ timeout: 5000 })
const found = {}
for (const id of JSON.parse(VISITORS)) {
  await sdk.setAttributes({ id })
  const values = JSON.parse(KEYS).map((key) => [key, sdk.getFeatureValue(key, null)])
  found[id] = Object.fromEntries(values)
}
await sdk.setAttributes({ id: 'visitor-1', language: 'fr' })
const french = sdk.getFeatureValue('test-title', null)
console.log(JSON.stringify({ found, french }))
sdk.destroy()
"""


def test_node__when_it_loads_the_payload__then_it_finds_what_the_server_answers(
    node: Callable[..., Any], shop: Any
) -> None:
    wanted = {visitor: answered(shop, visitor) for visitor in VISITORS}
    keys = json.dumps(list(wanted[VISITORS[0]]))
    said = node(IN_NODE, BASE=shop.base, KEY=shop.key, VISITORS=json.dumps(VISITORS), KEYS=keys)
    assert said == {"found": wanted, "french": "Hello"}
