"""From sufficient statistics to a readout: the one interface between storage and statistics."""

from collections import Counter
from collections.abc import Sequence

from experiments.analysis.comparison import compare
from experiments.analysis.data import Cell, ExperimentData
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.quality import judge_quality
from experiments.analysis.schemas import Arm, MetricReadout, Readout, SequentialTest
from experiments.analysis.sequential import History, Look
from experiments.analysis.strata import shown_figure
from stats.results import NotEstimable


def read(data: ExperimentData, protocol: Protocol, *, earlier: History) -> Readout:
    """Read everything that `data` says about the questions of `protocol`.

    Args:
        data: sufficient statistics per metric, arm and phase.
        protocol: arms, planned split, metrics with their roles, plan and calendar.
        earlier: calendar and information of the looks before this one.

    Returns:
        A readout; what is undefined in it is `NotEstimable` with its reason.
    """
    return Readout(
        experiment=protocol.experiment,
        as_of=protocol.as_of,
        calendar_fraction=protocol.calendar_fraction,
        matured_days=protocol.matured_days,
        finished=protocol.finished,
        metrics=[
            _metric(question, data.cells.get(question.metric.key, []), protocol, earlier)
            for question in protocol.questions
        ],
        quality=judge_quality(data, protocol),
    )


def looks_of(readout: Readout) -> list[Look]:
    """What later looks must know of this one."""
    return [
        Look(
            metric=metric.key,
            variant=item.variant,
            calendar_fraction=readout.calendar_fraction,
            information=item.test.information,
        )
        for metric in readout.metrics
        for item in metric.comparisons
        if isinstance(item.test, SequentialTest)
    ]


def _metric(
    question: Question, cells: Sequence[Cell], protocol: Protocol, earlier: History
) -> MetricReadout:
    metric = question.metric
    by_variant = {
        variant: [cell for cell in cells if cell.variant == variant]
        for variant in protocol.variants
    }
    matured: Counter[int] = Counter()
    for cell in cells:
        matured[cell.phase] += cell.matured
    return MetricReadout(
        key=metric.key,
        name=metric.name,
        kind=metric.kind,
        unit=metric.unit,
        direction=metric.direction,
        window_hours=metric.window_hours,
        roles=list(question.roles),
        stage=question.stage,
        margin=question.margin,
        arms=[
            _arm(question, variant, by_variant[variant], matured, protocol)
            for variant in protocol.variants
        ],
        comparisons=[
            compare(
                question,
                cells=(by_variant[protocol.control], by_variant[variant]),
                variant=variant,
                protocol=protocol,
                earlier=earlier,
            )
            for variant in protocol.treatments
        ],
    )


def _arm(
    question: Question,
    variant: str,
    cells: Sequence[Cell],
    matured: dict[int, int],
    protocol: Protocol,
) -> Arm:
    return Arm(
        variant=variant,
        control=variant == protocol.control,
        visitors=sum(cell.visitors for cell in cells),
        matured=sum(cell.matured for cell in cells),
        conversions=_total([cell.conversions for cell in cells]),
        figure=shown_figure(cells, matured, kind=question.metric.kind),
        observed_conversions=_total([cell.observed_conversions for cell in cells]),
        observed_total=sum(cell.observed_total for cell in cells),
    )


def _total(counts: Sequence[int | None]) -> int | NotEstimable:
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return NotEstimable("the imported figures do not say how many visitors converted")
    return sum(known)
