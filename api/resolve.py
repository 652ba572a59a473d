"""What shall be shown: resolve, explain, and links that preview a variant."""

from flask import Blueprint

from api.access import granted, secret_in
from api.endpoint import endpoint
from api.exchange import HeaderList, Reply, Request
from api.previews import previewed
from api.requests import document, json_bytes, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.design import queries as design
from experiments.resolution import service
from experiments.resolution.overrides import Forced
from experiments.resolution.schemas import (
    ExplainOut,
    PreviewIn,
    PreviewOut,
    ResolutionOut,
    ResolveIn,
)
from experiments.runtime import Runtime

JSON: HeaderList = (("Content-Type", "application/json"),)

blueprint = Blueprint("resolve", __name__, url_prefix="/api/v1")


@blueprint.post("/resolve")
@endpoint(Scope.EVALUATE)
def resolve(asked: ResolveIn) -> ResolutionOut:
    """What a touchpoint shows to a visitor; counts the exposure where showing counts."""
    return _shown(runtime(), asked)


def answer(opened: Runtime, request: Request) -> Reply:
    """Answer the same without a framework; whatever is refused is raised."""
    granted(opened, secret_in(request.headers), Scope.EVALUATE)
    shown = _shown(opened, document(ResolveIn, request.body()))
    return Reply(200, json_bytes(shown), JSON)


@blueprint.post("/explain")
@endpoint(Scope.READ)
def explain(asked: ResolveIn) -> ExplainOut:
    """The same answer with every rung that was asked and why; writes nothing."""
    opened = runtime()
    with reading(opened.engine) as session:
        ruleset = opened.rulesets.current()
        return service.explain(session, ruleset, asked, forced=_forced(opened, asked))


@blueprint.post("/experiments/<key>/preview-links")
@endpoint(Scope.MANAGE, status=201)
def create_preview_link(key: str, data: PreviewIn) -> PreviewOut:
    """A token that shows one variant to whoever sends it with a resolve."""
    opened = runtime()
    with reading(opened.engine) as session:
        experiment = design.experiment(session, key)
    signing_key = opened.settings.signing_key()
    return service.preview(experiment, data, key=signing_key, now=opened.clock.now())


def _shown(opened: Runtime, asked: ResolveIn) -> ResolutionOut:
    ruleset, now = opened.rulesets.current(), opened.clock.now()
    forced = _forced(opened, asked)
    return service.resolve(opened.resolver, ruleset, asked, forced=forced, now=now)


def _forced(opened: Runtime, asked: ResolveIn) -> Forced | None:
    return previewed(opened, asked.preview) if asked.preview else None
