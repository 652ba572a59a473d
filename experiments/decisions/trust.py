"""Conditions on the experiment as a whole: can the data be trusted, has enough time passed?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from experiments.analysis.schemas import Check, Light, Readout, Unit
from experiments.analysis.trust import FRESHNESS, SPLIT, trust
from experiments.decisions.schemas import Condition, Ruling
from experiments.design.plans import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the gate must know that is not in the readout."""

    enrolling: bool
    removed: frozenset[str] = frozenset()
    changed_nodes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)  # of variants, by key
    # By the variant's key: open experiments in one arm of which it helps and in another harms, and
    # ended ones beside whose outcome it harms.
    flips: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    worse_beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def called(self, variant: str) -> str:
        """What sentences call a variant: its name, or its key when it has none, in quotes."""
        return f"\u201c{self.names.get(variant) or variant}\u201d"


def health(readout: Readout, facts: Facts) -> list[Condition]:
    """Whether the data can be trusted: what is red blocks, what is amber only warns people."""
    found = trust(readout.quality, at=readout.as_of, enrolling=facts.enrolling)
    return [_condition(check) for check in found.checks]


def split_is_sound(conditions: Iterable[Condition]) -> bool:
    """Whether the visitors split as planned, among the conditions of health."""
    return all(item.ruling is Ruling.PASSED for item in conditions if item.condition == SPLIT)


def _condition(check: Check) -> Condition:
    # Only new visitors are missing when data are old, and they can still come.
    blocked = Ruling.WAITING if check.check == FRESHNESS else Ruling.FAILED
    return Condition(
        condition=check.check,
        figure=check.figure,
        threshold=check.threshold,
        unit=check.unit,
        ruling=blocked if check.verdict is Light.RED else Ruling.PASSED,
        words=check.words,
    )


def maturity(readout: Readout, plan: Plan) -> Condition:
    """Whether visitors of enough whole weeks have reached the end of their window."""
    done = readout.matured_days >= plan.minimum_days
    need = f"{plan.minimum_days} days of visitors past their window"
    return Condition(
        condition="maturity",
        figure=readout.matured_days,
        threshold=float(plan.minimum_days),
        unit=Unit.DAYS,
        ruling=ruling(passed=done, finished=readout.finished),
        words=f"There are {need}." if done else f"{readout.matured_days:.1f} of {need} are there.",
    )


def ruling(*, passed: bool, finished: bool) -> Ruling:
    """Passed, or waiting as long as more visitors can still change it."""
    if passed:
        return Ruling.PASSED
    return Ruling.FAILED if finished else Ruling.WAITING
