"""Every page in a real browser, by role: quiet, from here only, accessible, fit for a phone.

Pictures of every page are written to the folder `DESIRELINE_SCREENSHOTS` when it is set.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

Visit = Callable[..., Page]

EXAMPLES = {
    "/catalogue/<key>": "/catalogue/signup.visit",
    "/experiments/<key>": "/experiments/headline",
    "/journeys/<key>": "/journeys/signup",
    "/journeys/<key>/blame": "/journeys/signup/blame",
    "/journeys/<key>/contents": "/journeys/signup/contents",
    "/journeys/<key>/diff": "/journeys/signup/diff?before=1&after=2",
    "/journeys/<key>/versions": "/journeys/signup/versions",
    "/journeys/<key>/versions/<int:number>": "/journeys/signup/versions/1",
    "/learnings/<int:number>": "/learnings/1",
    "/personas/<key>": "/personas/careful",
    "/replay": "/replay?visitor=vera&place=signup/landing_page&at=2026-03-02T10:00",
    "/reports/<week>": "/reports/2026-W10",
    "/visitors/<path:value>": "/visitors/vera",
}
EDITED = {
    "/experiments/<key>/edit": "/experiments/tagline.again/edit",
    "/experiments/<key>/edit/<step>": "/experiments/tagline.again/edit/plan",
    "/experiments/new": "/experiments/new?journey=signup",
    "/journeys/<key>/edit": "/journeys/signup/edit",
    "/journeys/<key>/edit/stages/<stage>": "/journeys/signup/edit/stages/visit",
    "/journeys/<key>/edit/touchpoints/<touchpoint>": (
        "/journeys/signup/edit/touchpoints/landing_page"
    ),
    "/journeys/new": "/journeys/new",
    "/personas/<key>/edit": "/personas/careful/edit",
    "/personas/new": "/personas/new",
}
VIEWS = [f"/experiments/headline?view={view}" for view in ("time", "groups", "health", "setup")]
# One of each kind: a map, charts and tables, a form with a map, a long table, a letter.
WIDEST = [
    "/journeys/signup",
    "/experiments/headline",
    "/journeys/signup/edit",
    "/journeys/signup/diff?before=1&after=2",
    "/reports/2026-W10",
]
NOT_PAGES = re.compile(r"^/static/|^/login$|\.(csv|json|pdf|txt|eml|svg|png)$|^/shared/|/export$")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# The documentation of the API is one form hundreds of times, which takes axe minutes.
ALIKE = {"exclude": [[".api-group"], [".api-call"]]}
HIGHEST_PICTURE = 6000
OPEN_TO_ALL = "/api/docs"  # the contract tells nothing of what is stored
ADMIN, VIEWER = "alice@example.org", "bob@example.org"

pytestmark = pytest.mark.browser


@pytest.fixture
def rules(app: Flask) -> list[str]:
    """The address of every page, as the routes write it."""
    routes = app.url_map.iter_rules()
    return sorted(
        route.rule
        for route in routes
        if "GET" in (route.methods or ())
        and not route.endpoint.startswith("api.")
        and not NOT_PAGES.search(route.rule)
    )


@pytest.fixture
def shown(rules: list[str]) -> list[str]:
    """Every page that anybody who is signed in may read."""
    return [*(EXAMPLES.get(rule, rule) for rule in rules if rule not in EDITED), *VIEWS]


def test_pages__when_there_is_a_new_one__then_it_is_tested_here(rules: list[str]) -> None:
    with_parts = {rule for rule in rules if "<" in rule}
    assert with_parts <= EXAMPLES.keys() | EDITED.keys()


@pytest.mark.slow
@pytest.mark.timeout(1200)  # axe looks at everything twice, on whatever machine this is
@pytest.mark.parametrize("email", [ADMIN, VIEWER])
def test_pages__when_looked_at__then_accessible_quiet_and_from_here_only(
    visit: Visit, site: str, shown: list[str], email: str
) -> None:
    page = visit(email)
    complaints: list[str] = []
    outside: list[str] = []
    page.on("console", lambda told: complaints.append(f"{page.url}: {told.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "request", lambda asked: None if asked.url.startswith(site) else outside.append(page.url)
    )
    found: list[str] = []
    for address in [*shown, *(EDITED.values() if email == ADMIN else ())]:
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        assert page.get_by_role("heading", level=1).count() == 1, address
        _keep_picture(page, email)
        found += _violations(page) + _too_wide(page)
    assert found == []
    assert [text for text in complaints if "[DOM]" not in text] == []
    assert outside == []


def test_pages__when_somebody_only_views__then_the_forms_of_editors_are_refused(
    visit: Visit,
) -> None:
    browser = visit(VIEWER).request  # with its cookies, and without drawing each page
    for address in EDITED.values():
        assert browser.get(address).status == 403, address


def test_pages__when_nobody_is_signed_in__then_only_the_form_to_sign_in_is_seen(
    visit: Visit, shown: list[str]
) -> None:
    page = visit()
    for address in shown:
        answer = page.request.get(address)
        assert ("/login?next=" in answer.url) != (address == OPEN_TO_ALL), address
    page.goto("/")
    assert "/login?next=" in page.url
    assert _violations(page) == []


@pytest.mark.parametrize(
    "only",
    [pytest.param(WIDEST, id="widest"), pytest.param(None, marks=pytest.mark.slow, id="all")],
)
def test_pages__when_on_a_small_phone__then_nothing_hangs_over_the_edge(
    visit: Visit, shown: list[str], only: list[str] | None
) -> None:
    page = visit(ADMIN, width=320)
    over = "document.documentElement.scrollWidth - window.innerWidth"
    found = []
    for address in only or [*shown, *EDITED.values()]:
        page.goto(address)
        found += [address] if page.evaluate(over) > 0 else []
    assert found == []


def test_map__when_printed__then_only_the_page_itself_is(visit: Visit) -> None:
    page = visit(ADMIN)
    page.goto("/journeys/signup")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Main").is_visible()
    assert not page.get_by_role("link", name="New test").is_visible()
    assert page.get_by_role("img", name="Visitors at each stage").is_visible()
    assert page.get_by_role("table", name=re.compile("Sign-up, version")).is_visible()


def test_keys__when_pressed__then_they_walk_jump_and_help(visit: Visit) -> None:
    page = visit(ADMIN)
    page.goto("/catalogue")
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    first = page.evaluate(focused)
    page.keyboard.press("j")
    assert page.evaluate(focused) != first
    page.keyboard.press("k")
    assert page.evaluate(focused) == first
    page.keyboard.press("/")
    page.keyboard.type("headline/j")
    assert page.locator("#jump-wide").input_value() == "headline/j"
    page.goto("/catalogue")
    page.keyboard.press("?")
    page.wait_for_url("**/jump#keys")


def test_experiment__when_there_is_no_javascript__then_it_can_be_paused_all_the_same(
    visit: Visit,
) -> None:
    page = visit(ADMIN, javascript=False)
    page.goto("/experiments/headline")
    form = page.locator("form", has=page.get_by_role("button", name="Pause"))
    form.get_by_role("textbox").fill("a bug on the page")
    form.get_by_role("button", name="Pause").click()
    assert page.get_by_text("paused").first.is_visible()


def _violations(page: Page) -> list[str]:
    """What axe finds wrong in the light, and with the colours in the dark."""
    page.emulate_media(color_scheme="light")
    found = Axe().run(page, ALIKE, RULES).response["violations"]
    page.emulate_media(color_scheme="dark")
    found += Axe().run(page, ALIKE, COLOURS).response["violations"]
    page.emulate_media(color_scheme="light")
    return [f"{page.url}: {item['id']} {item['nodes'][0]['html'][:200]}" for item in found]


def _too_wide(page: Page) -> list[str]:
    """The tables that must be pushed aside to be read, on a small laptop."""
    tables = page.locator(".table").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel)"
    )
    return [f"{page.url}: {name} is too wide" for name in tables]


def _keep_picture(page: Page, email: str) -> None:
    folder = os.environ.get("DESIRELINE_SCREENSHOTS")
    if folder:
        name = re.sub(r"\W+", "-", page.url.split("/", 3)[3]).strip("-") or "home"
        height = page.evaluate("document.documentElement.scrollHeight")
        path = Path(folder) / email.split("@")[0] / f"{name}.png"
        page.screenshot(path=path, full_page=height < HIGHEST_PICTURE)
