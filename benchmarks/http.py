"""What a request costs over HTTP: the hot path, our own Flask view, and the bare hand-off.

Run `python benchmarks/http.py`; it needs `wrk` (apt-get install wrk). Each server is one granian
process with the threads of `desireline serve`; wrk asks with 32 connections, in turns, and medians
of rounds are printed. The bare hand-off is the limit: the same server and a callable that hashes an
id once per experiment and hands over an answer of the same size.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [
    str(ROOT),
    *(item for item in sys.path if Path(item).resolve() != ROOT / "benchmarks"),
]
if __name__ == "http":  # a script beside this file asked for Python's own module of that name
    import importlib

    del sys.modules["http"]
    importlib.import_module("http")

import gc  # noqa: E402 (the path had to be right first)
import os  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import socket  # noqa: E402
import sqlite3  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from threading import Thread  # noqa: E402
from typing import Any  # noqa: E402

CONNECTIONS, SECONDS, ROUNDS, THREADS = 32, 3, 3, 32
BULK = "/ofrep/v1/evaluate/flags"
ONE = f"{BULK}/shop.landing_page.slot-0000"
MANY_EXPERIMENTS = 1000
PATIENCE_SECONDS = 240  # a worker imports for half a minute where others use the processor, too
KIB_PER_MIB = 1024
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
REPEATS = 'return string.format("visitor-%d", math.random(1000))'
FIRST = 'n = n + 1; return string.format("first-%d-%d-%d", seed, id, n)'
SCRIPT = """
local n, id, seed = 0, 0, {seed}
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
local function visitor() {visitor} end
function request()
  local body = '{{"context":{{"targetingKey":"' .. visitor() .. '","country":"FR"}}}}'
  return wrk.format("POST", "{path}", {{["Authorization"] = "Bearer {token}",
    ["Content-Type"] = "application/json"}}, body)
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to measure: a server's target, its data, and what is asked."""

    name: str
    target: str
    folder: Path
    token: str
    path: str = BULK
    visitor: str = REPEATS


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What wrk saw."""

    rate: float
    p99_ms: float


def bare() -> Callable[..., list[bytes]]:
    """The limit as a WSGI application."""
    from fnv_hash_fast import fnv1a_32

    flags = int(os.environ["BENCH_FLAGS"])
    body = b'{"flags":[' + b",".join([b'{"key":"' + b"x" * 290 + b'"}'] * flags) + b"]}"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        asked = environ["wsgi.input"].read()
        for _ in range(flags // 2):
            fnv1a_32(b"%d" % fnv1a_32(asked[:32]))
        start_response("200 OK", headers)
        return [body]

    return answer


def flask_alone() -> object:
    """Our application without the hot path."""
    from app import create_worker

    made = create_worker()
    made.wsgi_app = made.wsgi_app.behind
    return made


def seed(folder: Path, flags: int) -> str:
    """Fill a folder with slots and an experiment on each; a token for asking."""
    import numpy as np

    import migrations
    from experiments.accounts import service as accounts
    from experiments.accounts.schemas import Scope, TokenIn
    from experiments.audit.schemas import Actor, ActorKind
    from experiments.database import transaction
    from experiments.design import service as design
    from experiments.runtime import open_runtime
    from experiments.settings import Settings

    opened = open_runtime(Settings(data_dir=folder, DATABASE_URL=""))
    migrations.upgrade(opened.engine)
    by = {
        "actor": Actor(kind=ActorKind.OPERATOR, name="benchmark"),
        "now": opened.clock.now(),
    }
    rng = np.random.default_rng(1)
    with transaction(opened.engine) as session:
        _publish(session, flags // 2, by)
        for number in range(flags // 2):
            design.create(session, _experiment(number), rng=rng, **by)
            design.start(session, f"test-{number:04}", **by)
        data = TokenIn(name="benchmark", scopes=[Scope.EVALUATE])
        token = accounts.create_token(session, data, **by).secret
    opened.close()
    return token


def _publish(session: Any, slots: int, by: dict[str, Any]) -> None:
    from experiments.journeys import queries, service
    from experiments.journeys.schemas import JourneyGraph, TemplateIn, VersionIn

    service.create_from_template(
        session, TemplateIn(key="shop", name="Shop", template="signup"), **by
    )
    document = queries.version(session, "shop", 1).graph.model_dump()
    for stage in document["stages"]:
        for point in stage["touchpoints"]:
            point["slots"] = []
    document["stages"][0]["touchpoints"][0]["slots"] = [
        {"key": f"slot-{number:04}", "type": "string", "content": "hero-headline"}
        for number in range(slots)
    ]
    draft = VersionIn(graph=JourneyGraph.model_validate(document))
    made = service.draft_version(session, "shop", draft, **by)
    service.publish(session, "shop", made.number, reason="benchmark", **by)


def _experiment(number: int) -> Any:
    from experiments.design.schemas import ExperimentIn

    variants = [
        {"key": "control", "control": True, "weight": 0.5},
        {"key": "bold", "weight": 0.5, "content": "A bold headline."},
    ]
    document = {
        "key": f"test-{number:04}",
        "name": "Test",
        "journey": "shop",
        "touchpoint": "landing_page",
        "slot": f"slot-{number:04}",
        "variants": variants,
        "primary_metric": "shop.visit",
    }
    return ExperimentIn.model_validate(document)


@contextmanager
def server(case: Case, flags: int) -> Iterator[tuple[int, int]]:
    """A process that serves; its port and the id of its worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"]
    command += ["--port", str(port), "--blocking-threads", str(THREADS), "--no-log", case.target]
    environ = {
        **os.environ,
        "DESIRELINE_DATA_DIR": str(case.folder),
        "BENCH_FLAGS": str(flags),
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(command, env=environ, cwd=ROOT)
    try:
        _until_open(port)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield port, int(children[-1])
    finally:
        process.terminate()
        process.wait()


def _until_open(port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    message = f"nothing listens on port {port}"
    raise TimeoutError(message)


def ask(case: Case, port: int) -> Figures:
    """Let wrk ask for a while."""
    script = SCRIPT.format(
        path=case.path, token=case.token, visitor=case.visitor, seed=time.monotonic_ns()
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", file.name]
        told = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        ).stdout
    refused = REFUSED.search(told)
    if refused:
        print(f"  {case.name}: {refused[1]} requests were refused")
    rate, late = RATE.search(told), P99.search(told)
    if rate is None or late is None:
        raise ValueError(told)
    return Figures(rate=float(rate[1]), p99_ms=float(late[1]) * MILLISECONDS[late[2]])


def measure(cases: list[Case], flags: int) -> dict[str, Figures]:
    """The medians of rounds in which the cases take turns; one server lives at a time."""
    rounds: dict[str, list[Figures]] = {case.name: [] for case in cases}
    for _ in range(ROUNDS):
        for case in cases:
            with server(case, flags) as (port, _):
                ask(case, port)  # to get warm
                rounds[case.name].append(ask(case, port))
    return {name: _median(found) for name, found in rounds.items()}


def _median(found: list[Figures]) -> Figures:
    rate = statistics.median(item.rate for item in found)
    return Figures(rate=rate, p99_ms=statistics.median(item.p99_ms for item in found))


def compare(folder: Path, flags: int) -> None:
    """Bulk and single evaluation with so many flags."""
    token = seed(folder, flags)
    common = {"folder": folder, "token": token}
    ours, alone = "app:create_worker", "benchmarks.http:flask_alone"
    cases = [
        Case(name="bulk, hot path", target=ours, **common),
        Case(name="bulk, Flask view", target=alone, **common),
        Case(name="bare hand-off", target="benchmarks.http:bare", **common),
        Case(name="one flag again, hot path", target=ours, path=ONE, **common),
        Case(name="one flag again, Flask view", target=alone, path=ONE, **common),
        Case(name="one flag first, hot path", target=ours, path=ONE, visitor=FIRST, **common),
    ]
    found = measure(cases, flags)
    print(f"{flags} flags")
    for name, figures in found.items():
        print(f"  {name}: {figures.rate:,.0f} requests/s, p99 {figures.p99_ms:.1f} ms")
    hot, again = found["bulk, hot path"].rate, found["one flag again, hot path"].rate
    print(f"  bulk: {hot / found['bare hand-off'].rate:.0%} of the bare hand-off (bar 50%)")
    print(f"  bulk: {hot / found['bulk, Flask view'].rate:.1f} times the Flask view (bar 5)")
    view = found["one flag again, Flask view"].rate
    print(f"  one flag again: {again / view:.1f} times the Flask view (bar 5)")


def grow(folder: Path) -> None:
    """What a worker with many live experiments takes, and how long a swap of them is built."""
    from experiments.resolution.rulesets import RulesetCache
    from experiments.runtime import open_runtime
    from experiments.settings import Settings

    token = seed(folder, 2)
    case = Case(name="many", target="app:create_worker", folder=folder, token=token, path=ONE)
    alone = _resident(case)
    _copy(folder / "desireline.db", MANY_EXPERIMENTS - 1)
    resident = _resident(case)
    opened = open_runtime(Settings(data_dir=folder, DATABASE_URL=""))
    RulesetCache(opened.engine).look()  # to get warm
    gc.freeze()  # as a worker does
    started = time.process_time()
    RulesetCache(opened.engine).look()
    seconds = time.process_time() - started
    stall = _longest_stall(RulesetCache(opened.engine).look)
    opened.close()
    print(f"{MANY_EXPERIMENTS} live experiments: {resident:.0f} MB a worker (bar 150)")
    print(
        f"  {alone:.0f} MB with one experiment, so that the others take {resident - alone:.0f} MB"
    )
    print(f"  read anew in {seconds * 1e3:.0f} ms of processor time (bar 100)")
    print(f"  which keeps another thread waiting {stall * 1e3:.0f} ms at most (bar 20)")


def _resident(case: Case) -> float:
    """Megabytes of a worker that has answered for a while."""
    with server(case, 0) as (port, worker):
        ask(case, port)
        status = Path(f"/proc/{worker}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / KIB_PER_MIB


def _longest_stall(task: Callable[[], object]) -> float:
    """For how many seconds at most a busy thread stands still while another does a task."""
    worker, longest = Thread(target=task), 0.0
    worker.start()
    last = time.perf_counter()
    while worker.is_alive():
        moment = time.perf_counter()
        longest, last = max(longest, moment - last), moment
    return longest


def _copy(database: Path, times: int) -> None:
    """Copy the one experiment with its variants and its phase, under other keys and salts."""
    with sqlite3.connect(database) as connection:
        for number in range(2, times + 2):
            own = {"id": number, "key": f"'test-{number}'", "salt": f"'salt-{number}'"}
            _copy_rows(connection, "experiment", own, "id = 1")
            for table in ("variant", "phase"):
                own = {"id": f"id + 10 * {number}", "experiment_id": number}
                _copy_rows(connection, table, own, "experiment_id = 1")
        newest = "SELECT max(id) FROM audit_entry"
        _copy_rows(connection, "audit_entry", {"id": "id + 1"}, f"id = ({newest})")


def _copy_rows(
    connection: sqlite3.Connection, table: str, own: dict[str, object], where: str
) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(str(own.get(name, f'"{name}"')) for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {where}")


def main() -> None:
    """Measure everything that is possible here."""
    if shutil.which("wrk") is None:
        print("left out: wrk is not installed (apt-get install wrk)")
        return
    for flags in (10, 100):
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), flags)
    with tempfile.TemporaryDirectory() as folder:
        grow(Path(folder))


if __name__ == "__main__":
    main()
