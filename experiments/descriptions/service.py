"""Describing an experiment as of its newest look."""

from sqlmodel import Session

from experiments.analysis.queries import newest_run
from experiments.descriptions.counting import divisions, followed
from experiments.descriptions.courses import time_to_convert
from experiments.descriptions.models import Description
from experiments.descriptions.schemas import DescriptionOut
from experiments.descriptions.segments import segmentations
from experiments.design.queries import experiment
from experiments.metrics.queries import metric
from experiments.moments.duck import DuckEngine
from experiments.moments.engines import IN_DATABASE


def describe(session: Session, key: str, *, engine: DuckEngine = IN_DATABASE) -> DescriptionOut:
    """Describe an experiment as its newest look saw it: the long part, which must hold no lock.

    Raises:
        NotFoundError: when there is no such experiment, or no look at it yet.
    """
    run, found = newest_run(session, key), experiment(session, key)
    measured = metric(session, found.primary_metric)
    treatments = [variant.key for variant in found.treatments]
    return DescriptionOut(
        experiment=key,
        look=run.look,
        as_of=run.as_of,
        metric=measured.key,
        window_hours=measured.window_hours,
        time_to_convert=time_to_convert(
            followed(session, found, engine=engine, metric=measured, as_of=run.as_of),
            [found.control.key, *treatments],
            window_hours=measured.window_hours,
        ),
        segments=segmentations(
            divisions(session, found, engine=engine, metric=measured, as_of=run.as_of),
            control=found.control.key,
            treatments=treatments,
            kind=measured.kind,
            finished=run.readout.finished,
        ),
    )


def write(session: Session, described: DescriptionOut) -> None:
    """Keep a description in place of an earlier one; a later one stays."""
    found = experiment(session, described.experiment)
    stored = session.get(Description, found.id, with_for_update=True)
    if stored is None:
        stored = Description(experiment_id=found.id, look=0, as_of=described.as_of, body={})
        session.add(stored)
    if stored.look < described.look:
        stored.look, stored.as_of = described.look, described.as_of
        stored.body = described.model_dump(mode="json")
    session.flush()
