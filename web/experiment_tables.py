"""The tables of an experiment's page, as people see them and as files carry them."""

from collections.abc import Iterator, Sequence

from experiments.analysis.schemas import (
    Arm,
    Belief,
    Comparison,
    Estimate,
    FixedHorizon,
    MetricReadout,
    Readout,
    SequentialTest,
)
from experiments.decisions.schemas import DecisionOut
from experiments.design.power import Forecast
from experiments.formats import words
from web.tables import Amount, Cell, Column, Kind, Table

TEXT, COUNT, NUMBER, LIFT = Kind.TEXT, Kind.COUNT, Kind.NUMBER, Kind.LIFT
RESULT_COLUMNS = (
    Column(key="metric", label="Metric"),
    Column(key="roles", label="Roles"),
    Column(key="stage", label="Stage"),
    Column(key="unit", label="Unit"),
    Column(key="variant", label="Variant", kind=Kind.ARM),
    Column(key="visitors", label="Visitors", kind=COUNT),
    Column(key="matured", label="Matured", kind=COUNT),
    Column(key="conversions", label="Conversions", kind=COUNT),
    Column(key="figure", label="Figure", kind=NUMBER),
    Column(key="effect_abs", label="Difference", kind=NUMBER),
    Column(key="effect_abs_low", label="from", kind=NUMBER),
    Column(key="effect_abs_high", label="to", kind=NUMBER),
    Column(key="effect_rel", label="Relative effect", kind=LIFT),
    Column(key="effect_rel_low", label="from", kind=LIFT),
    Column(key="effect_rel_high", label="to", kind=LIFT),
    Column(key="expected_rel", label="To be expected", kind=LIFT),
    Column(key="expected_rel_low", label="from", kind=LIFT),
    Column(key="expected_rel_high", label="to", kind=LIFT),
    Column(key="z", label="z", kind=NUMBER),
    Column(key="bound", label="Bound", kind=NUMBER),
    Column(key="passed", label="Passed"),
)


def results(readout: Readout) -> Table:
    """A row per metric and variant, with everything that the look says in numbers."""
    return Table(
        key="results",
        title="Results by metric and variant",
        about="Shares of matured visitors; everybody assigned and exposed is in the denominator.",
        columns=RESULT_COLUMNS,
        rows=list(_result_rows(readout)),
        as_of=readout.as_of,
    )


def readings(readout: Readout) -> Table:
    """Both readings of the primary metric, a row per variant."""
    return Table(
        key="readings",
        title=f"Two readings of {readout.primary.name}",
        about="The frequentist test against its bound, and the belief under the prior.",
        columns=(
            Column(key="variant", label="Variant", kind=Kind.ARM),
            Column(key="z", label="z", kind=NUMBER),
            Column(key="bound", label="Bound", kind=NUMBER),
            Column(key="p_two_sided", label="p at the end of the plan", kind=Kind.P_VALUE),
            Column(key="chance_to_win", label="Chance to be better", kind=Kind.SHARE),
            Column(key="expected_loss", label="Expected loss", kind=Kind.SHARE),
            Column(key="prior_sd", label="Spread of the prior", kind=Kind.SHARE),
        ),
        rows=[_reading(item) for item in readout.primary.comparisons],
        as_of=readout.as_of,
    )


def stages(readout: Readout, order: Sequence[str]) -> Table:
    """How far down the journey the change reaches: a row per later stage and variant.

    `order` are the keys of the journey's stages from the first to the last.
    """
    return Table(
        key="stages",
        title="From the change to the end of the journey",
        about="Share of all matured visitors who were assigned and exposed, not of those before.",
        columns=(
            Column(key="stage", label="Stage"),
            Column(key="metric", label="Metric"),
            Column(key="variant", label="Variant", kind=Kind.ARM),
            Column(key="control", label="Control", kind=NUMBER),
            Column(key="figure", label="Variant's figure", kind=NUMBER),
            Column(key="effect_rel", label="Relative effect", kind=LIFT),
            Column(key="effect_rel_low", label="from", kind=LIFT),
            Column(key="effect_rel_high", label="to", kind=LIFT),
        ),
        rows=list(_stage_rows(readout, order)),
        as_of=readout.as_of,
    )


def guardrails(readout: Readout) -> Table:
    """What may not get worse: a row per guardrail and variant."""
    return Table(
        key="guardrails",
        title="Guardrails",
        about="A guardrail holds when its test shows that it is not worse than the margin.",
        columns=(
            Column(key="metric", label="Metric"),
            Column(key="variant", label="Variant", kind=Kind.ARM),
            Column(key="margin", label="Margin", kind=Kind.SHARE),
            Column(key="effect_rel", label="Relative effect", kind=LIFT),
            Column(key="effect_rel_low", label="from", kind=LIFT),
            Column(key="effect_rel_high", label="to", kind=LIFT),
            Column(key="z", label="z", kind=NUMBER),
            Column(key="bound", label="Bound", kind=NUMBER),
            Column(key="holds", label="Holds"),
        ),
        rows=[
            (
                metric.name,
                item.variant,
                metric.margin,
                *effect_cells(item.effect_rel),
                *test_cells(item),
            )
            for metric in readout.guardrails
            for item in metric.comparisons
        ],
        as_of=readout.as_of,
    )


def power(forecast: Forecast) -> Table:
    """The chance to find an effect, by its size."""
    return Table(
        key="power",
        title="Chance to find an effect, by its size",
        about="Within the planned days, by the sequential test that will judge it.",
        columns=(
            Column(key="lift", label="True relative effect", kind=LIFT),
            Column(key="power", label="Chance to find it", kind=Kind.SHARE),
        ),
        rows=[(point.lift, point.power) for point in forecast.curve],
    )


def rule(decision: DecisionOut) -> Table:
    """Every condition that the decision looked at."""
    return Table(
        key="rule",
        title="The rule, condition by condition",
        about=f"Judged on look {decision.look}, data {decision.data_hash[:12]}.",
        columns=(
            Column(key="condition", label="Condition"),
            Column(key="variant", label="About", kind=Kind.ARM),
            Column(key="metric", label="Metric"),
            Column(key="figure", label="Figure", kind=NUMBER),
            Column(key="threshold", label="Threshold", kind=NUMBER),
            Column(key="unit", label="Unit"),
            Column(key="ruling", label="Verdict"),
            Column(key="words", label="In words"),
        ),
        rows=[
            (
                words(row.condition),
                row.variant,
                row.metric,
                known_number(row.figure),
                known_number(row.threshold),
                str(row.unit),
                str(row.ruling),
                row.words,
            )
            for row in decision.trace
        ],
        as_of=decision.at,
    )


def _result_rows(readout: Readout) -> Iterator[tuple[Cell, ...]]:
    for metric in readout.metrics:
        compared = {item.variant: item for item in metric.comparisons}
        for arm in metric.arms:
            named = (metric.key, " ".join(metric.roles), metric.stage, metric.unit)
            yield (*named, *_counts(arm), *_compared(compared.get(arm.variant)))


def _counts(arm: Arm) -> tuple[Cell, ...]:
    known = (known_number(arm.conversions), known_number(arm.figure))
    return (arm.variant, arm.visitors, arm.matured, *known)


def _compared(item: Comparison | None) -> tuple[Cell, ...]:
    if item is None:
        return (None,) * 12
    effects = (*effect_cells(item.effect_abs), *effect_cells(item.effect_rel))
    return (*effects, *_expected(item.belief), *test_cells(item))


def _reading(item: Comparison) -> tuple[Cell, ...]:
    z, bound, _ = test_cells(item)
    fixed = item.fixed.p_two_sided if isinstance(item.fixed, FixedHorizon) else None
    if not isinstance(item.belief, Belief):
        return (item.variant, z, bound, fixed, None, None, None)
    belief = item.belief
    beliefs = (belief.chance_to_win, belief.expected_loss, belief.prior_sd)
    return (item.variant, z, bound, fixed, *beliefs)


def _stage_rows(readout: Readout, order: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    place = {stage: number for number, stage in enumerate(order)}
    for metric in sorted(readout.stages, key=lambda item: place.get(item.stage or "", 0)):
        control = next(arm for arm in metric.arms if arm.control)
        for item in metric.comparisons:
            figures = (_amount(control, metric), _amount(metric.arm(item.variant), metric))
            named = (metric.stage, metric.name, item.variant)
            yield (*named, *figures, *effect_cells(item.effect_rel))


def _amount(arm: Arm, metric: MetricReadout) -> Amount:
    return Amount(number=known_number(arm.figure), kind=metric.kind, unit=metric.unit)


def effect_cells(effect: object) -> tuple[Cell, ...]:
    """An effect with its range, or three empty cells."""
    if not isinstance(effect, Estimate):
        return (None, None, None)
    return (effect.value, effect.ci_low, effect.ci_high)


def _expected(belief: object) -> tuple[Cell, ...]:
    if not isinstance(belief, Belief):
        return (None, None, None)
    return (belief.effect_rel, belief.ci_low, belief.ci_high)


def test_cells(item: Comparison) -> tuple[Cell, ...]:
    """z, its bound, and whether it is passed, or three empty cells."""
    if not isinstance(item.test, SequentialTest):
        return (None, None, None)
    return (item.test.z, known_number(item.test.bound), "yes" if item.test.passed else "no")


def known_number(value: object) -> int | float | None:
    """A number, or an empty cell for what cannot be told."""
    return value if isinstance(value, int | float) else None
