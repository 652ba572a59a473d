"""From outcomes of simulated experiments to figures with Monte-Carlo standard errors."""

import numpy as np

from experiments.calibration.schemas import Row
from stats.arrays import FloatArray
from stats.results import NotEstimable

NOBODY = NotEstimable("there was no such experiment")


def mean_row(
    name: str,
    values: FloatArray,
    *,
    per: float = 1.0,
    at_least: float | None = None,
    at_most: float | None = None,
    allowed_ses: float = 0.0,
) -> Row:
    """The mean of a column over its defined entries, times `per`."""
    known = values[np.isfinite(values)]
    return Row(
        name=name,
        figure=per * float(known.mean()) if known.size else NOBODY,
        se=per * float(known.std() / np.sqrt(known.size)) if known.size else NOBODY,
        at_least=at_least,
        at_most=at_most,
        allowed_ses=allowed_ses,
    )


def ratio_row(
    name: str,
    above: FloatArray,
    below: FloatArray,
    *,
    at_least: float | None = None,
    allowed_ses: float = 0.0,
) -> Row:
    """The ratio of two means over the same experiments, by the delta method."""
    ratio: float | NotEstimable = NOBODY
    se: float | NotEstimable = NOBODY
    if below.any():
        ratio = float(above.mean() / below.mean())
        spread = float((above - ratio * below).std())
        se = spread / (float(below.mean()) * float(np.sqrt(below.size)))
    return Row(name=name, figure=ratio, se=se, at_least=at_least, allowed_ses=allowed_ses)
