"""Everything is killed under load: what was acknowledged is there exactly once, in SQL and files.

A third process moves and tidies without a pause, which the scheduler does every few minutes.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from pyarrow import parquet
from sqlalchemy import text
from sqlmodel import Session

import migrations
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.analysis.service import gather
from experiments.audit.schemas import Actor
from experiments.clock import SystemClock
from experiments.columnar import health
from experiments.columnar import queries as columnar
from experiments.columnar.schemas import Kind
from experiments.database import reading, transaction
from experiments.design import service as designing
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import ExperimentIn
from experiments.events import service as events
from experiments.jobs import moving
from experiments.journeys import service as journeys
from experiments.journeys.schemas import TemplateIn
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings

ROOT = Path(__file__).parents[2]
SENDERS = 4
UP_SECONDS = (0.2, 1.5)
PATIENCE_SECONDS = 120
MOVER = """
import time
from contextlib import suppress
from experiments.errors import DesirelineError
from experiments.jobs import moving
from experiments.runtime import open_runtime
from experiments.settings import Settings
runtime = open_runtime(Settings())
while True:
    with suppress(DesirelineError):
        moving.move(runtime)
        moving.tidy(runtime)
    time.sleep(0.05)
"""
Batch = list[dict[str, Any]]
ROUNDS = [
    pytest.param(5, id="few", marks=pytest.mark.slow),
    pytest.param(50, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
]


class Site:
    """Sends batches from several threads, each again and again until it is acknowledged."""

    def __init__(self, base: str, key: str, begun: datetime) -> None:
        self.acknowledged: list[list[Batch]] = [[] for _ in range(SENDERS)]
        self._base = base
        self._headers = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
        self._begun = begun
        self._is_over = Event()
        self._threads = [Thread(target=self._send, args=(name,)) for name in range(SENDERS)]

    def __enter__(self) -> "Site":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, sender: int) -> None:
        number = 0
        while not self._is_over.is_set():
            batch = self._visit(f"{sender}-{number}", number)
            while not self._is_acknowledged(batch):
                time.sleep(0.02)
            self.acknowledged[sender].append(batch)
            number += 1

    def _visit(self, name: str, number: int) -> Batch:
        """A visitor sees an arm, signs up sometimes, and is then known by another id."""
        arm = ("control", "pain")[number % 2]
        seen = {"experiment_id": "headline", "variation_id": arm}
        calls: Batch = [
            {"type": "track", "event": "Experiment Viewed", "properties": seen},
            {"type": "page", "name": "Home"},
            {"type": "identify", "userId": f"user-{name}", "traits": {"plan": "pro"}},
            {"type": "track", "event": "Signed Up", "userId": f"user-{name}"},
        ]
        for place, call in enumerate(calls[: 4 - number % 3]):
            at = self._begun + timedelta(milliseconds=10 * number + place)
            call |= {"messageId": f"{name}-{place}", "timestamp": at.isoformat()}
            call |= {"anonymousId": f"visitor-{name}"}
        return calls[: 4 - number % 3]

    def _is_acknowledged(self, batch: Batch) -> bool:
        body = json.dumps({"batch": batch}).encode()
        request = Request(f"{self._base}/v1/batch", body, self._headers)
        try:
            with urlopen(request, timeout=10) as response:
                return bool(json.load(response) == {"success": True})
        except OSError:  # killed before, while or after it stored the batch
            return False


def furnish(folder: Path, actor: Actor, begun: datetime) -> tuple[Runtime, str]:
    """An experiment that takes part in everything below; the same in every folder."""
    runtime = open_runtime(Settings(data_dir=folder, database_url="", secret_key="for tests"))
    migrations.upgrade(runtime.engine)
    told: dict[str, Any] = {"actor": actor, "now": begun}
    with transaction(runtime.engine) as session:
        template = TemplateIn(key="signup", name="Sign-up", template="signup")
        journeys.create_from_template(session, template, **told)
        journeys.publish(session, "signup", 1, reason="test", **told)
        draft = ExperimentIn.model_validate(
            {
                "key": "headline",
                "name": "Headline",
                "journey": "signup",
                "touchpoint": "landing_page",
                "slot": "hero_headline",
                "variants": [
                    {"key": "control", "control": True, "weight": 0.5},
                    {"key": "pain", "weight": 0.5, "content": "Stop losing time."},
                ],
                "primary_metric": "signup.visit",
                "plan": Plan(promotion=PromotionMode.OFF),
            }
        )
        designing.create(session, draft, rng=np.random.default_rng(7), **told)
        designing.start(session, "headline", **told)
        token = TokenIn(name="site", scopes=[Scope.INGEST])
        return runtime, accounts.create_token(session, token, **told).secret


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Callable[[], list[subprocess.Popen[bytes]]]]:
    """Starts web server, scheduler and mover; whatever still runs at the end is ended."""
    children: list[subprocess.Popen[bytes]] = []
    settings = {"DESIRELINE_DATA_DIR": str(tmp_path / "killed"), "DATABASE_URL": ""}
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}

    def launch() -> list[subprocess.Popen[bytes]]:
        with (tmp_path / "log").open("ab") as log:
            started = [
                subprocess.Popen(
                    [sys.executable, *words],
                    env=environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                for words in (
                    ["-m", "cli", "serve", "--port", str(port)],
                    ["-m", "scheduler"],
                    ["-c", MOVER],
                )
            ]
        children.extend(started)
        return started

    yield launch
    for child in children:
        kill(child)


def kill(child: subprocess.Popen[bytes]) -> None:
    """End a process and its workers without a word."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_for_more(site: Site) -> None:
    """Until something new is acknowledged: the server is up again."""
    before = sum(map(len, site.acknowledged))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(map(len, site.acknowledged)) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for_move(runtime: Runtime) -> None:
    """Until another chunk of rows is in files: the mover is up again."""
    before = version(runtime)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while version(runtime) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def version(runtime: Runtime) -> int:
    """How often the manifest of events has changed."""
    with reading(runtime.engine) as session:
        return columnar.mark(session, Kind.EVENT).version


def ids_in_files(runtime: Runtime) -> Counter[int]:
    """The ids of events in the files that count, each as often as it is there."""
    with reading(runtime.engine) as session:
        paths = [runtime.columnar.path(file.name) for file in columnar.files(session, Kind.EVENT)]
    found = [parquet.read_table(path, columns=["id"], partitioning=None) for path in paths]
    return Counter(number for table in found for number in table.column("id").to_pylist())


def evidence(session: Session, now: datetime) -> Any:
    """All that an analysis is made of."""
    ((_, data),) = gather(session, ["headline"], now=now)
    assert sum(cell.visitors for cell in data.cells["signup.visit"]) > 0
    return data.model_dump(exclude={"newest_at"})  # when the newest was received


@pytest.mark.parametrize("rounds", ROUNDS)
def test_acknowledged_events__after_kills_under_load__are_there_once_and_tell_the_same(
    rounds: int,
    tmp_path: Path,
    actor: Actor,
    port: int,
    start: Callable[[], Sequence[subprocess.Popen[bytes]]],
) -> None:
    begun = SystemClock().now() - timedelta(hours=1)
    killed, key = furnish(tmp_path / "killed", actor, begun)
    chance = random.Random(20260302)
    with Site(f"http://127.0.0.1:{port}", key, begun) as site:
        for _ in range(rounds):
            started = start()
            wait_for_more(site)
            wait_for_move(killed)
            time.sleep(chance.uniform(*UP_SECONDS))
            for child in chance.sample(list(started), len(started)):
                kill(child)
        last = start()
        wait_for_more(site)
    for child in last:
        kill(child)
    whole, _ = furnish(tmp_path / "whole", actor, begun)
    now = SystemClock().now()
    sent = [batch for batches in site.acknowledged for batch in batches]
    with transaction(whole.engine) as session:
        for batch in sent:
            events.ingest(session, batch, source_key="token:1", received_at=now)
    moving.move(killed)
    with reading(killed.engine) as broken, reading(whole.engine) as unbroken:
        found = Counter(broken.connection().scalars(text("SELECT message_id FROM event")))
        assert found == Counter(call["messageId"] for batch in sent for call in batch)
        ids = Counter(broken.connection().scalars(text("SELECT id FROM event")))
        assert ids_in_files(killed) == ids
        assert evidence(broken, now) == evidence(unbroken, now)
    assert health.examine(killed.engine, killed.columnar, now=now).is_well
    killed.close()
    whole.close()
