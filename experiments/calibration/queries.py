"""Reading the last run of the calibration, which is a page of the documentation."""

from pathlib import Path

from experiments.calibration.schemas import Report

LAST_REPORT = Path(__file__).parents[2] / "docs" / "reference" / "calibration.json"


def last_report() -> Report | None:
    """The figures of the last run, if there was one."""
    if not LAST_REPORT.is_file():
        return None
    return Report.model_validate_json(LAST_REPORT.read_bytes())
