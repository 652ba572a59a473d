"""Reading experiments, layers and holdouts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlmodel import Session, col, select

from experiments.design import power
from experiments.design.checks import Facts, findings
from experiments.design.lifecycle import OCCUPYING
from experiments.design.models import Experiment, Holdout, Layer, Phase, Variant
from experiments.design.power import Forecast
from experiments.design.schemas import (
    ExperimentOut,
    Finding,
    HoldoutOut,
    LayerOut,
    LayerPlace,
    PhaseOut,
    Purpose,
    Status,
    VariantOut,
)
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.metrics import queries as metrics


def experiment(session: Session, key: str) -> ExperimentOut:
    """The experiment of that key.

    Raises:
        NotFoundError: when there is none.
    """
    row = session.exec(select(Experiment).where(Experiment.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("experiment", key)
    return outs(session, [row])[0]


def named(session: Session, keys: Collection[str]) -> dict[str, ExperimentOut]:
    """The experiments that exist of these keys, by key."""
    rows = session.exec(select(Experiment).where(col(Experiment.key).in_(keys))).all()
    return {found.key: found for found in outs(session, rows)}


def names(session: Session, keys: Collection[str]) -> dict[str, str]:
    """What people call the experiments of these keys, by key."""
    query = select(Experiment.key, Experiment.name).where(col(Experiment.key).in_(keys))
    return dict(session.exec(query).all())


def experiments(
    session: Session,
    statuses: Sequence[Status] = (),
    journey: str = "",
    *,
    purposes: Collection[Purpose] = (Purpose.TEST,),
    after: int = 0,
    limit: int | None = None,
) -> list[ExperimentOut]:
    """Experiments in the order they were made, in these states and of this journey if named.

    Args:
        session: the transaction.
        statuses: only these states; all when empty.
        journey: only of the journey of that key; all when empty.
        purposes: only these; nothing but tests unless told.
        after: only those made after the experiment with this id.
        limit: at most so many.

    Raises:
        NotFoundError: when there is no such journey.
    """
    query = select(Experiment).where(
        col(Experiment.id) > after, col(Experiment.purpose).in_(purposes)
    )
    query = query.order_by(col(Experiment.id)).limit(limit)
    if statuses:
        query = query.where(col(Experiment.status).in_(statuses))
    if journey:
        query = query.where(Experiment.journey_id == journeys.journey(session, journey).id)
    return outs(session, session.exec(query).all())


def forecast(session: Session, key: str) -> Forecast | None:
    """What the plan of an experiment can find; None while its plan lacks figures.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    found = experiment(session, key)
    return power.forecast(found, metrics.metric(session, found.primary_metric))


def check(session: Session, key: str) -> list[Finding]:
    """What stands against starting an experiment (errors) and what to think about (warnings)."""
    found = experiment(session, key)
    standard = journeys.standard(session, found.journey)
    occupying = experiments(session, OCCUPYING, purposes=(Purpose.TEST, Purpose.PROBATION))
    facts = Facts(
        graph=None if standard is None else standard.graph,
        metrics={metric.key: metric for metric in metrics.metrics(session)},
        others=[other for other in occupying if other.key != key],
        contents={
            (item.key, item.number): item for item in journeys.contents(session, found.journey)
        },
    )
    return findings(found, facts)


def outs(session: Session, rows: Sequence[Experiment]) -> list[ExperimentOut]:
    """Rows of experiments with all that belongs to them."""
    ids = [row.id for row in rows]
    variants, phases = _variants(session, ids), _phases(session, ids)
    journey_keys = journeys.keys(session)
    layer_keys = {layer.id: layer.key for layer in layers(session)}
    return [
        ExperimentOut.model_validate(
            {
                **row.model_dump(),
                "journey": journey_keys[row.journey_id],
                "place": _place(row, layer_keys),
                "variants": variants[row.id],
                "phases": phases[row.id],
            }
        )
        for row in rows
    ]


def layers(session: Session) -> list[LayerOut]:
    """Every layer, by key."""
    rows = session.exec(select(Layer).order_by(Layer.key))
    return [LayerOut.model_validate(row) for row in rows]


def layer(session: Session, key: str) -> LayerOut:
    """The layer of that key.

    Raises:
        NotFoundError: when there is none.
    """
    row = session.exec(select(Layer).where(Layer.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("layer", key)
    return LayerOut.model_validate(row)


def holdouts(session: Session) -> list[HoldoutOut]:
    """Every holdout, ended ones too, by key."""
    keys = journeys.keys(session)
    rows = session.exec(select(Holdout).order_by(Holdout.key))
    compared = select(Holdout.id, Experiment.key).join(
        Experiment, col(Experiment.id) == col(Holdout.comparison_id)
    )
    comparisons = dict(session.exec(compared).all())
    return [
        HoldoutOut.model_validate(
            {
                **row.model_dump(),
                "journey": keys[row.journey_id],
                "comparison": comparisons.get(row.id),
            }
        )
        for row in rows
    ]


def holdout(session: Session, key: str) -> HoldoutOut:
    """The holdout of that key.

    Raises:
        NotFoundError: when there is none.
    """
    found = next((item for item in holdouts(session) if item.key == key), None)
    if found is None:
        raise NotFoundError("holdout", key)
    return found


def _variants(session: Session, experiment_ids: Iterable[int]) -> Mapping[int, list[VariantOut]]:
    query = select(Variant).where(col(Variant.experiment_id).in_(experiment_ids))
    found: dict[int, list[VariantOut]] = defaultdict(list)
    for row in session.exec(query.order_by(col(Variant.position))):
        found[row.experiment_id].append(VariantOut.model_validate(row))
    return found


def _phases(session: Session, experiment_ids: Iterable[int]) -> Mapping[int, list[PhaseOut]]:
    query = select(Phase).where(col(Phase.experiment_id).in_(experiment_ids))
    found: dict[int, list[PhaseOut]] = defaultdict(list)
    for row in session.exec(query.order_by(col(Phase.number))):
        found[row.experiment_id].append(PhaseOut.model_validate(row))
    return found


def _place(row: Experiment, layer_keys: Mapping[int, str]) -> LayerPlace | None:
    if row.layer_id is None or row.layer_start is None or row.layer_end is None:
        return None
    return LayerPlace(layer=layer_keys[row.layer_id], start=row.layer_start, end=row.layer_end)
