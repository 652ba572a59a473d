"""Reading the last run of the calibration, which is a page of the documentation."""

from experiments.calibration.schemas import Report
from experiments.reports.simulated import LAST_RUN


def last_report() -> Report | None:
    """The figures of the last run, if there was one."""
    if not LAST_RUN.is_file():
        return None
    return Report.model_validate_json(LAST_RUN.read_bytes())
