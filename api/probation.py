"""Promotions on probation, and what was claimed of all of them beside what held."""

from flask import Blueprint

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.calibration import queries as calibration
from experiments.calibration.schemas import Report
from experiments.database import reading, transaction
from experiments.decisions import queries as decisions
from experiments.decisions import verifying
from experiments.design.schemas import ReasonIn
from experiments.probation import queries
from experiments.probation.schemas import ProbationOut, TrackRecord
from experiments.probation.track_record import track_record
from experiments.shapes import Out

blueprint = Blueprint("probation", __name__, url_prefix="/api/v1")


class CalibrationOut(Out):
    """What was claimed and held here, beside the simulated calibration if there was a run."""

    realised: TrackRecord
    simulated: Report | None


@blueprint.get("/calibration")
@endpoint(Scope.READ)
def calibrated() -> CalibrationOut:
    """What was claimed of promotions beside what held, here and in simulations."""
    with reading(runtime().engine) as session:
        realised = track_record(queries.probations(session))
    return CalibrationOut(realised=realised, simulated=calibration.last_report())


@blueprint.get("/probations")
@endpoint(Scope.READ)
def probations(asked: Paging) -> Page[ProbationOut]:
    """Every probation: what was promised of a promotion, and what fresh data say."""
    with reading(runtime().engine) as session:
        return page_of(queries.probations(session), asked, lambda item: item.id)


@blueprint.post("/experiments/<key>/promotions/<int:promotion_id>/probation/verify")
@endpoint(Scope.MANAGE)
def verify(key: str, promotion_id: int) -> ProbationOut:
    """Judge the newest look at a probation now and do what follows."""
    opened = runtime()
    with transaction(opened.engine) as session:
        decisions.promotion_of(session, key, promotion_id)
        return verifying.verify(session, promotion_id, actor=actor(), now=opened.clock.now())


@blueprint.post("/experiments/<key>/promotions/<int:promotion_id>/probation/end")
@endpoint(Scope.MANAGE)
def end(key: str, promotion_id: int, data: ReasonIn) -> ProbationOut:
    """End a probation before its time: everybody gets the standard, and it stays unverified."""
    opened = runtime()
    with transaction(opened.engine) as session:
        decisions.promotion_of(session, key, promotion_id)
        return verifying.end(
            session, promotion_id, reason=data.reason, actor=actor(), now=opened.clock.now()
        )
