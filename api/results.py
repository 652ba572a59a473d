"""What an experiment says: looks as JSON and CSV, decisions, and promotions to approve."""

import csv
import io
from collections.abc import Callable, Iterator

from flask import Blueprint, Response

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.analysis import queries as analyses
from experiments.analysis import service as analysis
from experiments.analysis.schemas import Comparison, Estimate, Readout, ResultOut
from experiments.database import reading, transaction
from experiments.decisions import queries as decisions
from experiments.decisions import service as deciding
from experiments.decisions import settling
from experiments.decisions.disclosure import disclosed
from experiments.decisions.schemas import DecisionOut, PromotionOut
from experiments.descriptions import queries as descriptions
from experiments.descriptions.schemas import DescriptionOut
from experiments.design import queries as designs
from experiments.design.schemas import ReasonIn
from experiments.errors import NotFoundError
from experiments.interference.queries import interferences
from experiments.interference.schemas import InterferenceOut

blueprint = Blueprint("results", __name__, url_prefix="/api/v1/experiments/<key>")

COLUMNS = (
    "metric",
    "roles",
    "stage",
    "variant",
    "visitors",
    "matured",
    "conversions",
    "figure",
    "effect_abs",
    "effect_abs_low",
    "effect_abs_high",
    "effect_rel",
    "effect_rel_low",
    "effect_rel_high",
    "trust",
)


@blueprint.get("/results")
@endpoint(Scope.READ)
def results(key: str) -> ResultOut:
    """The newest look at an experiment as it may be told, with its trust light."""
    opened = runtime()
    with reading(opened.engine) as session:
        return analyses.result(session, key, now=opened.clock.now())


@blueprint.get("/results.csv")
@endpoint(Scope.READ, media="text/csv")
def results_csv(key: str) -> Response:
    """The newest look as a table: a row per metric and variant; undefined is empty."""
    opened = runtime()
    with reading(opened.engine) as session:
        found = analyses.result(session, key, now=opened.clock.now())
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([*row, found.trust.light] for row in _rows(found.readout))
    headers = {"Content-Disposition": f'attachment; filename="{key}.csv"'}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


@blueprint.post("/analyse")
@endpoint(Scope.MANAGE)
def analyse(key: str) -> ResultOut:
    """Take a look now."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        analysis.analyse(session, key, now=now, engine=runtime().moments.looks)
        return analyses.result(session, key, now=now)


@blueprint.get("/decisions")
@endpoint(Scope.READ)
def made(key: str, asked: Paging) -> Page[DecisionOut]:
    """The decisions on an experiment, the newest first."""
    opened = runtime()
    with reading(opened.engine) as session:
        found = decisions.decisions(session, key, before=asked.after_id, limit=asked.limit + 1)
        run = analyses.latest_result(session, key, now=opened.clock.now())
    reason = run.withheld if run else ""
    return page_by_id([disclosed(item, reason) for item in found], asked)


@blueprint.get("/interferences")
@endpoint(Scope.READ)
def found_interferences(key: str) -> Page[InterferenceOut]:
    """Other experiments beside which the effect was looked at, the strongest evidence first."""
    with reading(runtime().engine) as session:
        designs.experiment(session, key)
        return Page(data=interferences(session, key), next_cursor=None)


@blueprint.get("/description")
@endpoint(Scope.READ)
def described(key: str) -> DescriptionOut:
    """Time to convert and groups of visitors as of a look; 404 until it was described."""
    opened = runtime()
    with reading(opened.engine) as session:
        run = analyses.result(session, key, now=opened.clock.now())
        found = descriptions.description(session, key, withheld=run.withheld)
    if found is None:
        raise NotFoundError("description of experiment", key)
    return found


@blueprint.post("/decide")
@endpoint(Scope.MANAGE)
def decide(key: str) -> DecisionOut:
    """Put the newest look before the gate and carry out what follows."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return deciding.decide(session, key, actor=actor(), now=opened.clock.now())


@blueprint.post("/promotions/<int:promotion_id>/approve")
@endpoint(Scope.MANAGE)
def approve(key: str, promotion_id: int) -> PromotionOut:
    """Apply a proposed promotion."""
    opened = runtime()
    with transaction(opened.engine) as session:
        decisions.promotion_of(session, key, promotion_id)
        now = opened.clock.now()
        return settling.approve(session, promotion_id, actor=actor(), now=now)


@blueprint.post("/promotions/<int:promotion_id>/rebase")
@endpoint(Scope.MANAGE)
def rebase(key: str, promotion_id: int, data: ReasonIn) -> PromotionOut:
    """Apply a promotion over what has changed in the standard since the experiment began."""
    return _settle(settling.rebase, key, promotion_id, data)


@blueprint.post("/promotions/<int:promotion_id>/decline")
@endpoint(Scope.MANAGE)
def decline(key: str, promotion_id: int, data: ReasonIn) -> PromotionOut:
    """Leave the standard as it is although a variant won."""
    return _settle(settling.decline, key, promotion_id, data)


@blueprint.post("/promotions/<int:promotion_id>/revert")
@endpoint(Scope.MANAGE)
def revert(key: str, promotion_id: int, data: ReasonIn) -> PromotionOut:
    """Take an applied promotion back."""
    return _settle(settling.revert_promotion, key, promotion_id, data)


def _settle(
    step: Callable[..., PromotionOut], key: str, promotion_id: int, data: ReasonIn
) -> PromotionOut:
    opened = runtime()
    with transaction(opened.engine) as session:
        decisions.promotion_of(session, key, promotion_id)
        now = opened.clock.now()
        return step(session, promotion_id, reason=data.reason, actor=actor(), now=now)


def _rows(readout: Readout) -> Iterator[list[object]]:
    for metric in readout.metrics:
        effects = {item.variant: item for item in metric.comparisons}
        for arm in metric.arms:
            yield [
                metric.key,
                " ".join(metric.roles),
                metric.stage,
                arm.variant,
                arm.visitors,
                arm.matured,
                _number(arm.conversions),
                _number(arm.figure),
                *_effects(effects.get(arm.variant)),
            ]


def _effects(comparison: Comparison | None) -> list[object]:
    if comparison is None:
        return [""] * 6
    return [*_estimate(comparison.effect_abs), *_estimate(comparison.effect_rel)]


def _estimate(effect: object) -> list[object]:
    if not isinstance(effect, Estimate):
        return [""] * 3
    return [effect.value, effect.ci_low, effect.ci_high]


def _number(value: object) -> object:
    return value if isinstance(value, int | float) else ""
