"""Spark, on executors of their own, adds up to the same whole numbers as DuckDB."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.columnar.location import Location
from experiments.errors import InvalidError
from experiments.moments import spark
from experiments.moments.duck import DuckEngine
from experiments.moments.spark import SparkEngine

MASTER = "local-cluster[2,1,1024]"
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support:FutureWarning")


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Location], SparkEngine]]:
    """A driver, a master and two workers with an executor each, as processes of this machine."""
    try:
        spark.require()
    except InvalidError as error:
        pytest.skip(str(error))
    os.environ["SPARK_WORKER_DIR"] = str(tmp_path_factory.mktemp("workers"))
    session = spark.running(MASTER)
    yield lambda location: SparkEngine(location=location, master=MASTER)
    gateway = session.sparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    spark.running.cache_clear()
    del os.environ["SPARK_WORKER_DIR"]


def test_require_java__java_is_missing_or_old__says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InvalidError, match="Java 17 or newer: install it or set JAVA_HOME"):
        spark.require_java()
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    with pytest.raises(InvalidError, match=r"Java 17 or newer; .* version \"11\.0\.2"):
        spark.require_java()


AMOUNTS = (1, -0.1234565, "9", True, None, 1e10, 1374.5, 9_999_999_999.0)
EXPOSED = [
    ("expose", visitor, experiment, 1 + visitor % 2, visitor / 2)
    for visitor in range(1, 9)
    for experiment in (1, 2)
    if visitor % 3 or experiment == 1
]
ACTS = [
    ("act", visitor, name, visitor + late, {"plan": plan, "revenue": AMOUNTS[visitor - 1]}, late)
    for visitor in range(1, 9)
    for name, plan, late in (("Order", "pro", 0.5), ("Visit", "free", 30.0))
]
MERGED = [("merge", 1, 4), ("forget", 6), ("act", 4, "Order", 3.0, {"revenue": 2}, 0.0)]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_answer__files_and_loose_rows_on_two_executors__is_what_duckdb_adds_up(
    world: Any, sums_of: Any, cluster: Any
) -> None:
    world.clear()
    world.play([*EXPOSED, *ACTS[::2]])
    world.move()
    world.play([*ACTS[1::2], *MERGED])
    found = world.answers(DuckEngine(location=world.location), hours=30.25)
    assert sums_of(found) == world.counted(hours=30.25)
    assert world.answers(cluster(world.location), hours=30.25) == found
