"""Spark, on executors of their own, adds up to the same whole numbers as DuckDB."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from experiments.columnar.location import Location
from experiments.moments import spark
from experiments.moments.duck import DuckEngine
from experiments.moments.spark import SparkEngine

MASTER = "local-cluster[2,1,1024]"
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support:FutureWarning")


def reason_to_skip() -> str:
    if find_spec("pyspark") is None:
        return "pyspark is not installed"
    java = shutil.which("java")
    if java is None:
        return "Java is not installed"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    version = int(told.split('"')[1].split(".")[0])
    return "" if version >= 17 else f"Java {version} is older than 17"


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Location], SparkEngine]]:
    """A driver, a master and two workers with an executor each, as processes of this machine."""
    if reason := reason_to_skip():
        pytest.skip(reason)
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
