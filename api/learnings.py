"""What ended experiments taught, over the API."""

from flask import Blueprint

from api import unchanged
from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.design.schemas import ExperimentOut
from experiments.learnings import queries, service
from experiments.learnings.schemas import LearningIn, LearningOut, Search

blueprint = Blueprint("learnings", __name__, url_prefix="/api/v1/learnings")


class LearningsQuery(Paging, Search):
    """Which learnings."""


@blueprint.get("")
@endpoint(Scope.READ)
def learnings(asked: LearningsQuery) -> Page[LearningOut]:
    """Learnings, the newest first, by words and scope; `?due=1` those to be tested again."""
    opened = runtime()
    wanted = Search(**{name: getattr(asked, name) for name in Search.model_fields})
    with reading(opened.engine) as session:
        found = queries.search(
            session,
            wanted,
            now=opened.clock.now(),
            before=asked.after_id,
            limit=asked.limit + 1,
        )
    return page_by_id(found, asked)


@blueprint.get("/<int:number>")
@endpoint(Scope.READ, versioned=True)
def learning(number: int) -> LearningOut:
    """One learning with its evidence."""
    with reading(runtime().engine) as session:
        return queries.learning(session, number)


@blueprint.put("/<int:number>")
@endpoint(Scope.MANAGE, versioned=True)
def edit_learning(number: int, data: LearningIn) -> LearningOut:
    """Say it better; the evidence stays."""
    opened = runtime()
    with transaction(opened.engine) as session:
        unchanged.check(service.held(session, number))
        return service.edit(session, number, data, actor=actor(), now=opened.clock.now())


@blueprint.post("/<int:number>/retest")
@endpoint(Scope.MANAGE, status=201)
def retest(number: int) -> ExperimentOut:
    """Draft its experiment anew; a second time gives the same draft."""
    opened = runtime()
    now = opened.clock.now()
    with transaction(opened.engine) as session:
        return service.retest(session, number, rng=opened.rng, actor=actor(), now=now)
