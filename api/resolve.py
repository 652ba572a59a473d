"""What shall be shown: resolve, explain, and links that preview a variant."""

from flask import Blueprint, Response

from api.access import needs
from api.requests import answer, body, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.design import queries as design
from experiments.errors import UnavailableError
from experiments.resolution import overrides, service
from experiments.resolution.overrides import Forced
from experiments.resolution.schemas import PreviewIn, ResolveIn

blueprint = Blueprint("resolve", __name__, url_prefix="/api/v1")


@blueprint.post("/resolve")
@needs(Scope.EVALUATE)
def resolve() -> Response:
    """What a touchpoint shows to a visitor; counts the exposure where showing counts."""
    asked, opened = body(ResolveIn), runtime()
    ruleset, forced = opened.rulesets.current(), _forced(asked)
    try:
        with transaction(opened.engine) as session:
            now = opened.clock.now()
            shown = service.resolve(session, ruleset, asked, forced=forced, now=now)
    except UnavailableError:
        shown = service.without_storage(ruleset, asked)
    return answer(shown)


@blueprint.post("/explain")
@needs(Scope.READ)
def explain() -> Response:
    """The same answer with every rung that was asked and why; writes nothing."""
    asked, opened = body(ResolveIn), runtime()
    with reading(opened.engine) as session:
        ruleset = opened.rulesets.current()
        return answer(service.explain(session, ruleset, asked, forced=_forced(asked)))


@blueprint.post("/experiments/<key>/preview-links")
@needs(Scope.MANAGE)
def create_preview_link(key: str) -> Response:
    """A token that shows one variant to whoever sends it with a resolve."""
    data, opened = body(PreviewIn), runtime()
    with reading(opened.engine) as session:
        experiment = design.experiment(session, key)
    signing_key = opened.settings.signing_key()
    made = service.preview(experiment, data, key=signing_key, now=opened.clock.now())
    return answer(made, 201)


def _forced(asked: ResolveIn) -> Forced | None:
    if not asked.preview:
        return None
    opened = runtime()
    key = opened.settings.signing_key()
    return overrides.verify(asked.preview, key=key, now=opened.clock.now())
