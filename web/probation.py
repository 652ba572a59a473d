"""Promotions on probation, and the calibration: what was claimed beside what held."""

from collections.abc import Iterator

from flask import Blueprint, flash, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.analysis.schemas import Belief
from experiments.calibration import page as simulation
from experiments.calibration import queries as calibration
from experiments.database import reading, transaction
from experiments.decisions import queries as decisions
from experiments.decisions import verifying
from experiments.probation import queries
from experiments.probation.schemas import ProbationOut, ProbationState, Realised
from experiments.probation.track_record import track_record
from web import access
from web.charts import Interval, intervals
from web.requests import reason, runtime

blueprint = Blueprint("probation", __name__, template_folder="templates")
DRAWN = 12


@blueprint.get("/calibration")
@access.needs(Role.VIEWER)
def index() -> str:
    """What was claimed of every promotion, and what held: here, and in simulations."""
    with reading(runtime().engine) as session:
        found = queries.probations(session)
    return render_template(
        "probation/index.html",
        probations=found,
        record=track_record(found),
        picture=_picture(found),
        simulated=calibration.last_report(),
        limit=simulation.limit,
        told=simulation.figure,
    )


@blueprint.post("/experiments/<key>/promotions/<int:promotion_id>/probation/end")
@access.needs(Role.EDITOR)
def end(key: str, promotion_id: int) -> Response:
    """Give everybody the standard before the probation's time is over."""
    now, actor, why = runtime().clock.now(), access.actor(), reason()
    with transaction(runtime().engine) as session:
        decisions.promotion_of(session, key, promotion_id)
        verifying.end(session, promotion_id, reason=why, actor=actor, now=now)
    flash("The probation is over: everybody gets the standard, and it stays unverified.", "good")
    return redirect(url_for("experiments.show", key=key))


def _picture(found: list[ProbationOut]) -> Markup | None:
    """The newest claims, each above what fresh data say."""
    rows = [row for item in found for row in _rows(item)][: 2 * DRAWN]
    return intervals(tuple(rows), "Claimed and realised effect of each promotion") if rows else None


def _rows(item: ProbationOut) -> Iterator[Interval]:
    said, got = item.claimed, item.realised
    if not isinstance(said, Belief) or not isinstance(got, Realised):
        return
    yield Interval(
        label=f"{item.name}: claimed", low=said.ci_low, value=said.effect_rel, high=said.ci_high
    )
    fresh = got.effect_rel
    yield Interval(
        label="fresh data" + (" so far" if item.state is ProbationState.RUNNING else ""),
        low=fresh.ci_low,
        value=fresh.value,
        high=fresh.ci_high,
        decided=True,
    )
