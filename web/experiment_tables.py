"""The tables of an experiment's page, as people see them and as files carry them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from experiments.analysis.schemas import (
    Arm,
    Belief,
    Comparison,
    Estimate,
    FixedHorizon,
    Readout,
    RunOut,
    SequentialTest,
    Trust,
)
from experiments.audit.schemas import AuditOut
from experiments.decisions.schemas import DecisionOut
from experiments.design.schemas import ExperimentOut
from experiments.formats import who, words
from web.tables import Cell, Column, Kind, Table

TEXT, COUNT, NUMBER, LIFT = Kind.TEXT, Kind.COUNT, Kind.NUMBER, Kind.LIFT
RESULT_COLUMNS = (
    Column(key="metric", label="Metric"),
    Column(key="roles", label="Roles"),
    Column(key="stage", label="Stage"),
    Column(key="unit", label="Unit"),
    Column(key="variant", label="Variant"),
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
            Column(key="variant", label="Variant"),
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


def stages(readout: Readout) -> Table:
    """How far down the journey the change reaches: a row per later stage and variant."""
    return Table(
        key="stages",
        title="From the change to the end of the journey",
        about="Share of all matured visitors who were assigned and exposed, not of those before.",
        columns=(
            Column(key="stage", label="Stage"),
            Column(key="metric", label="Metric"),
            Column(key="variant", label="Variant"),
            Column(key="control", label="Control", kind=NUMBER),
            Column(key="figure", label="Variant's figure", kind=NUMBER),
            Column(key="effect_rel", label="Relative effect", kind=LIFT),
            Column(key="effect_rel_low", label="from", kind=LIFT),
            Column(key="effect_rel_high", label="to", kind=LIFT),
        ),
        rows=list(_stage_rows(readout)),
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
            Column(key="variant", label="Variant"),
            Column(key="margin", label="Margin", kind=Kind.SHARE),
            Column(key="effect_rel", label="Relative effect", kind=LIFT),
            Column(key="effect_rel_low", label="from", kind=LIFT),
            Column(key="effect_rel_high", label="to", kind=LIFT),
            Column(key="z", label="z", kind=NUMBER),
            Column(key="bound", label="Bound", kind=NUMBER),
            Column(key="holds", label="Holds"),
        ),
        rows=[
            (metric.name, item.variant, metric.margin, *_effect(item.effect_rel), *_test(item))
            for metric in readout.guardrails
            for item in metric.comparisons
        ],
        as_of=readout.as_of,
    )


def rule(decision: DecisionOut) -> Table:
    """Every condition that the decision looked at."""
    return Table(
        key="rule",
        title="The rule, condition by condition",
        about=f"Judged on look {decision.look}, data {decision.data_hash[:12]}.",
        columns=(
            Column(key="condition", label="Condition"),
            Column(key="variant", label="About"),
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
                _number(row.figure),
                _number(row.threshold),
                str(row.unit),
                str(row.ruling),
                row.words,
            )
            for row in decision.trace
        ],
        as_of=decision.at,
    )


def checks(trust: Trust, readout: Readout) -> Table:
    """Every health check with its figure."""
    return Table(
        key="checks",
        title="Health checks",
        about="The light is the worst of them.",
        columns=(
            Column(key="check", label="Check"),
            Column(key="figure", label="Figure", kind=NUMBER),
            Column(key="threshold", label="Threshold", kind=NUMBER),
            Column(key="unit", label="Unit"),
            Column(key="verdict", label="Verdict"),
            Column(key="words", label="In words"),
        ),
        rows=[
            (
                item.check,
                _number(item.figure),
                item.threshold,
                str(item.unit),
                str(item.verdict),
                item.words,
            )
            for item in trust.checks
        ],
        as_of=readout.as_of,
    )


def exposures(readout: Readout) -> Table:
    """Visitors first exposed per day, a column per arm."""
    arms = [arm.variant for arm in readout.primary.arms]
    days: dict[object, dict[str, int]] = defaultdict(dict)
    for row in readout.quality.exposures:
        days[row.day.isoformat()][row.variant] = row.visitors
    return Table(
        key="exposures",
        title="Exposures per day and arm",
        about="Visitors by the day (UTC) of their first exposure, each once.",
        columns=(
            Column(key="day", label="Day", kind=Kind.DAY),
            *(Column(key=arm, label=arm, kind=COUNT) for arm in arms),
        ),
        rows=[(str(day), *(counted.get(arm, 0) for arm in arms)) for day, counted in days.items()],
        as_of=readout.as_of,
    )


def maturity(readout: Readout) -> Table:
    """The primary metric of everybody so far beside that of matured visitors only."""
    primary = readout.primary
    return Table(
        key="maturity",
        title=f"{primary.name}: matured and so far",
        about="Decisions use matured visitors; the rest can still convert inside their window.",
        columns=(
            Column(key="variant", label="Variant"),
            Column(key="visitors", label="Visitors so far", kind=COUNT),
            Column(key="observed_conversions", label="Conversions so far", kind=COUNT),
            Column(key="matured", label="Matured visitors", kind=COUNT),
            Column(key="conversions", label="Their conversions", kind=COUNT),
            Column(key="figure", label="Matured figure", kind=NUMBER),
        ),
        rows=[
            (
                arm.variant,
                arm.visitors,
                _number(arm.observed_conversions),
                arm.matured,
                _number(arm.conversions),
                _number(arm.figure),
            )
            for arm in primary.arms
        ],
        as_of=readout.as_of,
    )


def effect(runs: Sequence[RunOut]) -> Table:
    """What the last look of each day said of the primary metric, a row per variant."""
    return Table(
        key="effect",
        title="Effect and evidence, day by day",
        about="The last look of each day, of all matured visitors up to it.",
        columns=(
            Column(key="at", label="As of", kind=Kind.MOMENT),
            Column(key="look", label="Look", kind=COUNT),
            Column(key="variant", label="Variant"),
            Column(key="effect_rel", label="Relative effect", kind=LIFT),
            Column(key="effect_rel_low", label="from", kind=LIFT),
            Column(key="effect_rel_high", label="to", kind=LIFT),
            Column(key="z", label="z", kind=NUMBER),
            Column(key="bound", label="Bound", kind=NUMBER),
            Column(key="passed", label="Passed"),
        ),
        rows=[
            (run.as_of, run.look, item.variant, *_effect(item.effect_rel), *_test(item))
            for run in runs
            for item in run.readout.primary.comparisons
        ],
        as_of=runs[-1].as_of if runs else None,
    )


def split(runs: Sequence[RunOut]) -> Table:
    """The sample ratio over time: visitors as they came and as they were planned."""
    arms = list(runs[-1].readout.quality.sample_ratio.observed) if runs else []
    return Table(
        key="split",
        title="The split, day by day",
        about="Visitors so far beside the number that the plan expects, and the evidence against.",
        columns=(
            Column(key="at", label="As of", kind=Kind.MOMENT),
            *(
                Column(key=f"{arm}{end}", label=f"{arm}{end}", kind=COUNT)
                for arm in arms
                for end in ("", " planned")
            ),
            Column(key="log_e", label="log e-value", kind=NUMBER),
        ),
        rows=[(run.as_of, *_counted(run.readout, arms), log_e(run.readout)) for run in runs],
        as_of=runs[-1].as_of if runs else None,
    )


def log_e(readout: Readout) -> float | None:
    """The evidence against the planned split at one look, once anybody was exposed."""
    found = readout.quality.sample_ratio.log_e_value
    return found if isinstance(found, float) and readout.quality.sample_ratio.observed else None


def phases(experiment: ExperimentOut) -> Table:
    """The periods with one allocation each."""
    return Table(
        key="phases",
        title="Phases",
        about="Phases are analysed apart and combined, never pooled.",
        columns=(
            Column(key="phase", label="Phase"),
            Column(key="started_at", label="Since", kind=Kind.MOMENT),
            Column(key="coverage", label="Coverage", kind=Kind.SHARE),
            Column(key="shares", label="Shares"),
            Column(key="reason", label="Why"),
        ),
        rows=[
            (
                phase.number,
                phase.started_at,
                phase.coverage,
                ", ".join(f"{arm} {weight:.4g}" for arm, weight in phase.weights.items()),
                phase.reason or "the start",
            )
            for phase in experiment.phases
        ],
    )


def log(entries: list[AuditOut]) -> Table:
    """What was done with the experiment, the newest first."""
    return Table(
        key="log",
        title="Log",
        about="Every change with who made it and why.",
        columns=(
            Column(key="at", label="When", kind=Kind.MOMENT),
            Column(key="action", label="What"),
            Column(key="reason", label="Why"),
            Column(key="actor", label="Who"),
        ),
        rows=[(entry.at, words(entry.action), entry.reason, who(entry.actor)) for entry in entries],
    )


def _result_rows(readout: Readout) -> Iterator[tuple[Cell, ...]]:
    for metric in readout.metrics:
        compared = {item.variant: item for item in metric.comparisons}
        for arm in metric.arms:
            named = (metric.key, " ".join(metric.roles), metric.stage, metric.unit)
            yield (*named, *_counts(arm), *_compared(compared.get(arm.variant)))


def _counts(arm: Arm) -> tuple[Cell, ...]:
    known = (_number(arm.conversions), _number(arm.figure))
    return (arm.variant, arm.visitors, arm.matured, *known)


def _compared(item: Comparison | None) -> tuple[Cell, ...]:
    if item is None:
        return (None,) * 12
    effects = (*_effect(item.effect_abs), *_effect(item.effect_rel))
    return (*effects, *_expected(item.belief), *_test(item))


def _reading(item: Comparison) -> tuple[Cell, ...]:
    z, bound, _ = _test(item)
    fixed = item.fixed.p_two_sided if isinstance(item.fixed, FixedHorizon) else None
    if not isinstance(item.belief, Belief):
        return (item.variant, z, bound, fixed, None, None, None)
    belief = item.belief
    beliefs = (belief.chance_to_win, belief.expected_loss, belief.prior_sd)
    return (item.variant, z, bound, fixed, *beliefs)


def _stage_rows(readout: Readout) -> Iterator[tuple[Cell, ...]]:
    for metric in readout.stages:
        control = next(arm for arm in metric.arms if arm.control)
        for item in metric.comparisons:
            figures = (_number(control.figure), _number(metric.arm(item.variant).figure))
            named = (metric.stage, metric.name, item.variant)
            yield (*named, *figures, *_effect(item.effect_rel))


def _counted(readout: Readout, arms: Sequence[str]) -> tuple[Cell, ...]:
    ratio = readout.quality.sample_ratio
    pairs = ((ratio.observed.get(arm, 0), ratio.expected.get(arm, 0.0)) for arm in arms)
    return tuple(number for pair in pairs for number in pair)


def _effect(effect: object) -> tuple[Cell, ...]:
    if not isinstance(effect, Estimate):
        return (None, None, None)
    return (effect.value, effect.ci_low, effect.ci_high)


def _expected(belief: object) -> tuple[Cell, ...]:
    if not isinstance(belief, Belief):
        return (None, None, None)
    return (belief.effect_rel, belief.ci_low, belief.ci_high)


def _test(item: Comparison) -> tuple[Cell, ...]:
    if not isinstance(item.test, SequentialTest):
        return (None, None, None)
    return (item.test.z, _number(item.test.bound), "yes" if item.test.passed else "no")


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) else None
