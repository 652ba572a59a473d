"""The demonstration beside real data: a folder of its own, filled by a process of its own.

Nothing of it ever enters the real database, so that removing it is removing a folder. What has
become of it is read from its files, by whichever process asks.
"""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import Thread

from experiments.errors import ConflictError
from experiments.settings import Settings
from experiments.shapes import Out
from experiments.simulation.demo import DAYS_AGO, READY

GIVEN_UP_AFTER = timedelta(minutes=5)
_DAY = re.compile(r"^day (\d+) of \d+: (.*)$", re.MULTILINE)


class Phase(StrEnum):
    """How far the demonstration has come."""

    ABSENT = "absent"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Tryout(Out):
    """The demonstration as its files tell: how many simulated days are over, and what happens."""

    phase: Phase
    day: int = 0
    days: int = DAYS_AGO
    told: str = ""


def folder(settings: Settings) -> Path:
    """Where the demonstration of an installation lives."""
    return settings.data_dir / "demo"


def state(settings: Settings, *, now: datetime) -> Tryout:
    """How far it has come; one that has told nothing for minutes has failed."""
    log = _log(settings)
    if made_at(settings) is not None:
        return Tryout(phase=Phase.READY, day=DAYS_AGO)
    if not log.exists():
        return Tryout(phase=Phase.ABSENT)
    lines = _DAY.findall(log.read_text(errors="replace"))
    day, told = lines[-1] if lines else ("0", "setting the scene")
    silent = now - datetime.fromtimestamp(log.stat().st_mtime, UTC)
    phase = Phase.FAILED if silent > GIVEN_UP_AFTER else Phase.LOADING
    return Tryout(phase=phase, day=int(day), told=told)


def made_at(settings: Settings) -> int | None:
    """What tells one finished demonstration from another; None while there is none."""
    try:
        return (folder(settings) / READY).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def own_settings(settings: Settings) -> Settings:
    """The settings by which the demonstration is read: its own storage, nothing else changed."""
    own = {"data_dir": folder(settings), "database_url": "", "columnar_location": ""}
    return settings.model_copy(update=own)


def load(settings: Settings) -> None:
    """Begin to simulate in the background.

    Raises:
        ConflictError: when one is there or on its way.
    """
    log = _log(settings)
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("xb") as out:
            command = [sys.executable, "-m", "cli", "demo", "--rehearsed", "--folder"]
            command.append(str(folder(settings)))
            process = subprocess.Popen(  # noqa: S603 (our own command, nothing from outside)
                command,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
    except FileExistsError as error:
        message = "The demonstration is there already, or on its way; remove it first."
        raise ConflictError(message) from error
    # An ended process stays in the table of processes until somebody asks how it ended.
    Thread(target=process.wait, name="demonstration", daemon=True).start()


def remove(settings: Settings, *, now: datetime) -> None:
    """Remove the demonstration; removing twice changes nothing.

    Raises:
        ConflictError: while it is being made.
    """
    if state(settings, now=now).phase is Phase.LOADING:
        message = "The demonstration is still being made; wait until it is there."
        raise ConflictError(message)
    (folder(settings) / READY).unlink(missing_ok=True)
    shutil.rmtree(folder(settings), ignore_errors=True)
    _log(settings).unlink(missing_ok=True)


def _log(settings: Settings) -> Path:
    return settings.data_dir / "demo.log"
