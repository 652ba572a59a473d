"""What the audit trail says was live after a given change; pure but for reading it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from experiments.audit.models import AuditEntry
from experiments.design.schemas import Status

OPENS_PHASE = {"started", "phase_opened", "variant_removed"}
BECOMES = {"created": Status.DRAFT, "started": Status.RUNNING, "ended": Status.ARCHIVED}
"""States that follow from an action which does not name them."""


@dataclass(slots=True, kw_only=True)
class History:
    """What was live after a change."""

    standards: dict[str, int] = field(default_factory=dict)
    approved: set[tuple[str, str, int]] = field(default_factory=set)
    statuses: dict[str, str] = field(default_factory=dict)
    phases: Counter[str] = field(default_factory=Counter)
    removed: set[tuple[str, str]] = field(default_factory=set)
    holdouts: set[str] = field(default_factory=set)
    ended_holdouts: set[str] = field(default_factory=set)
    personas: dict[str, int] = field(default_factory=dict)
    retired_personas: set[str] = field(default_factory=set)


def history(session: Session, version: int) -> History:
    """Everything up to the audit entry of that number."""
    kinds = ("experiment", "journey", "holdout", "persona")
    query = (
        select(AuditEntry)
        .where(col(AuditEntry.id) <= version, col(AuditEntry.subject_kind).in_(kinds))
        .order_by(col(AuditEntry.id))
    )
    return told(session.exec(query))


def told(entries: Iterable[AuditEntry]) -> History:
    """What entries tell, in the order in which they were written."""
    found = History()
    for entry in entries:
        kind, _, action = entry.action.partition(".")
        if kind == "experiment":
            _experiment(found, entry, action)
        elif entry.action == "journey.published":
            found.standards[entry.subject_key] = entry.detail["number"]
        elif entry.action == "content.approved":
            content = (entry.detail["content"], entry.detail["number"])
            found.approved.add((entry.subject_key, *content))
        elif entry.action == "holdout.created":
            found.holdouts.add(entry.subject_key)
        elif entry.action == "holdout.ended":
            found.ended_holdouts.add(entry.subject_key)
        elif entry.action == "persona.retired":
            found.retired_personas.add(entry.subject_key)
        elif kind == "persona":
            found.personas[entry.subject_key] = entry.detail["version"]
    return found


def _experiment(found: History, entry: AuditEntry, action: str) -> None:
    key = entry.subject_key
    status = entry.detail.get("to") or BECOMES.get(action)
    if status is not None:
        found.statuses[key] = status
    if action in OPENS_PHASE:
        found.phases[key] += 1
    if action == "variant_removed":
        found.removed.add((key, entry.detail["variant"]))
