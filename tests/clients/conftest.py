"""Real clients against a real server: a shop with a slot of every type, and its pages elsewhere."""

import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import text
from sqlmodel import Session

import migrations
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.clock import SystemClock
from experiments.database import reading, transaction
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn
from experiments.journeys import service as journeys
from experiments.journeys.schemas import JourneyIn
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings

ROOT = Path(__file__).parents[2]
NPM = Path(__file__).parent / "npm"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OWNER = Actor(kind=ActorKind.PERSON, name="alice@example.org")
SOON = 30.0

SLOTS: dict[str, tuple[str, Any, Any]] = {
    "title": ("string", "Hello", "Stop losing time."),
    "open": ("boolean", False, True),
    "count": ("integer", 1, 3),
    "price": ("float", 1, 2),
    "card": ("object", {"text": "Buy", "href": "/a"}, {"text": "Try", "href": "/b"}),
}


@dataclass(frozen=True)
class Shop:
    """A running server and the means to look into its storage."""

    base: str
    key: str
    secret: str
    runtime: Runtime

    def ask(self, address: str, body: object = None) -> Any:
        """An answer of the server to its own people."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.secret}"}
        with urlopen(Request(self.base + address, data, headers)) as response:
            return json.load(response)

    def flag(self, key: str, visitor: str, **context: Any) -> Any:
        """What the server answers for one flag, asked for all, which counts nothing."""
        body = {"context": {"targetingKey": visitor, **context}}
        found = self.ask("/ofrep/v1/evaluate/flags", body)["flags"]
        return next(item for item in found if item["key"] == key)

    def exposures(self, visitor: str) -> dict[str, tuple[str, int]]:
        """The arms that a visitor saw, by experiment, and how often."""
        return {row[0]: (row[1], row[2]) for row in self._rows(SEEN, visitor)}

    def events(self, visitor: str) -> list[str]:
        """What a visitor did, in order."""
        return [row[0] for row in self._rows(DONE, visitor)]

    def wait(self, found: Callable[[], object]) -> Any:
        """What `found` finds, as soon as it finds something."""
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            result = found()
            if result:
                return result
            time.sleep(0.05)
        return found()

    def _rows(self, query: str, visitor: str) -> Any:
        with reading(self.runtime.engine) as session:
            return session.connection().execute(text(query), {"visitor": visitor}).all()


SEEN = """
    select experiment.key, variant.key, exposure.count from exposure
    join alias on alias.visitor_id = exposure.visitor_id
    join experiment on experiment.id = exposure.experiment_id
    join variant on variant.id = exposure.variant_id
    where alias.value = :visitor
"""
DONE = """
    select event.name from event join alias on alias.visitor_id = event.visitor_id
    where alias.value = :visitor order by event.id
"""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The server as it is run for real, with an experiment on a slot of every type."""
    folder, port = tmp_path_factory.mktemp("shop"), free_port()
    runtime = open_runtime(Settings(data_dir=folder, database_url="", secret_key="for tests"))
    migrations.upgrade(runtime.engine)
    with transaction(runtime.engine) as session:
        key, secret = furnish(session)
    environment = os.environ | {
        "DESIRELINE_DATA_DIR": str(folder),
        "DESIRELINE_PORT": str(port),
        "DATABASE_URL": "",
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "cli", "serve"]
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT)
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(base, child)
        yield Shop(base=base, key=key, secret=secret, runtime=runtime)
    finally:
        child.terminate()
        child.wait(20)
        runtime.close()


class Cutting:
    """Stands before the server and swallows the first answers, after the server has the batch."""

    def __init__(self, upstream: str, cuts: int) -> None:
        parts = urlsplit(upstream)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.cuts_left = cuts
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server:
            threading.Thread(target=pass_on, args=(client, server), daemon=True).start()
            while data := server.recv(65536):
                if self.cuts_left:
                    self.cuts_left -= 1
                    return
                client.sendall(data)


def pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return


@pytest.fixture
def cutting(shop: Shop) -> Iterator[Cutting]:
    proxy = Cutting(shop.base, cuts=1)
    yield proxy
    proxy.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(base: str, child: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with urlopen(f"{base}/healthz"):
                return
        except (URLError, ConnectionError):
            assert child.poll() is None, "the server ended; see its log"
            time.sleep(0.1)
    pytest.fail("the server did not come up within a minute")


def furnish(session: Session) -> tuple[str, str]:
    """Publish the journey, start the experiments; tells the key of the pages and a secret."""
    now = SystemClock().now()
    journeys.create(session, JourneyIn.model_validate(journey()), actor=OWNER, now=now)
    journeys.publish(session, "shop", 1, reason="first", actor=OWNER, now=now)
    rng = np.random.default_rng(20260302)
    for touchpoint, slot in (*(("home", slot) for slot in SLOTS), ("checkout", "claim")):
        draft = ExperimentIn.model_validate(experiment(touchpoint, slot))
        design.create(session, draft, rng=rng, actor=OWNER, now=now)
        design.start(session, draft.key, actor=OWNER, now=now)
    pages = TokenIn(name="pages", scopes=[Scope.EVALUATE, Scope.INGEST], origins=["*"])
    own = TokenIn(name="own", scopes=list(Scope))
    return (
        accounts.create_token(session, pages, actor=OWNER, now=now).secret,
        accounts.create_token(session, own, actor=OWNER, now=now).secret,
    )


def experiment(touchpoint: str, slot: str) -> dict[str, Any]:
    """Half see the standard, half something else; French-speaking visitors take no part."""
    return {
        "key": f"test-{slot}",
        "name": slot,
        "journey": "shop",
        "touchpoint": touchpoint,
        "slot": slot,
        "audience": {"language": {"$ne": "fr"}},
        "variants": [
            {"key": "control", "control": True, "weight": 0.5},
            {"key": "other", "weight": 0.5, "content": SLOTS.get(slot, SLOTS["title"])[2]},
        ],
        "primary_metric": "bought",
    }


def journey() -> dict[str, Any]:
    """Two stages; what the home page shows counts by event, the claim by being resolved."""

    def slot(name: str, kind: str) -> dict[str, str]:
        return {"key": name, "type": kind, "content": name}

    home = [slot(name, kind) for name, (kind, _, _) in SLOTS.items()]
    points = [
        {"key": "home", "name": "Home", "expose": "on_event", "slots": home},
        {"key": "checkout", "name": "Checkout", "slots": [slot("claim", "string")]},
    ]
    contents = [{"key": k, "type": kind, "payload": v} for k, (kind, v, _) in SLOTS.items()]
    return {
        "key": "shop",
        "name": "Shop",
        "metrics": [
            {"key": "bought", "name": "Bought", "rule": {"event": "Order Completed"}},
            {"key": "again", "name": "Bought again", "rule": {"event": "Order Completed"}},
        ],
        "contents": [*contents, {"key": "claim", "type": "string", "payload": "Safe."}],
        "graph": {
            "entry_points": ["visit"],
            "goal": "buy",
            "stages": [
                {
                    "key": "visit",
                    "name": "Visits",
                    "entry_rule": {"event": "Page Viewed"},
                    "goal_metric": "bought",
                    "next": ["buy"],
                    "touchpoints": points,
                },
                {
                    "key": "buy",
                    "name": "Buys",
                    "kind": "loyal",
                    "entry_rule": {"event": "Order Completed"},
                    "goal_metric": "again",
                },
            ],
        },
    }


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the npm clients, fetched once for each lock file."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here; .ci/run installs Node")
    lock = (NPM / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "desireline"
    folder = cache / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        fresh = cache / f"fetching-{os.getpid()}"
        shutil.copytree(NPM, fresh, dirs_exist_ok=True)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        fetched = subprocess.run(command, cwd=fresh, capture_output=True, text=True, check=False)
        if fetched.returncode and not os.environ.get("CI"):
            pytest.skip(f"npm cannot fetch the clients: {fetched.stderr.strip()[-200:]}")
        assert fetched.returncode == 0, fetched.stderr
        try:
            fresh.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(fresh)
    return folder


@pytest.fixture
def node(packages: Path) -> Callable[..., Any]:
    """Runs a module in Node beside the clients; tells what it prints as JSON."""

    def run(module: str, **values: str) -> Any:
        command = ["node", "--input-type=module", "-e", module]
        done = subprocess.run(
            command,
            cwd=packages,
            env=os.environ | values,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


class Pages(http.server.SimpleHTTPRequestHandler):
    """Serves pages that a test wrote, and the clients out of their packages."""

    written: dict[str, str]
    packages: Path | None = None

    def do_GET(self) -> None:
        """A page if there is one at the address, otherwise a file of a package."""
        page = self.written.get(self.path)
        if page is None:
            super().do_GET()
            return
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path: str) -> str:
        """Where a file of a package or of our own clients lies."""
        first, _, rest = path.lstrip("/").partition("?")[0].partition("/")
        if first == "npm" and self.packages:
            return str(self.packages / "node_modules" / rest)
        return str(ROOT / "clients" / rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Website:
    """Pages of another origin than the server's."""

    base: str
    written: dict[str, str]

    def write(self, path: str, body: str, head: str = "") -> str:
        """Put a page there; tells its address."""
        page = "<!doctype html><html lang=en><head><title>Shop</title>"
        self.written[path] = f"{page}{head}</head><body>{body}</body></html>"
        return self.base + path


@pytest.fixture
def website(request: pytest.FixtureRequest) -> Iterator[Website]:
    """A site on an origin of its own, with the npm clients when a test asks for them too."""
    folder = request.getfixturevalue("packages") if "packages" in request.fixturenames else None
    written: dict[str, str] = {}
    handler = type("Handler", (Pages,), {"written": written, "packages": folder})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Website(f"http://localhost:{server.server_port}", written)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; .ci/run installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser that was never here."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()
