"""Our own script on the pages of another site, in a real browser."""

from typing import Any

from playwright.sync_api import Page, Route

MARKED = """
<h1 data-desireline="shop.home.title">Hello</h1>
<p hidden data-desireline="shop.home.open">We are open.</p>
<a data-desireline="shop.home.card" href="/a">Buy</a>
<b data-desireline="shop.home.price" data-desireline-attribute="title">now</b>
<i data-desireline="shop.home.nothing">stays</i>
<button onclick="desireline.track('Order Completed', {value: 3, currency: 'EUR'})">Buy</button>
"""
SHOWN = """() => [
  document.querySelector('h1').textContent,
  !document.querySelector('p').hidden,
  { text: document.querySelector('a').textContent,
    href: document.querySelector('a').getAttribute('href') },
  Number(document.querySelector('b').title),
]"""


def tag(shop: Any, more: str = "") -> str:
    """The one line that a site needs."""
    return f'<script src="{shop.base}/site/desireline.js" data-key="{shop.key}" {more}></script>'


def opened(page: Page, website: Any, shop: Any, more: str = "") -> str:
    """Open a page with the script; tells the visitor's id."""
    page.goto(website.write("/", MARKED, tag(shop, more)))
    page.wait_for_function("document.querySelectorAll('[data-desireline-shown]').length === 5")
    found: str = page.evaluate("desireline.id")
    return found


def test_snippet__when_a_page_opens__then_it_shows_and_reports_what_the_server_answers(
    page: Page, website: Any, shop: Any
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    visitor = opened(page, website, shop)
    told = {key: shop.flag(f"shop.home.{key}", visitor) for key in ("title", "open", "card")}
    price = shop.flag("shop.home.price", visitor)
    assert page.evaluate(SHOWN) == [*(item["value"] for item in told.values()), price["value"]]
    assert page.locator("i").is_visible()
    page.get_by_role("button").click()
    shop.wait(lambda: "Order Completed" in shop.events(visitor))
    assert complaints == []
    assert shop.events(visitor)[0] == "Page Viewed"
    wanted = {f"test-{key}": (item["variant"], 1) for key, item in told.items()}
    assert shop.exposures(visitor) == {**wanted, "test-price": (price["variant"], 1)}


def test_snippet__when_the_visitor_returns__then_the_same_id_and_the_same_arm(
    page: Page, website: Any, shop: Any
) -> None:
    visitor = opened(page, website, shop)
    before = page.evaluate(SHOWN)
    assert opened(page, website, shop) == visitor
    assert page.evaluate(SHOWN) == before


def test_snippet__when_the_page_is_left__then_what_waits_is_sent(
    page: Page, website: Any, shop: Any
) -> None:
    visitor = opened(page, website, shop, 'data-page="off"')
    page.evaluate("desireline.track('Left Early'); desireline.identify('shop-user-1', {vip: true})")
    page.goto("about:blank")
    shop.wait(lambda: "Left Early" in shop.events(visitor))
    assert "Left Early" in shop.events("shop-user-1")
    assert "Page Viewed" not in shop.events(visitor)


def test_snippet__when_the_answer_is_late__then_the_page_shows_its_own_and_nothing_changes(
    page: Page, website: Any, shop: Any
) -> None:
    held: list[Route] = []
    page.route("**/ofrep/**", lambda route: held.append(route))  # noqa: PLW0108 (Playwright cannot mark a built-in)
    page.goto(website.write("/", MARKED, tag(shop, 'data-timeout="1500"')))
    assert not page.locator("h1").is_visible()
    page.wait_for_function("document.querySelectorAll('[data-desireline-shown]').length === 5")
    assert page.locator("h1").is_visible()
    before = page.evaluate(SHOWN)
    visitor = page.evaluate("desireline.id")
    for route in held:
        route.continue_()
    page.evaluate("desireline.ready")
    assert page.evaluate(SHOWN) == before
    page.goto("about:blank")
    shop.wait(lambda: shop.events(visitor))
    assert shop.exposures(visitor) == {}


def test_snippet__when_the_server_is_away_or_nothing_can_be_stored__then_the_page_is_whole(
    page: Page, website: Any, shop: Any
) -> None:
    page.route("**/ofrep/**", lambda route: route.abort())
    page.goto(website.write("/", MARKED, tag(shop)))
    page.wait_for_function("document.querySelectorAll('[data-desireline-shown]').length === 5")
    assert page.locator("h1").text_content() == "Hello"
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new Error() } })"
    page.goto(website.write("/none", MARKED, f"<script>{refuse}</script>{tag(shop)}"))
    page.wait_for_function("document.querySelectorAll('[data-desireline-shown]').length === 5")
    assert page.evaluate("[desireline.id, document.querySelector('h1').textContent]") == [
        None,
        "Hello",
    ]


def test_snippet__when_a_preview_is_carried__then_it_shows_that_variant_and_sends_nothing(
    page: Page, website: Any, shop: Any
) -> None:
    arms = shop.ask("/api/v1/experiments/test-title")["variants"]
    arm = next(item for item in arms if not item["control"])
    link = shop.ask("/api/v1/experiments/test-title/preview-links", {"variant": arm["key"]})
    page.goto(website.write(f"/?desireline_preview={link['token']}", MARKED, tag(shop)))
    page.wait_for_function("document.querySelectorAll('[data-desireline-shown]').length === 5")
    assert page.locator("h1").text_content() == arm["content"]
    visitor = page.evaluate("desireline.id")
    page.goto("about:blank")
    assert shop.wait(lambda: shop.events(visitor)) == []
