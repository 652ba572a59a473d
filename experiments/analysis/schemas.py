"""Shapes of the analysis slice: a readout, as pages, reports and the gate see it."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from experiments.metrics.schemas import Direction, MetricKind
from experiments.shapes import Out
from stats.results import NotEstimable
from stats.sooner import SoonerVerdict


class Role(StrEnum):
    """Why a metric is in a readout."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    GUARDRAIL = "guardrail"
    STAGE = "stage"


class Arm(Out):
    """What happened in one arm; `figure` is a rate, a mean or a ratio of matured visitors."""

    variant: str
    control: bool
    visitors: int
    matured: int
    conversions: int | NotEstimable
    figure: float | NotEstimable
    observed_conversions: int | NotEstimable
    observed_total: float


class Estimate(Out):
    """An effect with its interval."""

    value: float
    ci_low: float
    ci_high: float


class SequentialTest(Out):
    """The group-sequential test of a primary metric or guardrail at this look.

    Everything is turned so that larger is better: `z` must reach `bound`. Of a guardrail the
    hypothesis is "worse than the margin", of the primary metric "not better". `always_valid_low` is
    a lower limit at the reserved error, which still counts when a test runs past its horizon.
    """

    z: float
    information: float
    information_fraction: float | NotEstimable
    bound: float | NotEstimable
    always_valid_low: float
    passed: bool


class FixedHorizon(Out):
    """The textbook test, which exists only once, at the end of the horizon."""

    p_two_sided: float
    effect_abs: Estimate
    effect_rel: Estimate | NotEstimable


class Belief(Out):
    """What to believe of the relative effect, by a proper prior: shrunk, hence honest.

    `observed_log` and its standard error are the logarithm of treatment over control, before any
    shrinking: what later experiments learn from.
    """

    prior_sd: float
    observed_log: float
    observed_se_log: float
    chance_to_win: float
    expected_loss: float
    effect_rel: float
    ci_low: float
    ci_high: float


class Harm(Out):
    """Evidence that a variant does harm; either kind is a false alarm once in a thousand tests.

    Attributes:
        log_e_value: exact, by the number of converted visitors so far.
        highest: the best that matured visitors still allow, turned so that better is above zero and
            counted from a guardrail's margin.
        harmful: whether the e-value is above 1000 or the highest below zero.
    """

    log_e_value: float | NotEstimable
    highest: float | NotEstimable = NotEstimable("this look was taken before it was looked at")
    harmful: bool


class Timing(Out):
    """Mean hours from exposure to conversion, and whether conversions are more or only sooner."""

    control_hours: float
    treatment_hours: float
    verdict: SoonerVerdict


class Comparison(Out):
    """One treatment against the control on one metric; differences are treatment minus control.

    The intervals of `effect_abs` and `effect_rel` hold at every look together.
    """

    variant: str
    effect_abs: Estimate | NotEstimable
    effect_rel: Estimate | NotEstimable
    test: SequentialTest | NotEstimable
    fixed: FixedHorizon | NotEstimable
    belief: Belief | NotEstimable
    harm: Harm | NotEstimable
    timing: Timing | NotEstimable = NotEstimable("this look was taken before delays were measured")


class MetricReadout(Out):
    """One metric, on everybody who was randomised and exposed."""

    key: str
    name: str
    kind: MetricKind
    unit: str
    direction: Direction
    window_hours: int
    roles: list[Role]
    stage: str | None
    margin: float | None
    arms: list[Arm]
    comparisons: list[Comparison]

    def arm(self, variant: str) -> Arm:
        """The arm of that key."""
        return next(arm for arm in self.arms if arm.variant == variant)

    def comparison(self, variant: str) -> Comparison:
        """The comparison of that treatment with the control."""
        return next(item for item in self.comparisons if item.variant == variant)


class SampleRatio(Out):
    """Exposed visitors against the planned split: a warning for people, an alarm for the gate."""

    observed: dict[str, int]
    expected: dict[str, float]
    p_value: float | NotEstimable
    log_e_value: float | NotEstimable
    warning: bool
    alarm: bool


class BrokenPeriod(Out):
    """An hour of the day, or a day, in which the split was not the planned one."""

    period: str
    observed: dict[str, int]
    expected: dict[str, float]
    log_e_value: float


class DayCount(Out):
    """Visitors first exposed on one day (UTC) in one arm."""

    day: date
    variant: str
    visitors: int


class Leak(Out):
    """Visitors that something happened to, by arm, and the evidence that it prefers an arm."""

    counts: dict[str, int]
    share: float | NotEstimable
    log_e_value: float


class SourceLateness(Out):
    """Events of one source, and the share that arrived more than a day after they happened."""

    source: str
    events: int
    late_share: float


class Quality(Out):
    """The figures by which data are trusted; None is what nobody can know of this experiment.

    `called` are the names of the arms, by key.
    """

    sample_ratio: SampleRatio
    broken_periods: list[BrokenPeriod]
    contaminated: int
    contaminated_share: float | NotEstimable
    newest_at: datetime | None
    exposures: list[DayCount]
    lost: Leak | None = None
    duplicates: Leak | None = None
    lateness: list[SourceLateness] | None = None
    called: dict[str, str] = Field(default_factory=dict)


class Unit(StrEnum):
    """What a figure and its threshold are counted in."""

    NONE = ""
    SHARE = "share"
    LOG_E = "log e"
    Z = "z"
    HOURS = "hours"
    DAYS = "days"
    CONVERSIONS = "conversions"
    PERIODS = "periods"
    PLACES = "places"
    TESTS = "tests"


class Light(StrEnum):
    """Whether figures can be believed: yes, with care, not at all."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Check(Out):
    """One health check with its figure, its threshold, its verdict, and what that means."""

    check: str
    figure: float | NotEstimable
    threshold: float
    unit: Unit
    verdict: Light
    words: str


class Trust(Out):
    """The trust light of one look: the worst verdict of its checks, and why."""

    light: Light
    reasons: list[str]
    checks: list[Check]


class Readout(Out):
    """Everything one look at one experiment says."""

    experiment: str
    as_of: datetime
    calendar_fraction: float
    matured_days: float
    finished: bool
    metrics: list[MetricReadout]
    quality: Quality

    def metric(self, key: str) -> MetricReadout:
        """The metric of that key."""
        return next(metric for metric in self.metrics if metric.key == key)

    @property
    def primary(self) -> MetricReadout:
        """The metric that the decision is about."""
        return next(metric for metric in self.metrics if Role.PRIMARY in metric.roles)

    @property
    def guardrails(self) -> list[MetricReadout]:
        """The metrics that may not get worse."""
        return [metric for metric in self.metrics if Role.GUARDRAIL in metric.roles]

    @property
    def stages(self) -> list[MetricReadout]:
        """The goal metrics of the journey's stages, in the order of the journey."""
        return [metric for metric in self.metrics if metric.stage is not None]


class RunOut(Out):
    """One look, as it was written."""

    id: int
    experiment: str
    look: int
    as_of: datetime
    data_hash: str
    readout: Readout
    created_at: datetime


class ResultOut(RunOut):
    """The newest look as it may be told, with the trust light, which sees how long ago it is.

    `withheld` is why nothing that compares arms is told yet; empty when it is.
    """

    trust: Trust
    withheld: str


class Taught(Out):
    """What ended tests taught of the size of effects on a metric, losing ones included.

    `spread` is the standard deviation of the relative effects that are expected next.
    """

    experiments: int
    effects: int
    needed: int
    is_learned: bool
    spread: float
