"""Data and protocols made by hand, for the pure parts of the analysis."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from experiments.analysis.data import Cell, ExperimentData, SplitCount
from experiments.analysis.moments import cells
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.schemas import Role
from experiments.design.plans import Plan
from experiments.metrics.queries import metric
from experiments.metrics.schemas import MetricKind, MetricOut
from experiments.moments.engines import IN_DATABASE
from experiments.moments.schemas import Inquiry, Population

AS_OF = datetime(2026, 3, 30, tzinfo=UTC)


@pytest.fixture
def live_cells() -> Callable[..., list[Cell]]:
    """The cells of one metric of a trial, as the analysis reads them."""

    def found(trial: Any, key: str, *, as_of: datetime) -> list[Cell]:
        measured = metric(trial.session, key)
        asked = Inquiry(population=Population(experiment=trial.experiment.id), metrics=(measured,))
        (answer,) = IN_DATABASE.answer(trial.session, [asked], as_of=as_of)
        is_ratio = measured.kind is MetricKind.RATIO
        return cells(trial.experiment, answer.sums[key], is_ratio=is_ratio)

    return found


@pytest.fixture
def rate_cell() -> Callable[..., Cell]:
    """One arm of a conversion metric whose visitors have all matured."""

    def cell(variant: str, visitors: int, conversions: int, *, phase: int = 1) -> Cell:
        rate = conversions / visitors
        return Cell(
            variant=variant,
            phase=phase,
            visitors=visitors,
            matured=visitors,
            conversions=conversions,
            means=(rate,),
            comoments=((visitors * rate * (1 - rate),),),
            observed_conversions=conversions,
            observed_total=conversions,
        )

    return cell


@pytest.fixture
def mean_cell() -> Callable[..., Cell]:
    """One arm of a mean whose standard deviation is known."""

    def cell(variant: str, visitors: int, mean: float, sd: float, *, phase: int = 1) -> Cell:
        return Cell(
            variant=variant,
            phase=phase,
            visitors=visitors,
            matured=visitors,
            conversions=None,
            means=(mean,),
            comoments=((sd**2 * (visitors - 1),),),
            observed_conversions=None,
            observed_total=mean * visitors,
        )

    return cell


@pytest.fixture
def question() -> Callable[..., Question]:
    """A metric in a role."""

    def make(key: str, *roles: Role, margin: float | None = None, **fields: Any) -> Question:
        metric = MetricOut(
            **{
                "id": 1,
                "key": key,
                "name": key,
                "kind": MetricKind.CONVERSION,
                "rule": {"event": key},
                "value_property": "",
                "denominator": None,
                "window_hours": 24,
                "direction": "increase",
                "winsorise_above": None,
                "unit": "",
                "description": "",
                "created_at": AS_OF,
                **fields,
            }
        )
        return Question(metric=metric, roles=roles or (Role.PRIMARY,), margin=margin)

    return make


@pytest.fixture
def protocol_of(question: Callable[..., Question]) -> Callable[..., Protocol]:
    """A finished two-arm experiment, unless said otherwise."""

    def make(**fields: Any) -> Protocol:
        return Protocol(
            **{
                "experiment": "headline",
                "as_of": AS_OF,
                "control": "control",
                "treatments": ("bold",),
                "weights": {1: {"control": 0.5, "bold": 0.5}},
                "plan": Plan(),
                "questions": (question("signed-up"),),
                "calendar_fraction": 1.0,
                "matured_days": 28.0,
                "finished": True,
                **fields,
            }
        )

    return make


@pytest.fixture
def data_of() -> Callable[..., ExperimentData]:
    """Cells by metric; the split is that of the first metric, at no known hour."""

    def make(*, split: list[SplitCount] | None = None, **cells: list[Cell]) -> ExperimentData:
        first = next(iter(cells.values()), [])
        counted = [
            SplitCount(phase=cell.phase, hour=None, variant=cell.variant, visitors=cell.visitors)
            for cell in first
        ]
        return ExperimentData(
            cells={key.replace("_", "-"): value for key, value in cells.items()},
            split=counted if split is None else split,
            contaminated=0,
            newest_at=AS_OF,
        )

    return make
