"""The cast of the pages: Alice administers, Bob views, Charlie is outside."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Role, UserIn
from experiments.audit.schemas import Actor
from experiments.database import transaction
from experiments.journeys import service as journeys
from experiments.journeys.schemas import TemplateIn

SESSION_CHANGES = {"/login", "/logout"}
PASSWORD = "a long enough password"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """A person at the pages: follows redirects and sends the token of the forms."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = ""

    def get(self, address: str, status: int = 200) -> str:
        response = self.client.get(address, follow_redirects=True)
        assert response.status_code == status, response.text
        return response.text

    def post(self, address: str, status: int = 200, **fields: object) -> str:
        form = {"csrf_token": self.token(), **fields}
        response = self.client.post(address, data=form, follow_redirects=True)
        if address in SESSION_CHANGES:
            self._token = ""
        assert response.status_code == status, response.text
        return response.text

    def token(self) -> str:
        """From a page that everybody has: the own settings, or the form to sign in."""
        if not self._token:
            found = CSRF.search(self.get("/settings"))
            assert found
            self._token = found[1]
        return self._token

    def enter(self, email: str) -> None:
        """Sign in, and do not wait for the page behind the door."""
        form = {"csrf_token": self.token(), "email": email, "password": PASSWORD}
        assert self.client.post("/login", data=form).status_code == 302
        self._token = ""

    def sign_in(self, email: str, password: str = PASSWORD, status: int = 200) -> str:
        return self.post("/login", status, email=email, password=password)


@pytest.fixture
def database(app: Flask) -> Engine:
    engine: Engine = app.extensions["desireline"].engine
    return engine


@pytest.fixture
def browser(
    app: Flask, database: Engine, actor: Actor, now: datetime
) -> Callable[[Role | None], Browser]:
    """Opens a browser for somebody of that role, or for nobody."""

    def opened(role: Role | None) -> Browser:
        browser = Browser(app.test_client())
        if role is None:
            return browser
        person = UserIn(email=f"{role}@example.org", name=role, role=role, password=PASSWORD)
        with transaction(database) as session:
            accounts.create_user(session, person, actor=actor, now=now)
        browser.enter(person.email)
        return browser

    return opened


@pytest.fixture
def alice(browser: Callable[[Role | None], Browser]) -> Browser:
    return browser(Role.ADMIN)


@pytest.fixture
def bob(browser: Callable[[Role | None], Browser]) -> Browser:
    return browser(Role.VIEWER)


@pytest.fixture
def charlie(browser: Callable[[Role | None], Browser]) -> Browser:
    return browser(None)


@pytest.fixture
def signup(database: Engine, actor: Actor, now: datetime) -> str:
    """A published journey."""
    data = TemplateIn(key="signup", name="Signup", template="signup")
    with transaction(database) as session:
        journeys.create_from_template(session, data, actor=actor, now=now)
        journeys.publish(session, "signup", 1, reason="the first map", actor=actor, now=now)
    return "signup"
