"""The real OpenFeature SDKs and OFREP providers, in Python, in Node and in a browser."""

import json
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.track import TrackingEventDetails
from playwright.sync_api import Page

CLIENTS = Path(__file__).parents[2] / "clients"
VISITORS = ("anna", "bea", "carl", "dora", "é", "日本", "😀")
KINDS = {
    "title": ("string", ""),
    "open": ("boolean", False),
    "count": ("integer", 0),
    "price": ("float", 0.0),
    "card": ("object", {}),
}


@pytest.fixture
def glue() -> ModuleType:
    """Our own client file, imported from where people copy it."""
    path = CLIENTS / "python" / "desireline_openfeature.py"
    spec = spec_from_file_location("desireline_openfeature", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def client(shop: Any) -> Iterator[OpenFeatureClient]:
    """The unmodified provider behind the SDK."""
    headers = {"X-API-Key": shop.key}
    api.set_provider(OFREPProvider(shop.base, headers_factory=lambda: headers))
    yield api.get_client()
    api.shutdown()
    api.clear_providers()


def test_python__when_it_asks_for_each_type__then_the_servers_answer(
    client: OpenFeatureClient, shop: Any
) -> None:
    for visitor in VISITORS:
        for slot, (kind, default) in KINDS.items():
            ask = getattr(client, f"get_{kind}_details")
            details = ask(f"shop.home.{slot}", default, EvaluationContext(visitor))
            told = shop.flag(f"shop.home.{slot}", visitor)
            assert (details.value, details.variant) == (told["value"], told["variant"])
            assert (details.error_code, details.reason) == (None, "SPLIT")
            assert details.flag_metadata["inExperiment"] is True


def test_python__when_attributes_exclude_the_visitor__then_the_standard(
    client: OpenFeatureClient,
) -> None:
    french = EvaluationContext("françoise", {"language": "fr"})
    details = client.get_string_details("test-title", "", french)
    assert (details.value, details.reason, details.variant) == ("Hello", "DEFAULT", "standard")


def test_python__when_the_flag_is_unknown_or_nobody_is_named__then_its_own_error_and_default(
    client: OpenFeatureClient,
) -> None:
    unknown = client.get_string_details("no-such-flag", "mine", EvaluationContext("anna"))
    assert (unknown.value, unknown.error_code) == ("mine", ErrorCode.FLAG_NOT_FOUND)
    nobody = client.get_string_details("test-title", "mine")
    assert (nobody.value, nobody.error_code) == ("mine", ErrorCode.TARGETING_KEY_MISSING)


def test_python_glue__when_used__then_one_exposure_and_the_event(
    glue: ModuleType, shop: Any
) -> None:
    provider = glue.DesirelineProvider(shop.base, shop.key)
    api.set_provider(provider)
    client = api.get_client()
    client.add_hooks([glue.ExposureHook(provider)])
    visitor = EvaluationContext("python-glue")
    for _ in range(3):
        seen = client.get_string_details("shop.home.title", "", visitor)
    client.track("Order Completed", visitor, TrackingEventDetails(9.5, {"currency": "EUR"}))
    api.shutdown()
    api.clear_providers()
    assert shop.exposures("python-glue") == {"test-title": (seen.variant, 1)}
    assert shop.events("python-glue") == ["Experiment Viewed", "Order Completed"]


IN_NODE = """
import { OpenFeature } from '@openfeature/server-sdk'
import { OFREPProvider } from '@openfeature/ofrep-provider'
const { tracking, exposures } = await import(process.env.GLUE)
const { BASE, KEY, VISITORS } = process.env
const provider = new (tracking(OFREPProvider))({ baseUrl: BASE, headers: [['X-API-Key', KEY]] })
await OpenFeature.setProviderAndWait(provider.sendWith(BASE, KEY))
const client = OpenFeature.getClient()
const found = {}
for (const targetingKey of JSON.parse(VISITORS)) {
  found[targetingKey] = [
    await client.getStringDetails('shop.home.title', '', { targetingKey }),
    await client.getBooleanDetails('shop.home.open', false, { targetingKey }),
    await client.getNumberDetails('shop.home.count', 0, { targetingKey }),
    await client.getNumberDetails('shop.home.price', 0, { targetingKey }),
    await client.getObjectDetails('shop.home.card', {}, { targetingKey }),
  ].map(({ value, variant, reason }) => ({ value, variant, reason }))
}
client.addHooks(exposures(provider))
const one = { targetingKey: 'node-glue' }
for (let n = 0; n < 3; n++) await client.getStringValue('shop.home.title', '', one)
client.track('Order Completed', one, { value: 9.5, currency: 'EUR' })
const unknown = await client.getStringDetails('nothing', 'mine', { targetingKey: 'anna' })
await OpenFeature.close()
console.log(JSON.stringify({ found, unknown }))
"""


def test_node__when_it_asks_tracks_and_hooks__then_as_the_server_says(
    node: Callable[..., Any], shop: Any
) -> None:
    glue = (CLIENTS / "javascript" / "desireline-openfeature.js").as_uri()
    said = node(IN_NODE, BASE=shop.base, KEY=shop.key, GLUE=glue, VISITORS=json.dumps(VISITORS))
    for visitor in VISITORS:
        told = [shop.flag(f"shop.home.{slot}", visitor) for slot in KINDS]
        wanted = [{name: item[name] for name in ("value", "variant", "reason")} for item in told]
        assert said["found"][visitor] == wanted
    assert said["unknown"]["errorCode"] == "FLAG_NOT_FOUND"
    assert said["unknown"]["value"] == "mine"
    arm = shop.flag("shop.home.title", "node-glue")["variant"]
    assert shop.exposures("node-glue") == {"test-title": (arm, 1)}
    assert shop.events("node-glue") == ["Experiment Viewed", "Order Completed"]


IN_BROWSER = """
<script type="importmap">{"imports": {
  "@openfeature/core": "/npm/@openfeature/core/dist/esm/index.js",
  "@openfeature/web-sdk": "/npm/@openfeature/web-sdk/dist/esm/index.js",
  "@openfeature/ofrep-web-provider": "/npm/@openfeature/ofrep-web-provider/index.esm.js",
  "@openfeature/ofrep-core":
    "/npm/@openfeature/ofrep-web-provider/node_modules/@openfeature/ofrep-core/index.esm.js"
}}</script>
<script type="module">
import { OpenFeature } from '@openfeature/web-sdk'
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider'
import { tracking, exposures } from '/clients/javascript/desireline-openfeature.js'
window.start = async (baseUrl, key, targetingKey) => {
  const Provider = tracking(OFREPWebProvider)
  const settings = { baseUrl, headers: [['X-API-Key', key]], pollInterval: 100, sse: false }
  const provider = new Provider(settings).sendWith(baseUrl, key)
  await OpenFeature.setContext({ targetingKey })
  await OpenFeature.setProviderAndWait(provider)
  const client = OpenFeature.getClient()
  client.addHooks(exposures(provider))
  const { value, variant, reason, errorCode } = client.getStringDetails('shop.home.title', '')
  client.getStringValue('shop.home.title', '')
  client.track('Order Completed', { value: 1 })
  await new Promise((done) => setTimeout(done, 400))
  await OpenFeature.close()
  return { value, variant, reason, errorCode, price: client.getNumberValue('shop.home.price', 0) }
}
</script>
"""


def test_browser__when_of_another_origin__then_answers_304s_and_one_exposure(
    packages: Path, shop: Any, website: Any, page: Page
) -> None:
    statuses: list[int] = []
    page.on(
        "response",
        lambda one: statuses.append(one.status) if "evaluate" in one.url else None,
    )
    page.goto(website.write("/", "", IN_BROWSER))
    said = page.evaluate("([base, key]) => start(base, key, 'web-glue')", [shop.base, shop.key])
    told = shop.flag("shop.home.title", "web-glue")
    assert {name: said.get(name) for name in ("value", "variant", "reason")} == {
        name: told[name] for name in ("value", "variant", "reason")
    }
    assert 304 in statuses
    assert {200, 304} >= {status for status in statuses if status != 204}
    shop.wait(lambda: len(shop.events("web-glue")) > 1)
    assert shop.exposures("web-glue")["test-title"] == (told["variant"], 1)
    assert set(shop.events("web-glue")) == {"Experiment Viewed", "Order Completed"}
