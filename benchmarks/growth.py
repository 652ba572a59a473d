"""What a worker with many live experiments takes, and how long a change of one of them takes.

Run `python -m benchmarks.growth` with wrk installed.
"""

import gc
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from benchmarks.http import ONE, Case, ask, seed, server

MANY_EXPERIMENTS = 1000
KIB_PER_MIB = 1024


def grow(folder: Path) -> None:
    """What a worker with many live experiments takes, and how long a swap of them is built."""
    from experiments.resolution.rulesets import RulesetCache
    from experiments.runtime import open_runtime
    from experiments.settings import Settings

    token = seed(folder, 2)
    case = Case(name="many", folder=folder, token=token, path=ONE)
    alone = _resident(case)
    _copy(folder / "desireline.db", MANY_EXPERIMENTS - 1)
    resident = _resident(case)
    opened = open_runtime(Settings(data_dir=folder, DATABASE_URL=""))
    cache = RulesetCache(opened.engine)
    cache.look()
    gc.freeze()  # as a worker does
    _touch(folder / "desireline.db")
    started = time.process_time()
    cache.look()
    seconds = time.process_time() - started
    _touch(folder / "desireline.db")
    stall = _longest_stall(cache.look)
    opened.close()
    print(f"{MANY_EXPERIMENTS} live experiments: {resident:.0f} MB a worker (bar 150)")
    print(
        f"  {alone:.0f} MB with one experiment, so that the others take {resident - alone:.0f} MB"
    )
    print(f"  swapped after a change in {seconds * 1e3:.0f} ms of processor time (bar 100)")
    print(f"  which keeps another thread waiting {stall * 1e3:.0f} ms at most (bar 20)")


def _resident(case: Case) -> float:
    """Megabytes of a worker that has answered for a while."""
    with server(case, 0) as (port, worker):
        ask(case, port, worker)
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
    _touch(database)


def _touch(database: Path) -> None:
    """Change one experiment."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE experiment SET name = name || '.' WHERE id = 1")
        newest = "SELECT max(id) FROM audit_entry"
        _copy_rows(connection, "audit_entry", {"id": "id + 1"}, f"id = ({newest})")


def _copy_rows(
    connection: sqlite3.Connection, table: str, own: dict[str, object], where: str
) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(str(own.get(name, f'"{name}"')) for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {where}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        grow(Path(made))
