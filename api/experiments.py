"""Designing and running experiments over the API."""

from collections.abc import Callable

from flask import Blueprint
from pydantic import Field

from api import unchanged
from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.decisions import ramping
from experiments.design import queries, service
from experiments.design.ramp import RampOut
from experiments.design.schemas import (
    ExperimentIn,
    ExperimentOut,
    Finding,
    PhaseIn,
    ReasonIn,
    Status,
)
from experiments.errors import NotFoundError

blueprint = Blueprint("experiments", __name__, url_prefix="/api/v1/experiments")


class ExperimentsQuery(Paging):
    """Which experiments."""

    status: list[Status] = Field(default=[], description="Only these states; all when empty.")
    journey: str = Field(default="", description="Key of a journey; all when empty.")


@blueprint.get("")
@endpoint(Scope.READ)
def experiments(asked: ExperimentsQuery) -> Page[ExperimentOut]:
    """Experiments in the order they were made, by `status` and `journey` if asked."""
    with reading(runtime().engine) as session:
        found = queries.experiments(
            session,
            asked.status,
            asked.journey,
            after=asked.after_id or 0,
            limit=asked.limit + 1,
        )
    return page_by_id(found, asked)


@blueprint.post("")
@endpoint(Scope.MANAGE, status=201)
def create_experiment(data: ExperimentIn) -> ExperimentOut:
    """Draft an experiment on the standard journey."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.create(session, data, rng=opened.rng, actor=actor(), now=now)


@blueprint.get("/<key>")
@endpoint(Scope.READ, versioned=True)
def experiment(key: str) -> ExperimentOut:
    """One experiment with its arms, phases and plan."""
    with reading(runtime().engine) as session:
        return queries.experiment(session, key)


@blueprint.put("/<key>")
@endpoint(Scope.MANAGE, versioned=True)
def edit_experiment(key: str, data: ExperimentIn) -> ExperimentOut:
    """Write an experiment again that has not started."""
    opened = runtime()
    with transaction(opened.engine) as session:
        unchanged.check(service.held(session, key))
        return service.edit(session, key, data, actor=actor(), now=opened.clock.now())


@blueprint.get("/<key>/check")
@endpoint(Scope.READ)
def check_experiment(key: str, asked: Paging) -> Page[Finding]:
    """What forbids the start, and what to think about first."""
    with reading(runtime().engine) as session:
        found = queries.check(session, key)
    return page_of(found, asked, lambda item: f"{item.check} {item.field} {item.message}")


@blueprint.post("/<key>/schedule")
@endpoint(Scope.MANAGE)
def schedule_experiment(key: str) -> ExperimentOut:
    """Let it start by itself at its `starts_at`."""
    return _take(service.schedule, key)


@blueprint.post("/<key>/start")
@endpoint(Scope.MANAGE)
def start_experiment(key: str) -> ExperimentOut:
    """Start it now; from here on its plan is frozen."""
    return _take(service.start, key)


@blueprint.post("/<key>/pause")
@endpoint(Scope.MANAGE)
def pause_experiment(key: str, data: ReasonIn) -> ExperimentOut:
    """Take in nobody new until it is resumed."""
    return _take(service.pause, key, reason=data.reason)


@blueprint.post("/<key>/resume")
@endpoint(Scope.MANAGE)
def resume_experiment(key: str) -> ExperimentOut:
    """Go on after a pause."""
    return _take(service.resume, key)


@blueprint.post("/<key>/stop")
@endpoint(Scope.MANAGE)
def stop_experiment(key: str, data: ReasonIn) -> ExperimentOut:
    """Take in nobody any more and wait for the last conversion window."""
    return _take(service.stop, key, reason=data.reason)


@blueprint.post("/<key>/abort")
@endpoint(Scope.MANAGE)
def abort_experiment(key: str, data: ReasonIn) -> ExperimentOut:
    """End it without a decision."""
    return _take(service.abort, key, reason=data.reason)


@blueprint.post("/<key>/archive")
@endpoint(Scope.MANAGE)
def archive_experiment(key: str) -> ExperimentOut:
    """Put it out of sight once it has ended."""
    return _take(service.archive, key)


@blueprint.post("/<key>/phases")
@endpoint(Scope.MANAGE, status=201)
def open_phase(key: str, data: PhaseIn) -> ExperimentOut:
    """Go on with another coverage or allocation."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.open_phase(session, key, data, actor=actor(), now=opened.clock.now())


@blueprint.get("/<key>/ramp")
@endpoint(Scope.READ)
def ramp(key: str) -> RampOut:
    """The next step of the ramp, and what it waits for; 404 when no step is left."""
    opened = runtime()
    with reading(opened.engine) as session:
        found = ramping.waiting(session, key, now=opened.clock.now())
    if found is None:
        raise NotFoundError("step of the ramp of experiment", key)
    return found


@blueprint.post("/<key>/ramp/approve")
@endpoint(Scope.MANAGE)
def approve_step(key: str) -> RampOut:
    """Approve the next step of the ramp; its other gates remain."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return ramping.approve_step(session, key, actor=actor(), now=opened.clock.now())


@blueprint.post("/<key>/variants/<variant>/remove")
@endpoint(Scope.MANAGE)
def remove_variant(key: str, variant: str, data: ReasonIn) -> ExperimentOut:
    """Show a variant to nobody any more."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.remove_variant(
            session, key, variant, reason=data.reason, actor=actor(), now=now
        )


def _take(step: Callable[..., ExperimentOut], key: str, **reason: str) -> ExperimentOut:
    opened = runtime()
    with transaction(opened.engine) as session:
        return step(session, key, actor=actor(), now=opened.clock.now(), **reason)
