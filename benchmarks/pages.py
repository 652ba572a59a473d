"""How long a page takes on SQLite with 200 experiments, each looked at and most of them ended.

Run `python benchmarks/pages.py`. Every page is made in this process by the real application for
somebody who is signed in, as often as `ROUNDS` says, in turns; the median must stay under 150 ms.
What is measured is the processor's time, so that whatever else the machine does changes nothing.
"""

import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session

from app import create_app
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Role, UserIn
from experiments.analysis import service as analysis
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import transaction
from experiments.decisions import service as decisions
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn
from experiments.events import service as events
from experiments.journeys import service as journeys
from experiments.journeys.schemas import TemplateIn
from experiments.learnings import service as learnings
from experiments.reports import service as reports
from experiments.settings import Settings
from experiments.tables import create_tables

EXPERIMENTS, EVENTS, ROUNDS = 200, 5_000, 7
WANTED_MS = 150
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.OPERATOR, name="benchmark")
EMAIL, PASSWORD = "alice@example.org", "a long enough password"
PAGES = (
    "/",
    "/journeys",
    "/journeys/signup",
    "/journeys/signup/versions",
    "/journeys/signup/contents",
    "/journeys/signup/blame",
    "/journeys/signup/edit",
    "/experiments",
    "/experiments?tab=running",
    "/experiments/test-199",
    "/experiments/test-199?view=time",
    "/experiments/test-199?view=groups",
    "/experiments/test-199?view=health",
    "/experiments/test-199?view=setup",
    "/experiments/test-199?view=log",
    "/experiments/test-0",
    "/learnings",
    "/learnings/1",
    "/reports",
    "/reports/2026-W10",
    "/reports/compare",
    "/trust",
    "/calibration",
    "/layers",
    "/catalogue",
    "/catalogue/signup.visit",
    "/events",
    "/visitors",
    "/visitors/v1",
    "/personas",
    "/start",
    "/jobs",
    "/audit",
    "/settings",
    "/settings/delivery",
    "/notifications",
    "/jump?q=test",
)


class _Clock:
    """A clock a week after everything happened."""

    def now(self) -> datetime:
        return NOW + timedelta(days=7)


def furnish(session: Session) -> None:
    """A journey with events, and experiments that were looked at and ended; the last one runs."""
    person = UserIn(email=EMAIL, name="Alice", role=Role.ADMIN, password=PASSWORD)
    accounts.create_user(session, person, actor=ACTOR, now=NOW)
    template = TemplateIn(key="signup", name="Sign-up", template="signup")
    journeys.create_from_template(session, template, actor=ACTOR, now=NOW)
    journeys.publish(session, "signup", 1, reason="first", actor=ACTOR, now=NOW)
    calls = [
        {"type": "track", "userId": f"v{n % 1000}", "event": name, "messageId": f"{n}"}
        for n, name in enumerate(("Page Viewed", "Signed Up", "Activated") * (EVENTS // 3))
    ]
    for start in range(0, len(calls), 500):
        events.ingest(session, calls[start : start + 500], source_key="t", received_at=NOW)
    rng = np.random.default_rng(7)
    for number in range(EXPERIMENTS):
        _experiment(session, number, rng)
    reports.weekly(session, now=NOW + timedelta(days=7))


def _experiment(session: Session, number: int, rng: np.random.Generator) -> None:
    data = ExperimentIn.model_validate(
        {
            "key": f"test-{number}",
            "name": f"Test {number}",
            "journey": "signup",
            "touchpoint": "landing_page",
            "slot": "hero_headline",
            "variants": [
                {"key": "control", "control": True, "weight": 0.5},
                {"key": "pain", "weight": 0.5, "content": "Stop losing time."},
            ],
            "primary_metric": "signup.visit",
        }
    )
    design.create(session, data, rng=rng, actor=ACTOR, now=NOW)
    design.start(session, data.key, actor=ACTOR, now=NOW)
    analysis.analyse(session, data.key, now=NOW)
    decisions.decide(session, data.key, actor=ACTOR, now=NOW)
    if number < EXPERIMENTS - 1:
        design.abort(session, data.key, reason="enough", actor=ACTOR, now=NOW)
        learnings.learn(session, data.key, actor=ACTOR, now=NOW)


def signed_in(app: Flask) -> FlaskClient:
    """A client with the session of the person."""
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    form = {"csrf_token": token and token[1], "email": EMAIL, "password": PASSWORD}
    client.post("/login", data=form)
    return client


def measure(client: FlaskClient) -> dict[str, list[float]]:
    """The processor's milliseconds of every page, after once for what is only done once."""
    found: dict[str, list[float]] = defaultdict(list)
    for turn in range(ROUNDS + 1):
        for address in PAGES:
            began = time.process_time()
            status = client.get(address).status_code
            took = 1000 * (time.process_time() - began)
            if status != 200:
                sys.exit(f"{address} answers {status}")
            if turn:
                found[address].append(took)
    return found


def main() -> int:
    """Print the median of every page; 1 when one is too slow."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url="", secret_key="benchmark", seed=7)
        app = create_app(settings, _Clock())
        runtime = app.extensions["desireline"]
        create_tables(runtime.engine)
        with transaction(runtime.engine) as session:
            furnish(session)
        found = measure(signed_in(app))
        runtime.close()
    print(f"{EXPERIMENTS} experiments, {EVENTS} events, SQLite; median of {ROUNDS}, slowest")
    slow = 0
    for address, took in sorted(found.items(), key=lambda item: -statistics.median(item[1])):
        middle = statistics.median(took)
        slow += middle > WANTED_MS
        print(f"  {middle:7.1f} ms {max(took):7.1f} ms  {address}")
    print(f"wanted: under {WANTED_MS} ms each; {slow} slower")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
