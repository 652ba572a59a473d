"""How long an analysis takes and what memory, beside tea-tasting over the same Parquet files.

Run `python benchmarks/analysis.py --scale 0.01` for a quick look; the whole is 10 million visitors
with 30 million events over three stages in 28 days, 14-day windows and three variants. Each figure
is of a process of its own, repeated in turn with the others; medians are told, with processor time,
which other work on the machine moves less. The peer is looked for in `--peer-python` (tea-tasting
with ibis-framework[duckdb]).
"""

import argparse
import importlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pyarrow import Table as Rows
    from sqlalchemy import Connection

    from experiments.columnar.datasets import Dataset
    from experiments.columnar.models import ColumnarFile

VISITORS, EVENTS, DAYS, WINDOW_DAYS = 10_000_000, 30_000_000, 28, 14
STAGES = ("stage_0", "stage_1", "stage_2")
TWENTY, SHARE = 20, 10  # each of the twenty takes every tenth visitor, by a hash
HOUR = 3_600_000_000
DAY = 24 * HOUR
BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
BEGUN_MICROS = int(BEGUN.timestamp()) * 1_000_000
END = BEGUN + timedelta(days=DAYS)
console = Console()


def generate(folder: Path, scale: float) -> None:
    """Write the files as the mover would, and a database with their manifest."""
    visitors, events = round(VISITORS * scale), round(EVENTS * scale)
    database = duckdb.connect()
    database.execute("SET memory_limit = '4GB'")
    database.execute(f"SET temp_directory = '{folder / 'spill'}'")
    database.execute(
        f"""CREATE TABLE met AS SELECT i AS visitor, hash(i) % 3 AS variant,
        {BEGUN_MICROS} + (i::DOUBLE / {visitors + 1} * {DAYS * DAY})::BIGINT AS first_at
        FROM range(1, {visitors + 1}) one(i)"""
    )
    # Some fall behind the end: a few more are drawn.
    database.execute(
        f"""CREATE TABLE act AS SELECT visitor, 'stage_' || (hash(i * 11) % 3) AS name,
        (first_at - {HOUR} - ln((hash(i * 13) % 1000000 + 1) / 1000001.0) * {5 * DAY})::BIGINT
        AS occurred_at FROM range({round(events * 1.22)}) one(i)
        JOIN met ON visitor = hash(i * 7) % {visitors} + 1"""
    )
    database.execute(
        f"DELETE FROM act WHERE occurred_at >= {BEGUN_MICROS + DAYS * DAY} "
        f"OR occurred_at < {BEGUN_MICROS}"
    )
    write(folder, database)


def write(folder: Path, database: duckdb.DuckDBPyConnection) -> None:
    """Write files per kind and day, the last hour apart, and tell the manifest."""
    from experiments.columnar.datasets import EVENT, EXPOSURE
    from experiments.columnar.models import ColumnarMark
    from experiments.database import open_engine, transaction
    from experiments.tables import create_tables

    engine = open_engine(f"sqlite:///{folder / 'bench.db'}")
    create_tables(engine)
    last_id = dict.fromkeys((EVENT.kind, EXPOSURE.kind), 0)
    rows = []
    for begin, end in spans():
        for dataset, select in ((EXPOSURE, met_rows(begin, end)), (EVENT, act_rows(begin, end))):
            before = last_id[dataset.kind]
            written = write_files(folder, database, dataset, select, begin=begin, before=before)
            rows += written
            last_id[dataset.kind] = max(row.last_id for row in rows if row.kind == dataset.kind)
    (newest,) = database.execute("SELECT max(visitor) FROM met").fetchall()[0]
    with transaction(engine) as session:
        session.add_all(rows)
        session.add_all(ColumnarMark(kind=kind, last_id=last) for kind, last in last_id.items())
        stand_in(session.connection(), visitors=newest, exposures=last_id[EXPOSURE.kind])


def met_rows(begin: int, end: int) -> str:
    """SQL of the exposures to the one experiment and to the twenty."""
    twenty = " UNION ALL ".join(
        f"SELECT {100 + n} AS experiment, * FROM met WHERE hash(visitor * {100 + n}) % {SHARE} = 0"
        for n in range(TWENTY)
    )
    return (
        "SELECT experiment, visitor, variant, 1 AS phase, first_at FROM "
        f"(SELECT 1 AS experiment, * FROM met UNION ALL {twenty}) "
        f"WHERE first_at >= {begin} AND first_at < {end}"
    )


def act_rows(begin: int, end: int) -> str:
    """SQL of the events, received as they occurred."""
    return (
        "SELECT visitor, name, 'web' AS source, occurred_at, occurred_at AS received_at, "
        f"'{{}}' AS properties FROM act WHERE occurred_at >= {begin} AND occurred_at < {end}"
    )


def write_files(
    folder: Path,
    database: duckdb.DuckDBPyConnection,
    dataset: "Dataset",
    select: str,
    *,
    begin: int,
    before: int,
) -> "Iterator[ColumnarFile]":
    """Write rows as they are once they are tidied, with ids above `before`; their manifest."""
    from experiments.columnar.compacting import LARGEST

    columns = ", ".join(
        f"CAST({name} AS {'VARCHAR' if str(kind) == 'string' else 'BIGINT'}) AS {name}"
        for name, kind in zip(dataset.schema.names, dataset.schema.types, strict=True)
    )
    found = (
        database.sql(
            f"SELECT {columns} FROM (SELECT {before} + ROW_NUMBER() OVER () AS id, * "
            f"FROM ({select})) ORDER BY visitor, {dataset.time_column}"
        )
        .to_arrow_table()
        .cast(dataset.schema)
    )
    parts = -(-found.num_rows // LARGEST)
    cuts = [found.num_rows * place // parts for place in range(parts + 1)]
    for place, (first, last) in enumerate(pairwise(cuts)):
        name = f"{begin}-{place:03}"
        yield write_file(folder, dataset, found.slice(first, last - first), begin, name)


def write_file(
    folder: Path, dataset: "Dataset", rows: "Rows", begin: int, name: str
) -> "ColumnarFile":
    """Write one file; its line of the manifest."""
    from experiments.columnar.encoding import encoded
    from experiments.columnar.models import ColumnarFile

    day = (BEGUN + timedelta(microseconds=begin - BEGUN_MICROS)).date()
    address = f"{dataset.kind}/day={day}/{name}.parquet"
    path = folder / "columnar" / address
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(rows))
    ids, visitors = rows.column("id").to_numpy(), rows.column("visitor").to_numpy()
    return ColumnarFile(
        kind=dataset.kind,
        name=address,
        state="live",
        since=BEGUN,
        day=day,
        rows=rows.num_rows,
        size=path.stat().st_size,
        first_id=int(ids.min()),
        last_id=int(ids.max()),
        first_visitor=int(visitors[0]),
        last_visitor=int(visitors[-1]),
    )


def stand_in(connection: "Connection", *, visitors: int, exposures: int) -> None:
    """Make the tables that an analysis counts, with as many rows but without their indexes."""
    connection.exec_driver_sql("INSERT INTO visitor (id, created_at) VALUES (?, 0)", (visitors,))
    connection.exec_driver_sql("DROP TABLE exposure")
    connection.exec_driver_sql(
        "CREATE TABLE exposure (id INTEGER PRIMARY KEY, experiment_id, visitor_id, variant_id, "
        "phase_id, first_at, count)"
    )
    connection.exec_driver_sql(
        "WITH RECURSIVE one(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM one "
        f"WHERE i < {exposures}) INSERT INTO exposure SELECT i, 1, i, 1, 1, 0, 1 FROM one"
    )


def spans() -> Iterator[tuple[int, int]]:
    """The days in microseconds, and of the last one its last hour by itself."""
    for day in range(DAYS - 1):
        yield BEGUN_MICROS + day * DAY, BEGUN_MICROS + (day + 1) * DAY
    last = BEGUN_MICROS + DAYS * DAY
    yield last - DAY, last - HOUR
    yield last - HOUR, last


def ours(folder: Path, role: str) -> None:
    """One of our looks; what is done before the measured part is not counted."""
    from sqlalchemy import text

    from experiments.columnar.location import locate
    from experiments.database import open_engine, reading, transaction
    from experiments.moments.duck import DuckEngine
    from experiments.moments.kept import KeptEngine

    for late in ("pyarrow", "pyarrow.dataset", "pyarrow.parquet"):
        importlib.import_module(late)  # as the scheduler has them, and as the peer has its own
    engine = open_engine(f"sqlite:///{folder / 'bench.db'}")
    full = DuckEngine(
        location=locate(str(folder / "columnar")), memory="1GB", spill=folder / "spill"
    )
    kept = KeptEngine(full=full, path=folder / f"{role}.duckdb")
    asked = twenty_experiments() if role == "twenty" else one_experiment()

    def look(adder: DuckEngine | KeptEngine) -> None:
        with reading(engine) as session:
            adder.answer(session, asked, as_of=END)

    if role in {"full", "twenty"}:
        measured(lambda: look(full))
        return
    if role == "build":
        kept.path.unlink(missing_ok=True)
        measured(lambda: look(kept))
        return
    cut = BEGUN_MICROS + DAYS * DAY - (HOUR if role == "hourly" else DAY)
    hide = (
        "UPDATE columnar_file SET state = :state WHERE name >= kind || :since AND state <> :state"
    )
    day = (BEGUN + timedelta(microseconds=cut - BEGUN_MICROS)).date()
    since = f"/day={day}/{cut}"
    marks = "UPDATE columnar_mark SET last_id = (SELECT MAX(last_id) FROM columnar_file "
    marks += "WHERE columnar_file.kind = columnar_mark.kind AND state = 'live')"
    for state in ("hidden", "live"):
        with transaction(engine) as session:
            session.connection().execute(text(hide), {"state": state, "since": since})
            session.connection().execute(text(marks))
        if state == "hidden":
            look(kept)
    measured(lambda: look(kept))


def one_experiment() -> list[object]:
    """One experiment on everybody, with a metric for each stage."""
    from experiments.moments.schemas import Inquiry, Population

    metrics = tuple(metric(stage, stage) for stage in STAGES)
    population = Population(experiment=1)
    return [Inquiry(population=population, metrics=metrics, delays_of=metrics[0].rule)]


def twenty_experiments() -> list[object]:
    """Twenty overlapping experiments with five metrics each."""
    from experiments.moments.schemas import Inquiry, Population

    metrics = (
        *(metric(stage, stage) for stage in STAGES),
        metric("visits", STAGES[0], kind="count"),
        metric("soon", STAGES[2], window_hours=7 * 24),
    )
    return [
        Inquiry(
            population=Population(experiment=100 + n), metrics=metrics, delays_of=metrics[0].rule
        )
        for n in range(TWENTY)
    ]


def metric(key: str, event: str, **fields: object) -> object:
    """A metric of the catalogue."""
    from experiments.metrics.schemas import MetricOut

    usual = {"kind": "conversion", "value_property": "", "denominator": None, "unit": ""}
    usual |= {"window_hours": WINDOW_DAYS * 24, "direction": "increase", "winsorise_above": None}
    usual |= {"id": 1, "key": key, "name": key, "rule": {"event": event}, "description": ""}
    return MetricOut.model_validate(usual | {"created_at": BEGUN} | fields)


def peer(folder: Path) -> None:
    """What one writes with tea-tasting: a table of visitors by Ibis, then its metrics."""
    ibis, tea = importlib.import_module("ibis"), importlib.import_module("tea_tasting")
    database = ibis.duckdb.connect()
    ibis.memtable({"late": ["imports"]}).to_pandas()  # not counted, as ours are not
    span = WINDOW_DAYS * DAY

    def look() -> None:
        met = database.read_parquet(str(folder / "columnar/exposure/*/*.parquet"))
        met = met.filter(met.experiment == 1).select("visitor", "variant", "first_at")
        act = database.read_parquet(str(folder / "columnar/event/*/*.parquet"))
        act = act.select("visitor", "name", "occurred_at")
        late = BEGUN_MICROS + DAYS * DAY - span
        both = act.join(met, "visitor")
        took = both.occurred_at - both.first_at
        hits = both.filter((took >= 0) & (took < span)).group_by("visitor")
        by_visitor = hits.agg(**{stage: (both.name == stage).any() for stage in STAGES})
        people = met.filter(met.first_at <= late).left_join(by_visitor, "visitor")
        table = people.select(
            "variant",
            **{stage: people[stage].fill_null(False).cast("int64") for stage in STAGES},  # noqa: FBT003 (Ibis' signature)
        )
        experiment = tea.Experiment(**{stage: tea.Mean(stage) for stage in STAGES})
        experiment.analyze(table, control=0, all_variants=True)

    measured(look)


def measured(look: Callable[[], None]) -> None:
    """Print what a look took, and the most memory that this process ever held."""
    cpu, begun = time.process_time(), time.perf_counter()
    look()
    took = {
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - cpu,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(took))


def peak_mb() -> float:
    """The most memory of this process; `getrusage` would also tell of the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def child(python: str, folder: Path, role: str) -> dict[str, float] | None:
    """What a process of its own measured; None when the peer is not installed there."""
    command = [python, __file__, "--role", role, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        console.print(f"[yellow]{role} left out:[/] {done.stderr.strip().splitlines()[-1]}")
        return None
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def report(found: dict[str, list[dict[str, float]]]) -> None:
    """Medians, and how they stand to the full look."""
    middle = {
        role: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for role, runs in found.items()
        if runs
    }
    table = Table("look", "seconds", "processor", "peak MB", "seconds / full", "processor / full")
    for role, run in middle.items():
        base = middle["full"]
        table.add_row(
            role,
            f"{run['seconds']:.2f}",
            f"{run['cpu']:.2f}",
            f"{run['peak_mb']:.0f}",
            f"{run['seconds'] / base['seconds']:.2f}",
            f"{run['cpu'] / base['cpu']:.2f}",
        )
    console.print(table)
    if "peer" in middle:
        full, other = middle["full"], middle["peer"]
        console.print(
            f"full / tea-tasting: {full['seconds'] / other['seconds']:.2f} of the time, "
            f"{full['cpu'] / other['cpu']:.2f} of the processor time, "
            f"{full['peak_mb'] / other['peak_mb']:.2f} of the peak memory"
        )


def main() -> None:
    """Generate, measure in turn, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--role", help="measure one look in a folder that was generated before")
    asked = parser.parse_args()
    if asked.role:
        peer(asked.folder) if asked.role == "peer" else ours(asked.folder, asked.role)
        return
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="desireline-analysis-"))
    try:
        begun = time.perf_counter()
        generate(folder, asked.scale)
        console.print(f"generated in {time.perf_counter() - begun:.0f} s")
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(asked.rounds):
            for role in ("full", "peer", "twenty", "build", "hourly", "daily"):
                run = child(asked.peer_python if role == "peer" else sys.executable, folder, role)
                found.setdefault(role, []).extend([run] if run else [])
        report(found)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
