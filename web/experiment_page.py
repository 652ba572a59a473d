"""Everything that the page of one experiment shows, read in one transaction."""

from collections import Counter
from dataclasses import dataclass, replace

from experiments.analysis import queries as analysis
from experiments.analysis.disclosure import disclosed
from experiments.analysis.schemas import Readout, ResultOut, RunOut, Trust
from experiments.audit import queries as audit
from experiments.audit.schemas import AuditOut
from experiments.database import reading
from experiments.decisions import queries as decisions
from experiments.decisions import ramping
from experiments.decisions.disclosure import disclosed as told
from experiments.decisions.promoting import changed_since
from experiments.decisions.schemas import DecisionOut, PromotionOut
from experiments.descriptions import queries as describing
from experiments.descriptions.schemas import DescriptionOut
from experiments.design import queries
from experiments.design.power import Forecast
from experiments.design.ramp import RampOut
from experiments.design.schemas import ExperimentOut, Finding, Level, Severity, Status
from experiments.formats import words
from experiments.interference.queries import interferences
from experiments.interference.schemas import InterferenceOut
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import JourneyGraph
from experiments.learnings import queries as learnings
from experiments.learnings.schemas import LearningOut
from experiments.probation import queries as probations
from experiments.probation.schemas import ProbationOut
from web import experiment_courses as courses
from web import experiment_health as health
from web import experiment_history as history
from web import experiment_plots as plots
from web import experiment_tables as tables
from web.experiment_marks import marks
from web.paths import Path, paths
from web.plots import Plot
from web.requests import runtime
from web.tables import Table

LOG_SHOWN = 100
DAYS_DRAWN = 120
TELLING = {"time", "health"}
DESCRIBING = {"time", "groups"}
EDITABLE = (Status.DRAFT, Status.SCHEDULED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One experiment as its page sees it; None and empty is what does not exist yet."""

    experiment: ExperimentOut
    journey_name: str
    where: str
    run: ResultOut | None
    decision: DecisionOut | None
    promotion: PromotionOut | None
    changed: tuple[str, ...]
    ramp: RampOut | None
    probation: ProbationOut | None
    interferences: list[InterferenceOut]
    learning: LearningOut | None
    findings: list[Finding]
    forecast: Forecast | None
    log: list[AuditOut]
    paths: tuple[Path, ...]
    runs: list[RunOut]
    described: DescriptionOut | None
    stages: tuple[str, ...]

    @property
    def called(self) -> dict[str, str]:
        """What people call the arms, by key; with the key where two are called the same."""
        arms = self.experiment.variants
        times = Counter(arm.called for arm in arms)
        return {
            arm.key: arm.called if times[arm.called] == 1 else f"{arm.called} ({arm.key})"
            for arm in arms
        }

    @property
    def metrics(self) -> dict[str, str]:
        """What people call the metrics, by key."""
        measured = self.run.readout.metrics if self.run else ()
        return {metric.key: metric.name for metric in measured}

    @property
    def trust(self) -> Trust | None:
        """The trust light of the newest look."""
        return self.run.trust if self.run else None

    @property
    def startable(self) -> bool:
        """Whether no check forbids the start."""
        return all(item.severity is not Severity.ERROR for item in self.findings)


def seen(key: str, view: str) -> Seen:
    """Read one experiment with all that belongs to it; its history for the views that tell it.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        experiment = queries.experiment(session, key)
        run = analysis.latest_result(session, key, now=now)
        judged = decisions.decisions(session, key, limit=1)
        promotions = decisions.promotions(session, experiment=key)
        held = probations.probations(session, experiment=key)
        base = journeys.version(session, experiment.journey, experiment.base_version)
        past = analysis.daily_runs(session, key, days=DAYS_DRAWN) if view in TELLING else []
        described = None
        if run and view in DESCRIBING:
            described = describing.description(session, key, withheld=run.withheld)
        return Seen(
            experiment=experiment,
            journey_name=journeys.names(session)[experiment.journey],
            where=_where(experiment, base.graph),
            run=run,
            decision=told(judged[0], run.withheld if run else "") if judged else None,
            promotion=promotions[0] if promotions else None,
            changed=changed_since(session, experiment) if promotions else (),
            ramp=ramping.waiting(session, key, now=now),
            probation=held[0] if held else None,
            interferences=interferences(session, key),
            learning=learnings.of_experiment(session, key),
            findings=queries.check(session, key) if experiment.status in EDITABLE else [],
            forecast=(queries.forecast(session, key) if experiment.status in EDITABLE else None),
            log=audit.entries(session, subject_key=key, limit=LOG_SHOWN),
            paths=paths(experiment, base.graph),
            stages=tuple(stage.key for stage in base.graph.stages),
            described=described,
            # Before its time nothing of the past is told either.
            runs=[disclosed(item, run.withheld) for item in past] if run else [],
        )


def _where(experiment: ExperimentOut, graph: JourneyGraph) -> str:
    """Where on the journey it tries something, in the words of the map."""
    if experiment.level is Level.PATH:
        parting = experiment.divergence
        stage = graph.stage(parting.stage) if parting else None
        return f"on its paths, which part after {stage.name}" if stage else "on its paths"
    point = graph.touchpoint(experiment.touchpoint)
    return f"at {point.name if point else experiment.touchpoint}, {words(experiment.slot)}"


def tables_of(page: Seen, view: str) -> dict[str, Table]:
    """The tables of a view, by name; an undecided or unseen experiment has fewer of them."""
    found: list[Table] = []
    readout = page.run.readout if page.run else None
    if view == "results":
        found = _results(page, readout)
    elif view == "time" and readout:
        found = [history.effect(page.runs), history.maturity(readout, page.described)]
        found += [courses.converted(page.described, called=page.called)] if page.described else []
    elif view == "groups" and readout and page.described:
        found = [courses.groups(page.described, readout.primary.kind)]
    elif view == "health" and readout and page.trust:
        found = [health.checks(page.trust, readout), health.exposures(readout, called=page.called)]
        found += [health.split(page.runs, called=page.called), health.contaminated(page.runs)]
    elif view == "setup":
        found = [history.phases(page.experiment, called=page.called)]
    elif view == "log":
        found = [history.log(page.log)]
    return {table.key: replace(table, called=page.called) for table in found}


def _results(page: Seen, readout: Readout | None) -> list[Table]:
    found = []
    if page.forecast:
        found.append(tables.power(page.forecast))
    if readout:
        found += [tables.results(readout), tables.readings(readout)]
        found += [tables.stages(readout, page.stages), tables.guardrails(readout)]
    if page.decision:
        found.append(tables.rule(page.decision))
    return found


def plots_of(page: Seen, view: str) -> dict[str, Plot]:
    """The plots of a view, by name; each has a table with the same numbers."""
    found: list[Plot | None] = []
    if page.forecast and view == "results":
        drawn = plots.power(page.forecast, page.experiment.plan)
        return {drawn.key: drawn}
    if page.run is None:
        return {}
    readout = page.run.readout
    if view == "results":
        found = [plots.stages(tables.stages(readout, page.stages).rows, called=page.called)]
    elif view == "time":
        until = page.run.as_of
        noted = marks(page.experiment, page.decision, page.promotion, until=until)
        found = [plots.effect(page.runs, noted, called=page.called)]
        found += [plots.evidence(page.runs, called=page.called)]
        if page.described:
            found += [courses.converted_plot(page.described, called=page.called)]
    elif view == "groups" and page.described:
        found += courses.group_plots(page.described, readout.primary.kind, called=page.called)
    elif view == "health":
        table = health.exposures(readout, called=page.called)
        arms = [column.label for column in table.columns[1:]]
        found = [
            health.exposures_plot(arms, table.rows),
            health.split_plot(page.runs, called=page.called),
            health.contaminated_plot(page.runs),
        ]
    return {plot.key: plot for plot in found if plot}
