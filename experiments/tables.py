"""Every table in one place, for migrations and for empty databases."""

from sqlalchemy import Engine, MetaData
from sqlmodel import SQLModel

from experiments.accounts import models as accounts
from experiments.analysis import models as analysis
from experiments.assignment import models as assignment
from experiments.audit import models as audit
from experiments.columnar import models as columnar
from experiments.decisions import models as decisions
from experiments.delivery import models as delivery
from experiments.descriptions import models as descriptions
from experiments.design import models as design
from experiments.events import models as events
from experiments.idempotency import models as idempotency
from experiments.imports import models as imports
from experiments.inbox import models as inbox
from experiments.instances import models as instances
from experiments.interference import models as interference
from experiments.jobs import models as jobs
from experiments.journeys import models as journeys
from experiments.learnings import models as learnings
from experiments.mailings import models as mailings
from experiments.metrics import models as metrics
from experiments.notifications import models as notifications
from experiments.personas import models as personas
from experiments.probation import models as probation
from experiments.replay import models as replay
from experiments.reports import models as reports

SLICES = (
    accounts,
    analysis,
    assignment,
    audit,
    columnar,
    decisions,
    delivery,
    descriptions,
    design,
    events,
    idempotency,
    imports,
    inbox,
    instances,
    interference,
    jobs,
    journeys,
    learnings,
    mailings,
    metrics,
    notifications,
    personas,
    probation,
    replay,
    reports,
)


def metadata() -> MetaData:
    """The tables of every slice."""
    return SQLModel.metadata


def create_tables(engine: Engine) -> None:
    """Make every table in an empty database, without migrations (tests)."""
    metadata().create_all(engine)
