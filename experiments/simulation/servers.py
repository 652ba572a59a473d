"""The web server and the scheduler as child processes, on the machine's time or a told one."""

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from experiments.clock import SteppedClock
from experiments.settings import Settings

STARTS_WITHIN_SECONDS = 180.0
STOPS_WITHIN_SECONDS = 20.0
POLL_SECONDS = 0.1


class StartError(Exception):
    """A process of the demonstration did not come up."""


class Servers:
    """Starts and stops `desireline serve` and the scheduler together."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, clock: SteppedClock | None = None) -> None:
        """Start both, on the machine's time or on the time that `clock` tells.

        Raises:
            StartError: when the server does not answer in time; the log says why.
        """
        environment = os.environ | {
            "DATABASE_URL": self.settings.database_url,
            "DESIRELINE_COLUMNAR_LOCATION": self.settings.columnar_location,
            "DESIRELINE_DATA_DIR": str(self.settings.data_dir),
            "DESIRELINE_HOST": self.settings.host,
            "DESIRELINE_PORT": str(self.settings.port),
            "DESIRELINE_BASE_URL": self.settings.base_url,
            "DESIRELINE_RESOLUTION_LOG_SHARE": str(self.settings.resolution_log_share),
            "DESIRELINE_RESOLUTION_LOG_DAYS": str(self.settings.resolution_log_days),
            "DESIRELINE_SEED": "" if self.settings.seed is None else str(self.settings.seed),
        }
        if clock is not None:
            environment["DESIRELINE_CLOCK_FILE"] = str(clock.path)
            stretch = self.settings.clock_stretch_hours
            environment["DESIRELINE_CLOCK_STRETCH_HOURS"] = str(stretch)
        self._spawn("cli", "serve", environment=environment)
        self._spawn("scheduler", environment=environment)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop both, politely first."""
        for child in self._children:
            child.send_signal(signal.SIGTERM)
        for child in self._children:
            try:
                child.wait(STOPS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children = []

    def log_file(self, name: str) -> Path:
        """Where the output of a process goes."""
        return self.settings.data_dir / f"{name}.log"

    def _spawn(self, module: str, *arguments: str, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", module, *arguments]
        with self.log_file(module).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 (our own modules, nothing from outside)
                command, env=environment, stdout=log, stderr=log
            )
        self._children.append(child)

    def _wait_until_ready(self) -> None:
        for _ in range(int(STARTS_WITHIN_SECONDS / POLL_SECONDS)):
            if any(child.poll() is not None for child in self._children):
                break
            if self._is_ready():
                return
            time.sleep(POLL_SECONDS)
        self.stop()
        message = f"The server did not start; see {self.log_file('cli')}."
        raise StartError(message)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(self.settings.host, self.settings.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()
