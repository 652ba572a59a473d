"""Reading decisions and promotions."""

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from experiments.decisions.models import Decision, Promotion
from experiments.decisions.schemas import DecisionOut, PromotionOut
from experiments.design.models import Experiment
from experiments.design.queries import experiment
from experiments.errors import NotFoundError
from experiments.journeys.models import Journey


def decisions(
    session: Session, key: str, *, before: int | None = None, limit: int | None = None
) -> list[DecisionOut]:
    """The decisions on an experiment, the newest first, older than decision `before` if given.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    query = (
        select(Decision)
        .where(Decision.experiment_id == experiment(session, key).id)
        .order_by(col(Decision.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Decision.id) < before)
    made = {promotion.decision_id: promotion for promotion in promotions(session, experiment=key)}
    return [_decision_out(row, key, made.get(row.id)) for row in session.exec(query)]


def is_judged(session: Session, run_id: int) -> bool:
    """Whether there is a decision on one look."""
    return session.exec(select(Decision.id).where(Decision.run_id == run_id)).first() is not None


def decision_on(session: Session, run_id: int) -> DecisionOut:
    """The decision on one look.

    Raises:
        NotFoundError: when it has not been judged.
    """
    found = session.exec(_decisions().where(Decision.run_id == run_id)).one_or_none()
    if found is None:
        raise NotFoundError("decision on analysis run", run_id)
    return _decision(session, *found)


def decision(session: Session, decision_id: int) -> DecisionOut:
    """One decision.

    Raises:
        NotFoundError: when there is none with that number.
    """
    found = session.exec(_decisions().where(Decision.id == decision_id)).one_or_none()
    if found is None:
        raise NotFoundError("decision", decision_id)
    return _decision(session, *found)


def promotions(session: Session, *, experiment: str = "", journey: str = "") -> list[PromotionOut]:
    """Promotions, the newest first, of one experiment or one journey if named."""
    query = _promotions().order_by(col(Promotion.id).desc())
    if experiment:
        query = query.where(Experiment.key == experiment)
    if journey:
        query = query.where(Journey.key == journey)
    return [_promotion_out(*found) for found in session.exec(query)]


def promotion(session: Session, promotion_id: int) -> PromotionOut:
    """One promotion.

    Raises:
        NotFoundError: when there is none with that number.
    """
    found = session.exec(_promotions().where(Promotion.id == promotion_id)).one_or_none()
    if found is None:
        raise NotFoundError("promotion", promotion_id)
    return _promotion_out(*found)


def promotion_of(session: Session, experiment: str, promotion_id: int) -> PromotionOut:
    """One promotion of an experiment.

    Raises:
        NotFoundError: when the experiment has none with that number.
    """
    found = promotion(session, promotion_id)
    if found.experiment != experiment:
        raise NotFoundError(f"promotion of experiment {experiment!r}", promotion_id)
    return found


def _decisions() -> Select[Decision, str]:
    return select(Decision, Experiment.key).join(
        Experiment, col(Experiment.id) == Decision.experiment_id
    )


def _promotions() -> Select[Promotion, str, str]:
    return (
        select(Promotion, Experiment.key, Journey.key)
        .join(Experiment, col(Experiment.id) == Promotion.experiment_id)
        .join(Journey, col(Journey.id) == Promotion.journey_id)
    )


def _decision(session: Session, row: Decision, key: str) -> DecisionOut:
    query = _promotions().where(Promotion.decision_id == row.id)
    found = session.exec(query).one_or_none()
    return _decision_out(row, key, None if found is None else _promotion_out(*found))


def _decision_out(row: Decision, key: str, made: PromotionOut | None) -> DecisionOut:
    return DecisionOut.model_validate({**row.model_dump(), "experiment": key, "promotion": made})


def _promotion_out(row: Promotion, experiment: str, journey: str) -> PromotionOut:
    return PromotionOut.model_validate(
        {**row.model_dump(), "experiment": experiment, "journey": journey}
    )
