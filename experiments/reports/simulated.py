"""How often the real analysis and gate were wrong in the last simulation, as reports tell it."""

import json
from pathlib import Path

from experiments.reports.schemas import Simulated

LAST_RUN = Path(__file__).parents[2] / "docs" / "reference" / "calibration.json"
STUDY, METHOD = "nulls-conversion", "promoted, sequential method"


def last_run() -> Simulated | None:
    """The false promotions of the last calibration, if there was one."""
    if not LAST_RUN.is_file():
        return None
    tables = {table["key"]: table for table in json.loads(LAST_RUN.read_bytes())["tables"]}
    if STUDY not in tables:
        return None
    row = next(row for row in tables[STUDY]["rows"] if row["name"] == METHOD)
    return Simulated(
        tests=tables[STUDY]["experiments"], promoted=row["figure"], at_most=row["at_most"]
    )
