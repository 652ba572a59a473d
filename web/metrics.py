"""The catalogue of metrics: what is measured, which stages and experiments use it, corrections."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for

from experiments.accounts.schemas import Role
from experiments.analysis.learning import taught
from experiments.audit import queries as audit
from experiments.database import reading, transaction
from experiments.design import usage
from experiments.errors import ConflictError, InvalidError
from experiments.journeys import usage as journeys
from experiments.metrics import queries, service
from experiments.metrics.schemas import Direction, EventRule, MetricIn, MetricKind, MetricOut
from experiments.shapes import parse
from web import access
from web.access import Page
from web.filters import yaml_text
from web.requests import document, number, reason, runtime, text, whole_number

blueprint = Blueprint("metrics", __name__, template_folder="templates")
USERS_SHOWN = 50
KINDS = (
    (MetricKind.CONVERSION, "Conversion: did the visitor do it?"),
    (MetricKind.COUNT, "Count: how often?"),
    (MetricKind.SUM, "Sum: how much of a property?"),
    (MetricKind.RATIO, "Ratio: a sum over the count of another event"),
)
DIRECTIONS = ((Direction.INCREASE, "More is better"), (Direction.DECREASE, "Less is better"))
BLANK = {"window_hours": 14 * 24, "kind": MetricKind.CONVERSION, "direction": Direction.INCREASE}


@blueprint.get("/catalogue")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every metric, with what uses it."""
    return _index_page(BLANK)


@blueprint.post("/catalogue")
@access.needs(Role.EDITOR)
def add() -> Page:
    """Add a metric."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        data = _read(text("key"))
        with transaction(runtime().engine) as session:
            made = service.create(session, data, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _index_page(request.form, error), _status(error)
    flash(f"{made.name} is in the catalogue.", "good")
    return redirect(url_for("metrics.show", key=made.key))


@blueprint.get("/catalogue/<key>")
@access.needs(Role.VIEWER)
def show(key: str) -> str:
    """One metric: what it counts, what uses it, what was corrected and why."""
    return _show_page(key)


@blueprint.post("/catalogue/<key>")
@access.needs(Role.EDITOR)
def correct(key: str) -> Page:
    """Correct a metric; stored analyses stay as they are."""
    now, actor = runtime().clock.now(), access.actor()
    try:
        data, why = _read(key), reason()
        with transaction(runtime().engine) as session:
            service.update(session, key, data, reason=why, actor=actor, now=now)
    except (InvalidError, ConflictError) as error:
        return _show_page(key, request.form, error), _status(error)
    flash("The metric is corrected. The next analyses use it.", "good")
    return redirect(url_for("metrics.show", key=key))


def _read(key: str) -> MetricIn:
    denominator = _rule("denominator_event", "denominator_where")
    given: dict[str, object | None] = {
        "key": key,
        "name": text("name"),
        "kind": text("kind"),
        "rule": _rule("event", "where"),
        "value_property": text("value_property"),
        "denominator": denominator if denominator["event"] else None,
        "window_hours": whole_number("window_hours"),
        "direction": text("direction"),
        "winsorise_above": number("winsorise_above"),
        "unit": text("unit"),
        "description": text("description"),
    }
    return parse(MetricIn, given)


def _rule(event: str, where: str) -> Mapping[str, object]:
    return {"event": text(event), "where": document(where)}


def _values(metric: MetricOut) -> Mapping[str, object]:
    """The form as it would have been filled in to make this metric."""
    plain = metric.model_dump(exclude={"rule", "denominator"})
    return {
        **plain,
        "winsorise_above": "" if metric.winsorise_above is None else metric.winsorise_above,
        **_rule_values(metric.rule, "event", "where"),
        **_rule_values(metric.denominator, "denominator_event", "denominator_where"),
    }


def _rule_values(rule: EventRule | None, event: str, where: str) -> Mapping[str, str]:
    if rule is None:
        return {}
    return {event: rule.event, where: yaml_text(rule.where) if rule.where else ""}


def _status(error: Exception) -> int:
    return 409 if isinstance(error, ConflictError) else 422


def _index_page(given: Mapping[str, object], error: Exception | None = None) -> str:
    with reading(runtime().engine) as session:
        return render_template(
            "metrics/index.html",
            metrics=queries.metrics(session),
            stages=journeys.stages_by_metric(session),
            users=usage.metric_users(session),
            kinds=KINDS,
            directions=DIRECTIONS,
            given=given,
            error=error,
        )


def _show_page(
    key: str, given: Mapping[str, object] | None = None, error: Exception | None = None
) -> str:
    with reading(runtime().engine) as session:
        metric = queries.metric(session, key)
        users = usage.metric_users(session).get(key, [])
        changes = audit.entries(session, subject_key=key)
        return render_template(
            "metrics/show.html",
            metric=metric,
            stages=journeys.stages_by_metric(session).get(key, []),
            taught=taught(session, key),
            users=users[:USERS_SHOWN],
            more=max(len(users) - USERS_SHOWN, 0),
            log=[entry for entry in changes if entry.subject_kind == "metric"],
            kinds=[item for item in KINDS if item[0] is metric.kind],
            directions=DIRECTIONS,
            given=given or _values(metric),
            error=error,
        )
