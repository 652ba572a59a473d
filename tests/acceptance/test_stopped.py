"""The server is asked to stop under load: it ends in time, and what it acknowledged is there."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import text

import migrations
from cli import SECONDS_TO_STOP
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor
from experiments.clock import SystemClock
from experiments.database import reading, transaction
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings

ROOT = Path(__file__).parents[2]
SENDERS = 8
ENOUGH = 200
PATIENCE_SECONDS = 60
MARGIN_SECONDS = 5  # to be scheduled on a busy machine


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = open_runtime(Settings(data_dir=tmp_path, database_url="", secret_key="for tests"))
    migrations.upgrade(opened.engine)
    yield opened
    opened.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def send(address: str, secret: str, sender: int, acknowledged: list[str], is_over: Event) -> None:
    """Send one event after the other, and note each that the server says it has."""
    headers = {"X-API-Key": secret, "Content-Type": "application/json"}
    for number in range(1_000_000):
        if is_over.is_set():
            return
        name = f"{sender}-{number}"
        call = {"type": "track", "event": "Seen", "anonymousId": name, "messageId": name}
        request = Request(f"{address}/v1/batch", json.dumps({"batch": [call]}).encode(), headers)
        try:
            with urlopen(request, timeout=10) as response:
                if json.load(response) == {"success": True}:
                    acknowledged.append(name)
        except OSError:  # not there yet, or gone
            time.sleep(0.02)


def started(folder: Path, port: int, workers: int) -> "subprocess.Popen[bytes]":
    """The server as it is run for real."""
    told = ("serve", "--port", str(port), "--workers", str(workers))
    settings = {"DESIRELINE_DATA_DIR": str(folder), "DATABASE_URL": "", "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **settings}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *told], env=environment, cwd=ROOT, stdout=log, stderr=log
        )


def stored(runtime: Runtime) -> Counter[str]:
    """How often each event is stored."""
    with reading(runtime.engine) as session:
        return Counter(session.connection().execute(text("SELECT message_id FROM event")).scalars())


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_serve__sigterm_under_load__ends_in_time_and_loses_nothing_acknowledged(
    runtime: Runtime, tmp_path: Path, actor: Actor, workers: int
) -> None:
    with transaction(runtime.engine) as session:
        wanted = TokenIn(name="site", scopes=[Scope.INGEST])
        now = SystemClock().now()
        secret = accounts.create_token(session, wanted, actor=actor, now=now).secret
    port, is_over = free_port(), Event()
    acknowledged: list[str] = []
    server = started(tmp_path, port, workers)
    site = (f"http://127.0.0.1:{port}", secret)
    senders = [
        Thread(target=send, args=(*site, number, acknowledged, is_over))
        for number in range(SENDERS)
    ]
    try:
        for thread in senders:
            thread.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(acknowledged) < ENOUGH:
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.02)
        server.send_signal(signal.SIGTERM)
        began = time.monotonic()
        status = server.wait(SECONDS_TO_STOP + MARGIN_SECONDS)
        took = time.monotonic() - began
    finally:
        is_over.set()
        server.kill()
        server.wait()
        for thread in senders:
            thread.join()
    kept = stored(runtime)
    assert status == 0
    assert took < SECONDS_TO_STOP
    assert [name for name in acknowledged if kept[name] != 1] == []
