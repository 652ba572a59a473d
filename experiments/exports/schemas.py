"""Shapes of the exports slice."""

from enum import StrEnum

from pydantic import AwareDatetime

from experiments.shapes import In


class Part(StrEnum):
    """What can be exported."""

    EVENTS = "events"
    EXPOSURES = "exposures"
    ASSIGNMENTS = "assignments"
    RESULTS = "results"


class Format(StrEnum):
    """How a file is written; also its ending."""

    NDJSON = "ndjson"
    PARQUET = "parquet"


class Period(In):
    """Rows from a time on, until before another."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
