"""Pages in a real browser: nothing from outside, nothing refused by the policy, fit for a phone."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import Session
from werkzeug.serving import make_server

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Role, UserIn
from experiments.analysis import service as analysis
from experiments.audit.schemas import Actor
from experiments.database import transaction
from experiments.decisions import service as decisions
from experiments.design.schemas import ExperimentOut
from experiments.reports import service as reports

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PASSWORD = "a long enough password"
ADDRESSES = (
    "/",
    "/journeys",
    "/journeys/signup",
    "/experiments",
    "/experiments/new",
    "/experiments/headline",
    "/layers",
    "/catalogue",
    "/catalogue/signup.visit",
    "/reports",
    "/reports/so-far",
    "/events",
    "/imports",
    "/jobs",
    "/audit",
    "/settings",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; .ci/run installs one"),
]


@pytest.fixture
def site(
    app: Flask,
    signup: Callable[[Session], None],
    launch: Callable[..., ExperimentOut],
    actor: Actor,
    now: datetime,
) -> Iterator[str]:
    """The address of a server with a journey, a running experiment and a report."""
    alice = UserIn(email=actor.name, name="Alice", role=Role.ADMIN, password=PASSWORD)
    with transaction(app.extensions["desireline"].engine) as session:
        accounts.create_user(session, alice, actor=actor, now=now)
        signup(session)
        launch(session)
        analysis.analyse(session, "headline", now=now)
        decisions.decide(session, "headline", actor=actor, now=now)
        reports.weekly(session, now=now + timedelta(days=7))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def signed_in(chromium: Browser, site: str, *, width: int, javascript: bool = True) -> Page:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=javascript
    )
    page = context.new_page()
    page.goto(f"{site}/login")
    page.get_by_label("E-mail").fill("alice@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_pages__when_opened__then_quiet_and_from_here_only(chromium: Browser, site: str) -> None:
    page = signed_in(chromium, site, width=1280)
    complaints: list[str] = []
    outside: list[str] = []
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "request", lambda asked: None if asked.url.startswith(site) else outside.append(asked.url)
    )
    for address in ADDRESSES:
        response = page.goto(site + address)
        assert response is not None
        assert response.status == 200, address
        assert page.get_by_role("heading", level=1).count() == 1, address
    assert [text for text in complaints if "[DOM]" not in text] == []
    assert outside == []


def test_pages__when_on_a_small_phone__then_nothing_hangs_over_the_edge(
    chromium: Browser, site: str
) -> None:
    page = signed_in(chromium, site, width=320)
    for address in ADDRESSES:
        page.goto(site + address)
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, address


def test_experiment__when_there_is_no_javascript__then_it_can_be_paused_all_the_same(
    chromium: Browser, site: str
) -> None:
    page = signed_in(chromium, site, width=1280, javascript=False)
    page.goto(f"{site}/experiments/headline")
    form = page.locator("form", has=page.get_by_role("button", name="Pause"))
    form.get_by_role("textbox").fill("a bug on the page")
    form.get_by_role("button", name="Pause").click()
    assert page.get_by_text("paused").first.is_visible()
