"""Reading descriptions, and which experiments lack one."""

from datetime import timedelta

from sqlalchemy import BigInteger, type_coerce
from sqlmodel import Session, and_, col, func, or_, select

from experiments.analysis.models import AnalysisRun
from experiments.descriptions.models import Description
from experiments.descriptions.schemas import DescriptionOut
from experiments.design.models import Experiment
from experiments.design.queries import experiment
from experiments.design.schemas import Source, Status
from stats.results import NotEstimable

COLLECTING = (Status.RUNNING, Status.PAUSED, Status.MATURING)
KEEPS = timedelta(hours=6)
"""A description that is no older is good enough while more visitors come."""


def description(session: Session, key: str, *, withheld: str) -> DescriptionOut | None:
    """The newest description of an experiment, if there is one, as it may be told.

    Args:
        session: the transaction.
        key: the experiment.
        withheld: why nothing that compares arms may be told yet; empty when it may.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    stored = session.get(Description, experiment(session, key).id)
    if stored is None:
        return None
    found = DescriptionOut.model_validate(stored.body)
    return _silent(found, withheld) if withheld else found


def _silent(found: DescriptionOut, reason: str) -> DescriptionOut:
    nothing = NotEstimable(reason)
    segments = [
        item.model_copy(
            update={
                "groups": [
                    group.model_copy(update={"effect": nothing, "expected": nothing})
                    for group in item.groups
                ],
                "p_value": nothing,
            }
        )
        for item in found.segments
    ]
    return found.model_copy(update={"segments": segments})


def undescribed(session: Session) -> list[str]:
    """The live experiments whose newest look is not described, or was not for some hours."""
    newest = (
        select(func.max(AnalysisRun.id)).group_by(col(AnalysisRun.experiment_id)).scalar_subquery()
    )
    described = type_coerce(col(Description.as_of), BigInteger)
    looked = type_coerce(col(AnalysisRun.as_of), BigInteger)
    has_grown_old = described <= looked - KEEPS // timedelta(microseconds=1)
    query = (
        select(Experiment.key)
        .join(AnalysisRun, col(AnalysisRun.experiment_id) == col(Experiment.id))
        .outerjoin(Description, col(Description.experiment_id) == col(Experiment.id))
        .where(
            col(AnalysisRun.id).in_(newest),
            Experiment.source == Source.LIVE,
            or_(
                col(Description.look).is_(None),
                and_(
                    col(Description.look) < AnalysisRun.look,
                    or_(col(Experiment.status).not_in(COLLECTING), has_grown_old),
                ),
            ),
        )
        .order_by(col(Experiment.id))
    )
    return list(session.exec(query))
