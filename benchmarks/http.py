"""What a request costs over HTTP: the hot path, our Flask view, the bare hand-off, and a peer.

Run `python benchmarks/http.py`; it needs `wrk` (apt-get install wrk). Each server is one granian
process with the threads of `desireline serve`. All of them live while wrk asks one after the other
with 32 connections for a second, round after round, so that whatever else the machine does weighs
on all alike. Printed are medians: requests a second, requests a second of processor time, and
ratios within a round. The bare hand-off is the limit: the same server and a callable that hashes an
id once per experiment and hands over an answer of the same size. The peer is Unleash's proxy, where
node and npm are there. `benchmarks/growth.py` tells of many experiments.
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

import os  # noqa: E402 (the path had to be right first)
import re  # noqa: E402
import shutil  # noqa: E402
import socket  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import ExitStack, contextmanager  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any  # noqa: E402

CONNECTIONS, SECONDS, THREADS = 32, 1, 512
ROUNDS_TO_GET_WARM, ROUNDS = 3, 15
BULK = "/ofrep/v1/evaluate/flags"
ONE = f"{BULK}/shop.landing_page.slot-0000"
MANY_FLAGS = 100
PEER = "Unleash's proxy"
PATIENCE_SECONDS = 240  # a worker imports for half a minute where others use the processor, too
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
PEER_SCRIPT = """
function request()
  local address = "/proxy?country=FR&userId=visitor-" .. math.random(1000)
  return wrk.format("GET", address, {{["Authorization"] = "{token}"}})
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to measure: a server's target, its data, and what is asked."""

    name: str
    folder: Path
    token: str
    target: str = "app:create_worker"
    path: str = BULK
    visitor: str = REPEATS
    peer: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What wrk saw."""

    rate: float
    p99_ms: float
    busy_rate: float


Round = dict[str, Figures]
"""What was seen of each case in one turn."""


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


def ask(case: Case, port: int, worker: int) -> Figures:
    """Let wrk ask for a while."""
    script = (SCRIPT if case.peer is None else PEER_SCRIPT).format(
        path=case.path, token=case.token, visitor=case.visitor, seed=time.monotonic_ns()
    )
    began = _busy_seconds(worker)
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
    return Figures(
        rate=float(rate[1]),
        p99_ms=float(late[1]) * MILLISECONDS[late[2]],
        busy_rate=float(rate[1]) * SECONDS / (_busy_seconds(worker) - began),
    )


def _busy_seconds(process: int) -> float:
    """The processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(cases: list[Case], flags: int) -> list[Round]:
    """Rounds in which the cases take turns."""
    from benchmarks import unleash

    with ExitStack() as stack:
        served = []
        for case in cases:
            serving = server(case, flags) if case.peer is None else unleash.proxy(case.peer)
            served.append((case, *stack.enter_context(serving)))
        rounds = [
            {case.name: ask(case, port, worker) for case, port, worker in served}
            for _ in range(ROUNDS_TO_GET_WARM + ROUNDS)
        ]
    return rounds[ROUNDS_TO_GET_WARM:]


def compare(folder: Path, flags: int) -> None:
    """Bulk and single evaluation with so many flags."""
    from benchmarks import unleash

    common = {"folder": folder, "token": seed(folder, flags)}
    alone = "benchmarks.http:flask_alone"
    cases = [
        Case(name="bulk", **common),
        Case(name="bulk, Flask view", target=alone, **common),
        Case(name="bare hand-off", target="benchmarks.http:bare", **common),
        Case(name="one flag again", path=ONE, **common),
        Case(name="one flag again, Flask view", target=alone, path=ONE, **common),
        Case(name="one flag first", path=ONE, visitor=FIRST, **common),
    ]
    with ExitStack() as stack:
        why_not = unleash.missing()
        if why_not:
            print(f"left out: Unleash's proxy, because {why_not}")
        else:
            peer = stack.enter_context(unleash.unleash(folder, flags))
            cases.append(Case(name=PEER, folder=folder, token=unleash.KEY, peer=peer))
        _tell(measure(cases, flags), flags)


def _tell(rounds: list[Round], flags: int) -> None:
    print(f"{flags} flags, load {os.getloadavg()[0]:.1f}")
    for name in rounds[0]:
        rate, busy, late = (
            statistics.median(getattr(found[name], kind) for found in rounds)
            for kind in ("rate", "busy_rate", "p99_ms")
        )
        print(f"  {name}: {rate:,.0f} requests/s, {busy:,.0f} a second of processor time, ", end="")
        print(f"p99 {late:.1f} ms")
    ratios = [
        ("bulk", "bare hand-off", 0.5),
        ("bulk", "bulk, Flask view", 5),
        ("one flag again", "one flag again, Flask view", 5),
        ("one flag first", "bare hand-off", 0.14),
    ]
    if PEER in rounds[0]:
        ratios.append(("bulk", PEER, 5 if flags < MANY_FLAGS else 4))
        late = _ratio(rounds, PEER, "bulk", "p99_ms")
        print(f"  p99 of {PEER}: {late:.1f} times that of bulk (bar 6)")
    for ours, other, bar in ratios:
        seen, busy = (_ratio(rounds, ours, other, kind) for kind in ("rate", "busy_rate"))
        print(f"  {ours}: {seen:.2f} times {other}, {busy:.2f} by processor time (bar {bar})")


def _ratio(rounds: list[Round], one: str, other: str, kind: str) -> float:
    """The median of a ratio within each round."""
    return statistics.median(
        getattr(found[one], kind) / getattr(found[other], kind) for found in rounds
    )


def main() -> None:
    """Measure everything that is possible here."""
    if shutil.which("wrk") is None:
        print("left out: wrk is not installed (apt-get install wrk)")
        return
    for flags in (10, 100):
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), flags)


if __name__ == "__main__":
    main()
