"""Apache Spark over the same Parquet files: the sums are made by as many machines as there are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlmodel import Session

from experiments.columnar.location import Location
from experiments.columnar.schemas import FileOut
from experiments.database import to_micros
from experiments.deferred import Deferred
from experiments.errors import DamagedError, InvalidError, UnavailableError
from experiments.moments import inbox_rows
from experiments.moments.answering import Row, answered
from experiments.moments.dialects import SPARK
from experiments.moments.questions import Questions, numbered
from experiments.moments.relational import VERDICT, Gathered, Tables
from experiments.moments.schemas import Answer, Inquiry
from experiments.moments.shelf import EVENT, EXPOSURE, Shelf
from experiments.moments.strays import strays

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import errors as refusals
    from pyspark import sql
else:
    pa = Deferred("pyarrow")
    refusals = Deferred("pyspark.errors")
    sql = Deferred("pyspark.sql")

OLDEST_JAVA = 17
KINDS = {"int64": "BIGINT", "string": "STRING", "bool": "BOOLEAN"}
SETTINGS: dict[str, bool | float | int | str | None] = {
    "spark.app.name": "desireline",
    "spark.ui.enabled": "false",
    # A sum that does not fit is an error and never NULL; a text is taken as it is written.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.variable.substitute": "false",
    # A file that is damaged or missing is an error, however the cluster is set up.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}
EXPOSURES = f"""(SELECT {EXPOSURE} FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY experiment, visitor ORDER BY id DESC) AS place FROM (
        SELECT {EXPOSURE} FROM loose_exposure UNION ALL
        SELECT {EXPOSURE} FROM filed_exposure
        LEFT ANTI JOIN (SELECT visitor FROM stray WHERE is_merged) USING (visitor)
    )
) WHERE place = 1)"""
"""Of several rows of one person the last one stands."""
LITERAL = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkEngine:
    """Sums by a Spark cluster whose machines all reach the files.

    Attributes:
        location: where the files of the columnar store lie.
        master: the cluster's address, or how many threads of this process' JVM.
    """

    location: Location
    master: str = "local[*]"

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`.

        Raises:
            DamagedError: when a file is missing or cannot be read; nothing is left out silently.
            UnavailableError: when Spark cannot be started or the cluster gives up.
        """
        asked = numbered(inquiries)
        shelf = Shelf.of(session, self.location, visitors_at_once=1)
        with _naming_what_fails(shelf):
            # Views of one look are no business of another that runs at the same time.
            spark = running(self.master).newSession()
            _show(spark, session, asked, shelf)
            tables = Tables(exposure=EXPOSURES, event=_events(as_of))
            source = SparkSource(spark=spark, whole=tables, passes=[tables])
            return answered(asked, source, as_of=as_of)


@dataclass(slots=True, kw_only=True)
class SparkSource:
    """Spark, ready to be asked."""

    spark: sql.SparkSession
    whole: Tables
    passes: Sequence[Tables]
    dialect = SPARK

    def query(self, statement: str) -> Iterable[Row]:
        """The rows of a statement."""
        return [tuple(row) for row in self.spark.sql(_quoted(statement)).collect()]

    def keep(self, given: Gathered) -> Gathered:
        """As it stands: each machine makes its own part of it."""
        return given

    def keep_verdicts(self, rows: Sequence[tuple[int, str]]) -> None:
        """Make the table of the conditional rules' numbers and properties that satisfy them."""
        found = self.spark.createDataFrame(rows, "rule BIGINT, properties STRING")
        found.createOrReplaceTempView(VERDICT)


def require() -> None:
    """Make sure that Spark can be asked for.

    Raises:
        InvalidError: when pyspark or Java is missing, or Java is too old.
    """
    if find_spec("pyspark") is None:
        raise InvalidError.at("/analysis_engine", "spark needs pyspark: pip install pyspark==4.3.0")
    require_java()


def require_java() -> None:
    """Make sure that there is a Java that Spark runs on.

    Raises:
        InvalidError: when it is missing or too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        detail = f"spark needs Java {OLDEST_JAVA} or newer: install it or set JAVA_HOME"
        raise InvalidError.at("/analysis_engine", detail)
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603 (the operator's own Java)
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        detail = f"spark needs Java {OLDEST_JAVA} or newer; {java} says: {told.strip()[:60]}"
        raise InvalidError.at("/analysis_engine", detail)


@lru_cache
def running(master: str) -> sql.SparkSession:
    """The driver of this process, started when it is first needed, which takes seconds."""
    builder = sql.SparkSession.builder.master(master)
    if master.startswith("local"):
        # Nobody else has to find this driver, whatever the machine's name resolves to.
        builder = builder.config("spark.driver.host", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        # A part of a shuffle for each core, instead of the two hundred that a cluster takes.
        builder = builder.config("spark.sql.shuffle.partitions", str(os.cpu_count()))
    return builder.config(map=SETTINGS).getOrCreate()


def _show(spark: sql.SparkSession, session: Session, asked: Questions, shelf: Shelf) -> None:
    """Name what the files hold, what they do not, and what they hold under another number."""
    loose = {
        "loose_exposure": inbox_rows.exposures(
            session, asked.experiments, after=shelf.exposure_mark
        ),
        "loose_event": inbox_rows.events(session, asked.names, after=shelf.event_mark),
        "stray": strays(session),
    }
    for name, rows in loose.items():
        columns = rows.to_pydict().values()
        shown = spark.createDataFrame(list(zip(*columns, strict=True)), _schema(rows.schema))
        shown.createOrReplaceTempView(name)
    _show_files(spark, "filed_exposure", shelf, shelf.exposures, inbox_rows.EXPOSURE)
    _show_files(spark, "filed_event", shelf, shelf.events, inbox_rows.EVENT)


def _show_files(
    spark: sql.SparkSession,
    name: str,
    shelf: Shelf,
    files: Sequence[FileOut],
    types: dict[str, str],
) -> None:
    schema = ", ".join(f"{column} {KINDS[kind]}" for column, kind in types.items())
    found = (
        spark.read.schema(schema).parquet(*(_address(shelf, file) for file in files))
        if files
        else spark.createDataFrame([], schema)
    )
    found.createOrReplaceTempView(name)


def _schema(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {KINDS[str(field.type)]}" for field in schema)


def _address(shelf: Shelf, file: FileOut) -> str:
    """A file in the words of Hadoop, which Spark reads files with."""
    path = shelf.path(file)
    return f"file://{path}" if shelf.location and shelf.location.is_local else f"s3a://{path}"


def _events(as_of: datetime) -> str:
    """Events under the number that counts; those of whoever was forgotten are left out."""
    theirs = EVENT.replace("visitor", "kept AS visitor", 1)
    return (
        f"(SELECT {EVENT} FROM (SELECT {EVENT} FROM loose_event "
        f"UNION ALL SELECT {EVENT} FROM filed_event "
        "LEFT ANTI JOIN (SELECT visitor FROM stray) USING (visitor) "
        f"UNION ALL SELECT {theirs} FROM filed_event JOIN stray USING (visitor) "
        f"WHERE kept IS NOT NULL) WHERE received_at <= {to_micros(as_of)})"
    )


def _quoted(statement: str) -> str:
    """A statement whose texts are quoted as Spark reads them: with backslashes."""

    def spoken(found: re.Match[str]) -> str:
        plain = found[1].replace("''", "'").replace("\\", "\\\\").replace("'", "\\'")
        return f"'{plain}'"

    return LITERAL.sub(spoken, statement)


@contextmanager
def _naming_what_fails(shelf: Shelf) -> Iterator[None]:
    """Say which file of the columnar store it was that could not be read, or that Spark is away."""
    try:
        yield
    except refusals.PySparkException as error:
        files = (file.name for file in (*shelf.exposures, *shelf.events))
        name = next((name for name in files if name in str(error)), None)
        if name is not None:
            raise DamagedError(name, "cannot be read") from error
        reason = str(error).strip().splitlines()[0]
        raise UnavailableError(f"Spark does not answer: {reason}") from error
