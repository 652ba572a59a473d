"""Which experiments' figures should not be believed as they are, by the one trust light."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from experiments.analysis.models import AnalysisRun
from experiments.analysis.queries import trusts
from experiments.analysis.schemas import Light, Trust
from experiments.audit.models import AuditEntry
from experiments.design.models import Experiment
from experiments.design.schemas import Purpose, Status
from experiments.journeys.models import Journey
from experiments.reports.schemas import Alarm

UNDECIDED = (Status.RUNNING, Status.PAUSED, Status.MATURING)


def lights(session: Session, *, since: datetime, until: datetime) -> dict[str, Trust]:
    """The trust lights at `until` of the tests under way then or looked at since, by key."""
    known = states(session, until)
    looked_at = select(AnalysisRun.experiment_id).where(
        col(AnalysisRun.created_at) >= since, col(AnalysisRun.created_at) < until
    )
    open_keys = [key for key, state in known.items() if state in UNDECIDED]
    query = (
        select(Experiment.id, Experiment.key)
        .where(Experiment.purpose == Purpose.TEST)
        .where(or_(col(Experiment.id).in_(looked_at), col(Experiment.key).in_(open_keys)))
        .order_by(Experiment.key)
    )
    keys = dict(session.exec(query).all())
    found = trusts(
        session,
        {number: known.get(key, Status.ARCHIVED) for number, key in keys.items()},
        at=until,
    )
    return {key: found[number] for number, key in keys.items() if number in found}


def alarms(session: Session, lights_by_key: dict[str, Trust]) -> list[Alarm]:
    """Every reason not to believe figures, what is red before what is amber."""
    query = (
        select(Experiment.key, Experiment.name, Journey.key)
        .join(Journey, col(Journey.id) == col(Experiment.journey_id))
        .where(col(Experiment.key).in_(list(lights_by_key)))
    )
    places = {key: (name, journey) for key, name, journey in session.exec(query)}
    found = [
        Alarm(
            experiment=key,
            name=places[key][0],
            journey=places[key][1],
            sentence=check.words,
            light=check.verdict,
        )
        for key, trust in lights_by_key.items()
        for check in trust.checks
        if check.verdict is not Light.GREEN
    ]
    return sorted(found, key=lambda alarm: alarm.light is not Light.RED)


def states(session: Session, at: datetime) -> dict[str, Status]:
    """The state of every experiment at a moment, by the steps in the audit trail."""
    query = (
        select(AuditEntry.subject_key, AuditEntry.detail)
        .where(AuditEntry.subject_kind == "experiment", col(AuditEntry.at) <= at)
        .order_by(col(AuditEntry.id))
    )
    steps = ((key, detail.get("to")) for key, detail in session.exec(query))
    return {key: Status(to) for key, to in steps if to}
