"""Sufficient statistics of one experiment: all that a readout is computed from."""

import hashlib
import json
from datetime import datetime

from experiments.shapes import Out


class Delays(Out):
    """How long the matured converters of a cell took from exposure to conversion, in hours."""

    mean: float
    m2: float


class Cell(Out):
    """One metric in one arm of one phase.

    `means` and `comoments` are of the matured visitors' outcomes, as `stats.JointMoments` takes
    them: one quantity, or numerator and denominator of a ratio. What was imported as totals of a
    mean does not tell how many visitors converted; `conversions` is then None. `delays` are known
    of live data only, and of cells in which somebody converted.
    """

    variant: str
    phase: int
    visitors: int
    matured: int
    conversions: int | None
    means: tuple[float, ...]
    comoments: tuple[tuple[float, ...], ...]
    observed_conversions: int | None
    observed_total: float
    delays: Delays | None = None


class SplitCount(Out):
    """Visitors first exposed in one hour (since 1970, UTC; None when unknown) in one arm."""

    phase: int
    hour: int | None
    variant: str
    visitors: int


class ArmFlow(Out):
    """What became of the visitors assigned to one arm: some never saw it, some came twice."""

    phase: int
    variant: str
    assigned: int
    lost: int
    duplicates: int


class SourceDelay(Out):
    """Events of one source, and how many of them arrived more than a day after they happened."""

    source: str
    events: int
    late: int


class ExperimentData(Out):
    """Every cell of every metric, and the counts that quality checks need.

    `flows` and `delays` are None where nobody can know them: imported figures do not tell.
    """

    cells: dict[str, list[Cell]]
    split: list[SplitCount]
    contaminated: int
    newest_at: datetime | None
    flows: list[ArmFlow] | None = None
    delays: list[SourceDelay] | None = None


def data_hash(data: ExperimentData, *, finished: bool) -> str:
    """The SHA-256 of the data as canonical JSON.

    The end of the horizon is part of it: it permits a last look although nothing arrived.
    """
    document = {"data": data.model_dump(mode="json"), "finished": finished}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
