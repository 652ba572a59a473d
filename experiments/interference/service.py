"""Scanning every pair of concurrent experiments, and writing down what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import product

import numpy as np
from sqlmodel import Session, select

from experiments.analysis.data import Cell
from experiments.analysis.strata import combined_cells
from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import queries as designs
from experiments.design.lifecycle import OPEN
from experiments.design.schemas import ExperimentOut, Purpose, Source, VariantOut
from experiments.interference.models import Interference
from experiments.interference.shared import Cells, shared_cells, sharing
from experiments.metrics.queries import metric
from experiments.metrics.schemas import MetricKind
from experiments.moments.engines import IN_DATABASE, Engine
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify
from stats.effects import ArmEstimate
from stats.interactions import InteractionScan, scan_interactions
from stats.results import NotEstimable

FALSE_DISCOVERIES = 0.05
"""Share of the flagged pairs that may be flagged by chance."""

FEWEST_IN_CELL = 100
FEWEST_CONVERSIONS_IN_CELL = 20
"""With fewer the normal approximation of a difference of differences cannot be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Does `other_variant` change the effect of `variant` on its primary metric?"""

    experiment: ExperimentOut
    variant: VariantOut
    other: ExperimentOut
    other_variant: VariantOut
    visitors: int
    cells: tuple[ArmEstimate, ...]  # (control, control), (control, other's), (variant, ...), both


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to a question, as it is stored."""

    effect_beside_control: float
    effect_beside_variant: float
    interaction: float
    ci_low: float
    ci_high: float
    p_adjusted: float
    flagged: bool
    flips: bool


def scan(
    session: Session, *, as_of: datetime, engine: Engine = IN_DATABASE
) -> list[tuple[Question, Finding]]:
    """Ask of every pair of concurrent experiments whether one changes the effect of the other.

    Reads only: the long part, which must hold no lock.
    """
    running = {
        item.id: item
        for item in designs.experiments(session, statuses=OPEN)
        if item.source is Source.LIVE and item.purpose is Purpose.TEST
    }
    pairs = sharing(session, list(running), at_least=4 * FEWEST_IN_CELL, as_of=as_of)
    asked = [
        (running[one], running[other], metric(session, running[one].primary_metric))
        for first, second in pairs
        for one, other in ((first, second), (second, first))
    ]
    cells = shared_cells(session, asked, engine=engine, as_of=as_of)
    questions = [
        question
        for (first, second, measured), found in zip(asked, cells, strict=True)
        for question in _questions(first, second, measured.kind, found)
    ]
    return _answered(questions)


def write(
    session: Session,
    found: Sequence[tuple[Question, Finding]],
    *,
    as_of: datetime,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Keep the newest answer of every pair; what is new among the flagged ones is told once.

    Returns:
        The keys of the experiments whose effect another one changes.
    """
    for question, finding in found:
        _store(session, question, finding, as_of=as_of)
        if finding.flagged:
            _tell(session, question, finding, actor=actor, now=now)
    session.flush()
    return sorted({item.experiment.key for item, finding in found if finding.flagged})


def _questions(
    first: ExperimentOut, second: ExperimentOut, kind: MetricKind, cells: Cells
) -> Iterator[Question]:
    for variant, other in product(first.treatments, second.treatments):
        keys = product((first.control.key, variant.key), (second.control.key, other.key))
        four = [cells.get(key, []) for key in keys]
        if all(_is_enough(group, kind) for group in four):
            yield Question(
                experiment=first,
                variant=variant,
                other=second,
                other_variant=other,
                visitors=sum(cell.matured for group in four for cell in group),
                cells=combined_cells(four, kind=kind),
            )


def _is_enough(cells: Sequence[Cell], kind: MetricKind) -> bool:
    if sum(cell.matured for cell in cells) < FEWEST_IN_CELL:
        return False
    if kind is not MetricKind.CONVERSION:
        return True
    return sum(cell.conversions or 0 for cell in cells) >= FEWEST_CONVERSIONS_IN_CELL


def _answered(questions: Sequence[Question]) -> list[tuple[Question, Finding]]:
    if not questions:
        return []
    cells = [question.cells for question in questions]
    shape = (len(questions), 2, 2)
    scanned = scan_interactions(
        ArmEstimate(
            value=np.array([[arm.value for arm in four] for four in cells]).reshape(shape),
            variance=np.array([[arm.variance for arm in four] for four in cells]).reshape(shape),
            n=np.array([[arm.n for arm in four] for four in cells]).reshape(shape),
            reason=np.array([[arm.reason for arm in four] for four in cells], np.int8).reshape(
                shape
            ),
        )
    )
    return [
        (question, _finding(question, seen))
        for number, question in enumerate(questions)
        if not isinstance(seen := scanned.at(number), NotEstimable)
    ]


def _finding(question: Question, seen: InteractionScan) -> Finding:
    base, beside, alone, both = (float(arm.value) for arm in question.cells)
    beside_control, beside_variant = alone - base, both - beside
    flagged = bool(seen.p_adjusted <= FALSE_DISCOVERIES)
    return Finding(
        effect_beside_control=beside_control,
        effect_beside_variant=beside_variant,
        interaction=float(seen.interaction),
        ci_low=float(seen.ci_low),
        ci_high=float(seen.ci_high),
        p_adjusted=float(seen.p_adjusted),
        flagged=flagged,
        flips=flagged and beside_control * beside_variant < 0,
    )


def _store(session: Session, question: Question, finding: Finding, *, as_of: datetime) -> None:
    query = select(Interference).where(
        Interference.variant_id == question.variant.id,
        Interference.other_variant_id == question.other_variant.id,
    )
    stored = session.exec(query.with_for_update()).one_or_none()
    fresh = {**asdict(finding), "as_of": as_of, "visitors": question.visitors}
    if stored is not None:
        stored.sqlmodel_update(fresh)
        return
    row = Interference(
        experiment_id=question.experiment.id,
        variant_id=question.variant.id,
        other_id=question.other.id,
        other_variant_id=question.other_variant.id,
        metric=question.experiment.primary_metric,
        as_of=as_of,
        visitors=question.visitors,
        **asdict(finding),
    )
    session.add(row)


def _tell(
    session: Session, question: Question, finding: Finding, *, actor: Actor, now: datetime
) -> None:
    key, other = question.experiment.key, question.other.key
    does = "turns it around, so that it is not promoted" if finding.flips else "changes it"
    what = (
        f"The effect of {question.variant.key} depends on the experiment {other}: its variant "
        f"{question.other_variant.key} {does}."
    )
    word = "flips" if finding.flips else "changes"
    pair = f"{question.variant.key}.{other}.{question.other_variant.key}"
    notice = Notice(
        key=f"experiment.{key}.interference.{pair}.{word}",
        severity=Severity.WARNING,
        what=what,
        subject=("experiment", key),
    )
    if notify(session, notice, now=now):
        audit.record(
            session,
            "experiment.interference_found",
            subject=("experiment", key),
            actor=actor,
            now=now,
            reason=what,
            detail={"other": other, "flips": finding.flips, "p_adjusted": finding.p_adjusted},
        )
