"""Spark, on executors of their own, adds up to the same whole numbers as DuckDB."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

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


@pytest.mark.slow
@settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), hours=st.sampled_from([24.0, 50.25, 100.0]))
def test_answer__any_history_on_two_executors__is_what_duckdb_adds_up(
    world: Any, steps: Any, sums_of: Any, cluster: Any, data: Any, hours: float
) -> None:
    world.clear()
    world.play(data.draw(st.lists(steps, max_size=30)))
    spread = cluster(world.location)
    found = world.answers(DuckEngine(location=world.location), hours=hours)
    assert sums_of(found) == world.counted(hours=hours)
    assert world.answers(spread, hours=hours) == found
    world.move()
    assert world.answers(spread, hours=hours) == found
