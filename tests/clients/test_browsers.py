"""Segment's and RudderStack's libraries for pages, unmodified, on a site of another origin."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SEGMENT = """
<script src="/npm/@segment/analytics-next/dist/umd/index.js"></script>
<script>
window.start = async (base, key) => {
  const cdnURL = base
  const integrations = { 'Segment.io': { apiHost: new URL(base).host + '/v1', protocol: 'http' } }
  const [analytics] = await AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnURL }, { integrations })
  analytics.setAnonymousId('segment-web')
  await analytics.track('Order Completed', { revenue: 5, currency: 'EUR' })
  await analytics.track('Experiment Viewed', {
    experiment_id: 'test-title', variation_id: 'other' })
  await analytics.identify('segment-web-user', { plan: 'pro' })
}
</script>
"""


def test_segment_browser__when_of_another_origin__then_events_exposure_and_identity(
    packages: Path, shop: Any, website: Any, page: Page
) -> None:
    page.goto(website.write("/", "", SEGMENT))
    page.wait_for_function("typeof start === 'function'")
    page.evaluate("([base, key]) => start(base, key)", [shop.base, shop.key])
    done = ["Order Completed", "Experiment Viewed", "Identified"]
    shop.wait(lambda: len(shop.events("segment-web-user")) == len(done))
    assert sorted(shop.events("segment-web-user")) == sorted(done)
    assert shop.events("segment-web") == shop.events("segment-web-user")
    assert shop.exposures("segment-web") == {"test-title": ("other", 1)}


RUDDER = """
<script type="module">
const bundle = '/npm/@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs'
const { RudderAnalytics } = await import(bundle)
window.start = (base, key) => new Promise((ready) => {
  const rudder = new RudderAnalytics()
  rudder.load(key, base, {
    configUrl: base, logLevel: 'ERROR', storage: { encryption: { version: 'legacy' } },
    onLoaded: () => {
      rudder.setAnonymousId('rudder-web')
      rudder.track('Order Completed', { revenue: 5, currency: 'EUR' })
      rudder.page('Home')
      rudder.identify('rudder-web-user', { plan: 'pro' })
      ready()
    }
  })
})
</script>
"""


def test_rudderstack_browser__when_of_another_origin__then_events_and_identity(
    packages: Path, shop: Any, website: Any, page: Page
) -> None:
    page.goto(website.write("/", "", RUDDER))
    page.wait_for_function("typeof start === 'function'")
    page.evaluate("([base, key]) => start(base, key)", [shop.base, shop.key])
    shop.wait(lambda: len(shop.events("rudder-web-user")) == 3)
    assert sorted(shop.events("rudder-web-user")) == sorted(
        ["Order Completed", "Page Viewed", "Identified"]
    )
