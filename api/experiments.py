"""Designing and running experiments over the API."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from api.access import actor, needs
from api.requests import answer, body, cursor, page, page_size, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.design import queries, service
from experiments.design.schemas import ExperimentIn, ExperimentOut, PhaseIn, ReasonIn, Status
from experiments.errors import InvalidError

blueprint = Blueprint("experiments", __name__, url_prefix="/api/v1/experiments")


@blueprint.get("")
@needs(Scope.READ)
def experiments() -> Response:
    """Experiments in the order they were made, by `status` and `journey` if asked."""
    limit, journey = page_size(), request.args.get("journey", "")
    with reading(runtime().engine) as session:
        found = queries.experiments(
            session, _statuses(), journey, after=cursor() or 0, limit=limit + 1
        )
    shown = found[:limit]
    return page(shown, shown[-1].id if len(found) > limit else None)


@blueprint.post("")
@needs(Scope.MANAGE)
def create_experiment() -> Response:
    """Draft an experiment on the standard journey."""
    data, opened = body(ExperimentIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        made = service.create(session, data, rng=opened.rng, actor=actor(), now=now)
    return answer(made, 201)


@blueprint.get("/<key>")
@needs(Scope.READ)
def experiment(key: str) -> Response:
    """One experiment with its arms, phases and plan."""
    with reading(runtime().engine) as session:
        return answer(queries.experiment(session, key))


@blueprint.put("/<key>")
@needs(Scope.MANAGE)
def edit_experiment(key: str) -> Response:
    """Write an experiment again that has not started."""
    data, opened = body(ExperimentIn), runtime()
    with transaction(opened.engine) as session:
        changed = service.edit(session, key, data, actor=actor(), now=opened.clock.now())
    return answer(changed)


@blueprint.get("/<key>/check")
@needs(Scope.READ)
def check_experiment(key: str) -> Response:
    """What forbids the start, and what to think about first."""
    with reading(runtime().engine) as session:
        return page(queries.check(session, key))


@blueprint.post("/<key>/schedule")
@needs(Scope.MANAGE)
def schedule_experiment(key: str) -> Response:
    """Let it start by itself at its `starts_at`."""
    return _take(service.schedule, key)


@blueprint.post("/<key>/start")
@needs(Scope.MANAGE)
def start_experiment(key: str) -> Response:
    """Start it now; from here on its plan is frozen."""
    return _take(service.start, key)


@blueprint.post("/<key>/pause")
@needs(Scope.MANAGE)
def pause_experiment(key: str) -> Response:
    """Take in nobody new until it is resumed."""
    return _take(service.pause, key, reason=body(ReasonIn).reason)


@blueprint.post("/<key>/resume")
@needs(Scope.MANAGE)
def resume_experiment(key: str) -> Response:
    """Go on after a pause."""
    return _take(service.resume, key)


@blueprint.post("/<key>/stop")
@needs(Scope.MANAGE)
def stop_experiment(key: str) -> Response:
    """Take in nobody any more and wait for the last conversion window."""
    return _take(service.stop, key, reason=body(ReasonIn).reason)


@blueprint.post("/<key>/abort")
@needs(Scope.MANAGE)
def abort_experiment(key: str) -> Response:
    """End it without a decision."""
    return _take(service.abort, key, reason=body(ReasonIn).reason)


@blueprint.post("/<key>/archive")
@needs(Scope.MANAGE)
def archive_experiment(key: str) -> Response:
    """Put it out of sight once it has ended."""
    return _take(service.archive, key)


@blueprint.post("/<key>/phases")
@needs(Scope.MANAGE)
def open_phase(key: str) -> Response:
    """Go on with another coverage or allocation."""
    data, opened = body(PhaseIn), runtime()
    with transaction(opened.engine) as session:
        changed = service.open_phase(session, key, data, actor=actor(), now=opened.clock.now())
    return answer(changed, 201)


@blueprint.post("/<key>/variants/<variant>/remove")
@needs(Scope.MANAGE)
def remove_variant(key: str, variant: str) -> Response:
    """Show a variant to nobody any more."""
    data, opened = body(ReasonIn), runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        changed = service.remove_variant(
            session, key, variant, reason=data.reason, actor=actor(), now=now
        )
    return answer(changed)


def _take(step: Callable[..., ExperimentOut], key: str, **reason: str) -> Response:
    opened = runtime()
    with transaction(opened.engine) as session:
        return answer(step(session, key, actor=actor(), now=opened.clock.now(), **reason))


def _statuses() -> list[Status]:
    asked = request.args.getlist("status")
    if unknown := [status for status in asked if status not in set(Status)]:
        known = ", ".join(Status)
        raise InvalidError.at("/status", f"{unknown[0]!r} is no state; choose from {known}")
    return [Status(status) for status in asked]
