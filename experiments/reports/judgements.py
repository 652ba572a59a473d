"""What the gate said: endings of a week, and the newest sentence on what is still open."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, func, select

from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Belief, Readout, Trust
from experiments.decisions.models import Decision
from experiments.decisions.schemas import Condition, Outcome
from experiments.design.models import Experiment
from experiments.design.schemas import Purpose
from experiments.journeys.models import Journey
from experiments.reports.schemas import Judgement, Lamp, Worth

NOT_A_WINNER = "Nothing was promoted, so nothing is claimed."


def judgements(
    session: Session, trust: Mapping[str, Trust], *, since: datetime, until: datetime
) -> list[Judgement]:
    """The decisions of a period that ended an experiment, in the order they were made."""
    query = (
        select(Decision, Experiment, Journey.key)
        .where(Decision.experiment_id == Experiment.id, Experiment.journey_id == Journey.id)
        # What divides newcomers for nothing tests the platform, not the journey.
        .where(Experiment.purpose == Purpose.TEST)
        .where(col(Decision.outcome).not_in((Outcome.CONTINUE, Outcome.DEMOTE)))
        .where(col(Decision.at) >= since, col(Decision.at) < until)
        .order_by(col(Decision.id))
    )
    return [
        _judgement(session, decision, experiment, journey, trust=lamp(trust, experiment.key))
        for decision, experiment, journey in session.exec(query)
    ]


def latest_sentences(session: Session, *, as_of: datetime) -> dict[int, str]:
    """The newest sentence of the gate on each experiment, by its id."""
    newest = (
        select(func.max(Decision.id))
        .where(col(Decision.at) <= as_of)
        .group_by(col(Decision.experiment_id))
    )
    query = select(Decision.experiment_id, Decision.sentence).where(col(Decision.id).in_(newest))
    return dict(session.exec(query).all())


def lamp(trust: Mapping[str, Trust], key: str) -> Lamp | None:
    """The trust light of an experiment as a report carries it; none without a look."""
    found = trust.get(key)
    return None if found is None else Lamp(light=found.light, reasons=found.reasons)


def _judgement(
    session: Session,
    decision: Decision,
    experiment: Experiment,
    journey: str,
    *,
    trust: Lamp | None,
) -> Judgement:
    worth = _worth(session, decision)
    return Judgement(
        experiment=experiment.key,
        name=experiment.name,
        journey=journey,
        outcome=Outcome(decision.outcome),
        variant=decision.variant,
        sentence=decision.sentence,
        at=decision.at,
        actor=decision.actor,
        rule=_rule(decision),
        trust=trust,
        worth=worth if isinstance(worth, Worth) else None,
        worth_unknown=worth if isinstance(worth, str) else "",
    )


def _rule(decision: Decision) -> list[str]:
    """The conditions on the experiment and on the variant that the decision is about."""
    conditions = [Condition.model_validate(row) for row in decision.trace]
    return [item.words for item in conditions if item.variant in {None, decision.variant}]


def _worth(session: Session, decision: Decision) -> Worth | str:
    """The shrunk effect of the variant on the primary metric, or why there is none to tell."""
    if decision.outcome != Outcome.PROMOTE or decision.variant is None:
        return NOT_A_WINNER
    run = session.get_one(AnalysisRun, decision.run_id)
    primary = Readout.model_validate(run.readout).primary
    belief = primary.comparison(decision.variant).belief
    if not isinstance(belief, Belief):
        return belief.reason
    return Worth(
        metric=primary.name, value=belief.effect_rel, low=belief.ci_low, high=belief.ci_high
    )
