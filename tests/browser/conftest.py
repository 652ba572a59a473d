"""A site with something on every page, and people who look at it in a real browser."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import Session
from werkzeug.serving import make_server

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Role, Scope, TokenIn, UserIn
from experiments.analysis import service as analysis
from experiments.audit.schemas import Actor
from experiments.database import transaction
from experiments.decisions import service as decisions
from experiments.design import service as design
from experiments.design.schemas import ExperimentOut
from experiments.events import service as events
from experiments.learnings import service as learnings
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify
from experiments.personas import service as personas
from experiments.personas.schemas import PersonaIn
from experiments.reports import service as reports

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PASSWORD = "a long enough password"
PEOPLE = {"alice@example.org": Role.ADMIN, "bob@example.org": Role.VIEWER}
CALLS = (
    {"type": "track", "userId": "vera", "event": "Signed Up", "messageId": "m"},
    {"type": "track", "event": "nobody did this"},
)


@pytest.fixture
def site(
    app: Flask,
    signup: Callable[[Session], None],
    launch: Callable[..., ExperimentOut],
    actor: Actor,
    now: datetime,
    rng: np.random.Generator,
) -> Iterator[str]:
    """The address of a server with a journey, tests, events, a learning and a report."""
    with transaction(app.extensions["desireline"].engine) as session:
        for email, role in PEOPLE.items():
            person = UserIn(email=email, name=role.title(), role=role, password=PASSWORD)
            accounts.create_user(session, person, actor=actor, now=now)
        _furnish(session, signup, launch, rng=rng, actor=actor, now=now)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _furnish(
    session: Session,
    signup: Callable[[Session], None],
    launch: Callable[..., ExperimentOut],
    *,
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
) -> None:
    signup(session)
    sender = TokenIn(name="Shop", scopes=[Scope.INGEST], origins=["https://shop.example"])
    token = accounts.create_token(session, sender, actor=actor, now=now)
    events.ingest(session, CALLS, source_key=f"token:{token.id}", received_at=now)
    careful = PersonaIn(key="careful", name="Careful", rule={"visits": {"$gte": 3}})
    personas.create(session, careful, actor=actor, now=now)
    launch(session, key="tagline")
    design.abort(session, "tagline", reason="Nobody liked it.", actor=actor, now=now)
    learned = learnings.learn(session, "tagline", actor=actor, now=now)
    assert learned is not None
    learnings.retest(session, learned.id, rng=rng, actor=actor, now=now)
    launch(session)
    analysis.analyse(session, "headline", now=now)
    decisions.decide(session, "headline", actor=actor, now=now)
    what = "A variant was taken out."
    subject = ("experiment", "headline")
    notify(
        session, Notice(key="k", severity=Severity.CRITICAL, what=what, subject=subject), now=now
    )
    reports.weekly(session, now=now + timedelta(days=7))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser, if there is one."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here; .ci/run installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, site: str) -> Callable[..., Page]:
    """Opens a page for somebody; signed in when an e-mail is named."""

    def opened(email: str = "", *, width: int = 1280, javascript: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
            base_url=site,
        )
        page = context.new_page()
        if email:
            page.goto("/login")
            page.get_by_label("E-mail").fill(email)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{site}/")
        return page

    return opened
